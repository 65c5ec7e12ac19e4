"""Where the gradient comes from: contributions, ledger, paths, why; and a check of this very pullback."""

from __future__ import annotations

from typing import Any

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.debug.checking import check_turn
from micrornn.debug.columns import size_of
from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import Outcome, command
from micrornn.debug.report import number, plain, short_path
from micrornn.debug.stops import share_of
from micrornn.flow.heaviest import routes_to
from micrornn.flow.ledger import ledger as ledger_of
from micrornn.flow.series import table
from micrornn.flow.why import why as why_of

MOST = 24  # lines of a table that are shown


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= MOST:
        return lines
    return [*lines[: MOST - 10], f"  ... and {len(lines) - MOST} more ...", *lines[-10:]]


def _asked(cursor: Cursor, text: str, usage: str) -> Tensor:
    if not text:
        raise DebuggerError(f"of what? Write {usage}")
    return cursor.places.node(text.removesuffix(".grad"))


@command("contrib", group="look", usage="contrib NAME", example="contrib W_hh", takes="nodes")
def contrib(cursor: Cursor, text: str) -> Outcome:
    """List who sends to a gradient: each pullback, its norm and signed share, sent or still to come."""
    node = _asked(cursor, text, "contrib W_hh")
    line, places = cursor.line, cursor.places
    if not line.sent:
        raise DebuggerError("contributions are of the backward pass; write: direction backward")
    senders = line.senders(node, cursor.state.position)
    if not senders:
        raise DebuggerError(f"nothing is ever sent to {places.label(node)}; ask why {text}")
    end = len(line) if node.is_leaf else line.ends[line.run(senders[-1][0])]
    whole = line.arrived(node, end)[0]
    rows: list[list[Any]] = []
    for turn, slot in senders:
        sent = dense(line.sent[turn][slot])
        sender = line.nodes[turn]
        share = share_of(sent, whole)
        step = "none" if sender.step is None else sender.step
        came = "sent" if turn < cursor.state.position else "to come"
        rows.append([turn + 1, places.label(sender), step, size_of(sent), f"{share:+.1%}", came])
    head = ["pullback", "from", "t", "norm", "share", ""]
    lines = _cut(table(head, rows).splitlines())
    lines.append(f"{places.label(node)}.grad in the end: norm {size_of(whole):.3g}")
    return Outcome(lines=lines, data={"node": places.label(node), "contributions": plain(rows)})


@command("ledger", group="look", usage="ledger [NAME]", example="ledger W_hh", takes="nodes")
def ledger(cursor: Cursor, text: str) -> Outcome:
    """Split a parameter's whole gradient over the time steps; signed shares add up to 100%."""
    if not text and len(cursor.rec.parameters) > 1:
        names = ", ".join(cursor.places.label(p) for p in cursor.rec.parameters)
        raise DebuggerError(f"of which parameter? There are: {names}")
    rec = cursor.recording
    parameter = cursor.places.parameter(text) if text else rec.parameters[0]
    found = ledger_of(rec, parameter)
    return Outcome(lines=[str(found), *_cut(found.table().splitlines())], data=found.as_dict())


@command("why", group="look", usage="why NAME", example="why h[1]", takes="nodes")
def why(cursor: Cursor, text: str) -> Outcome:
    """Say why a gradient is zero, missing, tiny, huge or NaN: one verdict, with its evidence.

    It speaks of the whole backward pass, wherever the cursor is.
    """
    node = _asked(cursor, text, "why h[1]")
    found = why_of(cursor.recording, node)
    text = str(found)
    if found.source is not None:
        text = text.replace(found.source[0], short_path(found.source[0]))
    return Outcome(lines=_cut(text.splitlines()), data=found.as_dict())


@command("path", group="look", usage="path [LOSS] NAME", example="path h[1]", takes="nodes")
def path(cursor: Cursor, text: str) -> Outcome:
    """Show the heaviest paths from a loss (or from all) to a node, and which kinds of path there are."""
    words = text.split()
    if len(words) not in (1, 2):
        raise DebuggerError("path from where to where? Write path h[1], or path loss[3] h[1]")
    rec, node = cursor.recording, cursor.places.node(words[-1])
    loss = _loss(cursor, words[0]) if len(words) == 2 else None
    found, kinds = routes_to(rec, node, loss=loss)
    if not found.paths:
        start = "the loss" if loss is None else cursor.places.label(loss)
        raise DebuggerError(f"no path leads from {start} to {cursor.places.label(node)}; ask why")
    lines = [f"gradient reaching {found.target}: norm {number(size_of(found.total))}"]
    for one in found.paths:
        lines.append(f"  {_short(one.nodes)}: {number(one.norm)} ({one.share:+.1%})")
    lines.append(f"  the rest: {found.rest_share:+.1%}")
    lines += [f"  {found.followed}"] if found.followed else []
    lines += ["by kind:", *("  " + one for one in kinds.table().splitlines())]
    return Outcome(lines=_cut(lines), data={**found.as_dict(), "kinds": kinds.as_dict()})


def _short(nodes: list[str]) -> str:
    """A path; of a long one the two ends, and how many nodes lie between."""
    if len(nodes) > 9:
        nodes = [*nodes[:4], f"... {len(nodes) - 8} ...", *nodes[-4:]]
    return " -> ".join(nodes)


def _loss(cursor: Cursor, text: str) -> Tensor:
    """A loss by its name, or L3 for the loss of step 3."""
    if text[0] == "L" and text[1:].strip("[]_").isdecimal():
        step = int(text[1:].strip("[]_"))
        for loss in cursor.rec.losses:
            if loss.step == step:
                return loss
        steps = [str(one.step) for one in cursor.rec.losses if one.step is not None]
        raise DebuggerError(
            f"there is no loss of step {step}; there are: {', '.join(steps) or 'none'}"
        )
    return cursor.places.node(text)


@command(
    "jacobian", "jac", group="look", usage="jacobian [NAME]", example="jacobian h[3]", takes="nodes"
)
def jacobian(cursor: Cursor, text: str) -> Outcome:
    """Show d(node)/d(the same one step before): its singular values say what one step does to a gradient.

    Without a name it is of the state h of the present step.
    """
    from micrornn.debug.jacobians import step_jacobian

    return step_jacobian(cursor, text)


@command("check", group="look", usage="check [NAME]", example="check")
def check(cursor: Cursor, text: str) -> Outcome:
    """Compare this very pullback (or that of a node) with finite differences, number by number."""
    line = cursor.line
    if not line.sent:
        raise DebuggerError("a check is of a pullback; write: direction backward")
    if text:
        node = cursor.places.node(text)
        turn = line.turn_of(node, cursor.state.position)
        if turn is None:
            raise DebuggerError(f"{cursor.places.label(node)} has no pullback to check")
    else:
        turn = cursor.state.position
        cursor.moment.node  # noqa: B018 - refuses at the end
    return check_turn(line, cursor.places, turn)
