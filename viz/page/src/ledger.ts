// The weights' gradients by step and the credit map, computed here: as `micrornn/flow` has them, after edits.

import type {Credit, Story, Weight} from "./data";
import {dot, norm, type Rows, scaled, sum, sweep, type System, type Vector} from "./system";
import {type Edit, factorOf} from "./view";

const TOTAL = -1; // the label of what has no step: a sum of losses

// By node, the factor by which the edits change a gradient in the backward pass of all losses.
function factors(system: System, edits: Edit[]): Map<number, number> {
  const found = new Map<number, number>();
  sweep(system, seeded(system), (node, rows) => {
    const factor = factorOf(edits, system, node, sum(rows.values(), system.size[node]!));
    if (factor !== 1) found.set(node, factor);
    return scaled(rows, factor);
  });
  return found;
}

function seeded(system: System): Map<number, Rows> {
  return new Map([...system.seeds].map(([node, value]) => [node, new Map([[TOTAL, value]])]));
}

// A weight gets its part of step t from the operations of step t: each relabels what it sends.
export function ledgerOf(story: Story, system: System, edits: Edit[]): Weight[] {
  const own = factors(system, edits);
  const arrived = new Map<number, Rows>();
  const weights = new Set(system.weights.values());
  sweep(system, seeded(system), (node, rows) => {
    if (weights.has(node)) arrived.set(node, rows);
    const t = system.step[node];
    const sent = scaled(rows, own.get(node) ?? 1);
    return t === null || t === undefined ? sent : new Map([[t, sum(sent.values(), system.size[node]!)]]);
  });
  return story.ledger.map((weight) => {
    const node = system.weights.get(weight.name);
    const rows = node === undefined ? undefined : arrived.get(node);
    if (!rows) return {...weight, norm: 0, norms: weight.norms.map(() => 0), shares: weight.shares.map(() => NaN)};
    const total = sum(rows.values(), system.size[node!]!);
    const size = norm(total);
    const of = (t: number): Vector => rows.get(t) ?? new Float64Array(total.length);
    return {...weight, norm: size, norms: weight.steps.map((t) => norm(of(t))), shares: weight.steps.map((t) => dot(of(t), total) / size / size)};
  });
}

// Of every loss alone, all of them carried back at once, a row for each.
export function creditOf(story: Story, system: System, edits: Edit[]): Credit | null {
  const {credit} = story;
  if (!credit) return null;
  const own = factors(system, edits);
  const losses = story.boxes.flatMap((box, i) => (box.kind === "loss" ? [i] : []));
  const seeds = new Map<number, Rows>();
  losses.forEach((box, i) => {
    const node = system.losses.get(box)!;
    seeds.set(node, new Map([...(seeds.get(node) ?? []), [i, new Float64Array(system.size[node]!).fill(1)]]));
  });
  const columns = credit.states.map((t) => {
    const box = story.boxes.findIndex((b) => b.layer === credit.scope && b.step === t && b.names.includes(credit.name) && b.kind !== "loss");
    return system.box.findIndex((b, n) => b === box && story.boxes[box]!.names[system.name[n]!] === credit.name);
  });
  const found = new Map(columns.map((node) => [node, new Map<number, number>()]));
  sweep(system, seeds, (node, rows) => {
    const sent = scaled(rows, own.get(node) ?? 1);
    const column = found.get(node);
    if (column) for (const [i, row] of sent) column.set(i, norm(row));
    return sent;
  });
  return {...credit, rows: credit.rows.map((row, i) => row.map((was, k) => (columns[k]! < 0 ? was : found.get(columns[k]!)!.get(i) ?? null)))};
}
