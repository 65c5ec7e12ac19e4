// What Python wrote into the page: the story of one run. `viz/page/player.py` is its other end.

export type Kind = "input" | "initial" | "state" | "output" | "loss" | "gate";

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
  source: string;
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

// Backward as matrices, `viz/page/linear.py`: `sent = arrived @ matrix` for every edge between two nodes.
export interface Linear {
  nodes: [number, number, number][]; // newest first: box, index of the name, elements; box -1 is a total
  edges: [number, number, number][]; // from, to, kind: dense, diagonal, zero
  seeds: [number, number[]][]; // where the recorded backward began
  losses: Record<string, number>; // by box of a loss, its node
  numbers: string; // base64 of float32
}

export interface Story {
  title: string;
  subtitle: string;
  equation: string;
  meaning: string;
  steps: number[];
  rows: string[];
  boxes: Box[];
  ribbons: Ribbon[];
  linear: Linear | null; // null where the run is too large to compute with here
  loss: number; // the box where the gradient begins
  low: number; // decimal logarithms: the ends of the scale
  high: number;
  ledger: Weight[];
  credit: Credit | null;
  gates: Gate[];
  notes: string[];
  scales: {light: string[]; dark: string[]};
}

// One run: a single recording, or one for each recorded iteration of a training.
export interface Run {
  iterations: number[];
  frames: Story[];
}

export function read(): Run[] {
  const element = document.getElementById("data");
  return JSON.parse(element?.textContent ?? "[]", revived) as Run[];
}

// JSON has no NaN and no infinity: they come as {"$": "nan"}.
function revived(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$" in value)) return value;
  return value.$ === "nan" ? NaN : Number(value.$);
}
