// The unrolled network: a column for each step, gradients as ribbons that fade. Only columns in view are drawn.

import {computed, type Signal, signal} from "@preact/signals";
import {useEffect, useRef} from "preact/hooks";

import type {Ribbon, Story} from "./data";
import {columnAt, type Layout, layOut, type Route, routeOf, type Spot, way} from "./geometry";
import {Node} from "./node";
import {Rolled} from "./rolled";
import {arrives, color, digits, width} from "./scale";
import {at, chosen, keepingMoment, level, levels, lit, shown, step, stories, timelines, views} from "./state";
import type {Place, View} from "./view";

interface Sight {
  from: number; // the columns in sight
  to: number;
}

export const zoom = signal(1);
const room = signal(1040); // pixels that the graph may take from left to right
export const sights = new Map<number, Signal<Sight>>();

export function sightOf(index: number): Signal<Sight> {
  const known = sights.get(index) ?? signal<Sight>({from: 0, to: 24});
  sights.set(index, known);
  return known;
}

const layouts = computed(() => views.value.map((view, i) => layOut(stories.value[i]!, view, zoom.value, room.value)));

// Zooming on, the next level of detail follows where there is room for it.
export function zoomBy(factor: number): void {
  const all = levels.value;
  const here = all.indexOf(level.value);
  const next = zoom.value * factor;
  const other = next > 1.7 ? all[here + 1] : next < (level.value === "cell" ? 0.24 : 0.6) || level.value === "layer" && factor < 1 ? all[here - 1] : undefined;
  if (other) {
    keepingMoment(() => (level.value = other));
    zoom.value = factor > 1 ? (other === "cell" ? 0.4 : 0.8) : other === "layer" ? 1 : 1.4;
  } else if (level.value !== "layer" || factor > 1) {
    zoom.value = Math.max(0.2, Math.min(1.7, next));
  }
}

export function Graph({index}: {index: number}) {
  const scroll = useRef<HTMLDivElement>(null);
  const story = stories.value[index]!;
  const view = views.value[index]!;
  const layout = layouts.value[index]!;
  const now = at(index);
  const here = timelines.value[index]!.moments[now]!.step;
  const sight = sightOf(index);

  // The size and the place of the window, kept because asking the document for them is slow.
  const frame = useRef({w: 0, h: 0, left: 0, top: 0});
  const seen = (): void => {
    const {w, left} = frame.current;
    const from = columnAt(layout, left / layout.scale);
    const to = columnAt(layout, (left + w) / layout.scale);
    if (w && (from !== sight.value.from || to !== sight.value.to)) sight.value = {from, to};
  };
  const scrolled = (): void => {
    frame.current.left = scroll.current!.scrollLeft;
    frame.current.top = scroll.current!.scrollTop;
    seen();
  };
  const center = (t: number, always: boolean, p = timelines.value[index]!.moments[now]!.place): void => {
    const {w, h, left, top} = frame.current;
    const element = scroll.current;
    if (!element) return;
    if (p >= 0 && layout.height * layout.scale > h + 1) {
      const y = layout.spots[p]!.y * layout.scale;
      if (y < top + 60 || y > top + h - 60) element.scrollTop = y - h / 2;
    }
    const [from, to] = layout.spans[layout.column.get(t) ?? 0]!;
    const x = ((p >= 0 && layout.ways ? layout.spots[p]!.x : (from + to) / 2)) * layout.scale;
    const inside = x > left + 90 && x < left + w - 90;
    if (layout.width * layout.scale > w && (always || !inside)) element.scrollLeft = x - w / 2;
  };
  const seenNow = useRef(seen);
  seenNow.current = seen;
  useEffect(() => {
    const element = scroll.current!;
    const measure = (): void => {
      frame.current = {w: element.clientWidth, h: element.clientHeight, left: element.scrollLeft, top: element.scrollTop};
      room.value = element.clientWidth;
      seenNow.current();
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => center(here, false), [here]);
  useEffect(seen, [layout]);
  useEffect(() => center(here, true), [level.value]);
  const ask = shown.value;
  useEffect(() => {
    if (ask?.story === index) center(ask.step, true, view.places.findIndex((place) => place.key === ask.key));
  }, [ask]);
  useEffect(() => pinches(scroll.current!), []);

  if (level.value === "layer") {
    return (
      <div class="scroll" ref={scroll} tabIndex={0} role="group" aria-label="The network, each layer once"><Rolled index={index} /></div>
    );
  }
  return (
    <div class="scroll" ref={scroll} onScroll={scrolled} tabIndex={0} role="group" aria-label="The unrolled network">
      <Unrolled story={story} view={view} layout={layout} index={index} now={now} sight={sight.value} />
    </div>
  );
}

// Ctrl and the wheel, as a trackpad sends for a pinch, and two fingers.
function pinches(element: HTMLElement): () => void {
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 240));
  };
  let apart = 0;
  const touch = (event: TouchEvent): void => {
    const [a, b] = [event.touches[0], event.touches[1]];
    if (!a || !b) return void (apart = 0);
    event.preventDefault();
    const distance = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (apart) zoomBy(distance / apart);
    apart = distance;
  };
  const end = (): void => void (apart = 0);
  element.addEventListener("wheel", wheel, {passive: false});
  element.addEventListener("touchmove", touch, {passive: false});
  element.addEventListener("touchend", end);
  return () => {
    element.removeEventListener("wheel", wheel);
    element.removeEventListener("touchmove", touch);
    element.removeEventListener("touchend", end);
  };
}

