// The unrolled network: a column for each step, gradients as ribbons that fade. Only columns in view are drawn.

import {type Signal, signal} from "@preact/signals";
import {useEffect, useRef} from "preact/hooks";

import type {Box, Ribbon, Story} from "./data";
import {arrives, color, digits, width} from "./scale";
import {at, pinned, pointed, step, timelines} from "./state";

const ROW = 92;
const LEFT = 96;
const WIDE = 84;
const HIGH = 46;

// Few steps are drawn wide, many at the least width at which the factors are read.
export function pitch(columns: number): number {
  return Math.max(146, Math.min(230, (1240 - LEFT) / columns));
}

interface View {
  from: number; // the columns in sight
  to: number;
}

const views = new Map<number, Signal<View>>();

// What stands in each column, and what leads there: only what is in sight is looked at.
interface Columns {
  steps: number[];
  place: Map<number, number>;
  rows: number[];
  boxes: number[][];
  ribbons: Ribbon[][];
}

const laid = new Map<Story, Columns>();

function columnsOf(story: Story): Columns {
  const known = laid.get(story);
  if (known) return known;
  const steps = [...new Set(story.boxes.map((box) => box.step))].sort((a, b) => a - b);
  const place = new Map(steps.map((t, i) => [t, i]));
  const boxes: number[][] = steps.map(() => []);
  const ribbons: Ribbon[][] = steps.map(() => []);
  story.boxes.forEach((box, i) => boxes[place.get(box.step)!]!.push(i));
  for (const ribbon of story.ribbons) {
    const ends = [place.get(story.boxes[ribbon.from]!.step)!, place.get(story.boxes[ribbon.to]!.step)!];
    for (const end of new Set(ends)) ribbons[end]!.push(ribbon);
  }
  const rows = [...new Set(story.boxes.map((box) => box.row))].sort((a, b) => a - b);
  const made = {steps, place, rows, boxes, ribbons};
  laid.set(story, made);
  return made;
}

export function Graph({story, index}: {story: Story; index: number}) {
  const {steps: columns, place: column, rows: used, boxes, ribbons} = columnsOf(story);
  const PITCH = pitch(columns.length);
  const rows = used.length;
  const total = LEFT + columns.length * PITCH;
  const height = rows * ROW + 34;
  const view = views.get(index) ?? signal<View>({from: 0, to: 24});
  views.set(index, view);
  const shown = view.value;

  const x = (box: Box): number => LEFT + column.get(box.step)! * PITCH;
  const y = (box: Box): number => height - 24 - (used.indexOf(box.row) + 0.5) * ROW;
  const sight: number[] = [];
  for (let i = Math.max(0, shown.from - 2); i <= Math.min(columns.length - 1, shown.to + 2); i++) sight.push(i);
  const near = [...new Set(sight.flatMap((i) => ribbons[i]!))];
  const seen = (event: Event): void => {
    const element = event.currentTarget as HTMLElement;
    const from = Math.floor((element.scrollLeft - LEFT) / PITCH);
    const to = Math.ceil((element.scrollLeft + element.clientWidth) / PITCH);
    if (from !== view.value.from || to !== view.value.to) view.value = {from, to};
  };
  const now = at(index);
  const scroll = useRef<HTMLDivElement>(null);
  const here = timelines[index]!.moments[now]!.step;
  useEffect(() => {
    const element = scroll.current;
    const center = LEFT + (column.get(here) ?? 0) * PITCH;
    if (!element || element.scrollWidth <= element.clientWidth) return;
    const inside = center > element.scrollLeft + WIDE && center < element.scrollLeft + element.clientWidth - WIDE;
    if (!inside) element.scrollLeft = center - element.clientWidth / 2;
  }, [here]);
  const {moments, reached} = timelines[index]!;
  const forward = moments[now]!.stage === "forward" ? moments[now]!.step : Infinity;
  const exists = (box: Box): boolean =>
    box.kind === "loss" ? forward === Infinity : box.step <= forward;

  return (
    <div class="scroll" ref={scroll} onScroll={seen} tabIndex={0} role="group" aria-label="The unrolled network">
      <svg class="graph" width={total} height={height} viewBox={`0 0 ${total} ${height}`}>
        <title>{story.title}</title>
        {step.value !== null && column.has(step.value) ? (
          <rect class="column" x={LEFT + (column.get(step.value)! - 0.5) * PITCH} y={0} width={PITCH} height={height} />
        ) : null}
        <line class="axis" x1={LEFT - 50} y1={height - 14} x2={total - 30} y2={height - 14} />
        {sight.map((i) => (
          <text class={columns[i] === step.value ? "tick on" : "tick"} x={LEFT + i * PITCH} y={height - 2}>
            {columns[i] === 0 ? "start" : `step ${columns[i]}`}
          </text>
        ))}
        {near.map((r) => {
          const [a, b] = [story.boxes[r.to]!, story.boxes[r.from]!];
          return exists(b) ? <Edge x1={x(a)} y1={y(a)} x2={x(b)} y2={y(b)} cut={r.cut} /> : null;
        })}
        {near.map((r) => {
          const [a, b] = [story.boxes[r.to]!, story.boxes[r.from]!];
          if (!arrives(r.norm) || reached[r.to]! > now) return null;
          return <Flow story={story} ribbon={r} x1={x(b)} y1={y(b)} x2={x(a)} y2={y(a)} fresh={reached[r.to] === now} />;
        })}
        {sight.flatMap((k) => boxes[k]!).map((i) => {
          const box = story.boxes[i]!;
          return (
            <Node story={story} index={index} box={box} i={i} x={x(box)} y={y(box)}
              there={exists(box)} arrived={reached[i]! <= now} fresh={reached[i] === now} />
          );
        })}
      </svg>
    </div>
  );
}

