// What one asks of a place: its numbers, where its gradient came from, the arithmetic, and why.

import {arrives, digits, heat} from "./scale";
import {at, type Pin, pinned, placeOf, pointed, stories, timelines, views} from "./state";
import {type Edge, pull, type System, type Vector} from "./system";
import type {View} from "./view";

export function Inspector() {
  const pin = pointed.value ?? pinned.value;
  const place = pin && placeOf(pin);
  if (!pin || !place) {
    return (
      <section class="panel" aria-label="Details">
        <h2>Point at a box</h2>
        <p>See its value, its gradient, and where that came from. A click keeps it here and lets you change the gradient; a second click on another box shows the paths between the two.</p>
      </section>
    );
  }
  const story = stories.value[pin.story]!;
  const view = views.value[pin.story]!;
  const box = story.boxes[place.box]!;
  const index = view.places.indexOf(place);
  const arrived = timelines.value[pin.story]!.reached[index]! <= at(pin.story);
  const came = view.ribbons.filter((r) => r.to === index && r.norm !== null);
  const went = view.ribbons.filter((r) => r.from === index && arrives(r.norm));
  const name = (p: number): string => view.places[p]!.labels.join(", ");
  const state = (p: number, name: string): string => {
    const {ks, labels, box: own} = view.places[p]!;
    return labels[ks.findIndex((k) => story.boxes[own]!.names[k] === name)] ?? labels[0]!;
  };
  return (
    <section class="panel" aria-label="Details">
      <h2>{place.labels.join(", ")}{place.kind === "input" && box.text ? ` ${box.text}` : ""}<small>{box.layer ? ` in ${box.layer}` : ""}, step {box.step}</small></h2>
      {box.source ? <p class="source">{box.source}</p> : null}
      {place.ks.map((k, i) => (
        <div key={k}>
          {place.values[i] ? <Numbers title={`${place.labels[i]}, value`} values={place.values[i]!} /> : null}
          {arrived && place.gradients[i] && place.gradients[i]!.length <= 64 ? (
            <Numbers title={`${place.labels[i]}, gradient of norm ${digits(place.norms[i])}`} values={place.gradients[i]!} />
          ) : arrived ? <p>{place.labels[i]}: gradient of norm {digits(place.norms[i])}</p> : null}
        </div>
      ))}
      {!arrived ? <p>{Number.isFinite(timelines.value[pin.story]!.reached[index]!) ? "No gradient has arrived yet." : "No gradient of this loss comes here."}</p> : null}
      {arrived && came.length ? (
        <ul>
          {came.map((r) => {
            const from = view.places[r.from]!.norms[0];
            const goal = place.ks.length > 1 ? ` to ${state(index, r.state)}` : "";
            return <li>from {name(r.from)}{goal}: {digits(from)} × {digits(from ? r.norm! / from : null)} = {digits(r.norm)}</li>;
          })}
        </ul>
      ) : null}
      {arrived && view.system ? <Arithmetic view={view} system={view.system} pin={pin} names={place.ks} /> : null}
      {arrived && went.length ? <p>sends {went.map((r) => `${digits(r.norm)} to ${state(r.to, r.state)}`).join(", ")}</p> : null}
      {arrived && box.why ? <pre>{box.why}</pre> : null}
    </section>
  );
}

export function Numbers({title, values}: {title: string; values: ArrayLike<number>}) {
  return (
    <div class="numbers">
      <span class="label">{title}</span>
      <div>{Array.from(values, (v) => <Cell v={v} most={largest(values)} />)}</div>
    </div>
  );
}

function Cell({v, most}: {v: number; most: number}) {
  return <span title={String(v)} class={v < 0 ? "negative" : "positive"} style={`background:${heat(v, most)}`}>{digits(v)}</span>;
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((m, x) => Math.max(m, Math.abs(x)), 1e-300);
}

const MOST = 32; // elements of a gradient up to which the arithmetic is shown

