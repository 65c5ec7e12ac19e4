import assert from "node:assert/strict";
import test from "node:test";

import type {Box, Linear, Story} from "./data";
import {heaviest} from "./paths";
import {view} from "./view";

// L <- h2 <- h1 <- h0, and a skip from h2 to h0: the derivatives are 2, 3, 5 and 7.
function box(kind: Box["kind"], step: number): Box {
  const name = kind === "loss" ? "" : "h";
  return {
    kind, step, row: kind === "loss" ? 2 : 1, layer: "", names: [name], labels: [`${name || "L"}${step}`], norms: [null], text: "",
    values: [[0]], gradients: [null], shape: [], operations: [[]], source: "", nodes: [1], recomputed: 0, why: "",
  };
}

const linear: Linear = {
  nodes: [[3, 0, 1, 2], [2, 0, 1, 2], [1, 0, 1, 1], [0, 0, 1, 0]],
  edges: [[0, 1, 1, 0], [1, 2, 0, 1], [2, 3, 1, 2], [1, 3, 1, 3]], matrices: [[1, 1], [1, 1], [1, 1], [1, 1]],
  seeds: [[0, [1]]], losses: {3: 0}, weights: [], names: {},
  numbers: Buffer.from(Float32Array.of(2, 3, 5, 7).buffer).toString("base64"),
};

const story: Story = {
  title: "", subtitle: "", equation: "", meaning: "", equations: {lines: [], latex: ""}, steps: [1, 2], rows: [],
  boxes: [box("initial", 0), box("state", 1), box("state", 2), box("loss", 2)], ribbons: [], linear, rules: {}, sheets: {},
  loss: 3, low: -2, high: 0, ledger: [], credit: null, gates: [], strips: [], notes: [], scales: {light: [], dark: []},
};

const norms = (edits: Parameters<typeof view>[3] = []): (number | null)[] => view(story, "cell", null, edits).places.map((place) => place.norms[0]!);

test("backward by matrices sums what comes along all paths", () => {
  assert.deepEqual(norms(), [2 * 3 * 5 + 2 * 7, 2 * 3, 2, 1]);
});

test("an edit changes what comes after it, and only that", () => {
  assert.deepEqual(norms([{box: 1, name: -1, verb: "scale", amount: 0}]), [14, 0, 2, 1]);
  assert.deepEqual(norms([{box: 2, name: 0, verb: "scale", amount: -3}]), [132, 18, 6, 1]);
  assert.deepEqual(norms([{box: 2, name: -1, verb: "clip", amount: 1}]), [22, 3, 1, 1]);
  assert.deepEqual(norms([{box: 2, name: -1, verb: "clip", amount: 10}]), norms());
});

test("paths have the factors of their hops, and shares that add up with the rest", () => {
  const shown = view(story, "cell", null, []);
  const seeds = new Map([[0, Float64Array.of(1)]]);
  const found = heaviest(story, shown.system!, seeds, 3, [])!;
  assert.deepEqual(found.paths.map((path) => [path.nodes, path.factors, path.norm]), [
    [[0, 1, 2, 3], [2, 3, 5], 30], [[0, 1, 3], [2, 7], 14],
  ]);
  const one = heaviest(story, shown.system!, seeds, 3, [], 1)!;
  assert.equal(one.norm, 44);
  assert.ok(Math.abs(one.paths[0]!.share + one.rest - 1) < 1e-12 && Math.abs(one.rest - 14 / 44) < 1e-12);
});
