// The keyboard, wherever the focus is; boxes and text fields keep the keys that they use themselves.

import {chosen, finding, go, goStep, goToIteration, help, iteration, keepingMoment, last, level, levels, pinned, play, playing, position, runs, second} from "./state";

export const KEYS = [
  ["Left, Right", "one pullback"], ["Shift + Left, Right", "one time step"], ["Space", "play, pause"], ["Home, End", "first, last"],
  ["Plus, Minus", "next level of detail, the one before"], ["Page up, Page down", "another iteration, where there are several"], ["/", "find a box"], ["Tab, Enter", "from box to box, pin it"],
  ["Escape", "close, let go"], ["?", "this help"],
] as const;

const iterations = Math.max(...runs.map((run) => run.iterations.length));

export function listen(): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const typing = target.matches("input:not([type=range]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
    const detail = (by: 1 | -1): void => {
      const next = levels.value[levels.value.indexOf(level.value) + by];
      if (next) keepingMoment(() => (level.value = next));
    };
    const actions: Record<string, () => void> = {
      ArrowRight: () => (event.shiftKey ? goStep(1) : go(position.value + 1)),
      ArrowLeft: () => (event.shiftKey ? goStep(-1) : go(position.value - 1)),
      Home: () => go(0),
      End: () => go(last.value),
      " ": () => play(!playing.value),
      "+": () => detail(1),
      "-": () => detail(-1),
      ...(iterations > 1 ? {PageDown: () => goToIteration(iteration.value + 1), PageUp: () => goToIteration(iteration.value - 1)} : {}),
      "/": () => (finding.value = true),
      "?": () => (help.value = !help.value),
      Escape: escape,
    };
    const action = actions[event.key];
    if (!action || (event.key === " " && target.matches("button, summary"))) return;
    if (["ArrowRight", "ArrowLeft", "Home", "End"].includes(event.key)) play(false);
    event.preventDefault();
    action();
  });
}

// What was opened last goes first.
function escape(): void {
  if (finding.value) finding.value = false;
  else if (help.value) help.value = false;
  else if (second.value) second.value = null;
  else if (chosen.value) chosen.value = null;
  else pinned.value = null;
}
