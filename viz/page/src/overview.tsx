// All steps at once, always in sight: the gradient that has come to each, and which are in the window.

import {signal} from "@preact/signals";

import {sightOf} from "./graph";
import {arrives, color, digits} from "./scale";
import {at, chosen, level, shown, step, stories, timelines, views} from "./state";

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

export function Overview({index}: {index: number}) {
  const story = stories.value[index]!;
  const view = views.value[index]!;
  const {reached} = timelines.value[index]!;
  const now = at(index);
  const states = view.places.map((place, p) => ({place, p})).filter(({place}) => place.kind === "state" || place.kind === "initial");
  // Of several layers, the largest norm that has come.
  const byStep = new Map<number, {norm: number | null; text: string}>();
  for (const {place, p} of states) {
    const norm = reached[p]! <= now ? place.norms[0]! : null;
    const known = byStep.get(place.step);
    if (!known || (arrives(norm) && !(norm <= (known.norm ?? 0)))) byStep.set(place.step, {norm, text: digits(place.norms[0])});
  }
  const steps = [...byStep.keys()].sort((a, b) => a - b);
  const every = Math.ceil(steps.length / (WIDE / 2)); // of very many steps, as many as there is room for
  const some = steps.filter((_, i) => i % every === 0);
  const wide = WIDE / some.length;
  const sight = sightOf(index).value;
  const columns = [...new Set(view.places.map((place) => place.step))].sort((a, b) => a - b);
  const whole = level.value === "layer" || (sight.from <= 0 && sight.to >= columns.length - 1);
  const x = (t: number | undefined): number => {
    const i = steps.findIndex((own) => own >= (t ?? Infinity));
    return ((i < 0 ? steps.length : i) / steps.length) * WIDE;
  };
  return (
    <svg class="strip" viewBox={`0 0 ${WIDE} 22`} preserveAspectRatio="none" role="img" aria-label={stories.value.length > 1 ? `Overview of all steps, run ${index + 1}` : "Overview of all steps"}
      {...dragging(index, steps)}>
      {chosen.value ? <rect class="chosen" x={x(chosen.value[0])} y={0} width={x(chosen.value[1] + 1) - x(chosen.value[0])} height={22} /> : null}
      {some.map((t, i) => {
        const {norm, text} = byStep.get(t)!;
        const there = arrives(norm);
        return (
          <rect x={i * wide} y={4} width={Math.max(0.6, wide - (wide > 3 ? 1 : 0))} height={14} class={t === step.value ? "on" : ""}
            fill={there ? color(story, norm) : "var(--line)"} fill-opacity={there ? 1 : 0.35}>
            <title>{`step ${t}: ${text}`}</title>
          </rect>
        );
      })}
      {whole ? null : <rect class="window" x={x(columns[Math.max(0, sight.from)])} y={1} width={Math.max(6, x(columns[sight.to] ?? Infinity) - x(columns[Math.max(0, sight.from)]))} height={20} />}
    </svg>
  );
}
