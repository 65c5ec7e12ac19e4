"""The network of the small tasks: recurrent layers, a linear readout at every step, a loss over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.basic import Linear
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.losses import Loss, sequence_loss
from micrornn.nn.module import Module
from micrornn.nn.sequence import each_step

CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
LOSSES = ("last", "all")


class Network(Module):
    """Recurrent layers over a list of steps, and the same linear readout at each of them.

    The gates are computed one by one, as in the textbook picture. The recurrent part is held by the name
    of its cell, so that its weights are called ``lstm.weight_hh_l0`` and the like.

    Raises:
        ValueError: there is no such cell.

    >>> import numpy as np
    >>> network = Network("lstm", 4, 4, hidden=3)
    >>> logits = network(list(np.eye(4)))
    >>> len(logits), logits[0].shape, network.lstm.weight_hh_l0.name
    (4, (4,), 'lstm.weight_hh_l0')
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        output_size: int,
        *,
        hidden: int,
        layers: int = 1,
        bidirectional: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"there is no cell {cell!r}; give one of {', '.join(CELLS)}")
        rng = np.random.default_rng(seed)
        options: dict[str, Any] = {"bidirectional": bidirectional, "gates": "separate", "rng": rng}
        self.cell = cell
        setattr(self, cell, CELLS[cell](input_size, hidden, layers, **options))
        self.readout = Linear(hidden * (2 if bidirectional else 1), output_size, rng=rng)

    def forward(self, steps: Sequence[Any]) -> list[Tensor]:
        """The readout y_t = W_y h_t + b_y at every step."""
        states, _ = getattr(self, self.cell)(list(steps))
        outputs = each_step(self.readout, states)
        for y in outputs:
            y.name = "y"
        return outputs

    def in_words(self) -> str:
        """What it is: ``"an LSTM"``, ``"a bidirectional GRU of 2 layers"``."""
        recurrent = getattr(self, self.cell)
        kind = "tanh RNN" if self.cell == "rnn" else self.cell.upper()
        layers = f" of {recurrent.num_layers} layers" if recurrent.num_layers > 1 else ""
        if recurrent.bidirectional:
            return f"a bidirectional {kind}{layers}"
        return f"{'an' if self.cell == 'lstm' else 'a'} {kind}{layers}"


def losses_of(
    outputs: Sequence[Tensor], targets: Sequence[Any], loss: Loss, which: str
) -> tuple[list[Tensor], Tensor]:
    """The losses of ``"all"`` steps and their sum, or that of the ``"last"`` step alone.

    The sum, as in the textbook's L = L_1 + ... + L_T, keeps what each step adds readable.

    Raises:
        ValueError: ``which`` is neither.

    >>> import micrornn as mr
    >>> from micrornn.nn.functional import mse_loss
    >>> outputs = [mr.tensor([2.0]), mr.tensor([1.0])]
    >>> losses, total = losses_of(outputs, [[0.0], [0.0]], mse_loss, "all")
    >>> [loss.item() for loss in losses], total.item()
    ([4.0, 1.0], 5.0)
    """
    if which == "all":
        return sequence_loss(outputs, targets, loss, reduction="sum")
    if which != "last":
        raise ValueError(f"the loss of {which!r} steps is not known; give one of last, all")
    with scope("loss", t=len(outputs)):
        last = loss(outputs[-1], targets[-1])
    last.name = "loss"
    return [last], last
