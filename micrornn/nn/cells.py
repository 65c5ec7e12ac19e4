"""One step of each recurrent network: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

from typing import Any

from micrornn.nn.init import Seed
from micrornn.nn.recurrent import Cell, ElmanKind, GRUKind, LSTMKind


class RNNCell(ElmanKind, Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu (Elman 1990).

    Args:
        input_size: I, the length of x.
        hidden_size: H, the length of h.
        bias: whether to add b_ih and b_hh.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        gates: has no effect here, where there are no gates.
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters: weight_ih (H, I), weight_hh (H, H), bias_ih (H,), bias_hh (H,).

    Called with x (B, I) or (I,) and optionally h (B, H) or (H,), zero by default; returns the next h.

    Raises:
        ValueError: a size, an option or a shape is wrong.

    >>> import micrornn as mr
    >>> cell, h = mr.nn.RNNCell(1, 2), None
    >>> for t, x in enumerate([1.0, 0.5], 1):
    ...     with mr.scope(t=t):
    ...         h = cell([x], h)
    >>> h.name, h.step, h.shape
    ('h', 2, (2,))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, gates, rng, dtype)
        self._set_nonlinearity(nonlinearity)

    def extra_repr(self) -> str:
        """The sizes, and what is not the default."""
        other = f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else ""
        return super().extra_repr() + other


class LSTMCell(LSTMKind, Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with a forget gate (Gers et al. 2000).

    i, f, o = sigmoid and g = tanh of W_ih x + b_ih + W_hh h + b_hh, each with its own rows;
    c' = f c + i g;  h' = o tanh(c').

    Args:
        input_size: I, the length of x.
        hidden_size: H, the length of h and of c.
        bias: whether to add b_ih and b_hh. The forget gate's bias is their sum (`init.forget_bias_`).
        gates: ``"stacked"`` (fast) or ``"separate"`` (one scope per gate: ``input gate``,
            ``forget gate``, ``candidate``, ``output gate``).
        proj_size: P, the length of h after a projection, h' = W_hr (o tanh(c')) (Sak et al. 2014); 0: none.
        peepholes: let the gates see the cell: p_i c in the input gate, p_f c in the forget gate, p_o c' in
            the output gate (Gers & Schmidhuber 2000; Graves 2013, eq. 7 to 11).
        layer_norm: normalise W_ih x, W_hh h and the c' inside tanh (Ba, Kiros & Hinton 2016, eq. 20 to 22).
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters, gates in the order i f g o: weight_ih (4H, I), weight_hh (4H, H), bias_ih (4H,),
    bias_hh (4H,). With a projection weight_hh is (4H, P), and there is weight_hr (P, H); with peepholes,
    weight_peephole (3H,), gates i f o; with layer norm, norm_ih (4H,), norm_hh (4H,), norm_c (H,),
    norm_c_bias (H,): the gains, and the shift of c' (the biases are the shifts of the other two).

    Called with x (B, I) or (I,) and optionally (h, c), h (B, P or H), c (B, H); returns the next (h, c).

    Raises:
        ValueError: a size, an option or a shape is wrong.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> h, c = nn.LSTMCell(3, 2)(np.ones((5, 3)))
    >>> h.shape, c.name
    ((5, 2), 'c')
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        proj_size: int = 0,
        peepholes: bool = False,
        layer_norm: bool = False,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        self._set_variant(hidden_size, proj_size, peepholes, layer_norm)
        super().__init__(input_size, hidden_size, bias, gates, rng, dtype)


class GRUCell(GRUKind, Cell):
    """The gated recurrent unit (Cho et al. 2014), the reset gate after the product or before it.

    r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh, each with its own rows;
    n = tanh(W_in x + b_in + r (W_hn h + b_hn));  h' = (1 - z) n + z h.

    That is PyTorch's and cuDNN's definition. With ``reset_after=False`` it is Cho's own, and ONNX's default:
    n = tanh(W_in x + b_in + W_hn (r h) + b_hn). The two are different functions of the same weights.

    Args:
        input_size: I, the length of x.
        hidden_size: H, the length of h.
        bias: whether to add b_ih and b_hh.
        gates: ``"stacked"`` (fast) or ``"separate"`` (one scope per gate: ``reset gate``,
            ``update gate``, ``candidate``).
        reset_after: whether r multiplies after the product or, with False, h before it.
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters, gates in the order r z n: weight_ih (3H, I), weight_hh (3H, H), bias_ih (3H,),
    bias_hh (3H,).

    Called with x (B, I) or (I,) and optionally h (B, H) or (H,), zero by default; returns the next h.

    Raises:
        ValueError: a size, an option or a shape is wrong.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> nn.GRUCell(3, 2, gates="separate")(np.ones(3)).shape
    (2,)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        reset_after: bool = True,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, gates, rng, dtype)
        self.reset_after = reset_after
