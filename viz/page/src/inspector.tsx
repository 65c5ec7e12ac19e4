// What one asks of a place: its numbers, where its gradient came from, the arithmetic, and why.

import {effect, signal} from "@preact/signals";

import {Arithmetic, Numbers} from "./arithmetic";
import {arrives, digits} from "./scale";
import {at, longest, moment, type Pin, pinned, pinOf, placeOf, pointed, stories, timelines, views} from "./state";

// What gets its gradient now, once the play rests for a moment: while one scrubs, there is no time to read it.
const PAUSE = 80; // milliseconds
const followed = signal<Pin | null>(null);
let waiting = 0;
effect(() => {
  const {place} = moment.value;
  const own = views.value[longest.value]!.places[place];
  const pin = own ? pinOf(longest.value, own) : null;
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => (followed.value = pin), PAUSE);
});

export function Inspector() {
  const pin = pointed.value ?? pinned.value ?? followed.value;
  const place = pin && placeOf(pin);
  const follows = !pointed.value && !pinned.value; // what gets its gradient now, while one plays
  if (!pin || !place) {
    return (
      <section class="panel" aria-label="Details">
        <h2>Point at a box</h2>
        <p>See its value, its gradient, and where that came from. A click keeps it here and lets you change the gradient; a second click on another box shows the paths between the two.</p>
      </section>
    );
  }
  const story = stories.value[pin.story]!;
  const view = views.value[pin.story]!;
  const box = story.boxes[place.box]!;
  const index = view.places.indexOf(place);
  const arrived = timelines.value[pin.story]!.reached[index]! <= at(pin.story);
  const came = view.ribbons.filter((r) => r.to === index && r.norm !== null);
  const went = view.ribbons.filter((r) => r.from === index && arrives(r.norm));
  const name = (p: number): string => view.places[p]!.labels.join(", ");
  const state = (p: number, name: string): string => {
    const {ks, labels, box: own} = view.places[p]!;
    return labels[ks.findIndex((k) => story.boxes[own]!.names[k] === name)] ?? labels[0]!;
  };
  return (
    <section class="panel" aria-label="Details" data-box={`${pin.story}.${place.box}`}>
      <h2>{place.labels.join(", ")}{place.kind === "input" && box.text ? ` ${box.text}` : ""}<small>{box.layer ? ` in ${box.layer}` : ""}, step {box.step}</small></h2>
      {box.recomputed ? <p>Computed {box.recomputed + 1} times: a checkpoint had not kept it, and backward computed it again.</p> : null}
      {box.source ? <p class="source">{box.source}</p> : null}
      {place.ks.map((k, i) => (
        <div key={k}>
          {place.values[i] ? <Numbers title={`${place.labels[i]}, value`} values={place.values[i]!} /> : null}
          {arrived && place.gradients[i] && place.gradients[i]!.length <= 64 ? (
            <Numbers title={`${place.labels[i]}, gradient of norm ${digits(place.norms[i])}`} values={place.gradients[i]!} />
          ) : arrived ? <p>{place.labels[i]}: gradient of norm {digits(place.norms[i])}</p> : null}
        </div>
      ))}
      {!arrived ? <p>{Number.isFinite(timelines.value[pin.story]!.reached[index]!) ? "No gradient has arrived yet." : "No gradient of this loss comes here."}</p> : null}
      {arrived && came.length ? (
        <ul>
          {came.map((r) => {
            const from = view.places[r.from]!.norms[0];
            const goal = place.ks.length > 1 ? ` to ${state(index, r.state)}` : "";
            return <li>from {name(r.from)}{goal}: {digits(from)} × {digits(from ? r.norm! / from : null)} = {digits(r.norm)}</li>;
          })}
        </ul>
      ) : null}
      {arrived && view.system ? <Arithmetic story={story} view={view} system={view.system} place={place} brief={follows} /> : null}
      {arrived && !view.system && went.length ? <p>sends {went.map((r) => `${digits(r.norm)} to ${state(r.to, r.state)}`).join(", ")}</p> : null}
      {arrived && box.why ? <pre>{box.why}</pre> : null}
      {follows ? <p class="note">The page follows the play here. Click a box to keep it and change its gradient; a second one shows the paths between the two.</p> : null}
    </section>
  );
}
