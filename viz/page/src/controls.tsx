// The bar at the top: play and scrub, whose gradient, which level, which iteration, and what one takes along.

import {Overview} from "./overview";
import {KEYS} from "./keys";
import {zoom, zoomBy} from "./graph";
import {
  describe, edits, finding, go, goStep, goToIteration, help, iteration, keepingMoment, last, level, levels, losses, of, play, playing,
  position, runs, speed, stories,
} from "./state";

const SHAPES = {
  first: "M3 3v10M13 3L6 8l7 5Z",
  back: "M11 3L4 8l7 5Z",
  play: "M4 2l10 6-10 6Z",
  pause: "M4 3h3v10H4ZM9 3h3v10H9Z",
  next: "M5 3l7 5-7 5Z",
  earlier: "M8 3L2 8l6 5ZM14 3L8 8l6 5Z",
  later: "M2 3l6 5-6 5ZM8 3l6 5-6 5Z",
  last: "M13 3v10M3 3l7 5-7 5Z",
  out: "M3 8h10",
  in: "M3 8h10M8 3v10",
};

function Icon({name}: {name: keyof typeof SHAPES}) {
  return <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPES[name]} /></svg>;
}

export function Controls() {
  const begin = Math.min(stories.value[0]!.steps.length, last.value); // after one moment of forward for each step
  const here = last.value ? (100 * begin) / last.value : 0;
  return (
    <div class="controls" role="toolbar" aria-label="Play">
      <button type="button" onClick={() => go(0)} aria-label="First"><Icon name="first" /></button>
      <button type="button" onClick={() => goStep(-1)} aria-label="One time step back"><Icon name="earlier" /></button>
      <button type="button" onClick={() => go(position.value - 1)} aria-label="One pullback back"><Icon name="back" /></button>
      <button type="button" class="play" onClick={() => play(!playing.value)} aria-label={playing.value ? "Pause" : "Play"}>
        <Icon name={playing.value ? "pause" : "play"} />
      </button>
      <button type="button" onClick={() => go(position.value + 1)} aria-label="One pullback forward"><Icon name="next" /></button>
      <button type="button" onClick={() => goStep(1)} aria-label="One time step forward"><Icon name="later" /></button>
      <button type="button" onClick={() => go(last.value)} aria-label="Last"><Icon name="last" /></button>
      <label class="scrub">
        <span class="where" style={{left: `${here}%`}} aria-hidden="true">loss</span>
        <input type="range" min={0} max={last.value} value={position.value} aria-label="Position" aria-valuetext={describe()}
          onInput={(event) => { play(false); go(Number((event.target as HTMLInputElement).value)); }} />
      </label>
      <select class="speed" aria-label="Speed" onChange={(event) => (speed.value = Number((event.target as HTMLSelectElement).value))}>
        <option value="0.5">½×</option><option value="1" selected>1×</option><option value="3">3×</option><option value="10">10×</option>
      </select>
      <output>{describe()}</output>
      <div class="choices">
        <Detail />
        <Whose />
        <button type="button" onClick={() => (finding.value = !finding.value)} aria-expanded={finding.value}>Find <kbd>/</kbd></button>
        <span class="take">
          <button type="button" onClick={() => void navigator.clipboard?.writeText(window.location.href)}>Copy link</button>
          <button type="button" onClick={save} aria-label="Save as SVG">SVG</button>
          <button type="button" onClick={savePng} aria-label="Save as PNG">PNG</button>
          <button type="button" onClick={() => window.print()}>Print</button>
        </span>
        <button type="button" onClick={() => (help.value = !help.value)} aria-expanded={help.value} aria-label="Help">?</button>
      </div>
      <Iterations />
      <div class="strips">{stories.value.map((_, i) => <Overview index={i} key={i} />)}</div>
    </div>
  );
}

function Detail() {
  return (
    <span class="levels" role="group" aria-label="Level of detail">
      {levels.value.map((word) => (
        <button type="button" aria-pressed={level.value === word} onClick={() => { keepingMoment(() => (level.value = word)); zoom.value = 1; }}>{word}</button>
      ))}
      <button type="button" aria-label="Zoom out" onClick={() => zoomBy(1 / 1.3)}><Icon name="out" /></button>
      <button type="button" aria-label="Zoom in" onClick={() => zoomBy(1.3)}><Icon name="in" /></button>
    </span>
  );
}

function Whose() {
  const steps = losses.value;
  if (steps.length < 2) return null;
  const several = stories.value.length > 1; // each has a last loss of its own
  const value = of.value ?? (several ? "last" : steps[steps.length - 1]!);
  const change = (event: Event): void => {
    const text = (event.target as HTMLSelectElement).value;
    keepingMoment(() => (of.value = text === "all" ? "all" : text === "last" ? null : Number(text)));
  };
  return (
    <label>gradient of <select aria-label="Whose gradient" value={String(value)} onChange={change}>
      <option value="all">all losses</option>
      {several ? <option value="last">the last loss</option> : null}
      {steps.map((t) => <option value={String(t)}>L{t}</option>)}
    </select></label>
  );
}

function Iterations() {
  const most = Math.max(...runs.map((run) => run.iterations.length)) - 1;
  if (most < 1) return null;
  const run = runs.find((own) => own.iterations.length === most + 1)!;
  const now = run.iterations[Math.min(iteration.value, most)]!;
  return (
    <label class="iterations">iteration {now.toLocaleString("en")}
      <input type="range" min={0} max={most} value={iteration.value} aria-label="Iteration" aria-valuetext={`iteration ${now}`}
        onInput={(event) => goToIteration(Number((event.target as HTMLInputElement).value))} />
    </label>
  );
}

export function Help() {
  return (
    <dl class="help">
      {KEYS.map(([key, what]) => (<div><dt>{key}</dt><dd>{what}</dd></div>))}
      <div><dt>click</dt><dd>pin a box; a second box: the paths between the two</dd></div>
      <div><dt>drag over the strip</dt><dd>select steps</dd></div>
      <div><dt>Ctrl + wheel, pinch</dt><dd>zoom, through the levels of detail</dd></div>
      <div><dt>click in the credit map</dt><dd>follow that loss to that state</dd></div>
      {edits.value.length ? <div><dt>What if</dt><dd>the graph shows the changed gradients</dd></div> : null}
    </dl>
  );
}

function picture(): string {
  const svg = document.querySelector("svg.graph")!;
  const copy = svg.cloneNode(true) as SVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  style.textContent = document.querySelector("style")?.textContent ?? "";
  copy.prepend(style);
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(copy.outerHTML)}`;
}

function download(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}

function save(): void {
  download(picture(), "gradient.svg");
}

// At twice the size, on the color of the page, so that it can be put on a slide.
function savePng(): void {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
    const context = canvas.getContext("2d")!;
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    download(canvas.toDataURL("image/png"), "gradient.png");
  };
  image.src = picture();
}
