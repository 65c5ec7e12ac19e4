// Below the graph: the weights' ledger, the credit map, the gates.

import {useSignal} from "@preact/signals";
import type {JSX} from "preact";

import type {Story, Weight} from "./data";
import {color, digits, part, percent, shaded, theme} from "./scale";
import {at, chosen, credits, edits, keepingMoment, ledgers, lit, losses, of, pinned, second, shown, step, timelines, views} from "./state";
import {followed} from "./view";

const BARS = 200; // of very many steps, neighbors share a bar: the largest norm, the sum of the shares

interface Bar {
  step: number;
  norm: number;
  share: number;
}

function bars(weight: Weight): Bar[] {
  const every = Math.ceil(weight.steps.length / BARS);
  const found = [];
  for (let i = 0; i < weight.steps.length; i += every) {
    const shares = weight.shares.slice(i, i + every);
    found.push({
      step: weight.steps[i]!,
      norm: Math.max(...weight.norms.slice(i, i + every)), // NaN if any is
      share: shares.reduce((a, b) => a + b, 0),
    });
  }
  return found;
}

function told({step: t, norm, share}: Bar): string {
  return `step ${t}: norm ${digits(norm)}, share ${percent(share)}`;
}

function high({norm}: Bar, most: number): number {
  return Number.isFinite(norm) ? Math.max(0.02, norm / most) : 1;
}

function largest(own: Bar[]): number {
  return Math.max(...own.map((bar) => bar.norm).filter(Number.isFinite), 1e-300);
}

const drawn = new WeakMap<Weight, Bar[]>();

export function Ledger({story, index}: {story: Story; index: number}) {
  const weights = ledgers.value[index]!;
  if (!weights.length) return null;
  const moment = timelines.value[index]!.moments[at(index)]!;
  const since = moment.stage === "backward" ? moment.step : Infinity;
  const all = at(index) === timelines.value[index]!.moments.length - 1;
  return (
    <section class="panel" aria-label="Weight ledger">
      <h2>Which step gave each weight its gradient</h2>
      {chosen.value || story.credit ? <p class="note">of all losses together{edited(index) ? ", with the changes" : ""}{chosen.value ? `; the share of steps ${chosen.value.join(" to ")}` : ""}</p> : null}
      {weights.map((weight) => {
        const own = drawn.get(weight) ?? bars(weight);
        drawn.set(weight, own);
        const most = largest(own);
        const there = (t: number): boolean => all || t >= since;
        const range = chosen.value;
        const counts = (t: number): boolean => there(t) && (!range || (t >= range[0] && t <= range[1]));
        const sum = own.reduce((total, bar) => (counts(bar.step) ? total + bar.share : total), 0);
        return (
          <div class="weight" key={weight.name} title={weight.why}>
            <span class="label">{weight.name} <small>{weight.shape}</small></span>
            {own.length > MANY ? <Many story={story} weight={weight} own={own} since={all ? -Infinity : since} /> : (
              <span class="bars" role="img" aria-label={`${weight.name}: ${digits(weight.norm)} in total`}>
                {own.map((bar) => (
                  <span class={bar.step === step.value ? "bar on" : "bar"} onMouseEnter={() => (step.value = bar.step)} onMouseLeave={() => (step.value = null)} title={told(bar)}>
                    <span style={{height: there(bar.step) ? `${100 * high(bar, most)}%` : "0", background: color(story, bar.norm)}} />
                  </span>
                ))}
              </span>
            )}
            <span class="sum">{percent(sum, 0)}</span>
          </div>
        );
      })}
    </section>
  );
}

function edited(index: number): boolean {
  return edits.value.some((edit) => edit.story === index);
}

const MANY = 60; // bars, from which on they are not elements: at every position of the scrubber all would be gone through
const many = new WeakMap<Bar[], {theme: string; paths: JSX.Element}>();

// Drawn once; what has not come yet is covered.
function Many({story, weight, own, since}: {story: Story; weight: Weight; own: Bar[]; since: number}) {
  const most = largest(own);
  let known = many.get(own);
  if (known?.theme !== theme()) {
    const mark = (i: number): string => `M${i} 1v-${high(own[i]!, most)}h0.9V1Z`;
    known = {theme: theme(), paths: <g>{[...shaded(story, own.map((bar) => bar.norm), mark)].map(([fill, d]) => <path fill={fill} d={d} />)}</g>};
    many.set(own, known);
  }
  const at = (t: number): number => own.findIndex((bar, i) => (own[i + 1]?.step ?? Infinity) > t && bar.step <= t);
  const here = step.value === null ? -1 : at(step.value);
  const covered = own.filter((bar) => bar.step < since).length;
  const move = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    step.value = own[Math.max(0, Math.min(own.length - 1, Math.floor(((event.clientX - box.left) / box.width) * own.length)))]!.step;
  };
  return (
    <svg class="bars" viewBox={`0 0 ${own.length} 1`} preserveAspectRatio="none" role="img" aria-label={`${weight.name}: ${digits(weight.norm)} in total`}
      onPointerMove={move} onPointerLeave={() => (step.value = null)}>
      {here >= 0 ? <title>{told(own[here]!)}</title> : null}
      {known.paths}
      {covered ? <rect class="cover" width={covered} height={1} /> : null}
      {here >= 0 ? <rect class="chosen" x={here} width={1} height={1} /> : null}
    </svg>
  );
}

