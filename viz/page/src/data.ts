// What Python wrote into the page: the story of one run. `viz/page/player.py` is its other end.

export type Kind = "input" | "initial" | "state" | "output" | "loss" | "gate" | "op";

export interface Box {
  kind: Kind;
  layer: string;
  row: number; // from the input (0) up
  step: number;
  names: string[]; // of its states, as "c" and "h"; [""] for anything else
  labels: string[];
  norms: (number | null)[]; // of the gradient that arrived, by name; null where no path leads
  text: string; // a loss's value, what an output predicts
  values: (number[] | null)[]; // of small arrays, by name
  gradients: (number[] | null)[];
  shape: number[];
  operations: string[][]; // by name, what made it: the name and the formula; empty for a leaf
  source: string;
  nodes: number[]; // by name, the number in the recording, from 1, as `micrornn debug` has it
  recomputed: number; // how many times a checkpoint computed it again
  why: string;
}

export interface Ribbon {
  from: number; // the box that used the other: the gradient comes from there
  to: number;
  state: string;
  norm: number | null; // null: it is used, and sends nothing
  cut: boolean;
}

export interface Weight {
  name: string;
  shape: string;
  norm: number;
  steps: number[];
  norms: number[];
  shares: number[];
  why: string;
}

export interface Credit {
  name: string; // of the states, and their layer
  scope: string;
  losses: number[];
  states: number[];
  rows: (number | null)[][];
}

export interface Gate {
  layer: string;
  role: string;
  steps: number[];
  mean: number[];
}

// Backward as a linear system, `viz/page/linear.py`: what a node sends to an input is what arrived times a derivative.
export interface Linear {
  nodes: [number, number, number, number | null][]; // newest first: box, index of the name, elements, step; box -1 is none
  edges: [number, number, number, number][]; // from, to, kind, place of the matrix
  matrices: [number, number][]; // rows and columns
  seeds: [number, number[]][]; // where the recorded backward began
  losses: Record<string, number>; // by box of a loss, its node
  weights: [number, string][]; // node and name of each parameter
  names: Record<string, string>; // of the nodes that are in no box
  numbers: string; // base64 of float32, all matrices in turn
}

// Box, name in it, column or -1, x from its left, y, width, height, label, the weights that are used there.
export type Written = [number, number, number, number, number, number, number, string, string[]];

// Where the boxes of every operation stand, `viz/page/operations.py`.
export interface Sheet {
  width: number;
  height: number;
  columns: [number, number, number][]; // step, left, right
  spots: Written[];
  ways: number[][]; // box, name of what is used; of what uses it; then the points, each seen from the one before
}

// Of a layer, the largest singular value of the Jacobian of each step, and of the product from there to the last.
export interface Strip {
  layer: string;
  states: string[];
  steps: number[];
  sigma: number[];
  running: number[];
  verdict: string;
}

export interface Story {
  title: string;
  subtitle: string;
  equation: string;
  meaning: string;
  equations: {lines: [string, string, string][]; latex: string}; // heading, equation, for which steps
  steps: number[];
  rows: string[];
  boxes: Box[];
  ribbons: Ribbon[];
  linear: Linear | null; // null where the run is too large to compute with here
  rules: Record<string, string[]>; // by operation, its derivative by each input as a formula; "" where it is none
  sheets: {op?: Sheet; scalar?: Sheet};
  loss: number; // the box where the gradient begins
  low: number; // decimal logarithms: the ends of the scale
  high: number;
  ledger: Weight[];
  credit: Credit | null;
  gates: Gate[];
  strips: Strip[];
  notes: string[];
  scales: {light: string[]; dark: string[]};
}

// One run: a single recording, or one for each recorded iteration of a training.
export interface Run {
  iterations: number[];
  frames: Story[];
}

// The text is JSON, deflated, as base64. A browser that can't undo that shows the picture which stands in the page.
export async function read(): Promise<Run[]> {
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("app")!.textContent = "This browser is too old to play the backward pass: it needs DecompressionStream (Chrome 80, Safari 16.4, Firefox 113, or later).";
    await new Promise(() => undefined); // nothing else starts
  }
  const text = document.getElementById("data")?.textContent ?? "";
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text(), revived) as Run[];
}

// JSON has no NaN and no infinity: they come as {"$": "nan"}.
function revived(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$" in value)) return value;
  return value.$ === "nan" ? NaN : Number(value.$);
}
