// Backward as a linear system: rows of gradients, each under a label, carried back from node to node.
// What a label means is the caller's business, as in `micrornn/flow/rows.py`.

import type {Linear} from "./data";

export type Vector = Float64Array;
export type Rows = Map<number, Vector>;
export type Turn = (node: number, rows: Rows) => Rows;

// As in `viz/page/derivative.py`, G being the gradient that arrived: G times the matrix; element by element; nothing;
// the matrix times G; G transposed times the matrix; single entries (element of G, element of what is sent, number).
export const [TIMES, EACH, ZERO, BEFORE, ACROSS, ENTRIES] = [0, 1, 2, 3, 4, 5] as const;

export interface Edge {
  from: number;
  to: number;
  kind: number;
  matrix: Float32Array;
  rows: number;
  columns: number;
}

export interface System {
  box: number[]; // by node
  name: number[];
  size: number[];
  step: (number | null)[];
  out: Edge[][]; // by the node that sends
  into: Edge[][];
  seeds: Map<number, Vector>;
  losses: Map<number, number>;
  weights: Map<string, number>;
  names: Map<number, string>; // of what is in no box
}

export function system(linear: Linear): System {
  const bytes = Uint8Array.from(atob(linear.numbers), (c) => c.charCodeAt(0));
  const numbers = new Float32Array(bytes.buffer);
  const size = linear.nodes.map((node) => node[2]);
  const out: Edge[][] = size.map(() => []);
  const into: Edge[][] = size.map(() => []);
  let end = 0;
  const matrices = linear.matrices.map(([rows, columns]) => numbers.subarray(end, (end += rows * columns)));
  for (const [from, to, kind, m] of linear.edges) {
    const [rows, columns] = linear.matrices[m]!;
    const edge = {from, to, kind, matrix: matrices[m]!, rows, columns};
    out[from]!.push(edge);
    into[to]!.push(edge);
  }
  return {
    box: linear.nodes.map((node) => node[0]),
    name: linear.nodes.map((node) => node[1]),
    step: linear.nodes.map((node) => node[3]),
    size, out, into,
    seeds: new Map(linear.seeds.map(([node, values]) => [node, Float64Array.from(values)])),
    losses: new Map(Object.entries(linear.losses).map(([box, node]) => [Number(box), node])),
    weights: new Map(linear.weights.map(([node, name]) => [name, node])),
    names: new Map(Object.entries(linear.names).map(([node, name]) => [Number(node), name])),
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
      for (const [label, value] of sent) {
        const part = pull(edge, value, system.size[edge.to]!);
        if (part) add(edge.to, label, part);
      }
    }
  }
}

// What is sent along an edge; null where it is a slice of which this gradient has nothing, so that no path leads there.
export function pull({kind, matrix, rows, columns}: Edge, g: Vector, size: number): Vector | null {
  if (kind === EACH) return g.map((x, i) => x * matrix[i]!);
  const sent = new Float64Array(size);
  if (kind === TIMES) {
    for (let i = 0; i < g.length; i++) {
      const [x, row, at] = [g[i]!, (i % rows) * columns, Math.floor(i / rows) * columns];
      for (let j = 0; j < columns; j++) sent[at + j]! += x * matrix[row + j]!;
    }
  } else if (kind === BEFORE) {
    const wide = g.length / columns;
    for (let k = 0; k < size; k++) {
      const row = Math.floor(k / wide) * columns;
      for (let i = 0; i < columns; i++) sent[k]! += matrix[row + i]! * g[i * wide + (k % wide)]!;
    }
  } else if (kind === ACROSS) {
    const high = g.length / rows;
    for (let i = 0; i < g.length; i++) {
      const [x, row, at] = [g[i]!, Math.floor(i / high) * columns, (i % high) * columns];
      for (let j = 0; j < columns; j++) sent[at + j]! += x * matrix[row + j]!;
    }
  } else if (kind === ENTRIES) {
    let any = false;
    for (let e = 0; e < matrix.length; e += 3) {
      const x = g[matrix[e]!]!;
      any ||= x !== 0;
      sent[matrix[e + 1]!]! += x * matrix[e + 2]!;
    }
    if (!any && g.some((x) => x !== 0)) return null;
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
