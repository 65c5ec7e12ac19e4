// The derivative from one node to those that the picture shows next, through all that it does not show.

import {EACH, type Edge, type Rows, sweep, type System, TIMES, ZERO} from "./system";

// By node, for those that `shown` holds: the matrix, found by carrying back a gradient of one for each element.
export function derivatives(system: System, from: number, shown: (node: number) => boolean): Map<number, Edge> {
  const rows = system.size[from]!;
  const found = new Map<number, Edge>();
  const ones: Rows = new Map(Array.from({length: rows}, (_, i) => [i, new Float64Array(rows).map((_, j) => (i === j ? 1 : 0))]));
  sweep(system, new Map([[from, ones]]), (node, own) => {
    if (node === from || !shown(node)) return own;
    const columns = system.size[node]!;
    const matrix = new Float32Array(rows * columns);
    for (const [i, row] of own) matrix.set(row, i * columns);
    found.set(node, compact(from, node, matrix, rows, columns));
    return new Map();
  });
  return found;
}

function compact(from: number, to: number, matrix: Float32Array, rows: number, columns: number): Edge {
  const zero = matrix.every((x) => x === 0);
  if (zero) return {from, to, kind: ZERO, matrix: new Float32Array(), rows: 0, columns};
  const diagonal = rows === columns && matrix.every((x, at) => x === 0 || at % (columns + 1) === 0);
  if (!diagonal) return {from, to, kind: TIMES, matrix, rows, columns};
  return {from, to, kind: EACH, matrix: matrix.filter((_, at) => at % (columns + 1) === 0), rows: 1, columns};
}