function Edge({x1, y1, x2, y2, cut}: {x1: number; y1: number; x2: number; y2: number; cut: boolean}) {
  const [ax, ay, bx, by] = ports(x1, y1, x2, y2);
  return <line class={cut ? "edge cut" : "edge"} x1={ax} y1={ay - 5} x2={bx} y2={by - 5} />;
}

function Flow(props: {story: Story; ribbon: Ribbon; x1: number; y1: number; x2: number; y2: number; fresh: boolean}) {
  const {story, ribbon, fresh} = props;
  const norm = ribbon.norm!;
  const [ax, ay, bx, by] = ports(props.x1, props.y1, props.x2, props.y2);
  const w = width(story, norm);
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const tip = Math.min(14, 6 + w);
  const target = story.boxes[ribbon.to]!;
  const lane = Math.max(0, target.names.indexOf(ribbon.state)); // c above, h below
  const from = story.boxes[ribbon.from]!.norms[0];
  const factor = from ? norm / from : 0;
  const sideways = Math.abs(bx - ax) > Math.abs(by - ay);
  const down = target.names.length > 1 ? (lane ? 16 : 2) : 4 + w / 2;
  const paint = color(story, norm);
  return (
    <g class={fresh ? "flow fresh" : "flow"} transform={sideways ? `translate(0 ${down})` : `translate(${4 + w / 2} 0)`}>
      <line x1={ax} y1={ay} x2={bx - ux * tip} y2={by - uy * tip} stroke={paint} stroke-width={w} />
      <path fill={paint} d={`M${bx} ${by}L${bx - ux * tip - uy * (w / 2 + 4)} ${by - uy * tip + ux * (w / 2 + 4)}L${bx - ux * tip + uy * (w / 2 + 4)} ${by - uy * tip - ux * (w / 2 + 4)}Z`} />
      {sideways && lane === 0 && story.boxes[ribbon.from]!.kind === "state" ? (
        <text class="factor" x={(ax + bx) / 2} y={(ay + by) / 2 - 9 - w / 2}>×{digits(factor)}</text>
      ) : null}
    </g>
  );
}

function ports(x1: number, y1: number, x2: number, y2: number): [number, number, number, number] {
  const [dx, dy] = [x2 - x1, y2 - y1];
  if (Math.abs(dx) > Math.abs(dy)) {
    const side = Math.sign(dx) * (WIDE / 2 + 2);
    return [x1 + side, y1, x2 - side, y2];
  }
  const side = Math.sign(dy) * (HIGH / 2 + 2);
  return [x1, y1 + side, x2, y2 - side];
}

function Node(props: {
  story: Story; index: number; box: Box; i: number; x: number; y: number;
  there: boolean; arrived: boolean; fresh: boolean;
}) {
  const {story, index, box, i, x, y, there, arrived, fresh} = props;
  if (!there) return <rect class="ghost" x={x - WIDE / 2} y={y - HIGH / 2} width={WIDE} height={HIGH} rx={8} />;
  const norm = arrived ? box.norms[0] : null;
  const isPinned = pinned.value?.story === index && pinned.value.box === i;
  const stroke = arrives(norm) ? color(story, norm) : undefined;
  const beside = box.kind === "input" || box.kind === "loss" ? ` ${box.text}` : "";
  const first = box.labels.join(" ") + beside;
  const number = norm !== null && norm !== undefined ? digits(norm) : "";
  const second = box.kind === "loss" ? "" : number || (box.kind === "output" ? box.text : "");
  const choose = (): void => {
    pinned.value = isPinned ? null : {story: index, box: i};
  };
  return (
    <g class={`box ${box.kind}${isPinned ? " pinned" : ""}${fresh ? " fresh" : ""}`}
      role="button" tabIndex={-1} aria-label={`${box.labels.join(", ")}, step ${box.step}, ${arrived && norm !== null ? `gradient norm ${digits(norm)}` : "no gradient yet"}`}
      onClick={choose}
      onMouseEnter={() => { pointed.value = {story: index, box: i}; step.value = box.step; }}
      onMouseLeave={() => { pointed.value = null; step.value = null; }}>
      <rect x={x - WIDE / 2} y={y - HIGH / 2} width={WIDE} height={HIGH} rx={box.kind === "input" ? 20 : 8} style={`stroke:${stroke ?? ""}`} />
      {box.names.length > 1 && arrived ? (
        box.names.map((_, k) => (
          <>
            <text class="name start" x={x - WIDE / 2 + 8} y={y - 4 + 18 * k}>{box.labels[k]}</text>
            <text class="number end" x={x + WIDE / 2 - 8} y={y - 4 + 18 * k}>{digits(box.norms[k])}</text>
          </>
        ))
      ) : (
        <>
          <text class="name" x={x} y={y - (second ? 4 : -5)}>{first}</text>
          <text class="number" x={x} y={y + 14}>{second}</text>
        </>
      )}
    </g>
  );
}
