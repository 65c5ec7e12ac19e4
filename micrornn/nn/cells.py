"""One step of each recurrent network: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

from typing import Any

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.generators import Seed
from micrornn.nn.recurrent import Elman, Gated, LongShortTerm, Recurrent
from micrornn.nn.sequence import as_input, outside_steps


class Cell(Recurrent):
    """One step of a recurrent network; the loop over time is the caller's.

    The caller tags the steps: ``with mr.scope(t=t): h = cell(x[t], h)``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *variant: Any,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, gates, rng, variant, options)
        self._make_weights("", input_size, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state; input (B, input_size) or (input_size,), state (B, hidden_size) or unbatched."""
        _, state = self.advance(input, hx)
        return state if len(state) > 1 else state[0]

    def advance(self, input: Any, hx: Any = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The output of a step, which is h or read from the state, and all parts of the next state."""
        x = as_input(input, self.dtype, "x")
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}: x of shape {x.shape} was given, (batch, {self.input_size}) or "
                f"({self.input_size},) expected, by input_size={self.input_size}"
            )
        lead = x.shape[:-1]
        with scope(t=0):  # a state given as data begins here; one that a step made keeps its place
            given = self._states(hx, self.state_names, lead)
            states = [
                self._zeros(n, lead) if s is None else s for n, s in zip(self.state_names, given)
            ]
        with outside_steps():  # a gate's part of a weight belongs to all steps; its uses to theirs
            step = self._equation("")
        new = step(x, *states)
        return new[0], new[-len(states) :]

    def extra_repr(self) -> str:
        """The sizes, and what is not the default."""
        return self._changed(("bias", True))


class RNNCell(Elman, Cell):
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


class LSTMCell(LongShortTerm, Cell):
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
        layer_norm: normalize W_ih x, W_hh h and the c' inside tanh (Ba, Kiros & Hinton 2016, eq. 20 to 22).
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


class GRUCell(Gated, Cell):
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
