// The paths between two pinned places: factors of every hop, shares that add up, and the rest.

import {computed} from "@preact/signals";

import {heaviest, type Paths} from "./paths";
import {color, digits, percent} from "./scale";
import {edits, lit, type Pin, pinned, placeOf, second, stories, views} from "./state";
import type {Vector} from "./system";

interface Found {
  story: number;
  from: Pin;
  to: Pin;
  by: Paths[]; // for each state of the place where the paths end
}

// The later place is where the paths begin; null where there are not two, or the run is too large.
const found = computed<Found | null>(() => {
  const [a, b] = [pinned.value, second.value];
  if (!a || !b) return null;
  const story = stories.value[a.story]!;
  const view = views.value[a.story]!;
  const {system} = view;
  if (!system) return null;
  const nodes = (pin: Pin): number[] => system.box.flatMap((box, n) => (box === pin.box && (pin.name < 0 || system.name[n] === pin.name) ? [n] : []));
  const starting = (pin: Pin): Map<number, Vector> => new Map(nodes(pin).flatMap((n) => (view.entered[n] ? [[n, view.entered[n]!]] : [])));
  const own = edits.value.filter((edit) => edit.story === a.story);
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const by = nodes(to).flatMap((n) => heaviest(story, system, starting(from), n, own) ?? []);
    if (by.length) return {story: a.story, from, to, by};
  }
  return {story: a.story, from: a, to: b, by: []};
});

export function Between() {
  const [a, b] = [pinned.value, second.value];
  if (!a || !b) return null;
  const labels = (pin: Pin): string => {
    const own = stories.value[pin.story]!.boxes[pin.box]!.labels; // a gate is no place at every level
    return pin.name < 0 ? own.join(", ") : own[pin.name]!;
  };
  if (!found.value) {
    return <section class="panel" aria-label="Paths"><h2>Paths</h2><p>This run is too large for paths here: <code>micrornn flow SOURCE --view paths</code> has them.</p></section>;
  }
  const {story: index, from, to, by} = found.value;
  const story = stories.value[index]!;
  const system = views.value[index]!.system!;
  const label = (n: number): string => story.boxes[system.box[n]!]!.labels[system.name[n]!]!;
  const light = (nodes: number[] | null): void => {
    lit.value = nodes && {story: index, keys: new Set(nodes.map((n) => placeOf({story: index, box: system.box[n]!, name: system.name[n]!})?.key ?? ""))};
  };
  return (
    <section class="panel" aria-label="Paths">
      <h2>Paths from {labels(from)} to {labels(to)}</h2>
      {by.length ? null : <p>No path leads from one to the other.</p>}
      {by.map((paths) => (
        <div key={paths.target}>
          <p>{label(paths.target)} gets a gradient of norm {digits(paths.norm)} this way:</p>
          <ol class="paths">
            {paths.paths.map(({nodes, factors, norm, share}) => (
              <li tabIndex={0} onMouseEnter={() => light(nodes)} onMouseLeave={() => light(null)} onFocus={() => light(nodes)} onBlur={() => light(null)}>
                <span>{short(nodes).map((n, i) => (<>{n < 0 ? " … " : <>{i ? <small> ×{digits(factors[nodes.indexOf(n) - 1])} </small> : null}{label(n)}</>}</>))}</span>
                <span class="share"><i style={{width: `${100 * Math.min(1, Math.abs(share))}%`, background: color(story, norm)}} /></span>
                <span class="sum">{percent(share)}</span>
              </li>
            ))}
            <li><span>the rest</span><span class="share"><i style={{width: `${100 * Math.min(1, Math.abs(paths.rest))}%`}} /></span><span class="sum">{percent(paths.rest)}</span></li>
          </ol>
        </div>
      ))}
    </section>
  );
}

// Of a long path, its ends: -1 stands for what is between.
function short(nodes: number[]): number[] {
  return nodes.length <= 9 ? nodes : [...nodes.slice(0, 4), -1, ...nodes.slice(-3)];
}
