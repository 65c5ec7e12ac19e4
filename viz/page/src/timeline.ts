// The order of events: forward step by step, the loss, then backward one box at a time.

import type {Story} from "./data";

export interface Moment {
  stage: "forward" | "loss" | "backward";
  step: number;
  box: number; // that a gradient has just reached; -1 in forward
}

export interface Timeline {
  moments: Moment[];
  reached: number[]; // by box: the position from which its gradient is there; Infinity if none comes
}

export function timeline(story: Story): Timeline {
  const moments: Moment[] = story.steps.map((step) => ({stage: "forward", step, box: -1}));
  const reached = story.boxes.map(() => Infinity);
  const loss = story.boxes[story.loss];
  if (!loss) return {moments, reached};
  moments.push({stage: "loss", step: loss.step, box: story.loss});
  reached[story.loss] = moments.length - 1;
  for (const box of backward(story)) {
    moments.push({stage: "backward", step: story.boxes[box]!.step, box});
    reached[box] = moments.length - 1;
  }
  return {moments, reached};
}

// A box takes its turn when all that used it has sent its part: a topological order of the ribbons.
function backward(story: Story): number[] {
  const users = story.boxes.map(() => 0);
  const sent: number[][] = story.boxes.map(() => []);
  for (const ribbon of story.ribbons) {
    if (ribbon.norm === null) continue;
    users[ribbon.to]! += 1;
    sent[ribbon.from]!.push(ribbon.to);
  }
  const order: number[] = [];
  const ready = [story.loss];
  while (ready.length) {
    // The latest step first, as backward goes; of one step, what stands higher.
    ready.sort((a, b) => age(story, a) - age(story, b));
    const box = ready.pop()!;
    if (box !== story.loss) order.push(box);
    for (const to of sent[box]!) {
      users[to]! -= 1;
      if (users[to] === 0) ready.push(to);
    }
  }
  return order;
}

function age(story: Story, index: number): number {
  const box = story.boxes[index]!;
  return box.step * 1000 + (box.kind === "output" ? 900 : box.row);
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
