"""The kinds of network that an encoder and a decoder can be: of each the layer, and the cell of one step."""

from __future__ import annotations

from typing import Any

from micrornn.nn import families
from micrornn.nn.cells import GRUCell, LSTMCell, RNNCell
from micrornn.nn.families import cells
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.recurrent import Recurrent

LAYERS: dict[str, Any] = {
    **{"RNN": RNN, "LSTM": LSTM, "GRU": GRU},
    **{"IRNN": families.IRNN, "OrthogonalRNN": families.OrthogonalRNN},
    **{"MinGRU": families.MinGRU, "MinLSTM": families.MinLSTM},
    **{"LRU": families.LRU, "S6": families.S6},
    **{"SLSTM": families.SLSTM, "MLSTM": families.MLSTM},
    **{"GatedDelta": families.GatedDelta, "RWKV": families.RWKV},
}
CELLS: dict[str, Any] = {
    **{"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell},
    **{name: getattr(cells, f"{name}Cell") for name in list(LAYERS)[3:]},
}


def keeps_output(recurrent: Recurrent) -> bool:
    """Whether the first part of the state is what the step puts out, one vector h.

    >>> [keeps_output(CELLS[kind](2, 3)) for kind in ("LSTM", "SLSTM", "LRU", "MLSTM")]
    [True, True, False, False]
    """
    name = recurrent.state_names[0]
    return name == "h" and recurrent._shape(name) == (recurrent.hidden_size,)


def has_plain_state(recurrent: Recurrent) -> bool:
    """Whether the state is vectors that may have any value, so that two can be joined and projected.

    >>> [has_plain_state(CELLS[kind](2, 3)) for kind in ("LSTM", "SLSTM", "LRU", "MLSTM")]
    [True, False, False, False]
    """
    return keeps_output(recurrent) and set(recurrent.state_names) <= {"h", "c"}
