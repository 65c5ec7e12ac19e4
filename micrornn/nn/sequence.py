"""Sequences as recurrent modules read them: one tensor per time step, with a name and its step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrornn.core.context import Change, Context, Place, current, scope
from micrornn.core.tensor import Tensor, as_data, constant


class outside_steps(Change):
    """Make nodes without a time step, whatever the step around: for what all steps share, such as a slice of
    a weight.

    >>> import micrornn as mr
    >>> with mr.scope("gru", t=3), outside_steps():
    ...     y = mr.tanh(mr.Value(0.5))
    >>> y.scope, y.step
    ('gru', None)
    """

    def inside(self, outer: Context) -> Context:
        """The same scope, without a step."""
        place = Place(outer.place.scope)
        return Context(place, outer.recording, outer.observers, outer, self, outer.number)


def as_input(value: Any, dtype: Any, name: str) -> Tensor:
    """One step's input or state: data becomes a new named leaf, a tensor with a history is returned as it is.

    Integers (one-hot rows, say) become ``dtype``, the dtype of the weights they will meet.
    """
    if isinstance(value, Tensor):
        if value.requires_grad or value.primitive is not None:
            if value.name is None:
                value.name = name
            return value
        array = value._value
    else:
        array = as_data(value)
    if not isinstance(array, np.ndarray):
        array = np.asarray(array)
    if array.dtype.kind != "f":
        array = array.astype(dtype)
    return constant(array, name)


def as_float(value: Any) -> Tensor:
    """A floating-point tensor unchanged; anything else as a floating-point leaf."""
    if isinstance(value, Tensor) and value.dtype.kind == "f":
        return value
    array = np.asanyarray(value._value if isinstance(value, Tensor) else as_data(value))
    return constant(array if array.dtype.kind == "f" else array.astype(float), "x")


def as_steps(x: Any, dtype: Any, axis: int) -> list[Tensor]:
    """The steps of a sequence, each made in ``scope(t=...)`` and named ``x``.

    A list or tuple is taken step by step; a tensor or an array is cut along ``axis``.
    """
    steps = []
    if isinstance(x, (list, tuple)):
        for t, value in enumerate(x, 1):
            with scope(t=t):
                steps.append(as_input(value, dtype, "x"))
        return steps
    x = as_input(x, dtype, "x")
    rows = np.moveaxis(x._value, axis, 0) if axis else x._value
    if not x.requires_grad:
        outer = current().place.scope
        for t, row in enumerate(rows, 1):
            steps.append(constant(row, "x"))
            steps[-1].place = Place(outer, t)
        return steps
    lead = (slice(None),) * axis
    for t in range(1, len(rows) + 1):
        with scope(t=t):
            steps.append(part(x, (*lead, t - 1), "x"))
    return steps


def part(whole: Tensor, index: Any, name: str) -> Tensor:
    """``whole[index]`` as a named node, or as a leaf where no gradient is needed."""
    if whole.requires_grad:
        node = whole[index]
        node.name = name
        return node
    node = constant(whole._value[index], name)
    if "cut" in whole.params:  # a part of a detached value still marks the cut in the graph
        node.primitive, node.params = whole.primitive, whole.params
    return node


def each_step(function: Callable[..., Any], *sequences: Sequence[Any]) -> list[Any]:
    """Call ``function`` at every step of one or more sequences, in ``scope(t=1)``, ``scope(t=2)``, ...

    Raises:
        ValueError: the sequences differ in length.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> rnn, readout = nn.RNN(3, 5), nn.Linear(5, 2)
    >>> output, h = rnn([np.ones(3), np.zeros(3)])
    >>> [(y.shape, y.step) for y in nn.each_step(readout, output)]
    [((2,), 1), ((2,), 2)]
    """
    lengths = [len(sequence) for sequence in sequences]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"each_step: sequences of {' and '.join(map(str, lengths))} steps; give sequences of equal length"
        )
    results = []
    for t, values in enumerate(zip(*sequences), 1):
        with scope(t=t):
            results.append(function(*values))
    return results
