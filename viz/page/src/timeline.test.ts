import assert from "node:assert/strict";
import test from "node:test";

import type {Box, Story} from "./data";
import {byStep, timeline} from "./timeline";
import {view} from "./view";

function box(kind: Box["kind"], step: number, row = 1): Box {
  return {
    kind, step, row, layer: "rnn", names: ["h"], labels: ["h"], norms: [1], text: "",
    values: [null], gradients: [null], shape: [], operations: [[]], source: "", nodes: [1], recomputed: 0, why: "",
  };
}

const story: Story = {
  title: "", subtitle: "", equation: "", meaning: "", equations: {lines: [], latex: ""}, steps: [1, 2], rows: [],
  boxes: [box("initial", 0), box("state", 1), box("state", 2), box("output", 2, 2), box("loss", 2, 3)],
  ribbons: [
    {from: 4, to: 3, state: "", norm: 1, cut: false},
    {from: 3, to: 2, state: "h", norm: 0.5, cut: false},
    {from: 2, to: 1, state: "h", norm: 0.25, cut: false},
    {from: 1, to: 0, state: "h", norm: null, cut: false},
  ],
  linear: null, rules: {}, sheets: {}, loss: 4, low: -2, high: 0, ledger: [], credit: null, gates: [], strips: [], notes: [],
  scales: {light: [], dark: []},
};

test("forward by steps, the loss, then backward place by place", () => {
  const {moments, reached} = timeline(view(story, "cell", null, []), story.steps);
  assert.deepEqual(moments.map((m) => [m.stage, m.step, m.place]), [
    ["forward", 1, -1], ["forward", 2, -1], ["loss", 2, 4],
    ["backward", 2, 3], ["backward", 2, 2], ["backward", 1, 1],
  ]);
  assert.deepEqual(reached, [Infinity, 5, 4, 3, 2]);
});

test("a whole time step at once, and back", () => {
  const {moments} = timeline(view(story, "cell", null, []), story.steps);
  assert.equal(byStep(moments, 3, 1), 5);
  assert.equal(byStep(moments, 5, -1), 4);
  assert.equal(byStep(moments, 0, -1), 0);
});
