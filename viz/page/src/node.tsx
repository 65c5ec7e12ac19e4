// A box of the graph: its name, its norm or its numbers, and what happens when one points at it or pins it.

import type {Story} from "./data";
import {LINE, MOST, type Spot} from "./geometry";
import {arrives, color, digits} from "./scale";
import {choose, edits, level, type Pin, pinned, pinOf, placeOf, pointed, second, step} from "./state";
import type {Place} from "./view";

interface Noded {
  story: Story;
  index: number;
  place: Place;
  spot: Spot;
  there: boolean;
  arrived: boolean;
  fresh: boolean;
  on: boolean;
}

function isAt(pin: Pin | null, index: number, place: Place): boolean {
  return pin !== null && pin.story === index && placeOf(pin)?.key === place.key;
}

export function Node({story, index, place, spot: {x, y, w, h}, there, arrived, fresh, on}: Noded) {
  if (!there) return <rect class="ghost" x={x - w / 2} y={y - h / 2} width={w} height={h} rx={8} />;
  const pin = pinOf(index, place);
  const isPinned = isAt(pinned.value, index, place) || isAt(second.value, index, place);
  const changed = edits.value.some((e) => e.story === index && e.box === place.box && (e.name < 0 || place.ks.includes(e.name)));
  const norm = arrived ? place.norms[0] : null;
  const stroke = arrives(norm) ? color(story, norm) : undefined;
  const round = (place.kind === "input" && h < 50) || (place.spot && w === h) ? h / 2 : 8;
  const words = ["box", place.kind, isPinned && "pinned", fresh && "fresh", norm === 0 && "zero", on && "on", changed && "changed"].filter(Boolean).join(" ");
  const point = (is: boolean): void => {
    pointed.value = is ? pin : null;
    step.value = is ? place.step : null;
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    choose(pin);
  };
  return (
    <g class={words} role="button" tabIndex={0} aria-pressed={isPinned}
      aria-label={`${place.labels.join(", ")}, step ${place.step}, ${arrived && norm !== null ? `gradient norm ${digits(norm)}` : "no gradient yet"}`}
      onClick={() => choose(pin)} onKeyDown={press}
      onFocus={() => point(true)} onBlur={() => point(false)} onMouseEnter={() => point(true)} onMouseLeave={() => point(false)}>
      <rect class="frame" x={x - w / 2} y={y - h / 2} width={w} height={h} rx={round} style={`stroke:${stroke ?? ""}`} />
      {norm === 0 ? <rect class="hollow" x={x - w / 2 + 3} y={y - h / 2 + 3} width={w - 6} height={h - 6} rx={round - 3} /> : null}
      {story.boxes[place.box]!.recomputed ? <text class="mark" x={x - w / 2 + 2} y={y - h / 2 + 4}>↻</text> : null}
      {changed ? <text class="mark" x={x + w / 2 - 2} y={y - h / 2 + 4}>✎</text> : null}
      {level.value === "scalar" && place.spot ? <Inside place={place} arrived={arrived} x={x} y={y - h / 2} w={w} />
        : place.spot ? <Operation place={place} x={x} y={y} top={y - h / 2} /> : w < 44 ? null : <Name place={place} arrived={arrived} x={x} y={y} w={w} />}
    </g>
  );
}

function Name({place, arrived, x, y, w}: {place: Place; arrived: boolean; x: number; y: number; w: number}) {
  const norm = arrived ? place.norms[0] : null;
  const small = w < 84 && place.kind !== "gate";
  if (place.ks.length > 1 && arrived && !small) {
    return (
      <>
        {place.ks.map((_, k) => (
          <>
            <text class="name start" x={x - w / 2 + 8} y={y - 4 + 18 * k}>{place.labels[k]}</text>
            <text class="number end" x={x + w / 2 - 7} y={y - 4 + 18 * k}>{digits(place.norms[k])}</text>
          </>
        ))}
      </>
    );
  }
  const beside = !small && (place.kind === "input" || place.kind === "loss") ? ` ${fitting(place.text, w)}` : "";
  const value = place.kind === "gate" ? mean(place.values[0]) : place.kind === "output" ? place.text : "";
  const number = norm !== null && norm !== undefined ? digits(norm) : "";
  const below = small || place.kind === "loss" ? "" : number || value;
  return (
    <>
      <text class="name" x={x} y={y - (below ? 4 : -5)}>{(small ? place.labels.slice(0, 1) : place.labels).join(" ")}{beside}</text>
      {below ? <text class={place.kind === "gate" ? "number small" : "number"} x={x} y={y + 14}>{below}</text> : null}
    </>
  );
}

// As much of a text as there is room for beside the label; all of it is in the panel.
function fitting(text: string, w: number): string {
  const most = Math.floor((w - 36) / 9);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function mean(values: number[] | null | undefined): string {
  return values ? digits(values.reduce((a, b) => a + b, 0) / values.length) : "";
}

// One operation: its sign, and the weights that are used in it.
function Operation({place, x, y, top}: {place: Place; x: number; y: number; top: number}) {
  const [, , , , , , , label, weights] = place.spot!;
  return (
    <>
      <text class="name" x={x} y={weights.length ? top + 15 : y + 4}>{label}</text>
      {weights.map((name, i) => <text class="number small" x={x} y={top + 29 + LINE * i}>{name}</text>)}
    </>
  );
}

// Single numbers: of each element the value and the gradient.
function Inside({place, arrived, x, y, w}: {place: Place; arrived: boolean; x: number; y: number; w: number}) {
  const [values, gradients] = [place.values[0], arrived ? place.gradients[0] : null];
  const count = values?.length ?? gradients?.length ?? 0;
  const [, , , , , , , label, weights] = place.spot!;
  const shown = Math.min(MOST, count);
  const line = (i: number): number => y + 29 + LINE * i;
  return (
    <>
      <text class="name" x={x} y={y + 15}>{label}</text>
      {Array.from({length: shown}, (_, i) => (
        <>
          {values ? <text class="number small start" x={x - w / 2 + 5} y={line(i)}>{digits(values[i])}</text> : null}
          {gradients ? <text class="number small end strong" x={x + w / 2 - 5} y={line(i)}>{digits(gradients[i])}</text> : null}
        </>
      ))}
      {count > MOST ? <text class="number small" x={x} y={line(shown)}>and {count - MOST} more</text> : null}
      {weights.map((name, i) => <text class="number small" x={x} y={line(shown + (count > MOST ? 1 : 0) + i)}>{name}</text>)}
    </>
  );
}
