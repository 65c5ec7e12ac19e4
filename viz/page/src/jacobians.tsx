// What one step does to a gradient at most: the largest singular value of its Jacobian, for every step of a layer.

import type {Strip, Story} from "./data";
import {dragging} from "./overview";
import {digits} from "./scale";
import {chosen, step} from "./state";

const [WIDE, HIGH] = [720, 56];
const MIDDLE = HIGH / 2; // where a step neither shrinks nor grows a gradient

export function Jacobians({story, index}: {story: Story; index: number}) {
  if (!story.strips.length) return null;
  return (
    <section class="panel jacobians" aria-label="Jacobians">
      <h2>What one step back does to a gradient, at most</h2>
      {story.strips.map((strip) => <One key={strip.layer} strip={strip} index={index} />)}
    </section>
  );
}

function One({strip, index}: {strip: Strip; index: number}) {
  const {layer, states, steps, sigma} = strip;
  const wide = WIDE / steps.length;
  const most = Math.max(0.05, ...sigma.filter((x) => x > 0 && Number.isFinite(x)).map((x) => Math.abs(Math.log10(x))));
  const high = (x: number): number => (x > 0 ? Math.max(-1, Math.min(1, Math.log10(x) / most)) : -1) * (MIDDLE - 3);
  const bars = (grows: boolean): string =>
    sigma.map((x, i) => (x > 1 === grows ? `M${i * wide} ${MIDDLE}v${-high(x)}h${Math.max(0.6, wide - (wide > 3 ? 1 : 0))}V${MIDDLE}Z` : "")).join("");
  const at = (t: number): number => steps.indexOf(t);
  const here = step.value === null ? -1 : at(step.value);
  const range = chosen.value && [at(chosen.value[0]), at(chosen.value[1])];
  return (
    <div class="jacobian">
      <span class="label">∂({states.join(", ")})ₜ/∂({states.join(", ")})ₜ₋₁ <small>{layer}</small></span>
      <svg viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img" aria-label={`Largest singular value of each step of ${layer}: from ${digits(Math.min(...sigma))} to ${digits(Math.max(...sigma))}`} {...dragging(index, steps)}>
        {range ? <rect class="chosen" x={Math.max(0, range[0]!) * wide} y={0} width={((range[1]! < 0 ? steps.length - 1 : range[1]!) - Math.max(0, range[0]!) + 1) * wide} height={HIGH} /> : null}
        {here >= 0 ? <rect class="chosen" x={here * wide} y={0} width={wide} height={HIGH} /> : null}
        <path class="shrinks" d={bars(false)} />
        <path class="grows" d={bars(true)} />
        <line class="axis" x1={0} y1={MIDDLE} x2={WIDE} y2={MIDDLE} />
      </svg>
      <span class="note">{told(strip, here)}</span>
    </div>
  );
}

// Of the step that is pointed at, of those that are selected, or of all.
function told({steps, sigma, running, verdict}: Strip, here: number): string {
  const last = steps[steps.length - 1]!;
  if (here >= 0) return `step ${steps[here]}: ×${digits(sigma[here])} at most; from step ${last} back through it ×${digits(running[here])}`;
  const range = chosen.value;
  if (range) {
    const own = sigma.filter((_, i) => steps[i]! >= range[0] && steps[i]! <= range[1]);
    return `steps ${range.join(" to ")}: together no more than ×${digits(own.reduce((a, b) => a * b, 1))}, the product of their largest singular values`;
  }
  return `per step ×${digits(Math.min(...sigma))} to ×${digits(Math.max(...sigma))}; all ${steps.length} together ×${digits(running[0])}. Up: it may grow, down: it shrinks. ${verdict}`;
}
