// What is drawn of a run: places with the gradient that arrives, at a level of detail, from a loss, with edits.

import type {Box, Kind, Ribbon, Sheet, Story} from "./data";
import {type Edge, ENTRIES, norm, pull, type Rows, scaled, sum, type System, system, sweep, type Vector} from "./system";

export interface Edit {
  box: number;
  name: number; // index of the state; -1: all of the box
  verb: "scale" | "clip";
  amount: number;
}

// Whose gradient is followed: one loss, by its step, or what backward computed, of all losses together.
export type Of = number | "all";

export interface Place {
  key: string;
  box: number;
  ks: number[]; // which names of the box
  kind: Kind;
  layer: string;
  row: number;
  step: number;
  labels: string[];
  norms: (number | null)[];
  gradients: (ArrayLike<number> | null)[];
  values: (number[] | null)[];
  text: string;
  spot?: Sheet["spots"][number]; // where there is a place for every operation
}

export type Detail = "cell" | "gate" | "op" | "scalar";

export interface View {
  places: Place[];
  ribbons: Ribbon[]; // between places
  starts: number[]; // the places where the gradient begins
  system: System | null;
  arrived: (Vector | undefined)[]; // by node of the system
  entered: (Vector | undefined)[]; // the part of it that came from other places
  detail: Detail;
}

const systems = new WeakMap<Story, System>();

export function systemOf(story: Story): System | null {
  if (!story.linear) return null;
  const known = systems.get(story) ?? system(story.linear);
  systems.set(story, known);
  return known;
}

export function hasGates(story: Story): boolean {
  return story.linear !== null && story.boxes.some((box) => box.kind === "gate");
}

function placesOf(story: Story, detail: Detail): Place[] {
  const sheet = sheetOf(story, detail);
  if (sheet) return sheet.spots.map((spot) => ({...place(story.boxes[spot[0]]!, spot[0], [spot[1]]), spot}));
  const found: Place[] = [];
  story.boxes.forEach((box, i) => {
    if (box.kind === "op" || (box.kind === "gate" && detail === "cell")) return;
    const all = box.names.map((_, k) => k);
    for (const ks of detail === "cell" ? [all] : all.map((k) => [k])) found.push(place(box, i, ks));
  });
  return found;
}

export function sheetOf(story: Story, detail: Detail): Sheet | undefined {
  return detail === "op" || detail === "scalar" ? story.sheets[detail] : undefined;
}

function place(box: Box, i: number, ks: number[]): Place {
  return {
    key: `${i}.${ks.length === box.names.length ? "" : ks[0]}`, box: i, ks, kind: box.kind, layer: box.layer, row: box.row, step: box.step,
    labels: ks.map((k) => box.labels[k]!), norms: ks.map((k) => box.norms[k] ?? null),
    gradients: ks.map((k) => box.gradients[k] ?? null), values: ks.map((k) => box.values[k] ?? null),
    text: box.text,
  };
}

export function lossSteps(story: Story): number[] {
  return story.boxes.filter((box) => box.kind === "loss").map((box) => box.step);
}

export function view(story: Story, asked: Detail, of: Of | null, edits: Edit[]): View {
  const system = systemOf(story);
  const detail = !system ? "cell" : sheetOf(story, asked) || asked === "cell" ? asked : "gate";
  const places = placesOf(story, detail);
  if (!system) {
    const starts = story.loss < 0 ? [] : [story.loss];
    return {places, ribbons: story.ribbons, starts, system: null, arrived: [], entered: [], detail};
  }
  return computed(story, system, places, detail, of, edits);
}

// By node, the place that it is drawn in.
export function owners(system: System, places: Place[]): number[] {
  const at = new Map<string, number>();
  places.forEach((place, p) => place.ks.forEach((k) => at.set(`${place.box}.${k}`, p)));
  return system.box.map((box, n) => at.get(`${box}.${system.name[n]}`) ?? -1);
}

export function factorOf(edits: Edit[], system: System, node: number, total: Vector): number {
  let factor = 1;
  for (const {box, name, verb, amount} of edits) {
    if (box !== system.box[node] || (name >= 0 && name !== system.name[node])) continue;
    const size = norm(total) * Math.abs(factor);
    factor *= verb === "scale" ? amount : size > amount ? amount / size : 1;
  }
  return factor;
}

// The box of the loss that is followed: a run without the one that is asked for shows its own last.
export function followed(story: Story, of: Of | null): number {
  const asked = story.boxes.findIndex((box) => box.kind === "loss" && box.step === of);
  return asked < 0 ? story.loss : asked;
}

function seedsOf(story: Story, system: System, of: Of | null, places: Place[]): {seeds: Map<number, Rows>; start: number} {
  const loss = followed(story, of);
  if (of === "all" || loss < 0) {
    return {seeds: new Map([...system.seeds].map(([node, value]) => [node, new Map([[-1, value]])])), start: -1};
  }
  const node = system.losses.get(loss)!;
  const start = places.findIndex((place) => place.box === loss);
  return {seeds: new Map([[node, new Map([[start, new Float64Array(system.size[node]!).fill(1)]])]]), start};
}

