"""From a recording to its story.

One sweep carries the gradient of one loss back through everything between the boxes, and says for every pair
of boxes how much of it went from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Rows, one
from micrornn.flow.roles import GATES, STATES, Cell, cells, state_names
from micrornn.flow.rows import descendants, sweep
from micrornn.flow.series import layers, norm
from micrornn.recording import Recording, RecordingError
from micrornn.recording.losses import kind_of
from viz.picture.equations import family
from viz.picture.story import GATE, INITIAL, INPUT, LOSS, OUTPUT, STATE, Box, Ribbon, Story


def tell(
    rec: Recording, loss: Tensor | None = None, gradient: bool = True, gates: bool = False
) -> Story:
    """The story of a recording.

    Args:
        loss: whose gradient is followed; the last loss by default.
        gradient: whether any is.
        gates: whether gates, and each state of a cell, are boxes of their own; there are no outputs then.

    Raises:
        RecordingError: no state has a time step, so there is nothing to tell over time.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> story = tell(record(FAILURES["vanishing"](20).loss))
    >>> [round(box.norm, 3) for box in story.chain(story.layers[0])[-3:]]
    [0.25, 0.5, 1.0]
    """
    scopes = _layers(rec)
    if not scopes:
        raise RecordingError(
            "no state has a time step; name the states (h.name = 'h') and mark the steps "
            "(with mr.scope(t=t))"
        )
    boxes = _without_doubles(_states(rec, scopes))
    for box in boxes:  # the cell state first, also where it was made later
        box.nodes = dict(sorted(box.nodes.items()))
    if gates:
        boxes = [Box(b.kind, b.layer, b.step, {k: b.nodes[k]}) for b in boxes for k in b.nodes]
        boxes += _gates(rec, scopes)
    losses = [x for x in rec.losses if x.size == 1]
    last = max((b.step for b in boxes), default=0)
    for x in losses:
        boxes.append(Box(LOSS, "", last if x.step is None else x.step, {"": x}))
    taken = {node.number for box in boxes for node in box.nodes.values()}
    boxes += ([] if gates else _outputs(rec, losses, taken)) + _inputs(rec, taken)
    followed = loss if loss is not None else losses[-1] if losses else None
    if not gradient:
        followed = None
    start = next((b for b in boxes if b.kind == LOSS and b.nodes[""] is followed), None)
    ribbons, joint, across = _flow(rec, boxes, followed) if followed is not None else ([], {}, {})
    ribbons += _uses(rec, boxes, ribbons)
    kinds = {layer: _kind(layer, cell) for (layer, _), cell in cells(rec).items()}
    return Story(boxes, ribbons, start, scopes, kinds, joint, across)


def _kind(layer: str, cell: Cell) -> str:
    """The kind of a cell; of one without gates only if it is a layer of sums: its activation, else ""."""
    if known := family(layer):
        return known
    if cell.kind != "rnn":
        return cell.kind
    h = next(iter(cell.states.values()), None)
    made = h.primitive if h is not None else None
    if h is None or made is None or made.kind != "activation" or not h.inputs:
        return ""
    terms = h.inputs[0].inputs
    summed = len(terms) == 2 and all(kind_of(x) == "product" for x in terms)
    return made.name if summed else ""


def _layers(rec: Recording) -> list[str]:
    """The layers, without those of a single state beside longer ones: a bridge to a decoder, say."""
    found = layers(rec)
    count = {
        scope: len(
            {
                n.step
                for n in rec.find(_first(rec, scope), exact=True)
                if n.scope == scope and n.step
            }
        )
        for scope in found
    }
    most = max(count.values(), default=0)
    return [scope for scope in found if count[scope] > 1 or most == 1]


def _first(rec: Recording, scope: str) -> str:
    """The state that every step of the layer has: h where it is made, else the first that is handed on."""
    names = state_names(rec, scope)
    return "h" if rec.find("h", exact=True) else names[0]


# -- the boxes --------------------------------------------------------------------------------------


def _states(rec: Recording, scopes: Sequence[str]) -> list[Box]:
    found: dict[tuple[str, int], Box] = {}
    usual = STATES if rec.find("h", exact=True) else state_names(rec)
    own = {scope: state_names(rec, scope) if family(scope) else usual for scope in scopes}
    every = {name for names in own.values() for name in names}
    for node in rec.nodes:
        if node.name not in every or node.step is None:
            continue
        layer = node.scope if node.scope in scopes else _entered(rec, node, scopes)
        if layer is None or node.name not in own[layer]:
            continue
        kind = STATE if node.step > 0 and node.scope in scopes and node.inputs else INITIAL
        box = found.setdefault((layer, node.step), Box(kind, layer, node.step, {}))
        if kind == STATE or box.kind == INITIAL:  # not a state's own detached copy
            box.kind = kind
            box.nodes[node.name] = node  # of several, the newest
    return list(found.values())


def _gates(rec: Recording, scopes: Sequence[str]) -> list[Box]:
    """The gates of every cell by the papers' letters."""
    found = []
    for (layer, step), cell in cells(rec).items():
        letters = {role: letter for letter, role in GATES.items()}
        letters["candidate"] = "n" if cell.kind == "gru" else "g"
        if layer in scopes:
            found += [Box(GATE, layer, step, {letters[r]: node}) for r, node in cell.gates.items()]
    return found


def _without_doubles(boxes: Sequence[Box]) -> list[Box]:
    """Leave out an initial state at a step at which another layer has a state: a decoder's, for one."""
    states = {box.step for box in boxes if box.kind == STATE}
    return [box for box in boxes if box.kind == STATE or box.step not in states]