interface Drawn {
  story: Story;
  view: View;
  layout: Layout;
  index: number;
  now: number;
  sight: Sight;
}

function Unrolled({story, view, layout, index, now, sight}: Drawn) {
  const {steps, column, spans, width: total, height, scale, spots} = layout;
  const middle = (i: number): number => (spans[i]![0] + spans[i]![1]) / 2;
  const pitch = (total / steps.length) * scale;
  const columns: number[] = [];
  for (let i = Math.max(0, sight.from - 2); i <= Math.min(steps.length - 1, sight.to + 2); i++) columns.push(i);
  const near = [...new Set(columns.flatMap((i) => layout.ribbonsIn[i]!))].map((r) => view.ribbons[r]!);
  const {moments, reached} = timelines.value[index]!;
  const forward = moments[now]!.stage === "forward" ? moments[now]!.step : Infinity;
  const exists = (place: Place): boolean => (place.kind === "loss" ? forward === Infinity : place.step <= forward);
  const range = chosen.value;
  const path = lit.value?.story === index ? lit.value.keys : null;
  const every = Math.max(1, Math.ceil(64 / pitch));
  return (
    <svg class={`graph${path ? " traced" : ""}${layout.ways ? " sheet" : ""}`} width={total * scale} height={height * scale} viewBox={`0 0 ${total} ${height}`}>
      <title>{story.title}</title>
      {range ? (
        <rect class="chosen" x={spans[column.get(range[0]) ?? 0]![0]} y={0} height={height}
          width={spans[column.get(range[1]) ?? 0]![1] - spans[column.get(range[0]) ?? 0]![0]} />
      ) : null}
      {step.value !== null && column.has(step.value) ? (
        <rect class="column" x={spans[column.get(step.value)!]![0]} y={0} width={spans[column.get(step.value)!]![1] - spans[column.get(step.value)!]![0]} height={height} />
      ) : null}
      <line class="axis" x1={middle(0) - 54} y1={height - 14} x2={total - 30} y2={height - 14} />
      {columns.filter((i) => i % every === 0 || steps[i] === step.value).map((i) => (
        <text class={steps[i] === step.value ? "tick on" : "tick"} x={middle(i)} y={height - 2}>
          {steps[i] === 0 ? "start" : `step ${steps[i]}`}
        </text>
      ))}
      {near.map((r) => {
        if (!exists(view.places[r.from]!)) return null;
        return <path class={r.cut ? "edge cut" : "edge"} d={way(spots[r.from]!, spots[r.to]!, 0, routeOf(view, layout, r.from, r.to)).d} />;
      })}
      {near.map((r) => {
        if (!arrives(r.norm) || reached[r.to]! > now) return null;
        const on = path?.has(view.places[r.from]!.key) && path.has(view.places[r.to]!.key);
        return <Flow story={story} view={view} ribbon={r} a={spots[r.from]!} b={spots[r.to]!} fresh={reached[r.to] === now} on={Boolean(on)} route={routeOf(view, layout, r.from, r.to)} />;
      })}
      {columns.flatMap((k) => layout.inColumn[k]!).map((p) => {
        const place = view.places[p]!;
        return (
          <Node story={story} index={index} place={place} spot={spots[p]!} on={path?.has(place.key) ?? false}
            there={exists(place)} arrived={reached[p]! <= now} fresh={reached[p] === now} />
        );
      })}
    </svg>
  );
}

interface Ribboned {
  story: Story;
  view: View;
  ribbon: Ribbon;
  a: Spot;
  b: Spot;
  fresh: boolean;
  on: boolean;
  route: Route;
}

function Flow({story, view, ribbon, a, b, fresh, on, route}: Ribboned) {
  const norm = ribbon.norm!;
  const w = width(story, norm) * (view.detail === "op" || view.detail === "scalar" ? 0.6 : 1);
  const head = Math.min(14, 6 + w);
  const {d, tip, direction: [ux, uy], middle, flat} = way(a, b, head, route);
  const [from, to] = [view.places[ribbon.from]!, view.places[ribbon.to]!];
  const known = to.ks.map((k) => story.boxes[to.box]!.names[k]);
  const lane = Math.max(0, known.indexOf(ribbon.state)); // c above, h below
  const sent = from.norms[0];
  const down = known.length > 1 ? (lane ? 16 : 2) : 4 + w / 2;
  const paint = color(story, norm);
  const shift = typeof route !== "string" ? "translate(3 3)" : route !== "straight" ? "" : flat ? `translate(0 ${down})` : `translate(${4 + w / 2} 0)`;
  const [x, y] = [tip[0] - ux * head, tip[1] - uy * head];
  const side = w / 2 + 4;
  const factor = sent === 0 ? 0 : norm / (sent ?? NaN);
  const told = flat && lane === 0 && from.kind === "state" && Math.abs(b.x - a.x) - a.w > 56 && Number.isFinite(factor);
  const above = view.detail !== "cell" && to.labels[0]!.startsWith("h") ? 18 + w / 2 : -9 - w / 2; // where no gate's ribbon is
  return (
    <g class={`flow${fresh ? " fresh" : ""}${on ? " on" : ""}`} transform={shift}>
      <path d={d} fill="none" stroke={paint} stroke-width={w} />
      <path fill={paint} d={`M${tip[0]} ${tip[1]}L${x - uy * side} ${y + ux * side}L${x + uy * side} ${y - ux * side}Z`} />
      {told ? <text class="factor" x={middle[0]} y={middle[1] + above}>×{digits(factor)}</text> : null}
    </g>
  );
}
