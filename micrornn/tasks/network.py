"""The network of the tasks: recurrent layers and a linear readout, from a state to a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn import families
from micrornn.nn.basic import Linear
from micrornn.nn.functional import one_hot
from micrornn.nn.gate_biases import set_gates
from micrornn.nn.init import forget_bias_
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.module import Module
from micrornn.nn.sequence import each_step

Array = np.ndarray[Any, Any]
CELLS: dict[str, Any] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
FAMILIES: dict[str, Any] = {
    "irnn": families.IRNN,
    "orthogonal": families.OrthogonalRNN,
    "mingru": families.MinGRU,
    "minlstm": families.MinLSTM,
    "lru": families.LRU,
    "s6": families.S6,
    "slstm": families.SLSTM,
    "mlstm": families.MLSTM,
    "delta": families.GatedDelta,
    "rwkv": families.RWKV,
}
NAMES = {  # as titles have them
    **{"rnn": "tanh RNN", "lstm": "LSTM", "gru": "GRU"},
    **{"irnn": "IRNN", "orthogonal": "orthogonal RNN", "mingru": "minGRU", "minlstm": "minLSTM"},
    **{"lru": "LRU", "s6": "S6", "slstm": "sLSTM", "mlstm": "mLSTM"},
    **{"delta": "gated delta network", "rwkv": "RWKV"},
}


class Network(Module):
    """Recurrent layers over a list of steps, and the readout y_t = W h_t + b.

    The recurrent part is an attribute with the name of its cell, so that its weights are called
    ``lstm.weight_hh_l0`` and so on. All gates of a step are computed in one product.

    Args:
        cell: a key of `CELLS` or `FAMILIES`: ``rnn``, ``lstm``, ``gru``, ...
        input_size: the width of a step; of symbols, how many there are.
        output_size: the width of an output.
        hidden: the width of the state.
        symbols: whether a step is the index of a symbol, which becomes a one-hot vector.
        last_only: read out the last state only (many to one), instead of every state.

    Raises:
        ValueError: there is no such cell.

    >>> import numpy as np
    >>> network = Network("lstm", 4, 2, hidden=3, symbols=True)
    >>> outputs, (h, c) = network(np.array([[1, 2], [3, 0]]))
    >>> len(outputs), outputs[0].shape, c.shape, network.lstm.weight_hh_l0.name
    (2, (2, 2), (1, 2, 3), 'lstm.weight_hh_l0')
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
        symbols: bool = False,
        last_only: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if cell not in NAMES:
            raise ValueError(f"no cell {cell!r}; choose from {', '.join(NAMES)}")
        rng = np.random.default_rng(seed)
        options: dict[str, Any] = {"bidirectional": bidirectional, "gates": "stacked", "rng": rng}
        self.cell, self.symbols, self.last_only = cell, symbols, last_only
        setattr(self, cell, {**CELLS, **FAMILIES}[cell](input_size, hidden, layers, **options))
        self.readout = Linear(hidden * (2 if bidirectional else 1), output_size, rng=rng)

    def forward(self, steps: Sequence[Any], state: Any = None) -> Any:
        """The outputs (of all steps, or a list of the last one), and the last state."""
        states, state = self.states(steps, state)
        if self.last_only:
            with scope(t=len(states)):
                outputs = [self.readout(states[-1])]
        else:
            outputs = each_step(self.readout, states)
        for y in outputs:
            y.name = "y"
        return outputs, state

    def states(self, steps: Sequence[Any], state: Any = None) -> Any:
        """The hidden states of all steps, and the last state, without a readout."""
        if self.symbols:
            steps = [one_hot(step, self.recurrent.input_size) for step in steps]
        return self.recurrent(list(steps), state)

    @property
    def recurrent(self) -> Any:
        """The recurrent layers, the attribute with the name of the cell."""
        return getattr(self, self.cell)

    def __str__(self) -> str:
        """What it is: ``an LSTM``, ``a bidirectional GRU with 2 layers``."""
        recurrent, kind = self.recurrent, NAMES[self.cell]
        if recurrent.bidirectional:
            kind = f"bidirectional {kind}"
        layers = f" with {recurrent.num_layers} layers" if recurrent.num_layers > 1 else ""
        spoken = kind[0] in "AILORSo" or kind[:2] in ("mL", "sL")
        return f"{'an' if spoken else 'a'} {kind}{layers}"


def retention_bias_(network: Network, bias: float) -> None:
    """Start the gate that keeps the state with this bias: the LSTM's forget gate, the GRU's update gate.

    A gate of sigmoid(bias) keeps that share of the state per step. As drawn, the bias is about 0: half of
    the state is lost at each step, and with it half of the gradient (Gers et al. 2000 for the forget gate;
    Tallec & Ollivier 2018 for both). The sum of the two biases of a gate is set, as by `forget_bias_`.

    Raises:
        ValueError: the cell has no such gate.

    >>> network = Network("gru", 2, 2, hidden=1)
    >>> retention_bias_(network, 3.0)
    >>> (network.gru.bias_ih_l0.numpy() + network.gru.bias_hh_l0.numpy())[1].item()
    3.0
    """
    if network.cell not in ("lstm", "gru"):
        raise ValueError(
            f"{network} has no gate with a bias that keeps its state; choose the cell lstm or gru"
        )
    if network.cell == "lstm":
        return forget_bias_(network, bias)
    set_gates(network.recurrent, {1: bias})


def predicted(outputs: Sequence[Tensor]) -> Array:
    """The class with the largest logit: one integer for each step and sequence, (T, B).

    >>> import micrornn as mr
    >>> predicted([mr.tensor([[0.0, 2.0], [1.0, -1.0]])])
    array([[1, 0]])
    """
    return np.array([output.numpy().argmax(-1) for output in outputs])
