// What the reader chose: position, pins, speed. It is in the address, so that a link restores it.

import {computed, effect, signal} from "@preact/signals";

import {read} from "./data";
import {byStep, timeline} from "./timeline";

export const stories = read();
export const timelines = stories.map(timeline);
const longest = timelines.reduce((best, t, i) => (t.moments.length > timelines[best]!.moments.length ? i : best), 0);

export const last = timelines[longest]!.moments.length - 1;
export const position = signal(last);
export const playing = signal(false);
export const speed = signal(1);
export const pinned = signal<{story: number; box: number} | null>(null);
export const pointed = signal<{story: number; box: number} | null>(null);
export const step = signal<number | null>(null); // that is pointed at, in any panel
export const help = signal(false);
export const said = signal(""); // for a screen reader

export const moment = computed(() => timelines[longest]!.moments[position.value]!);

// Every story keeps the same clock: a shorter one waits at its end.
export function at(story: number): number {
  return Math.min(position.value, timelines[story]!.moments.length - 1);
}

export function go(to: number): void {
  position.value = Math.max(0, Math.min(last, to));
}

export function goStep(direction: 1 | -1): void {
  go(byStep(timelines[longest]!.moments, position.value, direction));
}

let timer = 0;

export function play(on: boolean): void {
  window.clearTimeout(timer);
  if (on && position.value >= last) position.value = 0;
  playing.value = on;
  if (on) tick();
}

function tick(): void {
  timer = window.setTimeout(() => {
    if (!playing.value) return;
    go(position.value + 1);
    if (position.value >= last) playing.value = false;
    else tick();
  }, 420 / speed.value);
}

export function describe(): string {
  const {stage, step: t, box} = moment.value;
  if (stage === "forward") return `forward, step ${t}`;
  if (stage === "loss") return `the loss at step ${t}`;
  const label = stories[longest]!.boxes[box]!.labels.join(", ");
  return `backward: the gradient reaches ${label}, step ${t}`;
}

function restore(): void {
  const found = new URLSearchParams(window.location.hash.slice(1));
  const p = Number(found.get("p") ?? last);
  if (Number.isInteger(p)) go(p);
  const pin = (found.get("pin") ?? "").split(".").map(Number);
  const [story, box] = pin;
  if (story !== undefined && box !== undefined && stories[story]?.boxes[box]) pinned.value = {story, box};
}

restore();
effect(() => {
  const parts = [`p=${position.value}`];
  if (pinned.value) parts.push(`pin=${pinned.value.story}.${pinned.value.box}`);
  const hash = `#${parts.join("&")}`;
  try {
    if (window.location.hash !== hash) window.history.replaceState(null, "", hash);
  } catch {
    // In a frame without an address there is nothing to keep it in.
  }
});
effect(() => {
  if (!playing.value) said.value = describe();
});
