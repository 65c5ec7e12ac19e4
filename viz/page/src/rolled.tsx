// Each layer once, with its loop: how much of the gradient a step passes on, and its norm over the steps.

import {arrives, color, digits, part, width} from "./scale";
import {at, keepingMoment, level, stories, timelines, views} from "./state";
import type {Place} from "./view";

const [WIDE, HIGH, ROW, CENTER] = [300, 64, 112, 240];
const NAMES: Record<string, string> = {input: "x", output: "y", loss: "L"};

interface Group {
  key: string;
  title: string;
  row: number;
  places: number[];
}

function groupOf(place: Place): string {
  return NAMES[place.kind] ?? place.layer;
}

export function Rolled({index}: {index: number}) {
  const story = stories.value[index]!;
  const view = views.value[index]!;
  const {reached} = timelines.value[index]!;
  const now = at(index);
  const groups = new Map<string, Group>();
  view.places.forEach((place, p) => {
    const key = groupOf(place);
    const group = groups.get(key) ?? {key, title: key, row: place.row, places: []};
    group.places.push(p);
    groups.set(key, group);
  });
  const rows = [...groups.values()].sort((a, b) => b.row - a.row);
  const height = rows.length * ROW + 10;
  const y = (key: string): number => rows.findIndex((group) => group.key === key) * ROW + ROW / 2;
  // Between two groups, the largest norm that has come; within one, the mean factor of its hops.
  const between = new Map<string, {from: string; to: string; norm: number}>();
  const hops = new Map<string, number[]>();
  for (const ribbon of view.ribbons) {
    if (!arrives(ribbon.norm) || reached[ribbon.to]! > now) continue;
    const [a, b] = [view.places[ribbon.from]!, view.places[ribbon.to]!];
    const [from, to] = [groupOf(a), groupOf(b)];
    if (from === to) {
      const [before, after] = [a.norms[0], b.norms[0]];
      if (a.step !== b.step && before && after) hops.set(from, [...(hops.get(from) ?? []), Math.log(after / before)]);
      continue;
    }
    const known = between.get(`${from}.${to}`);
    if (!known || ribbon.norm > known.norm) between.set(`${from}.${to}`, {from, to, norm: ribbon.norm});
  }
  return (
    <svg class="graph rolled" width={640} height={height} viewBox={`0 0 640 ${height}`}>
      <title>{story.title}</title>
      {[...between.values()].map(({from, to, norm}) => {
        const [a, b] = [y(from), y(to)];
        const side = Math.sign(b - a);
        const w = width(story, norm);
        const end = b - side * (HIGH / 2 + 2);
        return (
          <g class="flow">
            <path d={`M${CENTER} ${a + side * (HIGH / 2 + 2)}V${end - side * (6 + w)}`} stroke={color(story, norm)} stroke-width={w} fill="none" />
            <path fill={color(story, norm)} d={`M${CENTER} ${end}l${-(w / 2 + 5)} ${-side * (7 + w)}h${w + 10}Z`} />
            <text class="number start" x={CENTER + w / 2 + 10} y={(a + b) / 2 + 4}>norm {digits(norm)} at most</text>
          </g>
        );
      })}
      {rows.map((group) => {
        const factors = hops.get(group.key);
        const mean = factors ? Math.exp(factors.reduce((a, b) => a + b, 0) / factors.length) : null;
        return (
          <g class="box" role="button" tabIndex={0} aria-label={`${group.title}: show its steps`}
            onClick={() => keepingMoment(() => (level.value = "cell"))}
            onKeyDown={(event) => { if (event.key === "Enter") keepingMoment(() => (level.value = "cell")); }}>
            <rect class="frame" x={CENTER - WIDE / 2} y={y(group.key) - HIGH / 2} width={WIDE} height={HIGH} rx={8} />
            <text class="name start" x={CENTER - WIDE / 2 + 12} y={y(group.key) - 10}>{group.title}</text>
            <text class="number end" x={CENTER + WIDE / 2 - 12} y={y(group.key) - 10}>{steps(group, view.places)}</text>
            <Sparkline group={group} index={index} x={CENTER - WIDE / 2 + 12} y={y(group.key)} w={WIDE - 24} />
            {mean !== null ? <Loop x={CENTER + WIDE / 2} y={y(group.key)} mean={mean} /> : null}
          </g>
        );
      })}
    </svg>
  );
}

function steps(group: Group, places: Place[]): string {
  const known = group.places.map((p) => places[p]!).filter((place) => place.step > 0);
  const numbers = known.map((place) => place.step);
  const [a, b] = [Math.min(...numbers), Math.max(...numbers)];
  return numbers.length < 2 ? `step ${a}` : `steps ${a} to ${b}`;
}

function Sparkline({group, index, x, y, w}: {group: Group; index: number; x: number; y: number; w: number}) {
  const story = stories.value[index]!;
  const {places} = views.value[index]!;
  const {reached} = timelines.value[index]!;
  const own = [...group.places].sort((a, b) => places[a]!.step - places[b]!.step);
  const every = Math.ceil(own.length / w);
  const some = own.filter((_, i) => i % every === 0);
  const wide = w / some.length;
  return (
    <>
      {some.map((p, i) => {
        const norm = reached[p]! <= at(index) ? places[p]!.norms[0] : null;
        const high = arrives(norm) ? 4 + 18 * part(story, norm) : 1;
        return <rect class="bead" x={x + i * wide} y={y + 26 - high} width={Math.max(0.5, wide - (wide > 3 ? 1 : 0))} height={high} fill={arrives(norm) ? color(story, norm) : "var(--line)"} />;
      })}
    </>
  );
}

function Loop({x, y, mean}: {x: number; y: number; mean: number}) {
  return (
    <>
      <path class="loop" d={`M${x + 3} ${y + 16}C${x + 66} ${y + 22} ${x + 66} ${y - 22} ${x + 10} ${y - 15}`} />
      <path class="loop-head" d={`M${x + 2} ${y - 14}l12 -7v13Z`} />
      <text class="factor start" x={x + 58} y={y + 5}>×{digits(mean)} per step</text>
    </>
  );
}
