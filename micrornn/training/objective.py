"""Objectives: what training minimizes, as a function from a batch and a state to losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch
from micrornn.nn.losses import Loss, cross_entropy, sequence_loss


class Computed(NamedTuple):
    """The result of one forward pass.

    Attributes:
        losses: the loss of each step that has one.
        total: their sum or mean, where backward starts.
        state: the last state, a tensor or several; None if no state is carried to the next batch.
    """

    losses: Sequence[Tensor]
    total: Tensor
    state: Any = None


Objective = Callable[[Batch, Any], Computed]


def by_step(
    model: Callable[..., Any],
    loss: Loss = cross_entropy,
    reduction: str = "mean",
    last_only: bool = False,
) -> Objective:
    """The objective of a model with an output at every step (many to many).

    Args:
        model: from a list of steps and a state to a list of outputs and the next state.
        loss: from the output and target of one step to one number.
        reduction: ``"mean"`` or ``"sum"`` over the steps.
        last_only: take the loss of the last step only; the other outputs are ignored.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> objective = by_step(nn.RNN(3, 4, rng=0), nn.functional.mse_loss)
    >>> computed = objective(Batch(np.ones((5, 2, 3)), np.zeros((5, 2, 4))), None)
    >>> len(computed.losses), computed.state.name
    (5, 'h_n')
    """

    def objective(batch: Batch, state: Any) -> Computed:
        outputs, state = model(list(batch.inputs), state)
        if last_only:
            return final_loss(outputs[-1], replace(batch, targets=batch.targets[-1]), loss, state)
        losses, total = sequence_loss(outputs, batch.targets, loss, reduction)
        return Computed(losses, total, state)

    return objective


def at_end(model: Callable[..., Any], loss: Loss = cross_entropy) -> Objective:
    """The objective of a model with one output, after the last step (many to one).

    Args:
        model: from a list of steps and a state to a list of one output and the next state.
        loss: from that output and the targets of the batch to one number.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> rnn = nn.RNN(3, 4, rng=0)
    >>> def last(steps, state):
    ...     states, state = rnn(list(steps), state)
    ...     return states[-1:], state
    >>> computed = at_end(last)(Batch(np.ones((5, 2, 3)), np.array([0, 1])), None)
    >>> len(computed.losses), computed.total.step
    (1, 5)
    """

    def objective(batch: Batch, state: Any) -> Computed:
        (output,), state = model(batch.inputs, state)
        return final_loss(output, batch, loss, state)

    return objective


def final_loss(
    output: Any, batch: Batch, loss: Loss = cross_entropy, state: Any = None
) -> Computed:
    """The one loss of a sequence, in scope ``loss`` at its last step.

    >>> import micrornn as mr
    >>> computed = final_loss(mr.tensor([[0.0, 0.0]]), Batch([[0], [1], [0]], [1]))
    >>> round(computed.total.item(), 3), computed.total.step
    (0.693, 3)
    """
    with scope("loss", t=len(batch)):
        total = loss(output, batch.targets)
    total.name = "loss"
    return Computed([total], total, state)
