// The order of events: forward step by step, the loss, then backward one place at a time.

import type {View} from "./view";

export interface Moment {
  stage: "forward" | "loss" | "backward";
  step: number;
  place: number; // that a gradient has just reached; -1 in forward
}

export interface Timeline {
  moments: Moment[];
  reached: number[]; // by place: the position from which its gradient is there; Infinity if none comes
}

type Seen = Pick<View, "places" | "ribbons" | "starts">;

export function timeline(view: Seen, steps: number[]): Timeline {
  const moments: Moment[] = steps.map((step) => ({stage: "forward", step, place: -1}));
  const reached = view.places.map(() => Infinity);
  const first = view.starts.reduce((best, p) => (best < 0 || age(view, p) > age(view, best) ? p : best), -1);
  if (first < 0) return {moments, reached};
  moments.push({stage: "loss", step: view.places[first]!.step, place: first});
  for (const start of view.starts) reached[start] = moments.length - 1;
  for (const place of backward(view)) {
    moments.push({stage: "backward", step: view.places[place]!.step, place});
    reached[place] = moments.length - 1;
  }
  return {moments, reached};
}

// A place takes its turn when all that used it has sent its part: a topological order of the ribbons.
function backward(view: Seen): number[] {
  const users = view.places.map(() => 0);
  const sent: number[][] = view.places.map(() => []);
  for (const ribbon of view.ribbons) {
    if (ribbon.norm === null) continue;
    users[ribbon.to]! += 1;
    sent[ribbon.from]!.push(ribbon.to);
  }
  const order: number[] = [];
  const begun = new Set(view.starts);
  const ready = view.starts.filter((start) => users[start] === 0);
  while (ready.length) {
    // The latest step first, as backward goes; of one step, what stands higher.
    let best = 0;
    for (let i = 1; i < ready.length; i++) if (age(view, ready[i]!) > age(view, ready[best]!)) best = i;
    const place = ready.splice(best, 1)[0]!;
    if (!begun.has(place)) order.push(place);
    for (const to of sent[place]!) {
      users[to]! -= 1;
      if (users[to] === 0) ready.push(to);
    }
  }
  return order;
}

const HEIGHT: Record<string, number> = {loss: 990, output: 900, input: 0};

function age(view: Seen, index: number): number {
  const place = view.places[index]!;
  return place.step * 1000 + (HEIGHT[place.kind] ?? place.row);
}

// The next position at which another time step begins, in a direction.
export function byStep(moments: Moment[], position: number, direction: 1 | -1): number {
  const here = moments[position];
  let at = position;
  while (at + direction >= 0 && at + direction < moments.length) {
    at += direction;
    const moment = moments[at]!;
    if (moment.step !== here?.step || moment.stage !== here?.stage) break;
  }
  return at;
}
