// The arithmetic of a place: what arrived, times the local derivative, is what was sent to each input.

import {Fragment} from "preact";

import type {Story} from "./data";
import {derivatives} from "./local";
import {digits, heat} from "./scale";
import {ACROSS, BEFORE, EACH, type Edge, ENTRIES, norm, pull, type System, type Vector, ZERO} from "./system";
import {owners, type Place, type View} from "./view";

const LINES = 8; // of a table
const MOST = 32; // elements on a side, up to which a matrix is shown
const WRITTEN = 8; // columns, up to which its numbers are written

interface Asked {
  story: Story;
  view: View;
  system: System;
  place: Place;
  brief: boolean; // the operation alone
}

export function Arithmetic({story, view, system, place, brief}: Asked) {
  return (
    <div class="arithmetic">
      {place.ks.map((k) => {
        const node = system.box.findIndex((box, n) => box === place.box && system.name[n] === k);
        return node < 0 ? null : <Fragment key={k}><Sends story={story} view={view} system={system} node={node} />{brief ? null : <Came story={story} view={view} system={system} node={node} />}</Fragment>;
      })}
    </div>
  );
}

interface Node {
  story: Story;
  view: View;
  system: System;
  node: number;
}

function labelOf(story: Story, system: System, n: number): string {
  return story.boxes[system.box[n]!]?.labels[system.name[n]!] ?? system.names.get(n) ?? "";
}

function operationOf(story: Story, system: System, n: number): string[] {
  return story.boxes[system.box[n]!]?.operations[system.name[n]!] ?? [];
}

// The operation that made it, backward: one multiplication for each input.
function Sends({story, view, system, node}: Node) {
  const [name, formula] = operationOf(story, system, node);
  const arrived = view.arrived[node];
  const edges = system.out[node]!;
  if (!name || !formula || !arrived || !edges.length) return null;
  const own = labelOf(story, system, node);
  const result = /^[a-z]\w*[₀-₉]*$/i.test(own) ? own : "y";
  return (
    <>
      <h3>{result} = {formula} <small>({name})</small></h3>
      {edges.map((edge, i) => {
        const sent = pull(edge, arrived, system.size[edge.to]!);
        const rule = story.rules[name]?.[i]?.replace(/y/g, result) ?? "";
        const to = labelOf(story, system, edge.to);
        return (
          <details key={i} open={i === 0}>
            <summary>to {to}: {sent ? <>{digits(norm(arrived))} → {digits(norm(sent))}</> : "nothing of this gradient"}</summary>
            <Multiplied from={own} to={to} rule={rule} arrived={arrived} edge={edge} sent={sent ?? new Float64Array(system.size[edge.to]!)} />
          </details>
        );
      })}
    </>
  );
}

// The same between places: from each that sent something here, through what is not drawn.
function Came({story, view, system, node}: Node) {
  const owner = owners(system, view.places);
  const here = owner[node]!;
  const from = [...new Set(view.ribbons.filter((r) => r.to === here && r.norm !== null).map((r) => r.from))];
  const edges = from.flatMap((p) => view.places[p]!.ks.flatMap((k) => {
    const n = owner.findIndex((own, m) => own === p && system.name[m] === k);
    if (n < 0 || !view.arrived[n] || system.size[n]! > MOST || system.out[n]!.some((edge) => edge.to === node)) return [];
    return derivatives(system, n, (m) => owner[m]! >= 0).get(node) ?? [];
  }));
  const to = labelOf(story, system, node);
  if (!edges.length) return null;
  return (
    <>
      <h3>Where it came from</h3>
      {edges.map((edge) => {
        const own = labelOf(story, system, edge.from);
        const arrived = view.arrived[edge.from]!;
        const sent = pull(edge, arrived, system.size[node]!)!;
        return (
          <details key={edge.from}>
            <summary>from {own}: {digits(norm(arrived))} → {digits(norm(sent))}</summary>
            <Multiplied from={own} to={to} rule="" arrived={arrived} edge={edge} sent={sent} />
          </details>
        );
      })}
    </>
  );
}

interface Product {
  from: string;
  to: string;
  rule: string;
  arrived: Vector;
  edge: Edge;
  sent: Vector;
}

function Multiplied(product: Product) {
  const {from, to, rule, arrived, edge, sent} = product;
  if (edge.kind === ZERO) return <p>The derivative is exactly zero: whatever arrives at {from}, nothing is sent to {to}.</p>;
  if (edge.kind === EACH) return <Each {...product} />;
  if (edge.kind === ENTRIES) return <Entries {...product} />;
  const {matrix, rows, columns, kind} = edge;
  const wide = kind === BEFORE ? arrived.length / columns : kind === ACROSS ? arrived.length / rows : rows;
  const symbol = rule || `∂${from}/∂${to}`;
  const factor = <Grid name={kind === BEFORE ? symbol : `× ${symbol}`} values={matrix} columns={columns} paint={90} />;
  return (
    <>
      {kind === BEFORE ? factor : null}
      <Grid name={`${kind === BEFORE ? "× " : ""}δ, arrived at ${from}${kind === ACROSS ? ", transposed" : ""}`}
        values={kind === ACROSS ? transposed(arrived, wide) : arrived} columns={kind === ACROSS ? rows : wide} />
      {kind === BEFORE ? null : factor}
      <Grid name={`= sent to ${to}`} values={sent} columns={kind === BEFORE ? wide : columns} />
    </>
  );
}

