// All steps at once, always in sight: the gradient that has come to each, and which are in the window.

import {signal} from "@preact/signals";

import {sightOf} from "./graph";
import {arrives, shaded} from "./scale";
import {at, chosen, level, shown, step, stories, timelines, views} from "./state";
import type {View} from "./view";

const WIDE = 720;
const begun = signal<number | null>(null); // the step where a drag began

// What pointing and dragging over a strip of steps does, wherever it is: lights a step, goes to it, selects some.
export function dragging(index: number, steps: number[]): Record<string, (event: PointerEvent) => void> {
  const stepAt = (event: PointerEvent): number => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const i = Math.floor(((event.clientX - box.left) / box.width) * steps.length);
    return steps[Math.max(0, Math.min(steps.length - 1, i))]!;
  };
  return {
    onPointerDown: (event) => {
      begun.value = stepAt(event);
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      const t = stepAt(event);
      step.value = t;
      if (begun.value !== null && t !== begun.value) chosen.value = [Math.min(t, begun.value), Math.max(t, begun.value)];
    },
    onPointerUp: (event) => {
      const t = stepAt(event);
      if (begun.value === t) {
        chosen.value = null;
        shown.value = {story: index, step: t, key: ""};
      }
      begun.value = null;
    },
    onPointerLeave: () => (step.value = null),
  };
}

interface Steps {
  steps: number[];
  bins: number; // of very many steps, neighbors share a bar
  places: number[]; // of states
  binOf: number[]; // by entry of `places`
  columns: number[]; // also those without a state
}

const known = new WeakMap<View, Steps>();

function stepsOf(view: View): Steps {
  const places = view.places.flatMap(({kind}, p) => (kind === "state" || kind === "initial" ? [p] : []));
  const sorted = (all: number[]): number[] => [...new Set(all)].sort((a, b) => a - b);
  const steps = sorted(places.map((p) => view.places[p]!.step));
  const bins = Math.min(steps.length, WIDE / 2);
  const at = new Map(steps.map((t, i) => [t, Math.floor((i * bins) / steps.length)]));
  return {steps, bins, places, binOf: places.map((p) => at.get(view.places[p]!.step)!), columns: sorted(view.places.map((place) => place.step))};
}

export function Overview({index}: {index: number}) {
  const story = stories.value[index]!;
  const view = views.value[index]!;
  const {reached} = timelines.value[index]!;
  const now = at(index);
  const own = known.get(view) ?? stepsOf(view);
  known.set(view, own);
  const {steps, bins, places, binOf, columns} = own;
  // Of several layers, and of neighbors in a bar, the largest norm that has come; NaN before any.
  const norms: (number | null)[] = Array.from({length: bins}, () => null);
  for (let i = 0; i < places.length; i++) {
    if (reached[places[i]!]! > now) continue;
    for (const norm of view.places[places[i]!]!.norms) {
      const most = norms[binOf[i]!]!;
      if (arrives(norm) && !(norm <= (most ?? 0)) && !Number.isNaN(most)) norms[binOf[i]!] = norm;
    }
  }
  const wide = WIDE / bins;
  const bar = (i: number): string => `M${i * wide} 4h${Math.max(0.6, wide - (wide > 3 ? 1 : 0))}v14H${i * wide}Z`;
  const sight = sightOf(index).value;
  const whole = level.value === "layer" || (sight.from <= 0 && sight.to >= columns.length - 1);
  const x = (t: number | undefined): number => {
    const i = steps.findIndex((own) => own >= (t ?? Infinity));
    return ((i < 0 ? steps.length : i) / steps.length) * WIDE;
  };
  const here = step.value === null ? -1 : steps.indexOf(step.value);
  const none = norms.map((norm) => (arrives(norm) ? null : 0));
  return (
    <svg class="strip" viewBox={`0 0 ${WIDE} 22`} preserveAspectRatio="none" role="img" aria-label={stories.value.length > 1 ? `Overview of all steps, run ${index + 1}` : "Overview of all steps"}
      {...dragging(index, steps)}>
      {chosen.value ? <rect class="chosen" x={x(chosen.value[0])} y={0} width={x(chosen.value[1] + 1) - x(chosen.value[0])} height={22} /> : null}
      <path class="none" d={none.map((norm, i) => (norm === null ? "" : bar(i))).join("")} />
      {[...shaded(story, norms, bar)].map(([fill, d]) => <path fill={fill} d={d} />)}
      {here >= 0 ? <rect class="under" x={(here / steps.length) * WIDE} y={2} width={Math.max(2, WIDE / steps.length)} height={18}><title>{`step ${step.value}`}</title></rect> : null}
      {whole ? null : <rect class="window" x={x(columns[Math.max(0, sight.from)])} y={1} width={Math.max(6, x(columns[sight.to] ?? Infinity) - x(columns[Math.max(0, sight.from)]))} height={20} />}
    </svg>
  );
}
