"""What can be written next: commands, names with their steps, scopes, operations, branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from micrornn.debug.commands.info import TOPICS
from micrornn.debug.conditions import FIELDS
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import COMMANDS, find

if TYPE_CHECKING:
    from micrornn.debug.session import Session

MOST = 200  # suggestions; more are no help


def completions(session: Session, text: str) -> list[str]:
    """The words that may stand where the last word of ``text`` is being written.

    >>> import micrornn as mr
    >>> from micrornn.debug.session import Session
    >>> from micrornn.recording import record
    >>> session = Session(record(mr.tanh(mr.Value(0.5, "weight") * 2.0)))
    >>> completions(session, "rev")[:2], completions(session, "watch we"), completions(session, "b ta")
    (['reverse-continue', 'reverse-finish'], ['weight', 'weight.grad'], ['tanh'])
    """
    before, _, word = text.rpartition(" ")
    if not before.strip():
        return sorted(name for name in COMMANDS if name.startswith(word))
    try:
        takes = find(before.split()[0]).takes
    except DebuggerError:
        return []
    found = [one for one in _known(session, takes) if one.startswith(word)]
    return list(dict.fromkeys(found))[:MOST]


def _known(session: Session, takes: str) -> list[str]:
    if takes == "commands":
        return [*COMMANDS, "expressions"]
    if takes == "topics":
        return [*TOPICS, *session.places.completions()]
    if takes == "branches":
        return list(session.branches)
    if takes == "directions":
        return ["forward", "backward"]
    if takes not in ("nodes", "stops"):
        return []
    nodes = session.places.completions()
    if takes == "nodes":
        return [
            *(x for node in nodes for x in (node, f"{node}.grad")),
            "grad",
            "value",
            "sent",
            "node",
        ]
    steps = [f"t={step}" for step in session.rec.steps if step]
    operations = sorted(set(session.line.columns.op))
    words = ["nan", "vanish", "explode", "if", "and", "or", "not", *FIELDS]
    return [*operations, *steps, *session.places.scopes(), *nodes, *words]