function transposed(values: Vector, columns: number): Vector {
  const rows = values.length / columns;
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
}

function Each({from, to, rule, arrived, edge, sent}: Product) {
  const shown = Math.min(LINES, arrived.length);
  const [a, b] = [largest(arrived), largest(sent)];
  return (
    <table>
      <thead><tr><th scope="col">δ at {from}</th><th scope="col">× {rule || `∂${from}/∂${to}`}</th><th scope="col">= sent</th></tr></thead>
      <tbody>
        {Array.from({length: shown}, (_, i) => (
          <tr key={i}><Shaded v={arrived[i]!} most={a} /><td title={String(edge.matrix[i])}>{digits(edge.matrix[i])}</td><Shaded v={sent[i]!} most={b} /></tr>
        ))}
        {arrived.length > shown ? <tr><td colSpan={3}>and {arrived.length - shown} more</td></tr> : null}
      </tbody>
    </table>
  );
}

function Shaded({v, most}: {v: number; most: number}) {
  return <td title={String(v)} style={`background:${heat(v, most)}`}>{digits(v)}</td>;
}

// Single entries: what moves a number, repeats it or picks it. Each line is one product; the element it goes to adds them up.
function Entries({from, arrived, edge: {matrix}, sent}: Product) {
  const count = matrix.length / 3;
  const [a, b] = [largest(arrived), largest(sent)];
  return (
    <table>
      <thead><tr><th scope="col">δ at {from}</th><th scope="col">×</th><th scope="col">in the sum for</th></tr></thead>
      <tbody>
        {Array.from({length: Math.min(LINES, count)}, (_, e) => {
          const [i, j, x] = [matrix[3 * e]!, matrix[3 * e + 1]!, matrix[3 * e + 2]!];
          return <tr key={e}><Shaded v={arrived[i]!} most={a} /><td>{digits(x)}</td><td title={String(sent[j])} style={`background:${heat(sent[j]!, b)}`}>[{j}]: {digits(sent[j])}</td></tr>;
        })}
        {count > LINES ? <tr><td colSpan={3}>and {count - LINES} more</td></tr> : null}
      </tbody>
    </table>
  );
}

// A small array as a heat map, with its numbers where there is room for them.
function Grid({name, values, columns, paint = 30}: {name: string; values: ArrayLike<number>; columns: number; paint?: number}) {
  const rows = values.length / columns;
  if (rows > MOST || columns > MOST) return <p><span class="label">{name}</span>: {rows}×{columns} numbers, norm {digits(norm(Float64Array.from(values)))}</p>;
  const most = largest(values);
  const written = columns <= WRITTEN;
  // All numbers of an array share a power of ten, so that they are short and are compared.
  const power = Number.isFinite(most) ? Math.floor(Math.log10(most)) : 0;
  const shared = written && values.length > 1 && most > 1e-300 && (power < -1 || power > 1) ? power : 0;
  const short = (v: number): string => (values.length === 1 ? digits(v) : Number.isFinite(v) ? String(Number((v / 10 ** shared).toFixed(2))) : digits(v));
  const side = Math.max(7, Math.min(20, Math.floor(320 / columns)));
  return (
    <figure class={written ? "grid" : "grid small"}>
      <figcaption class="label">{name} <small>{rows}×{columns}{shared ? <>, in 10<sup>{shared}</sup></> : null}</small></figcaption>
      <div role="img" aria-label={`${name}, ${rows} by ${columns}: ${Array.from(values).slice(0, LINES).map(digits).join(", ")}${values.length > LINES ? " and more" : ""}`}
        style={`grid-template-columns:repeat(${columns},${written ? "minmax(0,1fr)" : `${side}px`})`}>
        {Array.from(values, (v, i) => (
          <span key={i} title={`[${Math.floor(i / columns)}, ${i % columns}] ${v}`} class={v < 0 ? "negative" : ""} style={`background:${heat(v, most, written ? 30 : paint)}`}>{written ? short(v) : ""}</span>
        ))}
      </div>
    </figure>
  );
}

export function Numbers({title, values}: {title: string; values: ArrayLike<number>}) {
  const most = largest(values);
  return (
    <div class="numbers">
      <span class="label">{title}</span>
      <div>{Array.from(values, (v, i) => <span key={i} title={String(v)} class={v < 0 ? "negative" : "positive"} style={`background:${heat(v, most)}`}>{digits(v)}</span>)}</div>
    </div>
  );
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((m, x) => Math.max(m, Math.abs(x)), 1e-300);
}