def _entered(rec: Recording, node: Tensor, scopes: Sequence[str]) -> str | None:
    """The layer that an initial state from outside enters."""
    for user, _ in rec.users.get(node.number, ()):
        for scope in scopes:
            if user.scope == scope or user.scope.startswith(f"{scope}/"):
                return scope
    return None


def _outputs(rec: Recording, losses: Iterable[Tensor], taken: set[int]) -> list[Box]:
    """What each loss is of: the nodes named y, or the logits of a cross-entropy."""
    found: dict[int, Box] = {}
    for node in rec.nodes:
        if node.name == "y" and node.step and node.number not in taken:
            found[node.number] = Box(OUTPUT, "", node.step, {"": node})
    for loss in losses:
        made = loss.primitive
        if made is not None and made.kind == "loss" and loss.step is not None:
            logits = loss.inputs[0]
            if logits.number not in taken and not logits.is_leaf:
                found.setdefault(logits.number, Box(OUTPUT, "", loss.step, {"": logits}))
    return list(found.values())


def _inputs(rec: Recording, taken: set[int]) -> list[Box]:
    """The nodes named x that no state is behind: attention, for one, makes an x of states."""
    found: dict[int, Box] = {}
    made = descendants(rec.nodes, taken)
    for node in rec.nodes:
        named = (node.name or "").partition(" ")[0] == "x"
        if named and node.step and node.number not in made:
            found[node.step] = Box(INPUT, "", node.step, {"": node})
    return list(found.values())


# -- the gradient -----------------------------------------------------------------------------------


def _flow(
    rec: Recording, boxes: Sequence[Box], loss: Tensor
) -> tuple[list[Ribbon], dict[tuple[int, str, int], float], dict[int, float]]:
    """Carry the gradient of a loss back; at each box, what arrived is kept by the box that sent it.

    What the gates of one cell sent together is kept too, and where there is attention the share of what came
    from other layers; see `Story`.
    """
    attended = any(node.name == "attention" for node in rec.nodes)
    joint: dict[tuple[int, str, int], float] = {}
    across: dict[int, float] = {}
    owner = _owners(boxes)
    ribbons: list[Ribbon] = []
    reached = {loss.number: 1.0}

    def turn(node: Tensor, rows: Rows) -> Rows:
        if node.number not in owner:
            return rows
        here, name = owner[node.number]
        for label, value in zip(rows.labels.tolist(), rows.values):
            if label != here:
                ribbons.append(Ribbon(boxes[here], boxes[label], name, norm(value)))
        sent = [boxes[label] for label in rows.labels.tolist()]
        for layer, step in {(b.layer, b.step) for b in sent if b.kind == GATE}:
            own = [b.kind == GATE and (b.layer, b.step) == (layer, step) for b in sent]
            joint[id(boxes[here]), layer, step] = norm(rows.values[own].sum(0))
        total = rows.values.sum(0)
        reached[node.number] = norm(total)
        others = [b.kind in (STATE, OUTPUT) and b.layer != boxes[here].layer for b in sent]
        if attended and any(others) and not all(others) and reached[node.number]:
            part = rows.values[others].sum(0)
            across[id(boxes[here])] = float((part * total).sum() / (total * total).sum())
        return Rows(np.array([here]), rows.values.sum(0, keepdims=True))

    start = next(i for i, b in enumerate(boxes) if b.kind == LOSS and b.nodes[""] is loss)
    value = rec.value(loss)
    seed: Any = np.ones_like(value)
    with np.errstate(all="ignore"):
        sweep(rec.nodes, {loss.number: one(seed, start)}, owner, turn=turn)
    for box in boxes:
        box.norms = {name: reached.get(node.number) for name, node in box.nodes.items()}
    return ribbons, joint, across


def _uses(rec: Recording, boxes: Sequence[Box], known: Iterable[Ribbon]) -> list[Ribbon]:
    """The uses of one box by another through which none of this gradient passes: drawn forward only."""
    owner = _owners(boxes)
    seen = {(id(r.source), id(r.target), r.state) for r in known}
    # By node, the boxes just behind it: place, name of the state, whether it was detached on the way.
    behind: dict[int, frozenset[tuple[int, str, bool]]] = {}
    found: list[Ribbon] = []
    for node in rec.nodes:
        near: set[tuple[int, str, bool]] = set()
        cut = node.params.get("cut") if node.params else None
        for number in (x.number for x in node.inputs) if cut is None else (cut,):
            if number in owner:
                near.add((*owner[number], cut is not None))
            else:
                known_there = behind.get(number, frozenset())
                near |= {(i, name, c or cut is not None) for i, name, c in known_there}
        if near:
            behind[node.number] = frozenset(near)
        if node.number in owner:
            here, _ = owner[node.number]
            for other, name, detached in sorted(near):
                key = (id(boxes[other]), id(boxes[here]), name)
                if other != here and key not in seen:
                    seen.add(key)
                    found.append(Ribbon(boxes[other], boxes[here], name, None, detached))
    for box in boxes:  # a loss that is a state itself
        used, name = owner[next(iter(box.nodes.values())).number]
        if boxes[used] is not box and (id(boxes[used]), id(box), name) not in seen:
            found.append(Ribbon(boxes[used], box, name, None))
    return found


def _owners(boxes: Sequence[Box]) -> dict[int, tuple[int, str]]:
    """By number of a node, its box and its name there; a loss that is a state itself belongs to the state."""
    found: dict[int, tuple[int, str]] = {}
    for i, box in enumerate(boxes):
        for name, node in box.nodes.items():
            found.setdefault(node.number, (i, name))
    return found
