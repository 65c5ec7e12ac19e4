// Backward as a linear system: rows of gradients, each under a label, carried back from node to node.
// What a label means is the caller's business, as in `micrornn/flow/rows.py`.

import type {Linear} from "./data";

export type Vector = Float64Array;
export type Rows = Map<number, Vector>;
export type Turn = (node: number, rows: Rows) => Rows;

export interface Edge {
  from: number;
  to: number;
  diagonal: boolean;
  matrix: Float32Array; // shape (from, to), row by row; or the diagonal; empty where it is zero
}

export interface System {
  box: number[]; // by node
  name: number[];
  size: number[];
  out: Edge[][]; // by the node that sends
  into: Edge[][];
  seeds: Map<number, Vector>;
  losses: Map<number, number>;
}

export function system(linear: Linear): System {
  const bytes = Uint8Array.from(atob(linear.numbers), (c) => c.charCodeAt(0));
  const numbers = new Float32Array(bytes.buffer);
  const size = linear.nodes.map((node) => node[2]);
  const out: Edge[][] = size.map(() => []);
  const into: Edge[][] = size.map(() => []);
  let at = 0;
  for (const [from, to, kind] of linear.edges) {
    const count = [size[from]! * size[to]!, size[from]!, 0][kind]!;
    const edge = {from, to, diagonal: kind === 1, matrix: numbers.subarray(at, at + count)};
    at += count;
    out[from]!.push(edge);
    into[to]!.push(edge);
  }
  return {
    box: linear.nodes.map((node) => node[0]),
    name: linear.nodes.map((node) => node[1]),
    size, out, into,
    seeds: new Map(linear.seeds.map(([node, values]) => [node, Float64Array.from(values)])),
    losses: new Map(Object.entries(linear.losses).map(([box, node]) => [Number(box), node])),
  };
}

// Nodes take their turn newest first, so that all that was sent to one is there.
export function sweep(system: System, seeds: Map<number, Rows>, turn: Turn): void {
  const pending: (Rows | undefined)[] = system.size.map(() => undefined);
  const add = (node: number, label: number, value: Vector): void => {
    const rows = (pending[node] ??= new Map());
    const known = rows.get(label);
    if (!known) rows.set(label, value);
    else rows.set(label, known.map((x: number, i: number) => x + value[i]!));
  };
  for (const [node, rows] of seeds) for (const [label, value] of rows) add(node, label, value);
  for (let node = 0; node < system.size.length; node++) {
    const rows = pending[node];
    if (!rows) continue;
    pending[node] = undefined;
    const sent = turn(node, rows);
    for (const edge of system.out[node]!) {
      for (const [label, value] of sent) add(edge.to, label, pull(edge, value, system.size[edge.to]!));
    }
  }
}

export function pull(edge: Edge, value: Vector, size: number): Vector {
  if (edge.diagonal) return value.map((x, i) => x * edge.matrix[i]!);
  const sent = new Float64Array(size);
  if (!edge.matrix.length) return sent;
  for (let i = 0; i < value.length; i++) {
    const x = value[i]!;
    for (let j = 0; j < size; j++) sent[j]! += x * edge.matrix[i * size + j]!;
  }
  return sent;
}

export function sum(rows: Iterable<Vector>, size: number): Vector {
  const total = new Float64Array(size);
  for (const row of rows) for (let i = 0; i < size; i++) total[i]! += row[i]!;
  return total;
}

export function scaled(rows: Rows, factor: number): Rows {
  if (factor === 1) return rows;
  return new Map([...rows].map(([label, value]) => [label, value.map((x) => x * factor)]));
}

export function norm(value: Vector): number {
  const most = value.reduce((m, x) => Math.max(m, Math.abs(x)), 0); // NaN if any is
  if (!(most > 0) || !Number.isFinite(most)) return most;
  let squares = 0;
  for (const x of value) squares += (x / most) ** 2;
  return most * Math.sqrt(squares);
}

export function dot(a: Vector, b: Vector): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
