"""The command `info`: parameters, gates, steps, losses, a node, and what stops the debugger."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from micrornn.debug.columns import size_of
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import number, plain, sized
from micrornn.flow.roles import cells
from micrornn.flow.series import table
from micrornn.messages import nearest

if TYPE_CHECKING:
    from micrornn.debug.session import Session


MOST_STEPS = 4  # whose gates are shown unasked


@command(
    *("info", "i"),
    group="look",
    usage="info WHAT [NODE]",
    example="info params",
    takes="topics",
)
def info(session: Session, text: str) -> Outcome:
    """Tell what there is: params, gates [STEP], steps, losses, node [NAME], ops, scopes, breakpoints."""
    word, _, rest = text.partition(" ")
    found = [topic for topic in TOPICS if word and topic.startswith(word)]
    if word not in TOPICS and len(found) != 1:
        if not word:
            return Outcome(lines=[session.summary(), f"ask info for: {', '.join(TOPICS)}"])
        raise DebuggerError(f"there is no info {word!r}; {nearest(word, TOPICS)}")
    return TOPICS[word if word in TOPICS else found[0]](session, rest.strip())


def _params(session: Session, text: str) -> Outcome:
    rows: list[list[Any]] = []
    data: list[dict[str, Any]] = []
    for parameter in session.rec.parameters:
        label = parameter.name or f"#{session.places.number(parameter)}"
        amount, done, parts = session.line.arrived(parameter, session.state.position)
        size = sized(amount) if done else "nothing yet" if parts else "no path"
        size = size if session.line.sent or not session.rec.passes else "-"
        shape = "x".join(map(str, parameter.shape)) or "number"
        value = number(size_of(session.rec.value(parameter)))
        rows.append([label, shape, value, size, f"{done} of {parts}"])
        data.append({"name": label, "shape": list(parameter.shape), "parts": [done, parts]})
        data[-1]["gradient"] = plain(size_of(amount)) if done else None
    head = ["parameter", "shape", "value norm", "gradient norm", "parts"]
    lines = table(head, rows).splitlines() if rows else ["no parameter: no leaf wants a gradient"]
    return Outcome(lines=lines, data={"parameters": data})


def _gates(session: Session, text: str) -> Outcome:
    known = list(cells(session.rec).values())
    steps = sorted({cell.step for cell in known})
    step: int | None = int(text) if text.isdecimal() else None
    if step is not None and step not in steps:
        raise DebuggerError(
            f"there are no gates at t={step}; there are at {steps[:1]} to {steps[-1:]}"
        )
    if not text and len(steps) > MOST_STEPS:
        here = session.line.nodes[min(session.state.position, len(session.line) - 1)].step
        step = here if here in steps else steps[-1]
    rows = []
    for cell in known:
        if step is not None and cell.step != step:
            continue
        for role, gate in cell.gates.items():
            value = session.rec.value(gate)
            low, mean, high = float(value.min()), float(value.mean()), float(value.max())
            amount, done, parts = session.line.arrived(gate, session.state.position)
            size = sized(amount) if done and done == parts else "not yet" if parts else "no path"
            rows.append([cell.scope, cell.step, role, low, mean, high, size])
    if not rows:
        raise DebuggerError(
            "no gates here: none is named i f g o, r z n, or made in a gate's scope"
        )
    head = ["layer", "t", "gate", "least", "mean", "most", "gradient"]
    lines = table(head, rows).splitlines()
    if step is not None and not text:
        lines.append(
            f"of step {step}; info gates N for another of {steps[0]} to {steps[-1]}, info gates all"
        )
    return Outcome(lines=lines, data={"gates": plain(rows)})


def _steps(session: Session, text: str) -> Outcome:
    line, position = session.line, session.state.position
    counts: Counter[int | None] = Counter(node.step for node in line.nodes)
    done: Counter[int | None] = Counter(node.step for node in line.nodes[:position])
    rows = []
    for step in sorted(counts, key=lambda t: (t is None, t)):
        here = "<- now" if position < len(line) and line.nodes[position].step == step else ""
        rows.append(["none" if step is None else step, f"{done[step]} of {counts[step]}", here])
    return Outcome(
        lines=table(["t", "turns done", ""], rows).splitlines(), data={"steps": plain(rows)}
    )


def _losses(session: Session, text: str) -> Outcome:
    losses = session.rec.losses
    if not losses:
        raise DebuggerError("backward has not run in this recording, so its losses are not known")
    rows = []
    for loss in losses:
        amount, done, _ = session.line.arrived(loss, session.state.position)
        value = float(session.rec.value(loss))
        rows.append([session.places.label(loss), value, sized(amount) if done else "not yet"])
    lines = table(["loss", "value", "counts with"], rows).splitlines()
    return Outcome(lines=lines, data={"losses": plain(rows)})


def _node(session: Session, text: str) -> Outcome:
    from micrornn.debug.commands.look import described

    node = session.places.node(text) if text else session.moment.node
    found = described(session, node)
    p = node.primitive
    users = session.rec.users.get(node.number, [])
    used = ", ".join(session.places.label(user) for user, _ in users[:6])
    more = f" and {len(users) - 6} more" if len(users) > 6 else ""
    found.lines += [f"  rule: y = {p.formula}"] if p else []
    found.lines.append(f"  used by: {used or 'nothing'}{more}")
    return found


def _breakpoints(session: Session, text: str) -> Outcome:
    from micrornn.debug.commands.stop import listed

    return listed(session)


def _displays(session: Session, text: str) -> Outcome:
    lines = [f"{n:3}  {expression}" for n, expression in session.state.displays]
    return Outcome(lines=lines or ["no displays yet; for example: display grad.norm"])


def _ops(session: Session, text: str) -> Outcome:
    counts = Counter(session.line.columns.op).most_common()
    lines = table(["operation", "turns"], counts).splitlines()
    return Outcome(lines=lines, data={"operations": dict(counts)})


def _scopes(session: Session, text: str) -> Outcome:
    scopes = session.places.scopes()
    return Outcome(
        lines=scopes or ["no scopes; with mr.scope('name'): makes one"], data={"scopes": scopes}
    )


TOPICS = {
    **{"params": _params, "gates": _gates, "steps": _steps, "losses": _losses, "node": _node},
    **{"breakpoints": _breakpoints, "displays": _displays, "ops": _ops, "scopes": _scopes},
}
