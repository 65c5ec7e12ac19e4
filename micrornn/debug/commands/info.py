"""The command `info`: parameters, gates, steps, losses, a node, and what stops the debugger."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from micrornn.debug.columns import size_of
from micrornn.debug.commands.look import described
from micrornn.debug.commands.stop import listed
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import number, plain, sized
from micrornn.flow.roles import cells
from micrornn.flow.series import table
from micrornn.messages import nearest

PAGE = 20  # steps that are shown at once
MOST_STEPS = 4  # whose gates are shown unasked


@command(
    *("info", "i"),
    group="look",
    usage="info WHAT [NODE]",
    example="info params",
    takes="topics",
)
def info(cursor: Cursor, text: str) -> Outcome:
    """Tell what there is: params, gates [STEP], steps, losses, node [NAME], ops, scopes, breakpoints, error.

    Of many steps or losses it shows some: info steps 40 shows those from step 40 on.
    """
    word, _, rest = text.partition(" ")
    found = [topic for topic in TOPICS if word and topic.startswith(word)]
    if word not in TOPICS and len(found) != 1:
        if not word:
            return Outcome(lines=[cursor.summary(), f"ask info for: {', '.join(TOPICS)}"])
        raise DebuggerError(f"there is no info {word!r}; {nearest(word, TOPICS)}")
    return TOPICS[word if word in TOPICS else found[0]](cursor, rest.strip())


def _params(cursor: Cursor, text: str) -> Outcome:
    rows: list[list[Any]] = []
    data: list[dict[str, Any]] = []
    for parameter in cursor.rec.parameters:
        label = parameter.name or f"#{cursor.places.number(parameter)}"
        amount, done, parts = cursor.line.arrived(parameter, cursor.state.position)
        size = sized(amount) if done else "nothing yet" if parts else "no path"
        size = size if cursor.line.sent or not cursor.rec.passes else "-"
        shape = "x".join(map(str, parameter.shape)) or "number"
        value = number(size_of(cursor.rec.value(parameter)))
        rows.append([label, shape, value, size, f"{done} of {parts}"])
        data.append({"name": label, "shape": list(parameter.shape), "parts": [done, parts]})
        data[-1]["gradient"] = plain(size_of(amount)) if done else None
    head = ["parameter", "shape", "value norm", "gradient norm", "parts"]
    lines = table(head, rows).splitlines() if rows else ["no parameter: no leaf wants a gradient"]
    return Outcome(lines=lines, data={"parameters": data})


def _gates(cursor: Cursor, text: str) -> Outcome:
    known = list(cells(cursor.rec).values())
    steps = sorted({cell.step for cell in known})
    step: int | None = int(text) if re.fullmatch(r"\d{1,9}", text) else None
    if text and step is None and text != "all":
        raise DebuggerError(
            f"info gates {brief(text)[1:-1]}: write info gates, info gates 3 or all"
        )
    if step is not None and step not in steps:
        raise DebuggerError(
            f"there are no gates at t={step}; there are at {steps[:1]} to {steps[-1:]}"
        )
    if not text and len(steps) > MOST_STEPS:
        here = cursor.line.nodes[min(cursor.state.position, len(cursor.line) - 1)].step
        step = here if here in steps else steps[-1]
    rows = []
    for cell in known:
        if step is not None and cell.step != step:
            continue
        for role, gate in cell.gates.items():
            value = cursor.rec.value(gate)
            low, mean, high = float(value.min()), float(value.mean()), float(value.max())
            amount, done, parts = cursor.line.arrived(gate, cursor.state.position)
            size = sized(amount) if done and done == parts else "not yet" if parts else "no path"
            rows.append([cell.scope, cell.step, role, low, mean, high, size])
    if not rows:
        raise DebuggerError(
            "no gates here: none is named i f g o, r z n, or made in a gate's scope"
        )
    head = ["layer", "t", "gate", "least", "mean", "most", "gradient"]
    lines = _cut(table(head, rows).splitlines())
    if step is not None and not text:
        lines.append(
            f"of step {step}; info gates N for another of {steps[0]} to {steps[-1]}, info gates all"
        )
    return Outcome(lines=lines, data={"gates": plain(rows)})


def _cut(lines: list[str], most: int = 200) -> list[str]:
    """Many lines without their middle."""
    if len(lines) <= most:
        return lines
    half = most // 2
    return [*lines[:half], f"... and {len(lines) - most:,} more lines ...", *lines[-half:]]


def _steps(cursor: Cursor, text: str) -> Outcome:
    line, position = cursor.line, cursor.state.position
    counts: Counter[int | None] = Counter(node.step for node in line.nodes)
    done: Counter[int | None] = Counter(node.step for node in line.nodes[:position])
    rows = []
    steps = sorted(counts, key=lambda t: (t is None, t))
    shown, note = _page(steps, line.nodes[min(position, len(line) - 1)].step, text, "steps")
    for step in shown:
        here = "<- now" if position < len(line) and line.nodes[position].step == step else ""
        rows.append(["none" if step is None else step, f"{done[step]} of {counts[step]}", here])
    lines = table(["t", "turns done", ""], rows).splitlines()
    return Outcome(lines=[*lines, *note], data={"steps": plain(rows)})


def _page(
    steps: Sequence[int | None], here: int | None, text: str, topic: str
) -> tuple[Sequence[int | None], list[str]]:
    """The steps around the present one, or from a given one; and a line on the others."""
    if text and not re.fullmatch(r"\d{1,9}", text):
        raise DebuggerError(
            f"info {topic} {brief(text)[1:-1]}: write info {topic}, or info {topic} 20"
        )
    known = [step for step in steps if step is not None]
    if text and known and int(text) > known[-1]:
        raise DebuggerError(f"there is no step {text}; there are {known[0]} to {known[-1]}")
    if len(steps) <= PAGE:
        return steps, []
    if text:
        first = next(
            (i for i, step in enumerate(steps) if step is not None and step >= int(text)), 0
        )
    else:
        first = (steps.index(here) if here in steps else 0) - PAGE // 2
    first = max(0, min(first, len(steps) - PAGE))
    low, high = steps[first], steps[first + PAGE - 1]
    more = steps[min(first + PAGE, len(steps) - 1)]
    other = (
        f"info {topic} {more} shows the next" if more is not None else f"info {topic} 1 the first"
    )
    return steps[first : first + PAGE], [
        f"{PAGE} of {len(steps):,} steps, {low} to {high if high is not None else 'none'}; {other}"
    ]


def _losses(cursor: Cursor, text: str) -> Outcome:
    losses = cursor.rec.losses
    if not losses:
        raise DebuggerError("backward has not run in this recording, so its losses are not known")
    rows = []
    steps = [loss.step for loss in losses]
    note: list[str] = []
    if len(losses) > PAGE and None not in steps and len(set(steps)) == len(steps):
        here = cursor.line.nodes[min(cursor.state.position, len(cursor.line) - 1)].step
        shown, note = _page(steps, here, text, "losses")
        losses = [loss for loss in losses if loss.step in shown]
    for loss in losses:
        amount, done, _ = cursor.line.arrived(loss, cursor.state.position)
        value = float(cursor.rec.value(loss))
        rows.append([cursor.places.label(loss), value, sized(amount) if done else "not yet"])
    lines = table(["loss", "value", "counts with"], rows).splitlines()
    return Outcome(lines=[*lines, *note], data={"losses": plain(rows)})


def _node(cursor: Cursor, text: str) -> Outcome:
    node = cursor.places.node(text) if text else cursor.moment.node
    found = described(cursor, node)
    p = node.primitive
    users = cursor.rec.users.get(node.number, [])
    used = ", ".join(cursor.places.label(user) for user, _ in users[:6])
    more = f" and {len(users) - 6} more" if len(users) > 6 else ""
    found.lines += [f"  rule: y = {p.formula}"] if p else []
    found.lines.append(f"  used by: {used or 'nothing'}{more}")
    return found


def _breakpoints(cursor: Cursor, text: str) -> Outcome:
    return listed(cursor)


def _displays(cursor: Cursor, text: str) -> Outcome:
    lines = [f"{n:3}  {expression}" for n, expression in cursor.state.displays]
    return Outcome(lines=lines or ["no displays yet; for example: display grad.norm"])


def _error(cursor: Cursor, text: str) -> Outcome:
    failure = cursor.failure
    if failure is None:
        raise DebuggerError("no exception ended this run; where shows where the cursor is")
    lines = failure.lines(cursor.source_line)
    if failure.names:
        lines.append(f"local names in {failure.frames[-1].function}:")
        wide = max(len(name) for name, _ in failure.names)
        lines += [f"  {name:{wide}} = {value}" for name, value in failure.names]
    data = {
        "error": failure.words,
        "stack": [list(x) for x in map(astuple, failure.frames)],
        "names": dict(failure.names),
    }
    return Outcome(lines=lines, data=data)


def _ops(cursor: Cursor, text: str) -> Outcome:
    counts = Counter(cursor.line.columns.op).most_common()
    lines = table(["operation", "turns"], counts).splitlines()
    return Outcome(lines=lines, data={"operations": dict(counts)})


def _scopes(cursor: Cursor, text: str) -> Outcome:
    scopes = cursor.places.scopes()
    return Outcome(
        lines=scopes or ["no scopes; with mr.scope('name'): makes one"], data={"scopes": scopes}
    )


TOPICS = {
    **{"params": _params, "gates": _gates, "steps": _steps, "losses": _losses, "node": _node},
    "error": _error,
    **{"breakpoints": _breakpoints, "displays": _displays, "ops": _ops, "scopes": _scopes},
}