// What arrived times the derivative is what was sent: for every node that sent something here.
function Arithmetic({view, system, pin, names}: {view: View; system: System; pin: Pin; names: number[]}) {
  const story = stories.value[pin.story]!;
  const node = system.box.findIndex((box, n) => box === pin.box && system.name[n] === (pin.name < 0 ? names[0] : pin.name));
  const known = (system.into[node] ?? []).filter((edge) => view.arrived[edge.from] && system.box[edge.from]! >= 0);
  const label = (n: number): string => story.boxes[system.box[n]!]!.labels[system.name[n]!]!;
  if (!known.length) return null;
  return (
    <div class="arithmetic">
      <h3>The arithmetic</h3>
      {known.map((edge, i) => {
        const from = view.arrived[edge.from]!;
        const sent = pull(edge, from, system.size[node]!);
        return (
          <details key={`${edge.from}.${node}`} open={i === 0}>
            <summary>from {label(edge.from)}, {!edge.matrix.length ? "a derivative of exactly zero" : edge.diagonal ? "element by element" : `a matrix of ${system.size[edge.from]}×${system.size[node]}`}</summary>
            {!edge.matrix.length ? <p>Whatever arrives at {label(edge.from)}, nothing is sent here.</p> : edge.diagonal ? (
              <Products from={label(edge.from)} to={label(node)} arrived={from} edge={edge} sent={sent} />
            ) : (
              <Product from={label(edge.from)} to={label(node)} arrived={from} edge={edge} sent={sent} />
            )}
          </details>
        );
      })}
    </div>
  );
}

interface Multiplied {
  from: string;
  to: string;
  arrived: Vector;
  edge: Edge;
  sent: Vector;
}

function Products({from, to, arrived, edge, sent}: Multiplied) {
  const shown = Math.min(8, arrived.length);
  const [a, b] = [largest(arrived), largest(sent)];
  return (
    <table>
      <thead><tr><th scope="col">at {from}</th><th scope="col">× ∂{from}/∂{to}</th><th scope="col">= sent</th></tr></thead>
      <tbody>
        {Array.from({length: shown}, (_, i) => (
          <tr>
            <td style={`background:${heat(arrived[i]!, a)}`}>{digits(arrived[i])}</td>
            <td>{digits(edge.matrix[i])}</td>
            <td style={`background:${heat(sent[i]!, b)}`}>{digits(sent[i])}</td>
          </tr>
        ))}
        {arrived.length > shown ? <tr><td colSpan={3}>and {arrived.length - shown} more</td></tr> : null}
      </tbody>
    </table>
  );
}

function Product({from, to, arrived, edge, sent}: Multiplied) {
  const [n, m] = [arrived.length, sent.length];
  if (n > MOST || m > MOST) return <p>{n} numbers times a matrix of {n}×{m} make {m} numbers.</p>;
  const side = Math.max(8, Math.min(22, Math.floor(260 / m)));
  return (
    <>
      {n === 1 ? null : <Numbers title={`arrived at ${from}`} values={arrived} />}
      <span class="label">{n === 1 ? `${digits(arrived[0])} × ∂${from}/∂${to}` : `× ∂${from}/∂${to}: a row for each of ${from}`}</span>
      <svg class="matrix" width={m * side} height={n * side} role="img" aria-label={`the derivative, ${n} by ${m}`}>
        {Array.from(edge.matrix, (v, k) => (
          <rect x={(k % m) * side} y={Math.floor(k / m) * side} width={side - 1} height={side - 1} style={`fill:${heat(v, largest(edge.matrix), 90)}`} class={v < 0 ? "negative" : ""}>
            <title>{`∂${from}[${Math.floor(k / m)}]/∂${to}[${k % m}] = ${digits(v)}`}</title>
          </rect>
        ))}
      </svg>
      <Numbers title={`= sent to ${to}`} values={sent} />
    </>
  );
}
