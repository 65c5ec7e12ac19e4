// The heaviest paths between two places, from state to state, and what the rest makes: as `flow`'s heaviest paths.

import type {Story} from "./data";
import {dot, norm, type Rows, scaled, sum, sweep, type System, type Vector} from "./system";
import {type Edit, factorOf} from "./view";

const REST = 0;

export interface Path {
  nodes: number[]; // of the system, from the loss's side to the target
  factors: number[];
  norm: number;
  share: number;
}

export interface Paths {
  target: number;
  norm: number; // of all that came
  paths: Path[];
  rest: number; // its share
}

interface Stage {
  before: number;
  node: number;
  size: number;
}

// What arrives at a node from the seeds alone, split into its k heaviest paths; null where no path leads there.
export function heaviest(
  story: Story, system: System, seeds: Map<number, Vector>, target: number, edits: Edit[], k = 5, beam = 64,
): Paths | null {
  const stages: Stage[] = [{before: REST, node: -1, size: 0}];
  const start = new Map<number, Rows>();
  for (const [node, value] of seeds) {
    start.set(node, new Map([[stages.length, value]]));
    stages.push({before: REST, node, size: norm(value)});
  }
  let rows: Rows | null = null;
  sweep(system, start, (node, own) => {
    // A gradient that was edited where the paths begin is seeded as it is.
    const begins = seeds.has(node);
    if (!begins) own = scaled(own, factorOf(edits, system, node, sum(own.values(), system.size[node]!)));
    if (node === target) {
      rows = own;
      return new Map();
    }
    return begins || story.boxes[system.box[node]!]?.kind === "state" ? split(own, node) : own;
  });
  return rows && told(rows);

  // At a state, the heaviest partial paths stay apart and the others join the rest.
  function split(own: Rows, node: number): Rows {
    const sizes = [...own].map(([label, value]) => ({label, value, size: norm(value)}));
    sizes.sort((a, b) => b.size - a.size);
    const found: Rows = new Map();
    let kept = 0;
    for (const {label, value, size} of sizes) {
      let to = REST;
      if (label !== REST && kept < beam) {
        kept += 1;
        to = label;
        if (stages[label]!.node !== node) {
          to = stages.length;
          stages.push({before: label, node, size});
        }
      }
      const known = found.get(to);
      found.set(to, known ? known.map((x, i) => x + value[i]!) : value);
    }
    return found;
  }

  function told(rows: Rows): Paths {
    const total = sum(rows.values(), system.size[target]!);
    const size = norm(total);
    const share = (value: Vector): number => (size ? dot(value, total) / size / size : NaN);
    const known = [...rows].filter(([label]) => label !== REST);
    known.sort((a, b) => norm(b[1]) - norm(a[1]));
    const best = known.slice(0, k);
    const paths = best.map(([label, value]) => {
      const way: Stage[] = [];
      for (let at = label; at !== REST; at = stages[at]!.before) way.unshift(stages[at]!);
      const nodes = way.map((stage) => stage.node);
      const sizes = way.map((stage) => stage.size);
      if (nodes[nodes.length - 1] !== target) {
        nodes.push(target);
        sizes.push(norm(value));
      }
      const factors = sizes.slice(1).map((b, i) => (sizes[i] ? b / sizes[i]! : NaN));
      return {nodes, factors, norm: norm(value), share: share(value)};
    });
    const chosen = new Set(best.map(([label]) => label));
    const others = [...rows].filter(([label]) => !chosen.has(label)).map(([, value]) => value);
    return {target, norm: size, paths, rest: share(sum(others, system.size[target]!))};
  }
}
