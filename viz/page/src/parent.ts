// Inside another page, as in a notebook: the frame around it reads the position and sets it.

import {effect} from "@preact/signals";

import {go, last, play, position} from "./state";

export function answerParent(): void {
  const parent = window.parent as Window | undefined; // an editor's panel has none
  if (!parent || parent === window) return;
  effect(() => {
    parent.postMessage({micrornn: {position: position.value, last: last.value}}, "*");
  });
  window.addEventListener("message", (event) => {
    if (event.source !== parent) return;
    const to: unknown = event.data?.micrornn?.position;
    if (typeof to !== "number" || !Number.isInteger(to) || to === position.value) return;
    play(false);
    go(to);
  });
}
