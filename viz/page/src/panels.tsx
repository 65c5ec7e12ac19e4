// Beside the graph: the weights' ledger, the credit map, the gates, and what one asks of a box.

import type {Story, Weight} from "./data";
import {pitch} from "./graph";
import {arrives, color, digits, part} from "./scale";
import {at, pinned, pointed, step, stories, timelines} from "./state";

const BARS = 200; // of very many steps, neighbors share a bar: the largest norm, the sum of the shares

function bars(weight: Weight): {step: number; norm: number; share: number}[] {
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

const drawn = new Map<Weight, ReturnType<typeof bars>>();

export function Ledger({story, index}: {story: Story; index: number}) {
  if (!story.ledger.length) return null;
  const moment = timelines[index]!.moments[at(index)]!;
  const since = moment.stage === "backward" ? moment.step : Infinity;
  const all = at(index) === timelines[index]!.moments.length - 1;
  return (
    <section class="panel" aria-label="Weight ledger">
      <h2>Which step gave each weight its gradient</h2>
      {story.ledger.map((weight) => {
        const own = drawn.get(weight) ?? bars(weight);
        drawn.set(weight, own);
        const most = Math.max(...own.map((bar) => bar.norm).filter(Number.isFinite), 1e-300);
        const there = (t: number): boolean => all || t >= since;
        const sum = own.reduce((total, bar) => (there(bar.step) ? total + bar.share : total), 0);
        return (
          <div class="weight" key={weight.name} title={weight.why}>
            <span class="label">{weight.name} <small>{weight.shape}</small></span>
            <span class="bars" role="img" aria-label={`${weight.name}: ${digits(weight.norm)} in total`}>
              {own.map(({step: t, norm, share}) => (
                <span class={t === step.value ? "bar on" : "bar"} onMouseEnter={() => (step.value = t)} onMouseLeave={() => (step.value = null)}
                  title={`step ${t}: norm ${digits(norm)}, share ${(100 * share).toFixed(1)} %`}>
                  <span style={{height: there(t) ? `${Number.isFinite(norm) ? Math.max(2, (100 * norm) / most) : 100}%` : "0", background: color(story, norm)}} />
                </span>
              ))}
            </span>
            <span class="sum">{Number.isFinite(sum) ? `${(100 * sum).toFixed(0)} %` : "–"}</span>
          </div>
        );
      })}
    </section>
  );
}

export function CreditMap({story}: {story: Story}) {
  const credit = story.credit;
  if (!credit || !credit.rows.length) return null;
  const cell = Math.max(3, Math.min(22, Math.floor(380 / credit.states.length)));
  const every = Math.max(1, Math.ceil(credit.states.length / 10));
  return (
    <section class="panel" aria-label="Credit map">
      <h2>How far back each loss reaches</h2>
      <svg width={credit.states.length * cell + 70} height={credit.losses.length * cell + 30} role="img" aria-label="Each row is a loss, each column a state">
        {credit.rows.map((row, i) =>
          row.map((norm, k) =>
            norm === null ? null : (
              <rect x={46 + k * cell} y={i * cell} width={cell - (cell > 5 ? 1 : 0)} height={cell - (cell > 5 ? 1 : 0)}
                class={step.value === credit.states[k] ? "cell on" : "cell"} fill={arrives(norm) ? color(story, norm) : "none"}
                onMouseEnter={() => (step.value = credit.states[k]!)} onMouseLeave={() => (step.value = null)}>
                <title>{`loss ${credit.losses[i]} at state ${credit.states[k]}: ${digits(norm)}`}</title>
              </rect>
            ),
          ),
        )}
        {credit.losses.map((t, i) => (i % every === 0 ? <text class="tick end" x={40} y={i * cell + cell * 0.75}>L{t}</text> : null))}
        {credit.states.map((t, k) => (k % every === 0 ? <text class="tick" x={46 + k * cell + cell / 2} y={credit.losses.length * cell + 16}>h{t}</text> : null))}
      </svg>
    </section>
  );
}

export function Gates({story}: {story: Story}) {
  if (!story.gates.length) return null;
  const [w, h] = [300, 54];
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

export function Inspector() {
  const chosen = pointed.value ?? pinned.value;
  if (!chosen) {
    return (
      <section class="panel" aria-label="Details">
        <h2>Point at a box</h2>
        <p>See its value and its gradient, and from where the gradient came. A click keeps it here.</p>
      </section>
    );
  }
  const story = stories[chosen.story]!;
  const box = story.boxes[chosen.box]!;
  const arrived = timelines[chosen.story]!.reached[chosen.box]! <= at(chosen.story);
  const came = story.ribbons.filter((r) => r.to === chosen.box && r.norm !== null);
  const went = story.ribbons.filter((r) => r.from === chosen.box && r.norm !== null);
  const name = (i: number): string => story.boxes[i]!.labels.join(", ");
  return (
    <section class="panel" aria-label="Details" aria-live="polite">
      <h2>{box.labels.join(", ")}<small>{box.layer ? ` in ${box.layer}` : ""}, step {box.step}</small></h2>
      {box.source ? <p class="source">{box.source}</p> : null}
      {box.names.map((state, k) => (
        <div key={state}>
          {box.values[k] ? <Numbers title={`${box.labels[k]}, value`} values={box.values[k]!} /> : null}
          {arrived && box.gradients[k] ? <Numbers title={`gradient, norm ${digits(box.norms[k])}`} values={box.gradients[k]!} /> : null}
          {arrived && !box.gradients[k] ? <p>{box.labels[k]}: gradient norm {digits(box.norms[k])}</p> : null}
        </div>
      ))}
      {!arrived ? <p>No gradient has arrived yet.</p> : null}
      {arrived && came.length ? (
        <ul>
          {came.map((r) => {
            const from = story.boxes[r.from]!.norms[0];
            return <li>from {name(r.from)}: {digits(from)} × {digits(from ? r.norm! / from : null)} = {digits(r.norm)}</li>;
          })}
        </ul>
      ) : null}
      {arrived && went.length ? <p>sends {went.map((r) => `${digits(r.norm)} to ${name(r.to)}`).join(", ")}</p> : null}
      {arrived && box.why ? <pre>{box.why}</pre> : null}
    </section>
  );
}

function Numbers({title, values}: {title: string; values: number[]}) {
  const most = Math.max(...values.map(Math.abs), 1e-300);
  return (
    <div class="numbers">
      <span class="label">{title}</span>
      <div>
        {values.map((v) => (
          <span title={String(v)} class={v < 0 ? "negative" : "positive"} style={`background:color-mix(in srgb, var(--accent) ${Math.round(30 * Math.min(1, Math.abs(v) / most))}%, var(--paper))`}>
            {digits(v)}
          </span>
        ))}
      </div>
    </div>
  );
}

export function Strip({story, index}: {story: Story; index: number}) {
  const states = story.boxes.map((box, i) => ({box, i})).filter(({box}) => box.kind === "state" || box.kind === "initial");
  const top = Math.max(...states.map(({box}) => box.row));
  const w = 720;
  const whole = states.filter(({box}) => box.row === top).sort((a, b) => a.box.step - b.box.step);
  const every = Math.ceil(whole.length / (w / 2)); // of very many steps, as many as there is room for
  const row = whole.filter((_, k) => k % every === 0);
  const now = at(index);
  return (
    <svg class="strip" viewBox={`0 0 ${w} 22`} preserveAspectRatio="none" role="img" aria-label="All steps">
      {row.map(({box, i}, k) => {
        const there = timelines[index]!.reached[i]! <= now && arrives(box.norms[0]);
        const wide = w / row.length;
        return (
          <rect x={k * wide} y={4} width={Math.max(0.6, wide - (wide > 3 ? 1 : 0))} height={14} class={box.step === step.value ? "on" : ""}
            fill={there ? color(story, box.norms[0]!) : "var(--line)"} fill-opacity={there ? 1 : 0.35}
            onMouseEnter={() => (step.value = box.step)} onMouseLeave={() => (step.value = null)} onClick={() => reveal(index, box.step, story)}>
            <title>{`step ${box.step}: ${digits(box.norms[0])}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function reveal(index: number, t: number, story: Story): void {
  const scroll = document.querySelectorAll<HTMLElement>(".scroll")[index];
  const columns = [...new Set(story.boxes.map((box) => box.step))].sort((a, b) => a - b);
  if (scroll) scroll.scrollLeft = columns.indexOf(t) * pitch(columns.length) - scroll.clientWidth / 2 + 96;
}

export function Legend({story}: {story: Story}) {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return (
    <p class="legend" aria-hidden="true">
      gradient norm
      {ticks.map((t) => {
        const norm = 10 ** (story.low + t * (story.high - story.low));
        return <span><i style={{background: color(story, norm), height: `${3 + 9 * part(story, norm)}px`}} />{digits(norm)}</span>;
      })}
    </p>
  );
}
