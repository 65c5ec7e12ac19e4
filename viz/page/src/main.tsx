// The page: play, ask, and see over time.

import {render} from "preact";

import {Graph} from "./graph";
import {CreditMap, Gates, Inspector, Ledger, Legend, Strip} from "./panels";
import {redrawOnTheme} from "./scale";
import {describe, go, goStep, help, last, play, playing, position, said, speed, stories, timelines} from "./state";

const KEYS = [
  ["← →", "one pullback"], ["Shift ← →", "one time step"], ["Space", "play, pause"],
  ["Home, End", "first, last"], ["?", "this help"], ["Escape", "close, unpin"],
];

const SHAPES = {
  first: "M3 3v10M13 3L6 8l7 5Z",
  back: "M11 3L4 8l7 5Z",
  play: "M4 2l10 6-10 6Z",
  pause: "M4 3h3v10H4ZM9 3h3v10H9Z",
  next: "M5 3l7 5-7 5Z",
  last: "M13 3v10M3 3l7 5-7 5Z",
};

function Icon({name}: {name: keyof typeof SHAPES}) {
  return <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPES[name]} /></svg>;
}

function Controls() {
  const begin = timelines[0]!.moments.findIndex((m) => m.stage === "loss");
  const here = last ? (100 * begin) / last : 0;
  return (
    <div class="controls" role="toolbar" aria-label="Play">
      <button type="button" onClick={() => go(0)} aria-label="First"><Icon name="first" /></button>
      <button type="button" onClick={() => go(position.value - 1)} aria-label="One pullback back"><Icon name="back" /></button>
      <button type="button" class="play" onClick={() => play(!playing.value)} aria-label={playing.value ? "Pause" : "Play"}>
        <Icon name={playing.value ? "pause" : "play"} />
      </button>
      <button type="button" onClick={() => go(position.value + 1)} aria-label="One pullback forward"><Icon name="next" /></button>
      <button type="button" onClick={() => go(last)} aria-label="Last"><Icon name="last" /></button>
      <label class="scrub">
        <span class="where" style={{left: `${here}%`}} aria-hidden="true">loss</span>
        <input type="range" min={0} max={last} value={position.value} aria-label="Position" aria-valuetext={describe()}
          onInput={(event) => { play(false); go(Number((event.target as HTMLInputElement).value)); }} />
      </label>
      <select aria-label="Speed" onChange={(event) => (speed.value = Number((event.target as HTMLSelectElement).value))}>
        <option value="0.5">½×</option><option value="1" selected>1×</option><option value="3">3×</option><option value="10">10×</option>
      </select>
      <button type="button" onClick={() => void navigator.clipboard?.writeText(window.location.href)}>Copy link</button>
      <button type="button" onClick={save}>Save SVG</button>
      <button type="button" onClick={() => (help.value = !help.value)} aria-expanded={help.value} aria-label="Help">?</button>
      <output>{describe()}</output>
    </div>
  );
}

function save(): void {
  const svg = document.querySelector("svg.graph");
  if (!svg) return;
  const copy = svg.cloneNode(true) as SVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  style.textContent = document.querySelector("style")?.textContent ?? "";
  copy.prepend(style);
  const link = document.createElement("a");
  link.href = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(copy.outerHTML)}`;
  link.download = "gradient.svg";
  link.click();
}

function App() {
  return (
    <>
      <Controls />
      {help.value ? (
        <dl class="help">{KEYS.map(([key, what]) => (<div><dt>{key}</dt><dd>{what}</dd></div>))}</dl>
      ) : null}
      {stories.map((story, i) => (
        <article key={i}>
          <header>
            <h1>{story.title}</h1>
            <p class="subtitle">{story.subtitle}</p>
          </header>
          <Graph story={story} index={i} />
          <Strip story={story} index={i} />
          <p class="equation">{story.equation}{story.meaning ? <span> · {story.meaning}</span> : null}</p>
          {i === 0 ? <Legend story={story} /> : null}
          <div class="panels">
            {i === 0 ? <Inspector /> : null}
            <Ledger story={story} index={i} />
            <CreditMap story={story} />
            <Gates story={story} />
          </div>
          {story.notes.map((note) => (<p class="note">{note}</p>))}
        </article>
      ))}
      <p class="spoken" role="status">{said.value}</p>
    </>
  );
}

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (target.matches("input, select, textarea") && event.key !== "Escape" && event.key !== "?") return;
  const actions: Record<string, () => void> = {
    ArrowRight: () => (event.shiftKey ? goStep(1) : go(position.value + 1)),
    ArrowLeft: () => (event.shiftKey ? goStep(-1) : go(position.value - 1)),
    Home: () => go(0),
    End: () => go(last),
    " ": () => play(!playing.value),
    "?": () => (help.value = !help.value),
    Escape: () => { help.value = false; },
  };
  const action = actions[event.key];
  if (!action || (event.key === " " && target.matches("button"))) return;
  if (event.key !== " ") play(false);
  event.preventDefault();
  action();
});

const root = document.getElementById("app");
if (root) {
  document.body.classList.add("live");
  const draw = (): void => render(<App />, root);
  draw();
  redrawOnTheme(draw);
}
