"""Recurrent networks unrolled over a whole sequence: RNN, LSTM, GRU."""

from __future__ import annotations

from typing import Any

from micrornn.nn.recurrent import Elman, Gated, LongShortTerm
from micrornn.nn.unrolled import Unrolled


class RNN(Elman, Unrolled):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or with relu (Elman 1990); see `Unrolled`.

    Parameters per layer k: weight_ih_lk (H, I), weight_hh_lk (H, H), bias_ih_lk (H,), bias_hh_lk (H,), and
    the same with ``_reverse``; I is H (2H when bidirectional) above the first layer.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> output, h_n = nn.RNN(4, 8)(np.eye(4))
    >>> output.shape, h_n.shape
    ((4, 8), (1, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",  # stands here in PyTorch, and so before what all kinds share
        *shared: Any,
        **options: Any,
    ) -> None:
        options["nonlinearity"] = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, *shared, **options)


class LSTM(LongShortTerm, Unrolled):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000); see `LSTMCell`, `Unrolled`.

    Parameters per layer k, gates in the order i f g o: weight_ih_lk (4H, I), weight_hh_lk (4H, H),
    bias_ih_lk (4H,), bias_hh_lk (4H,), and the same with ``_reverse``. Three variants, in any combination,
    are `LSTMCell`'s: ``proj_size``, ``peepholes``, ``layer_norm``; with a projection, I above the first
    layer is P (2P when bidirectional), and h0 and the output have length P.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> lstm = nn.LSTM(3, 2, num_layers=2)
    >>> output, (h_n, c_n) = lstm(np.ones((5, 1, 3)))
    >>> output.shape, c_n.shape
    ((5, 1, 2), (2, 1, 2))
    >>> steps, _ = lstm([np.ones(3)] * 5)
    >>> steps[2].scope, steps[2].step
    ('lstm.1', 3)
    """


class GRU(Gated, Unrolled):
    """The gated recurrent unit (Cho et al. 2014), in both definitions; see `GRUCell` and `Unrolled`.

    Parameters per layer k, gates in the order r z n: weight_ih_lk (3H, I), weight_hh_lk (3H, H),
    bias_ih_lk (3H,), bias_hh_lk (3H,), and the same with ``_reverse``.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> output, h_n = nn.GRU(3, 2, bidirectional=True)(np.ones((5, 3)))
    >>> output.shape, h_n.shape
    ((5, 4), (2, 2))
    """
