"""The picture at one moment of the backward pass: what has flowed so far, and nothing of what has not."""

from __future__ import annotations

from typing import Any

from micrornn.debug.report import made, whereabouts
from micrornn.debug.session import Session
from micrornn.debug.timeline import BACKWARD, Timeline
from micrornn.flow.terms import terms
from micrornn.recording import Recording
from viz.gradients import ABSENT, CONSTANT, NONE, Flow, Gradients
from viz.render import render


def picture(session: Session, format: str) -> str | bytes:
    """Draw the graph with the gradients as far as they have come; the title names the front.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> session = Session(record(mr.tanh(mr.Value(0.5, "w") * 2.0)))
    >>> "before pullback 1 of 2" in picture(session, "svg")
    True
    """
    line, position = session.line, session.state.position
    if line.direction != BACKWARD:
        title = f"forward, at node {min(position + 1, len(line))} of {len(line)}: backward has not begun"
        return render(session.rec.graph, format=format, gradients=False, title=title)
    if position < len(line):
        node = line.nodes[position]
        title = f"before pullback {position + 1} of {len(line)}: {made(node, session.places)}, "
        title += whereabouts(node)
    else:
        title = f"after all {len(line)} pullbacks"
    if session.state.branch != "main":
        title += f" ({session.branches[session.state.branch].edits[-1][1].words})"
    return render(
        session.rec.graph,
        format=format,
        gradients=so_far(session.recording, line, position),
        title=title,
    )


def so_far(rec: Recording, line: Timeline, position: int) -> Gradients:
    """The flows of the first turns; all others are not yet there, which is not the same as no path."""
    nodes: dict[int, Flow] = {}
    edges: dict[tuple[int, int], Flow] = {}
    ahead = set(line.received) | {node.number for node in line.nodes}
    for node in line.rec.nodes:
        for slot, x in enumerate(node.inputs):
            edges[node.number, slot] = (
                NONE
                if x.number in ahead and node.number in line.turns
                else (ABSENT if x.requires_grad else CONSTANT)
            )
        if node.number not in ahead:
            nodes[node.number] = ABSENT if node.requires_grad else CONSTANT
            continue
        amount, done, _ = line.arrived(node, position)
        nodes[node.number] = Flow.of(amount) if done else NONE
    for i in range(line.start(position) if position < len(line) else 0, position):
        for slot, sent in enumerate(line.sent[i]):
            if sent is not None:
                edges[line.nodes[i].number, slot] = Flow.of(sent)
    return Gradients(True, nodes, edges, by_step=_by_step(rec, line, position))


def _by_step(rec: Recording, line: Timeline, position: int) -> dict[tuple[int, int], Flow]:
    """By parameter and step, what the uses of that step have sent so far."""
    found: dict[tuple[int, int], list[Any]] = {}
    for number, own in terms(rec, rec.parameters).items():
        for term in own:
            if term.step is not None:
                came = found.setdefault((number, term.step), [])
                turn = line.turn_of(term.use, 0)
                if turn is not None and turn < position:
                    came.append(term.dense())
    return {
        key: Flow.of(sum(came[1:], start=came[0])) if came else NONE for key, came in found.items()
    }
