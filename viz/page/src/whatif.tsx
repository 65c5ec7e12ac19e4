// What if: the gradient of a place is set to zero, multiplied or clipped, and backward runs again from there.

import {computed, signal} from "@preact/signals";

import {digits} from "./scale";
import {edits, of, type Pin, pinned, placeOf, stories, type StoryEdit, views} from "./state";
import {view} from "./view";

const verb = signal<"zero" | "scale" | "clip">("zero");
const amount = signal("0.5");

// The same run without edits, to compare with.
const before = computed(() => {
  if (!edits.value.length) return views.value;
  return stories.value.map((story, i) => view(story, views.value[i]!.detail, of.value, []));
});

export function words(edit: StoryEdit): string {
  const box = stories.value[edit.story]!.boxes[edit.box]!;
  const name = (edit.name < 0 ? box.labels : [box.labels[edit.name]!]).join(" and ");
  if (edit.verb === "clip") return `${name} clipped to norm ${digits(edit.amount)}`;
  return edit.amount === 0 ? `${name} set to zero` : `${name} times ${digits(edit.amount)}`;
}

// The same in the debugger's language, one command for each state.
function commands(edit: StoryEdit): string[] {
  const box = stories.value[edit.story]!.boxes[edit.box]!;
  const ks = edit.name < 0 ? box.names.map((_, k) => k) : [edit.name];
  return ks.map((k) => {
    const state = box.names[k]!;
    const name = box.kind === "op" ? `#${box.nodes[k]}` : `${state || {loss: "loss", output: "y", input: "x"}[box.kind as string]}[${box.step}]`;
    if (edit.verb === "clip") return `clip grad ${name} to ${edit.amount}`;
    return edit.amount === 0 ? `set grad ${name} = 0` : `scale grad ${name} by ${edit.amount}`;
  });
}

function apply(pin: Pin): void {
  const value = verb.value === "zero" ? 0 : Number(amount.value);
  if (!Number.isFinite(value) || (verb.value === "clip" && !(value > 0))) return;
  const edit: StoryEdit = {...pin, verb: verb.value === "clip" ? "clip" : "scale", amount: value};
  const same = (e: StoryEdit): boolean => e.story === pin.story && e.box === pin.box && e.name === pin.name;
  edits.value = [...edits.value.filter((e) => !same(e)), edit];
}

export function WhatIf() {
  const pin = pinned.value;
  const place = pin && placeOf(pin);
  const own = edits.value;
  const can = pin && stories.value[pin.story]!.linear;
  if (!own.length && !place) return null;
  return (
    <section class="panel what-if" aria-label="What if">
      <h2>{place && can ? <>What if the gradient at <b>{place.labels.join(", ")}</b> were</> : "What if"}</h2>
      {place && !can ? <p>This run is too large to compute with here. <code>micrornn debug</code> has the same: <code>set grad</code>, <code>scale grad</code>, <code>clip grad</code>.</p> : null}
      {place && can ? (
        <form onSubmit={(event) => { event.preventDefault(); apply(pin); }}>
          <select aria-label="Change" value={verb.value} onChange={(event) => (verb.value = (event.target as HTMLSelectElement).value as "zero")}>
            <option value="zero">zero</option><option value="scale">multiplied by</option><option value="clip">clipped to norm</option>
          </select>
          {verb.value === "zero" ? null : (
            <input type="number" step="any" min={verb.value === "clip" ? "0" : undefined} aria-label="Amount" value={amount.value}
              onInput={(event) => (amount.value = (event.target as HTMLInputElement).value)} />
          )}
          <button type="submit">Apply</button>
        </form>
      ) : null}
      {own.length ? (
        <>
          <ul class="edits">
            {own.map((edit) => (
              <li>
                {words(edit)} <button type="button" aria-label={`Undo: ${words(edit)}`} onClick={() => (edits.value = own.filter((e) => e !== edit))}>undo</button>
              </li>
            ))}
          </ul>
          <Changes />
          <p class="note">Exact: backward is linear in the gradient, so the page runs it again with the recorded derivatives; the
            weights' ledger and the credit map follow.{own.some((edit) => edit.verb === "clip") ? " There, clipping is by the norm of all losses together, as in a training." : ""} In <code>micrornn debug</code>:</p>
          <pre>{own.flatMap(commands).join("\n")}</pre>
          <p class="note">Another weight, bias or input changes the forward pass and so the derivatives: that needs Python, such as
            {" "}<code>micrornn view recall --forget-bias 2 --beside recall</code>.</p>
        </>
      ) : null}
    </section>
  );
}

// Where the change is largest: at the earliest states, and at what is pinned.
function Changes() {
  const rows = edits.value.map((edit) => edit.story).filter((s, i, all) => all.indexOf(s) === i).flatMap((s) => {
    const [was, is] = [before.value[s]!, views.value[s]!];
    const states = is.places.map((place, p) => ({place, p})).filter(({place, p}) => place.kind === "state" && was.places[p]!.norms[0] !== null);
    const first = Math.min(...states.map(({place}) => place.step));
    const at = states.filter(({place}) => place.step === first || edits.value.some((e) => e.story === s && e.box === place.box));
    return at.flatMap(({place, p}) => place.ks.map((_, k) => ({label: place.labels[k]!, was: was.places[p]!.norms[k], is: place.norms[k]})));
  });
  return (
    <table>
      <thead><tr><th scope="col">gradient at</th><th scope="col">was</th><th scope="col">is</th><th scope="col">factor</th></tr></thead>
      <tbody>
        {rows.map(({label, was, is}) => (
          <tr><th scope="row">{label}</th><td>{digits(was)}</td><td>{digits(is)}</td><td>{was && is !== null && is !== undefined ? `×${digits(is / was)}` : "–"}</td></tr>
        ))}
      </tbody>
    </table>
  );
}
