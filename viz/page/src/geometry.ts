// Where each place stands: a column for each step, rows by what it is; and the way from one to the other.

import type {Sheet, Story} from "./data";
import {type Detail, type Place, sheetOf, type View} from "./view";

export interface Spot {
  x: number; // the middle
  y: number;
  w: number;
  h: number;
}

export interface Layout {
  steps: number[]; // by column
  column: Map<number, number>;
  spans: [number, number][]; // from where to where each column reaches
  width: number;
  height: number;
  scale: number; // from these units to pixels
  spots: Spot[]; // by place
  inColumn: number[][]; // places
  ribbonsIn: number[][]; // ribbons with an end there
  ways: Map<string, [number, number][]> | null; // by ribbon, its corners, where Python has found the way
}

const LEFT = 104;
const SIZES = {
  cell: {row: 92, box: [100, 46], gate: [0, 0], pitch: 0},
  gate: {row: 86, box: [92, 46], gate: [47, 46], pitch: 336},
} as const;
const SHEET = 1.25; // pixels for one of Python's
export const LINE = 12; // of a single number
export const MOST = 8; // numbers of an array that are written into its box

// Few steps are drawn wide, many at the least width at which the factors are read.
function pitchOf(columns: number, detail: "cell" | "gate", room: number): number {
  return SIZES[detail].pitch || Math.max(158, Math.min(230, (room - LEFT) / columns));
}

// From the input up; of a layer that is taken apart, h below the gates and c above.
function slot(place: Place, detail: Detail): number {
  if (detail === "cell") return place.row * 4;
  return place.row * 4 + (place.kind === "gate" ? 1 : place.labels[0]!.startsWith("c") ? 2 : 0);
}

export function layOut(story: Story, view: View, zoom: number, room: number): Layout {
  const sheet = sheetOf(story, view.detail);
  const steps = [...new Set(view.places.map((place) => place.step))].sort((a, b) => a - b);
  const column = new Map(steps.map((t, i) => [t, i]));
  const placed = sheet ? onSheet(sheet, view, steps, zoom) : inRows(view, view.detail === "cell" ? "cell" : "gate", steps, column, zoom, room);
  const inColumn: number[][] = steps.map(() => []);
  view.places.forEach((place, p) => inColumn[column.get(place.step)!]!.push(p));
  const ribbonsIn: number[][] = steps.map(() => []);
  view.ribbons.forEach((ribbon, r) => {
    const ends = [view.places[ribbon.from]!, view.places[ribbon.to]!].map((place) => column.get(place.step)!);
    for (const end of new Set(ends)) ribbonsIn[end]!.push(r);
  });
  return {steps, column, inColumn, ribbonsIn, ...placed};
}

type Placed = Pick<Layout, "spans" | "width" | "height" | "scale" | "spots" | "ways">;

// Where Python's layout has put every operation.
function onSheet(sheet: Sheet, view: View, steps: number[], zoom: number): Placed {
  const known = new Map(sheet.columns.map(([step, left, right]) => [step, [left, right] as [number, number]]));
  const [first, last] = [sheet.columns[0]!, sheet.columns[sheet.columns.length - 1]!];
  const spans = steps.map((t): [number, number] => known.get(t) ?? (t < first[0] ? [0, first[1]] : [last[2], Math.max(sheet.width, last[2] + 1)]));
  const spots = view.places.map((place): Spot => {
    const [, , i, x, y, w, h] = place.spot!;
    return {x: x + (sheet.columns[i]?.[1] ?? 0), y, w, h};
  });
  const at = new Map(view.places.map((place, p) => [`${place.box}.${place.ks[0]}`, p]));
  const ways = new Map<string, [number, number][]>();
  for (const [box, name, user, other, ...deltas] of sheet.ways) {
    const [from, to] = [at.get(`${user}.${other}`)!, at.get(`${box}.${name}`)!];
    let {x, y} = spots[to]!;
    const points: [number, number][] = [];
    for (let i = 0; i < deltas.length; i += 2) points.push([(x += deltas[i]!), (y += deltas[i + 1]!)]);
    ways.set(`${from}.${to}`, points.reverse()); // as the gradient goes: from what used it
  }
  return {spans, width: sheet.width, height: sheet.height, scale: SHEET * zoom, spots, ways};
}

// A column for each step, rows by what a place is.
function inRows(view: View, detail: "cell" | "gate", steps: number[], column: Map<number, number>, zoom: number, room: number): Placed {
  const size = SIZES[detail];
  const gated = view.places.some((place) => place.kind === "gate");
  const pitch = (detail === "gate" && !gated ? 260 : pitchOf(steps.length, detail, room)) * zoom;
  const slots = [...new Set(view.places.map((place) => slot(place, detail)))].sort((a, b) => a - b);
  const height = slots.length * size.row + 34;
  const fit = Math.min(1, zoom * (detail === "cell" ? 1.4 : 1));
  const beside = new Map<string, number[]>(); // the gates of a cell, side by side
  view.places.forEach((place, p) => {
    if (place.kind !== "gate") return;
    const key = `${place.layer}.${place.step}`;
    beside.set(key, [...(beside.get(key) ?? []), p]);
  });
  const left = LEFT + (gated ? pitch * 0.1 : 0);
  const spots = view.places.map((place, p): Spot => {
    const center = left + column.get(place.step)! * pitch;
    const y = height - 24 - (slots.indexOf(slot(place, detail)) + 0.5) * size.row;
    const [w, h] = place.kind === "gate" ? size.gate : size.box;
    if (!gated) return {x: center, y, w: Math.max(6, w * fit), h};
    if (place.kind !== "gate") return {x: center + (place.kind === "input" ? -0.2 : place.step === steps[0] ? 0.1 : 0.28) * pitch, y, w: w * fit, h};
    const cell = beside.get(`${place.layer}.${place.step}`)!;
    const apart = (0.62 * pitch) / cell.length;
    return {x: center + (-0.46 + 0.31) * pitch + (cell.indexOf(p) - (cell.length - 1) / 2) * apart, y, w: w * fit, h};
  });
  const spans = steps.map((_, i): [number, number] => [left + (i - 0.5) * pitch, left + (i + 0.5) * pitch]);
  return {spans, width: left + steps.length * pitch, height, scale: 1, spots, ways: null};
}

