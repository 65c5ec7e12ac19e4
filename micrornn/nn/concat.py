"""The cell of many tutorials: input and state concatenated, followed by two Linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor, constant
from micrornn.nn.basic import Linear
from micrornn.nn.equations import product
from micrornn.nn.generators import Seed, as_generator
from micrornn.nn.module import Module
from micrornn.nn.sequence import as_input
from micrornn.ops.elementwise import tanh
from micrornn.ops.join import concatenate
from micrornn.options import check


class ConcatRNNCell(Module):
    """h' = tanh(i2h [x; h]) and output = i2o [x; h], with [x; h] the two joined.

    The state is that of an Elman network: i2h is W_ih and W_hh side by side. The output is different: it
    reads the *previous* state, so x reaches it only directly, and the last state is never used. With one
    step, no gradient reaches i2h.

    Args:
        input_size: I, the length of x.
        hidden_size: H, the length of h.
        output_size: O, the length of the output.
        rng: a seed or a NumPy generator for the initial values.
        dtype: float64 by default.

    Parameters: i2h.weight (H, I + H), i2h.bias (H,), i2o.weight (O, I + H), i2o.bias (O,).

    Called with x (B, I) or (I,) and h (B, H) or (H,), zero by default; returns output and next h. The
    caller tags the steps.

    Raises:
        ValueError: a size or a shape is wrong.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> rnn = nn.ConcatRNNCell(10, 20, 5)
    >>> output, h = rnn(np.ones((1, 10)), rnn.init_hidden())
    >>> output.shape, h.shape
    ((1, 5), (1, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
        check("ConcatRNNCell", **sizes)
        rng = None if rng is None else as_generator(rng)
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, output_size
        self.i2h = Linear(input_size + hidden_size, hidden_size, rng=rng, dtype=dtype)
        self.i2o = Linear(input_size + hidden_size, output_size, rng=rng, dtype=dtype)

    def init_hidden(self, batch: int = 1) -> Tensor:
        """Zeros (batch, H), the state before the first step."""
        with scope(t=0):
            return constant(np.zeros((batch, self.hidden_size), self.i2h.weight.dtype), "h")

    def forward(self, input: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        """The output and the next state; see the class."""
        dtype = self.i2h.weight.dtype
        x = as_input(input, dtype, "x")
        lead = x.shape[:-1]
        with scope(t=0):
            h = constant(np.zeros((*lead, self.hidden_size), dtype), "h") if hx is None else hx
            h = as_input(h, dtype, "h")
        expected = (*lead, self.input_size), (*lead, self.hidden_size)
        if x.ndim not in (1, 2) or (x.shape, h.shape) != expected:
            raise ValueError(
                f"ConcatRNNCell: x of shape {x.shape} and h of shape {h.shape} were given; give (batch, "
                f"{self.input_size}) and (batch, {self.hidden_size}), or both without a batch"
            )
        with scope(self._path[:-1] or "rnn"):
            both = concatenate([x, h], -1)
            with scope("i2h"):
                inside = product(both, self.i2h.weight, self.i2h.bias)
            after = tanh(inside)
            with scope("i2o"):
                output = product(both, self.i2o.weight, self.i2o.bias)
        after.name, output.name = "h", "output"
        return output, after

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.input_size}, {self.hidden_size}, {self.output_size}"
