// What the reader chose: position, pins, level, edits. It is in the address, so that a link restores it.

import {batch, computed, effect, signal} from "@preact/signals";

import {type Credit, read, type Story, type Weight} from "./data";
import {creditOf, ledgerOf} from "./ledger";
import {byStep, timeline} from "./timeline";
import {type Detail, type Edit, hasGates, lossSteps, type Of, type Place, view} from "./view";

export type Level = "layer" | Detail;

export interface Pin {
  story: number;
  box: number;
  name: number; // index of the state; -1: the whole box
}

export interface StoryEdit extends Edit {
  story: number;
}

export const runs = await read();
export const iteration = signal(Math.max(...runs.map((run) => run.iterations.length)) - 1);
export const level = signal<Level>("cell");
export const of = signal<Of | null>(null); // null: the last loss
export const edits = signal<StoryEdit[]>([]);

export const playing = signal(false);
export const speed = signal(1);
export const pinned = signal<Pin | null>(null);
export const second = signal<Pin | null>(null); // the other end of the paths that are asked for
export const pointed = signal<Pin | null>(null);
export const step = signal<number | null>(null); // that is pointed at, in any panel
export const chosen = signal<[number, number] | null>(null); // steps that were dragged over
export const lit = signal<{story: number; keys: Set<string>} | null>(null); // a path that is pointed at
export const help = signal(false);
export const finding = signal(false);
export const said = signal(""); // for a screen reader
export const shown = signal<{story: number; step: number; key: string} | null>(null); // asked into sight

export const stories = computed<Story[]>(() =>
  runs.map((run) => run.frames[Math.min(iteration.value, run.frames.length - 1)]!),
);
export const detail = computed<Detail>(() => (level.value === "layer" ? "cell" : level.value));
export const views = computed(() =>
  stories.value.map((story, i) => view(story, detail.value, of.value, edits.value.filter((edit) => edit.story === i))),
);
// With edits, the weights' gradients and the credit map are computed anew; without, they are those of the recording.
const changed = computed(() => stories.value.map((story, i) => {
  const own = edits.value.filter((edit) => edit.story === i);
  const {system} = views.value[i]!;
  return own.length && system ? {ledger: ledgerOf(story, system, own), credit: creditOf(story, system, own)} : story;
}));
export const ledgers = computed<Weight[][]>(() => changed.value.map(({ledger}) => ledger));
export const credits = computed<(Credit | null)[]>(() => changed.value.map(({credit}) => credit));
export const timelines = computed(() => views.value.map((v, i) => timeline(v, stories.value[i]!.steps)));
export const longest = computed(() =>
  timelines.value.reduce((best, t, i, all) => (t.moments.length > all[best]!.moments.length ? i : best), 0),
);
export const last = computed(() => timelines.value[longest.value]!.moments.length - 1);

// Infinity is the end, wherever that is: a level of detail or another loss has other pullbacks.
const asked = signal(Infinity);
export const position = computed(() => Math.max(0, Math.min(last.value, asked.value)));
export const moment = computed(() => timelines.value[longest.value]!.moments[position.value]!);
export const levels = computed<Level[]>(() => [
  "layer", "cell", ...(stories.value.some(hasGates) ? ["gate" as const] : []), ...(stories.value.some((s) => s.sheets.op) ? ["op" as const, "scalar" as const] : []),
]);
export const losses = computed(() => [...new Set(stories.value.flatMap((s) => (s.linear ? lossSteps(s) : [])))].sort((a, b) => a - b));

// Every story keeps the same clock: a shorter one waits at its end.
export function at(story: number): number {
  return Math.min(position.value, timelines.value[story]!.moments.length - 1);
}

export function go(to: number): void {
  asked.value = to >= last.value ? Infinity : Math.max(0, to);
}

export function goStep(direction: 1 | -1): void {
  go(byStep(timelines.value[longest.value]!.moments, position.value, direction));
}

let timer = 0;

export function play(on: boolean): void {
  window.clearTimeout(timer);
  if (on && position.value >= last.value) go(0);
  playing.value = on;
  if (on) tick();
}

function tick(): void {
  timer = window.setTimeout(() => {
    if (!playing.value) return;
    go(position.value + 1);
    if (position.value >= last.value) playing.value = false;
    else tick();
  }, 420 / speed.value);
}

// Another level or loss keeps the moment that is seen, if it has it, and else its end.
export function keepingMoment(change: () => void): void {
  const before = moment.value;
  const box = views.value[longest.value]!.places[before.place]?.box;
  batch(change);
  const {moments} = timelines.value[longest.value]!;
  const {places} = views.value[longest.value]!;
  const same = moments.findIndex((m) => m.stage === before.stage && m.step === before.step && places[m.place]?.box === box);
  if (asked.value !== Infinity) go(same < 0 ? last.value : same);
}

// Another iteration may have a longer or shorter sequence: what is not there is let go.
export function goToIteration(to: number): void {
  const most = Math.max(...runs.map((run) => run.iterations.length)) - 1;
  keepingMoment(() => {
    const before = stories.value;
    iteration.value = Math.max(0, Math.min(most, to));
    const there = (pin: {story: number; box: number} | null): boolean => {
      const [a, b] = [before, stories.value].map((all) => pin && all[pin.story]!.boxes[pin.box]);
      return Boolean(a && b && a.kind === b.kind && a.step === b.step && a.layer === b.layer);
    };
    if (!there(pinned.value) || !there(second.value)) second.value = null;
    if (!there(pinned.value)) pinned.value = null;
    if (!edits.value.every(there)) edits.value = edits.value.filter(there);
    [pointed.value, lit.value, chosen.value] = [null, null, null];
    if (typeof of.value === "number" && !losses.value.includes(of.value)) of.value = null;
  });
}

