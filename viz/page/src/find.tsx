// Find a place by what it is called: h3, forget 12, x 5, nan, zero; or by what is the case with it.

import {computed, signal} from "@preact/signals";
import {useEffect, useRef} from "preact/hooks";

import {digits} from "./scale";
import {finding, go, last, pinned, pinOf, second, shown, stories, timelines, views} from "./state";
import type {Place} from "./view";

const query = signal("");
const chosen = signal(0);
const SHOWN = 8;
const ROLES: Record<string, string> = {f: "forget", i: "input gate", g: "candidate", o: "output gate", r: "reset", z: "update", n: "candidate"};

function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/[[\]_]/g, "");
}

function words(place: Place): string {
  const role = place.kind === "gate" ? ROLES[place.labels[0]![0]!] : place.kind;
  const norm = place.norms[0];
  const state = norm === null || norm === undefined ? "no path" : Number.isNaN(norm) ? "nan" : norm === 0 ? "zero" : "";
  return plain([...place.labels, role, place.layer, `step ${place.step}`, place.step, place.text, state].join(" "));
}

const found = computed(() => matching(query.value));

function matching(text: string): {story: number; place: Place}[] {
  const parts = plain(text).split(/\s+/).filter(Boolean);
  if (!parts.length) return [];
  const hits = views.value.flatMap((view, story) => view.places.map((place) => ({story, place})));
  const fits = hits.filter(({place}) => parts.every((part) => words(place).includes(part)));
  const exact = (place: Place): boolean => place.labels.some((label) => plain(label) === parts.join(""));
  return [...fits.filter(({place}) => exact(place)), ...fits.filter(({place}) => !exact(place))];
}

// The debugger's address names a box: `#find=h3`.
export function goToAddressed(): void {
  const text = new URLSearchParams(window.location.hash.slice(1)).get("find");
  if (text) take(matching(text)[0]);
}

function take(hit: {story: number; place: Place} | undefined): void {
  if (!hit) return;
  const {story, place} = hit;
  second.value = null;
  pinned.value = pinOf(story, place);
  const when = timelines.value[story]!.reached[views.value[story]!.places.indexOf(place)]!;
  go(Number.isFinite(when) ? when : last.value);
  shown.value = {story, step: place.step, key: place.key};
  finding.value = false;
}

export function Find() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const hits = found.value.slice(0, SHOWN);
  const at = Math.min(chosen.value, Math.max(0, hits.length - 1));
  const keys = (event: KeyboardEvent): void => {
    const move = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (move) chosen.value = Math.max(0, Math.min(hits.length - 1, at + move));
    else if (event.key === "Enter") take(hits[at]);
    else return;
    event.preventDefault();
  };
  return (
    <div class="find" role="search">
      <input ref={input} type="search" placeholder="h3, forget 12, loss 4, nan" aria-label="Find a box" aria-controls={hits.length ? "found" : undefined} role="combobox"
        aria-expanded={hits.length > 0} aria-activedescendant={hits.length ? `hit${at}` : undefined} value={query.value} onKeyDown={keys}
        onInput={(event) => { query.value = (event.target as HTMLInputElement).value; chosen.value = 0; }} />
      {hits.length ? <ul id="found" role="listbox" aria-label="Boxes found">
        {hits.map((hit, i) => (
          <li id={`hit${i}`} role="option" aria-selected={i === at} onClick={() => take(hit)} key={`${hit.story}.${hit.place.key}`}>
            <b>{hit.place.labels.join(", ")}</b> step {hit.place.step} {hit.place.layer || hit.place.text}
            <small> {stories.value.length > 1 ? stories.value[hit.story]!.subtitle.split(" · ")[0] : ""} norm {digits(hit.place.norms[0])}</small>
          </li>
        ))}
      </ul> : null}
      <p class="note" role="status">{query.value ? `${found.value.length} found` : "A name and a step, a kind, a layer, “zero”, “nan” or “no path”. Enter goes there."}</p>
    </div>
  );
}