// The gradient of that loss is followed, and the state is pinned.
function follow(index: number, loss: number, t: number): void {
  keepingMoment(() => {
    if (losses.value.includes(loss)) of.value = loss;
    const states = views.value[index]!.places.filter((place) => place.step === t && (place.kind === "state" || place.kind === "initial"));
    const box = states[states.length - 1]?.box;
    second.value = null;
    pinned.value = box === undefined ? null : {story: index, box, name: -1};
  });
  shown.value = {story: index, step: t, key: ""};
}

// The way of the loss that is followed to a state, in the graph.
function path(story: Story, index: number, loss: number, t: number): {story: number; keys: Set<string>} | null {
  if (of.value === "all" || story.boxes[followed(story, of.value)]?.step !== loss) return null;
  const own = views.value[index]!.places.filter(({kind, step: at}) => (kind === "loss" || kind === "output" ? at === loss : kind !== "input" && at >= t && at <= loss));
  return {story: index, keys: new Set(own.map((place) => place.key))};
}

export function CreditMap({story, index}: {story: Story; index: number}) {
  const under = useSignal<[number, number] | null>(null);
  const credit = credits.value[index]!;
  if (!credit || !credit.rows.length) return null;
  const cell = Math.max(1.5, Math.min(26, 300 / credit.states.length));
  const every = Math.max(1, Math.ceil(credit.states.length / 10));
  const [w, h] = [credit.states.length * cell, credit.losses.length * cell];
  const side = cell - (cell > 5 ? 1 : 0);
  const square = (i: number): string => `M${(i % credit.states.length) * cell} ${Math.floor(i / credit.states.length) * cell}h${side}v${side}h-${side}Z`;
  const at = (event: PointerEvent | MouseEvent): [number, number] | null => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const i = Math.floor(((event.clientY - box.top) / box.height) * credit.losses.length);
    const k = Math.floor(((event.clientX - box.left) / box.width) * credit.states.length);
    return credit.rows[i]?.[k] === undefined || credit.rows[i]![k] === null ? null : [i, k];
  };
  const point = (place: [number, number] | null): void => {
    under.value = place;
    step.value = place && credit.states[place[1]]!;
    lit.value = place && path(story, index, credit.losses[place[0]]!, credit.states[place[1]]!);
  };
  const press = (event: MouseEvent): void => {
    const place = at(event);
    if (place) follow(index, credit.losses[place[0]]!, credit.states[place[1]]!);
  };
  const k = step.value === null ? -1 : credit.states.indexOf(step.value);
  const seen = under.value;
  return (
    <section class="panel" aria-label="Credit map">
      <h2>How far back each loss reaches</h2>
      <svg class="map" viewBox={`0 -8 ${w + 62} ${h + 32}`} style={{maxWidth: `${w + 62}px`}} role="img" aria-label="Each row is a loss, each column a state">
        <g class="cells" transform="translate(46 0)" onPointerMove={(event) => point(at(event))} onPointerLeave={() => point(null)} onClick={press}>
          <rect width={w} height={h} fill="transparent" />
          {[...shaded(story, credit.rows.flat(), square)].map(([fill, d]) => <path fill={fill} d={d} />)}
          {k >= 0 ? <rect class="under" x={k * cell} y={0} width={cell} height={h} /> : null}
          {seen ? <rect class="under" x={seen[1] * cell} y={seen[0] * cell} width={cell} height={cell} /> : null}
        </g>
        {credit.losses.map((t, i) => (i % every === 0 ? <text class="tick end" x={40} y={i * cell + cell / 2 + 4}>L{t}</text> : null))}
        {credit.states.map((t, i) => (i % every === 0 ? <text class="tick" x={46 + i * cell + cell / 2} y={h + 16}>h{t}</text> : null))}
      </svg>
      <p class="note">{seen ? `L${credit.losses[seen[0]]} at step ${credit.states[seen[1]]}: norm ${digits(credit.rows[seen[0]]![seen[1]])}` : `Each row is a loss, each column a state${edited(index) ? ", with the changes" : ""}. Click to follow one.`}</p>
    </section>
  );
}

export function Gates({story}: {story: Story}) {
  if (!story.gates.length) return null;
  const [w, h] = [300, 40];
  return (
    <section class="panel" aria-label="Gates">
      <h2>What the gates let through</h2>
      {story.gates.map((gate) => {
        const n = Math.max(1, gate.steps.length - 1);
        const points = gate.mean.map((m, i) => `${(i / n) * w},${h - Math.max(0, Math.min(1, Math.abs(m))) * h}`).join(" ");
        return (
          <div class="gate" key={gate.layer + gate.role}>
            <span class="label">{gate.role} <small>{gate.layer}</small></span>
            <svg width={w} height={h + 4} role="img" aria-label={`${gate.role}, mean ${digits(mean(gate.mean))}`}>
              <line class="axis" x1={0} y1={h} x2={w} y2={h} /><line class="axis" x1={0} y1={0} x2={w} y2={0} />
              <polyline class="trace" points={points} />
            </svg>
            <span class="sum">{digits(mean(gate.mean))}</span>
          </div>
        );
      })}
    </section>
  );
}

function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}

export function Legend({story, index}: {story: Story; index: number}) {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return (
    <p class="legend" aria-hidden="true">
      gradient norm
      {ticks.map((t) => {
        const norm = 10 ** (story.low + t * (story.high - story.low));
        return <span><i style={{background: color(story, norm), height: `${3 + 9 * part(story, norm)}px`}} />{digits(norm)}</span>;
      })}
      {views.value[index]!.places.some((place) => place.norms[0] === 0) ? <span><i class="square" />exactly zero</span> : null}
      {story.boxes.some((box) => box.recomputed) ? <span>↻ computed again in backward, by a checkpoint</span> : null}
    </p>
  );
}