export function placeOf(pin: Pin): Place | undefined {
  const places = views.value[pin.story]?.places ?? [];
  const fits = (place: Place): boolean => place.box === pin.box && (pin.name < 0 || place.ks.includes(pin.name));
  return places.find(fits) ?? places.find((place) => place.box === pin.box);
}

export function pinOf(story: number, place: Place): Pin {
  const whole = place.ks.length === stories.value[story]!.boxes[place.box]!.names.length;
  return {story, box: place.box, name: whole ? -1 : place.ks[0]!};
}

// The first click pins, a second one elsewhere asks for the paths between the two, one on a pin lets go.
export function choose(pin: Pin): void {
  const same = (a: Pin | null): boolean => a !== null && a.story === pin.story && a.box === pin.box && a.name === pin.name;
  if (same(second.value)) second.value = null;
  else if (same(pinned.value)) [pinned.value, second.value] = [second.value, null];
  else if (!pinned.value || pinned.value.story !== pin.story) [pinned.value, second.value] = [pin, null];
  else second.value = pin;
}

export function describe(): string {
  const {stage, step: t, place} = moment.value;
  if (stage === "forward") return `forward, step ${t}`;
  if (stage === "loss") return of.value === "all" ? "all losses" : `the loss at step ${t}`;
  return `backward: the gradient reaches ${views.value[longest.value]!.places[place]!.labels.join(", ")}, step ${t}`;
}

// -- the address ---------------------------------------------------------------------------------

function pinFrom(text: string | null): Pin | null {
  const [story, box, name = -1] = (text ?? "").split(".").map(Number);
  return story !== undefined && box !== undefined && stories.value[story]?.boxes[box] ? {story, box, name} : null;
}

function restore(hash: string): void {
  const found = new URLSearchParams(hash.slice(1));
  const wanted = found.get("level") as Level;
  if (levels.value.includes(wanted)) level.value = wanted;
  const loss = found.get("of");
  if (loss === "all") of.value = "all";
  else if (loss && losses.value.includes(Number(loss))) of.value = Number(loss);
  const i = Number(found.get("iteration"));
  if (found.has("iteration") && runs.some((run) => i >= 0 && i < run.iterations.length)) iteration.value = i;
  edits.value = found.getAll("if").flatMap((text) => {
    const [story, box, name, verb, ...amount] = text.split(".");
    const edit = {story: Number(story), box: Number(box), name: Number(name), verb, amount: Number(amount.join("."))};
    const known = stories.value[edit.story]?.boxes[edit.box];
    return known && (verb === "scale" || verb === "clip") && Number.isFinite(edit.amount) ? [edit as StoryEdit] : [];
  });
  pinned.value = pinFrom(found.get("pin"));
  second.value = pinned.value && pinFrom(found.get("to"));
  const pin = pinned.value;
  const place = pin && placeOf(pin);
  if (place) shown.value = {story: pin.story, step: place.step, key: place.key};
  const p = Number(found.get("p"));
  if (found.has("p") && Number.isInteger(p)) go(p);
}

function written(pin: Pin): string {
  return `${pin.story}.${pin.box}${pin.name < 0 ? "" : `.${pin.name}`}`;
}

// Writing the address is slow in browsers, so while one scrubs it is written at the end.
const PAUSE = 150; // milliseconds
let writtenAt = 0;
let waiting = 0;

function write(hash: string): void {
  window.clearTimeout(waiting);
  const now = performance.now();
  if (now - writtenAt < PAUSE) {
    waiting = window.setTimeout(() => write(hash), PAUSE);
    return;
  }
  writtenAt = now;
  try {
    if (window.location.hash !== hash) window.history.replaceState(null, "", hash);
  } catch {
    // In a frame without an address there is nothing to keep it in.
  }
}

restore(window.location.hash);
window.addEventListener("hashchange", (event) => { // a link that is put into the address of the open page
  window.clearTimeout(waiting);
  restore(new URL(event.newURL).hash); // and not the address of now, which may have been written since
});
let first = true; // what the address asked for is read before it is written
effect(() => {
  const parts = [`p=${position.value}`];
  if (level.value !== "cell") parts.push(`level=${level.value}`);
  if (of.value !== null) parts.push(`of=${of.value}`);
  if (runs.some((run) => run.iterations.length > 1)) parts.push(`iteration=${iteration.value}`);
  for (const e of edits.value) parts.push(`if=${e.story}.${e.box}.${e.name}.${e.verb}.${e.amount}`);
  if (pinned.value) parts.push(`pin=${written(pinned.value)}`);
  if (second.value) parts.push(`to=${written(second.value)}`);
  const hash = `#${parts.join("&")}`;
  if (first) waiting = window.setTimeout(() => write(hash), 0);
  else write(hash);
  first = false;
});
effect(() => {
  if (!playing.value) said.value = describe();
});
