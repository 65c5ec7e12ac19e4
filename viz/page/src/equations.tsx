// The equations of this network, with the symbols marked of what is pointed at or gets its gradient now.

import type {Story} from "./data";
import {at, placeOf, pointed, timelines, views} from "./state";

const SYMBOL = /(?<![A-Za-z_])(∂?)([A-Za-z])('*)([ₜ₊₋₀-₉]*)(?![A-Za-z_\[(])/gu;

// The letters of a place, as they stand in the equations: c and h, f, y, L.
function letters(index: number): Set<string> {
  const pin = pointed.value?.story === index ? pointed.value : null;
  const place = pin ? placeOf(pin) : views.value[index]!.places[timelines.value[index]!.moments[at(index)]!.place];
  return new Set((place?.labels ?? []).flatMap((label) => /^[A-Za-z](?=[₀-₉]*$)/u.exec(label) ?? []));
}

export function Marked({text, index}: {text: string; index: number}) {
  const own = letters(index);
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(SYMBOL)) {
    const [whole, gradient, letter, primes] = found;
    if (!own.has(letter!) || (primes && !gradient)) continue;
    parts.push(text.slice(end, found.index), <mark>{whole}</mark>);
    end = found.index + whole.length;
  }
  return <>{parts}{text.slice(end)}</>;
}

export function Equations({story, index}: {story: Story; index: number}) {
  const {lines, latex} = story.equations;
  if (!lines.length) return null;
  const headings = [...new Set(lines.map((line) => line[0]))];
  return (
    <section class="panel equations" aria-label="Equations">
      <h2>The equations of this network</h2>
      <div class="parts">{headings.map((heading) => (
        <div key={heading}>
          <h3>{heading}</h3>
          {lines.filter((line) => line[0] === heading).map(([, formula, span]) => (
            <p><Marked text={formula} index={index} />{span ? <small>{span}</small> : null}</p>
          ))}
        </div>
      ))}</div>
      {latex ? <button type="button" onClick={() => void navigator.clipboard?.writeText(latex)}>Copy as LaTeX</button> : null}
    </section>
  );
}
