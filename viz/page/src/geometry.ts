// Where each place stands: a column for each step, rows by what it is; and the way from one to the other.

import type {Level} from "./state";
import type {Place, View} from "./view";

export interface Spot {
  x: number; // the middle
  y: number;
  w: number;
  h: number;
}

export interface Layout {
  steps: number[]; // by column
  column: Map<number, number>;
  pitch: number;
  left: number;
  width: number;
  height: number;
  spots: Spot[]; // by place
  inColumn: number[][]; // places
  ribbonsIn: number[][]; // ribbons with an end there
}

const LEFT = 104;
const SIZES = {
  cell: {row: 92, box: [100, 46], gate: [0, 0], pitch: 0},
  gate: {row: 86, box: [92, 46], gate: [47, 46], pitch: 336},
  numbers: {row: 66, box: [132, 26], gate: [132, 26], pitch: 900},
} as const;
export const LINE = 14; // of a single number
export const MOST = 8; // numbers of an array that are written into its box

// Few steps are drawn wide, many at the least width at which the factors are read.
function pitchOf(columns: number, level: Exclude<Level, "layer">, room: number): number {
  return SIZES[level].pitch || Math.max(158, Math.min(230, (room - LEFT) / columns));
}

// From the input up; of a layer that is split, h below the gates and c above.
function slot(place: Place, split: boolean): number {
  if (!split) return place.row * 4;
  return place.row * 4 + (place.kind === "gate" ? 1 : place.labels[0]!.startsWith("c") ? 2 : 0);
}

export function layOut(view: View, level: Exclude<Level, "layer">, zoom: number, room: number): Layout {
  const size = SIZES[level];
  const steps = [...new Set(view.places.map((place) => place.step))].sort((a, b) => a - b);
  const column = new Map(steps.map((t, i) => [t, i]));
  const gated = view.places.some((place) => place.kind === "gate");
  const wide = gated || level !== "numbers" ? pitchOf(steps.length, level, room) : 260;
  const pitch = wide * zoom;
  const slots = [...new Set(view.places.map((place) => slot(place, view.split)))].sort((a, b) => a - b);
  // With its numbers, a box is as high as they need, and so is its row.
  const more = (place: Place): number => (level === "numbers" ? lines(place) * LINE : 0);
  const extra = slots.map(() => 0);
  for (const place of view.places) {
    const own = slots.indexOf(slot(place, view.split));
    extra[own] = Math.max(extra[own]!, more(place));
  }
  const height = slots.length * size.row + extra.reduce((a, b) => a + b, 0) + 34;
  const middles = slots.map((_, i) => height - 24 - (i + 0.5) * size.row - extra.slice(0, i).reduce((a, b) => a + b, 0) - extra[i]! / 2);
  const fit = Math.min(1, zoom * (level === "cell" ? 1.4 : 1));
  const beside = new Map<string, number[]>(); // the gates of a cell, side by side
  view.places.forEach((place, p) => {
    if (place.kind !== "gate") return;
    const key = `${place.layer}.${place.step}`;
    beside.set(key, [...(beside.get(key) ?? []), p]);
  });
  const left = LEFT + (gated ? pitch * 0.1 : 0);
  const spots = view.places.map((place, p): Spot => {
    const center = left + column.get(place.step)! * pitch;
    const y = middles[slots.indexOf(slot(place, view.split))]!;
    const [w, least] = place.kind === "gate" ? size.gate : size.box;
    const h = least + more(place);
    if (!gated) return {x: center, y, w: Math.max(6, w * fit), h: h};
    if (place.kind !== "gate") return {x: center + (place.kind === "input" ? -0.2 : place.step === steps[0] ? 0.1 : 0.28) * pitch, y, w: w * fit, h};
    const cell = beside.get(`${place.layer}.${place.step}`)!;
    const apart = (0.62 * pitch) / cell.length;
    return {x: center + (-0.46 + 0.31) * pitch + (cell.indexOf(p) - (cell.length - 1) / 2) * apart, y, w: w * fit, h};
  });
  const inColumn: number[][] = steps.map(() => []);
  view.places.forEach((place, p) => inColumn[column.get(place.step)!]!.push(p));
  const ribbonsIn: number[][] = steps.map(() => []);
  view.ribbons.forEach((ribbon, r) => {
    const ends = [view.places[ribbon.from]!, view.places[ribbon.to]!].map((place) => column.get(place.step)!);
    for (const end of new Set(ends)) ribbonsIn[end]!.push(r);
  });
  return {steps, column, pitch, left, width: left + steps.length * pitch, height, spots, inColumn, ribbonsIn};
}

function lines(place: Place): number {
  const count = place.values[0]?.length ?? place.gradients[0]?.length ?? 0;
  return count <= 1 ? 1 : Math.min(MOST + 1, count);
}

export interface Way {
  d: string; // of the line, up to the tip
  tip: [number, number];
  direction: [number, number]; // at the tip, a unit vector
  middle: [number, number];
  flat: boolean; // along the time axis
}

const GAP = 2;

export type Route = "straight" | "around" | "down" | "side"; // past what is between; to its end; into its side

// Boxes side by side or one above the other are joined by a line, unless others stand between.
export function routeOf(view: View, layout: Layout, from: number, to: number): Route {
  const [a, b] = [layout.spots[from]!, layout.spots[to]!];
  if (!view.split || Math.abs(a.y - b.y) < 1) return "straight";
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

function straight(from: [number, number], to: [number, number], head: number, flat: boolean): Way {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const direction: [number, number] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const end = [to[0] - direction[0] * head, to[1] - direction[1] * head];
  return {d: `M${from[0]} ${from[1]}L${end[0]} ${end[1]}`, tip: to, direction, middle: [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], flat};
}
