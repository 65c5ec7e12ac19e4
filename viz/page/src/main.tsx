// The page: play, ask, see over time, change, compare.

import {render} from "preact";

import {Between} from "./between";
import type {Story} from "./data";
import {Equations, Marked} from "./equations";
import {Controls, Help} from "./controls";
import {Find, goToAddressed} from "./find";
import {Graph} from "./graph";
import {Inspector} from "./inspector";
import {Jacobians} from "./jacobians";
import {listen} from "./keys";
import {answerParent} from "./parent";
import {CreditMap, Gates, Ledger, Legend} from "./panels";
import {redrawOnTheme} from "./scale";
import {edits, finding, help, of, pinned, said, second, stories} from "./state";
import {followed, lossSteps} from "./view";
import {WhatIf, words} from "./whatif";

// Whose gradient the graph shows, where that is a question.
function whose(story: Story): string {
  const losses = lossSteps(story);
  if (losses.length < 2) return "";
  if (of.value === "all") return "in the graph, the gradient of all losses together, as backward computed it";
  return `in the graph, the gradient of L${story.boxes[followed(story, of.value)]?.step ?? ""} alone`;
}

// The finding is of the recording; a changed gradient does not rewrite it.
function Title({index}: {index: number}) {
  const changed = edits.value.some((edit) => edit.story === index);
  return <>{stories.value[index]!.title}{changed ? <small> (as recorded)</small> : null}</>;
}

// By itself, so that a position of the scrubber draws what depends on it, and not the whole page.
function Said() {
  return <p class="spoken" role="status">{said.value}</p>;
}

function App() {
  return (
    <>
      <Controls />
      {help.value ? <Help /> : null}
      {finding.value ? <Find /> : null}
      <div class="desk">
        <div class="runs">
          {stories.value.map((story, i) => (
            <article key={i}>
              <header>
                {i === 0 ? <h1><Title index={i} /></h1> : <h2 class="title"><Title index={i} /></h2>}
                <p class="subtitle">{[story.subtitle, whose(story), ...edits.value.filter((edit) => edit.story === i).map((edit) => `what if: ${words(edit)}`)].filter(Boolean).join(" · ")}</p>
              </header>
              <Graph index={i} />
              <p class="equation"><Marked text={story.equation} index={i} />{story.meaning ? <span> · {story.meaning}</span> : null}</p>
              {i === 0 ? <Legend story={story} index={i} /> : null}
              <Jacobians story={story} index={i} />
              <div class="panels">
                <Ledger story={story} index={i} />
                <CreditMap story={story} index={i} />
                <Gates story={story} />
                <Equations story={story} index={i} />
              </div>
              {story.notes.map((note) => (<p class="note">{note}</p>))}
            </article>
          ))}
        </div>
        <aside aria-label="What is pointed at" class={pinned.value ? "asked" : ""}>
          {pinned.value ? <button type="button" class="let-go" onClick={() => ([pinned.value, second.value] = [null, null])}>Let go</button> : null}
          <Between />
          <WhatIf />
          <Inspector />
        </aside>
      </div>
      <Said />
    </>
  );
}

const root = document.getElementById("app");
if (root) {
  document.body.classList.add("live");
  goToAddressed();
  listen();
  answerParent();
  const draw = (): void => render(<App />, root);
  draw();
  redrawOnTheme(draw);
}
