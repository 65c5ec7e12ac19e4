"""The models of the tasks that are trained: the small network, with its state handed in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.functional import one_hot
from micrornn.nn.sequence import each_step
from micrornn.tasks.network import Network

Array = np.ndarray[Any, Any]


class Carrying(Network):
    """Recurrent layers and a readout at every step, from a state to a state.

    All gates are computed by one product, which is faster than the textbook's one by one.

    >>> import numpy as np
    >>> model = Carrying("gru", 4, 2, hidden=3)
    >>> outputs, state = model(np.ones((5, 1, 4)))
    >>> len(outputs), outputs[0].shape, state.shape
    (5, (1, 2), (1, 1, 3))
    """

    def __init__(self, cell: str, input_size: int, output_size: int, **options: Any) -> None:
        super().__init__(cell, input_size, output_size, **options)
        getattr(self, cell).gates = "stacked"

    def forward(self, steps: Sequence[Any], state: Any = None) -> Any:
        """The outputs of all steps, and the last state."""
        states, state = self.remember(steps, state)
        outputs = each_step(self.readout, states)
        for y in outputs:
            y.name = "y"
        return outputs, state

    def remember(self, steps: Sequence[Any], state: Any = None) -> Any:
        """The hidden states of all steps, and the last state, without reading anything out."""
        return getattr(self, self.cell)(list(steps), state)


def likeliest(outputs: Sequence[Tensor]) -> Array:
    """The class with the largest logit: one whole number for each step and sequence, (T, B).

    >>> import micrornn as mr
    >>> likeliest([mr.tensor([[0.0, 2.0], [1.0, -1.0]])])
    array([[1, 0]])
    """
    return np.array([output.numpy().argmax(-1) for output in outputs])


class Concluding(Carrying):
    """The same, read out once, at the end: many to one.

    >>> import numpy as np
    >>> outputs, _ = Concluding("rnn", 4, 2, hidden=3)(np.ones((5, 1, 4)))
    >>> len(outputs), outputs[0].step
    (1, 5)
    """

    def forward(self, steps: Sequence[Any], state: Any = None) -> Any:
        """The output of the last step as a list of one, and the last state."""
        states, state = self.remember(steps, state)
        with scope(t=len(states)):
            y = self.readout(states[-1])
        y.name = "y"
        return [y], state


class Symbols(Carrying):
    """The same for symbols given by number: each becomes a one-hot vector.

    >>> import numpy as np
    >>> outputs, _ = Symbols("rnn", 4, 2, hidden=3)(np.array([[1, 2], [3, 0]]))
    >>> len(outputs), outputs[0].shape
    (2, (2, 2))
    """

    def remember(self, steps: Sequence[Any], state: Any = None) -> Any:
        """The hidden states of all steps, and the last state."""
        size = getattr(self, self.cell).input_size
        return super().remember([one_hot(step, size) for step in steps], state)


class ConcludingSymbols(Symbols, Concluding):
    """Symbols by number in, one answer at the end.

    >>> import numpy as np
    >>> outputs, _ = ConcludingSymbols("rnn", 4, 2, hidden=3)(np.array([[1, 2], [3, 0]]))
    >>> len(outputs), outputs[0].shape
    (1, (2, 2))
    """

    forward = Concluding.forward