function computed(story: Story, system: System, places: Place[], detail: Detail, of: Of | null, edits: Edit[]): View {
  const owner = owners(system, places);
  const {seeds, start} = seedsOf(story, system, of, places);
  const found = new Map<string, Ribbon>();
  const arrived: (Vector | undefined)[] = system.size.map(() => undefined);
  const entered = [...arrived];
  const starts = new Set(start < 0 ? [] : [start]);
  for (const ribbon of uses(story, system, places, owner, detail)) found.set(`${ribbon.from}.${ribbon.to}.${ribbon.state}`, ribbon);
  sweep(system, seeds, (node, rows) => {
    const total = sum(rows.values(), system.size[node]!);
    const factor = factorOf(edits, system, node, total);
    arrived[node] = factor === 1 ? total : total.map((x) => x * factor);
    const here = owner[node]!;
    if (here < 0) return scaled(rows, factor);
    const state = stateOf(story, system, node);
    const others = [...rows].filter(([label]) => label !== here || label === start);
    entered[node] = sum(others.map(([, value]) => value.map((x) => x * factor)), system.size[node]!);
    for (const [label, value] of rows) {
      if (label === here) continue;
      if (label < 0) starts.add(here);
      else found.set(`${label}.${here}.${state}`, {from: label, to: here, state, norm: norm(value), cut: false});
    }
    return new Map([[here, arrived[node]!]]);
  });
  const nodeOf = new Map(system.box.map((box, n) => [`${box}.${system.name[n]}`, n]));
  for (const [p, place] of places.entries()) {
    place.gradients = place.ks.map((k) => arrived[nodeOf.get(`${place.box}.${k}`) ?? -1] ?? null);
    place.norms = place.gradients.map((g) => (g ? norm(g as Vector) : null));
    if (p === start && !nodeOf.has(`${place.box}.0`)) place.norms = [1]; // a loss that is a state itself
  }
  return {places, ribbons: [...found.values()], starts: [...starts], system, arrived, entered, detail};
}

// What uses what, whether or not a gradient passes there.
function uses(story: Story, system: System, places: Place[], owner: number[], detail: Detail): Ribbon[] {
  const known = joined(story, system, owner);
  if (detail !== "cell") return known;
  const pairs = new Set(known.map((ribbon) => `${ribbon.from}.${ribbon.to}`));
  const all = story.ribbons.map((ribbon) => ({...ribbon, norm: ribbon.norm === 0 ? 0 : null, ...renumbered(ribbon, places)}));
  return all.filter((ribbon) => ribbon.cut || pairs.has(`${ribbon.from}.${ribbon.to}`) || !owner.includes(ribbon.from));
}

// The places with a derivative between them, by operations that are no places. A slice of what was joined uses all of
// it, and only one part of it counts: gradients of ones tell, as no sum of them is zero.
function joined(story: Story, system: System, owner: number[]): Ribbon[] {
  const found: Ribbon[] = [];
  const ones = system.size.map((size) => new Float64Array(size).fill(1));
  const into = new Set(system.weights.values());
  owner.forEach((from, n) => {
    const waiting = new Map<number, Vector>(from < 0 ? [] : [[n, ones[n]!]]);
    while (waiting.size) {
      const next = Math.min(...waiting.keys()); // newest first, so that all that was sent to it is there
      const value = waiting.get(next)!;
      waiting.delete(next);
      for (const edge of system.out[next]!) {
        const to = edge.to;
        const sent = into.has(to) ? null : edge.kind === ENTRIES ? pull({...edge, matrix: marks(edge)}, value, system.size[to]!) : ones[to]!;
        if (!sent) continue;
        if (owner[to]! < 0) waiting.set(to, waiting.get(to)?.map((x, i) => x + sent[i]!) ?? sent);
        else if (owner[to] !== from) found.push({from, to: owner[to]!, state: stateOf(story, system, to), norm: null, cut: false});
      }
    }
  });
  return found;
}

function marks(edge: Edge): Float32Array {
  return edge.matrix.map((x, i) => (i % 3 === 2 ? 1 : x));
}

function stateOf(story: Story, system: System, n: number): string {
  return story.boxes[system.box[n]!]?.names[system.name[n]!] ?? "";
}

function renumbered(ribbon: Ribbon, places: Place[]): {from: number; to: number} {
  const at = (box: number): number => places.findIndex((place) => place.box === box);
  // Boxes without gates come first, in the order of the story, so this is mostly the same number.
  const from = places[ribbon.from]?.box === ribbon.from ? ribbon.from : at(ribbon.from);
  return {from, to: places[ribbon.to]?.box === ribbon.to ? ribbon.to : at(ribbon.to)};
}
