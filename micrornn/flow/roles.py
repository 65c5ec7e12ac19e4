"""The role of each node in a cell (gate, candidate, state), read from names and scopes alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of

#: The papers' letters, as the cells of `nn` name their nodes.
GATES = {
    **{"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"},
    **{"r": "reset gate", "z": "update gate", "n": "candidate"},
}
GATE_SCOPES = frozenset(GATES.values())
STATES = ("h", "c")

Interval = tuple[int, int]


@dataclass
class Cell:
    """One layer at one step.

    Attributes:
        scope: the layer, such as ``lstm.0``.
        step: t.
        gates: by role ("forget gate", ...), the node that holds the gate's value.
        states: by name (h, c), the node that holds the new state.
    """

    scope: str
    step: int
    gates: dict[str, Tensor] = field(default_factory=dict)
    states: dict[str, Tensor] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``lstm``, ``gru`` or ``rnn``."""
        if "forget gate" in self.gates:
            return "lstm"
        return "gru" if "update gate" in self.gates else "rnn"


def state_names(rec: Recording, layer: str | None = None) -> tuple[str, ...]:
    """The names of the states of a layer, or of all layers: what a step hands to the next; h and c first.

    Where no step reads a named value of the step before, h and c are taken for states, as in the papers.

    >>> import micrornn as mr
    >>> s = mr.Value(1.0, "w")
    >>> for t in range(1, 4):
    ...     with mr.scope("mine", t=t):
    ...         s = mr.tanh(s)
    ...         s.name = "s"
    >>> state_names(mr.record(s))
    ('s',)
    """
    scopes = [layer] if layer is not None else list(rec.carried)
    names = {name for scope in scopes for name in rec.carried.get(scope, ())}
    if not names:
        return STATES
    usual = [name for name in STATES if name in names]
    return (*usual, *sorted(names - set(usual)))


def main_state(rec: Recording) -> str:
    """The state that a view is of, if none is named: h if a step hands it on, else the first there is."""
    return state_names(rec)[0]


def layer_of(node: Tensor) -> str:
    """The scope of the layer: the node's scope without the gate's own."""
    scope = node.scope
    head, _, last = scope.rpartition("/")
    return head if last in GATE_SCOPES else scope


def cells(rec: Recording) -> dict[tuple[str, int], Cell]:
    """Every cell by (layer, step), in the order in which they were made.

    A gate is a node with the gate's letter as its name, or else the newest activation in a scope that
    has the gate's name. A state is a node named h or c, or what a step hands to the next by a name.
    """
    found: dict[tuple[str, int], Cell] = {}
    for node in rec.nodes:
        if node.step is None or not node.inputs:
            continue
        carried = node.name in rec.carried.get(node.scope, ())
        last = node.scope.rpartition("/")[2]
        role = None if carried or last in GATE_SCOPES else GATES.get(node.name or "")
        if role is None and last in GATE_SCOPES and kind_of(node) == "activation":
            role = last
        state = node.name if node.name in STATES or carried else None
        if role is None and state is None:
            continue
        layer = layer_of(node)
        cell = found.get((layer, node.step))
        if cell is None:
            cell = found[layer, node.step] = Cell(layer, node.step)
        if role is not None:
            cell.gates[role] = node
        elif state is not None:
            cell.states[state] = node
    return found


def first_state(rec: Recording, cell: Cell) -> Tensor | None:
    """The new state of a cell that the next step reads: h, or the first by the order of `state_names`."""
    names = (*state_names(rec, cell.scope), *cell.states)
    return next((cell.states[name] for name in names if name in cell.states), None)


def gate_rows(cell: Cell) -> dict[int, dict[str, Interval]]:
    """By number of a node of the cell: which stretch of its last axis goes into which gate.

    Stacked gates are one product that is sliced afterwards; this follows the slices back, from each gate
    to the products, without passing through another gate.
    """
    stop = {node.number for node in cell.gates.values()}
    found: dict[int, dict[str, Interval]] = {}
    for role, gate in cell.gates.items():
        width = gate.shape[-1] if gate.shape else 1
        waiting: list[tuple[Tensor, int, int]] = [(gate, 0, width)]
        seen = set()
        while waiting:
            node, low, high = waiting.pop()
            if (node.number, low) in seen:
                continue
            seen.add((node.number, low))
            found.setdefault(node.number, {})[role] = (low, high)
            if kind_of(node) == "product" or not node.inputs:
                continue
            sliced = "index" in node.params
            start = _start(node) if sliced else 0
            if start is None:
                continue
            for x in node.inputs:
                same = x.shape[-1:] == node.shape[-1:] or sliced
                if same and x.number not in stop and x.step == cell.step and x.inputs:
                    waiting.append((x, low + start, high + start))
    return found


def _start(node: Tensor) -> int | None:
    """Where a slice of the last axis begins; None where the last axis is not simply sliced."""
    index = node.params["index"]
    parts = index if isinstance(index, tuple) else (index,)
    last = parts[-1]
    reaches = Ellipsis in parts[:-1] or len(parts) == node.inputs[0].ndim
    if reaches and isinstance(last, slice) and last.step in (None, 1):
        return last.indices(node.inputs[0].shape[-1])[0]
    return 0 if node.shape[-1:] == node.inputs[0].shape[-1:] else None


_AXES: dict[Any, int] = {}  # by rule and shapes
_REMEMBERED = 10_000


def axis_of(use: Tensor, slot: int) -> int:
    """`rows_axis`, found out once for uses of one kind."""
    settings = tuple((k, repr(v)) for k, v in use.params.items())
    shapes = tuple(x.shape for x in use.inputs)
    key = use.primitive, slot, use.shape, shapes, settings
    if key not in _AXES:
        if len(_AXES) >= _REMEMBERED:
            _AXES.clear()
        _AXES[key] = rows_axis(use, slot)
    return _AXES[key]


def rows_axis(use: Tensor, slot: int) -> int:
    """Which axis of a parameter runs along the last axis of what it was used for.

    With inputs of ones, a gradient of the first unit alone reaches the first row of a weight, or its
    first column.
    """
    p = use.primitive
    if use.inputs[slot].ndim < 2 or p is None:
        return -1
    ones = [np.ones(x.shape, x.dtype) for x in use.inputs]
    g = np.zeros(use.shape, use.dtype)
    g[..., 0] = 1.0
    arguments = (g, np.asarray(use._value), *ones)
    rules: Any = p.vjp
    sent = (
        rules(*arguments, **use.params)[slot]
        if p.variadic
        else rules[slot](*arguments, **use.params)
    )
    reached = np.asarray(sent) != 0
    if reached[1:].any():
        return -1
    return 0 if reached[:, 1:].any() or len(reached) == use.shape[-1] else -1
