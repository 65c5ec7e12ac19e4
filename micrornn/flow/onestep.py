"""One recorded step of a layer as a function of the state before it, to be asked at other states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.primitive import in_numpy
from micrornn.core.tensor import Tensor
from micrornn.flow.jacobian import states_in_order
from micrornn.flow.pieces import Rows
from micrornn.flow.roles import state_names
from micrornn.flow.rows import descendants, sweep
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]


class OneStep:
    """F with s_t = F(s_{t-1}), the input and the weights being those of step t.

    Attributes:
        size: the length of s, all parts of the state end to end.
        before, after: s_{t-1} and s_t, as they were.

    >>> from micrornn.flow.failures import record_failure
    >>> from micrornn.flow.jacobian import top_layer
    >>> rec = record_failure("vanishing")
    >>> step = OneStep(rec, top_layer(rec), 3)
    >>> value, jacobian = step(np.array([8.0]))
    >>> value, jacobian
    (array([4.]), array([[0.5]]))
    """

    def __init__(self, rec: Recording, layer: str, step: int) -> None:
        order = states_in_order(rec, layer)
        names = [n for n in state_names(rec, layer) if n in order[-1]]
        steps = [states[names[0]].step for states in order]
        at = steps.index(step) if step in steps else 0
        if not at:
            raise RecordingError(
                f"{layer or 'the network'} has no step {step} with a state before it"
            )
        self._before = [order[at - 1][n] for n in names]
        self._after = [order[at][n] for n in names]
        self.size = sum(n.size for n in self._before)
        self.before = _joined(n._value for n in self._before)
        self.after = _joined(n._value for n in self._after)
        begins = {n.number for n in self._before}
        reached = descendants(rec.nodes, begins)
        needed = {n.number for n in self._after}
        self._between: list[Tensor] = []
        for node in reversed(rec.nodes):
            if node.number in needed and node.number in reached and node.number not in begins:
                self._between.append(node)
                needed.update(x.number for x in node.inputs)
        self._between.reverse()

    def __call__(self, state: Array) -> tuple[Array, Array]:
        """F(s) and its Jacobian."""
        new: dict[int, Tensor] = {}
        begin = 0
        for node in self._before:
            part = np.asarray(state[begin : begin + node.size], float).reshape(node.shape)
            new[node.number] = Tensor(part, requires_grad=True)
            begin += node.size
        made: list[Tensor] = list(new.values())
        for node in self._between:
            made.append(_again(node, new))
            new[node.number] = made[-1]
        ends = [new.get(n.number, n) for n in self._after]  # one may be of the input alone
        seeds, size = {}, 0
        for end in ends:
            unit = np.eye(end.size).reshape(end.size, *end.shape)
            seeds[end.number] = Rows(np.arange(size, size + end.size), unit)
            size += end.size
        starts = made[: len(self._before)]
        found = sweep(made, seeds, [n.number for n in starts])
        columns = []
        for start in starts:
            block = np.zeros((size, start.size))
            rows = found.get(start.number)
            if rows is not None:
                block[rows.labels] = rows.values.reshape(len(rows.labels), -1)
            columns.append(block)
        return _joined(end._value for end in ends), np.concatenate(columns, axis=1)


def _again(node: Tensor, new: dict[int, Tensor]) -> Tensor:
    """A node computed from other values."""
    p = node.primitive
    assert p is not None
    pairs = list(zip(node.inputs, node.values))
    values = tuple(new[x.number]._value if x.number in new else v for x, v in pairs)
    again = Tensor(in_numpy(p.forward, values, node.params), requires_grad=True)
    again.primitive, again.params, again.values = p, node.params, values
    again.inputs = tuple(new.get(x.number, x) for x in node.inputs)
    return again


def _joined(values: Any) -> Array:
    parts: Sequence[Array] = [np.asarray(v, float).ravel() for v in values]
    return np.concatenate(parts)