// The first column that reaches beyond x.
export function columnAt({spans}: Layout, x: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const half = (low + high) >> 1;
    if (spans[half]![1] > x) high = half;
    else low = half + 1;
  }
  return low;
}

export interface Way {
  d: string; // of the line, up to the tip
  tip: [number, number];
  direction: [number, number]; // at the tip, a unit vector
  middle: [number, number];
  flat: boolean; // along the time axis
}

const GAP = 2;

type Point = [number, number];
export type Route = "straight" | "around" | "down" | "side" | Point[]; // past what is between; to its end; into its side; by corners

// Boxes side by side or one above the other are joined by a line, unless others stand between.
export function routeOf(view: View, layout: Layout, from: number, to: number): Route {
  const [a, b] = [layout.spots[from]!, layout.spots[to]!];
  if (layout.ways) return layout.ways.get(`${from}.${to}`) ?? "straight";
  if (view.detail === "cell" || Math.abs(a.y - b.y) < 1) return "straight";
  const step = view.places[from]!.step;
  if (step !== view.places[to]!.step) return "side";
  if (Math.abs(a.x - b.x) >= 1) return "down";
  const between = layout.inColumn[layout.column.get(step)!]!.some((p) => {
    const {x, y} = layout.spots[p]!;
    return Math.abs(x - a.x) < 1 && (y - a.y) * (y - b.y) < 0;
  });
  return between ? "around" : "straight";
}

export function way(a: Spot, b: Spot, head: number, route: Route): Way {
  if (typeof route !== "string") return cornered(route, head);
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  if (Math.abs(dy) < 1 || (Math.abs(dx) > Math.abs(dy) && route === "straight")) {
    const side = Math.sign(dx);
    return straight([a.x + side * (a.w / 2 + GAP), a.y], [b.x - side * (b.w / 2 + GAP), b.y], head, true);
  }
  const side = Math.sign(dy);
  if (route === "around") {
    const out = Math.max(a.w, b.w) / 2;
    const [from, to] = [[a.x + a.w / 2 + GAP, a.y], [b.x + b.w / 2 + GAP + head, b.y]] as const;
    const bulge = a.x + out + 46;
    return {
      d: `M${from[0]} ${from[1]}C${bulge} ${from[1]} ${bulge} ${to[1]} ${to[0]} ${to[1]}`,
      tip: [to[0] - head, to[1]], direction: [-1, 0], middle: [bulge - 12, (a.y + b.y) / 2], flat: false,
    };
  }
  if (route === "straight") {
    return straight([a.x, a.y + side * (a.h / 2 + GAP)], [b.x, b.y - side * (b.h / 2 + GAP)], head, false);
  }
  const from = [a.x, a.y + side * (a.h / 2 + GAP)] as const;
  if (route === "side") {
    const toward = Math.sign(dx);
    const to = [b.x - toward * (b.w / 2 + GAP + head), b.y] as const;
    return {
      d: `M${from[0]} ${from[1]}C${from[0]} ${b.y} ${from[0]} ${b.y} ${to[0]} ${to[1]}`,
      tip: [to[0] + toward * head, to[1]], direction: [toward, 0], middle: [from[0], b.y], flat: false,
    };
  }
  const to = [b.x, b.y - side * (b.h / 2 + GAP + head)] as const;
  const half = (from[1] + to[1]) / 2;
  return {
    d: `M${from[0]} ${from[1]}C${from[0]} ${half} ${to[0]} ${half} ${to[0]} ${to[1]}`,
    tip: [to[0], to[1] + side * head], direction: [0, side], middle: [(from[0] + to[0]) / 2, half], flat: false,
  };
}

const ROUND = 7; // of the corners

function cornered(points: Point[], head: number): Way {
  const [before, tip] = points.slice(-2) as [Point, Point];
  const end = toward(tip, before, head);
  const parts = points.slice(1, -1).map((corner, i) => {
    const [a, b] = [toward(corner, points[i]!, ROUND), toward(corner, points[i + 2]!, ROUND)];
    return `L${a[0]} ${a[1]}Q${corner[0]} ${corner[1]} ${b[0]} ${b[1]}`;
  });
  const length = Math.hypot(tip[0] - before[0], tip[1] - before[1]) || 1;
  const direction: Point = [(tip[0] - before[0]) / length, (tip[1] - before[1]) / length];
  return {d: `M${points[0]![0]} ${points[0]![1]}${parts.join("")}L${end[0]} ${end[1]}`, tip, direction, middle: points[points.length >> 1]!, flat: false};
}

// From a point some way to another, and at most half of it.
function toward(from: Point, to: Point, by: number): Point {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const part = Math.min(by, length / 2) / length;
  return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
}

function straight(from: [number, number], to: [number, number], head: number, flat: boolean): Way {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const direction: [number, number] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const end = [to[0] - direction[0] * head, to[1] - direction[1] * head];
  return {d: `M${from[0]} ${from[1]}L${end[0]} ${end[1]}`, tip: to, direction, middle: [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], flat};
}
