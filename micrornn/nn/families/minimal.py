"""minGRU and minLSTM (Feng et al. 2024, "Were RNNs all we needed?"): gates that read x alone, and no tanh.

Without h_{t-1} in the gates the state is a linear recurrence, which needs no loop; see `scan`.
"""

from __future__ import annotations

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.equations import product
from micrornn.nn.families.scan import LinearRecurrence, Terms
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.elementwise import sigmoid


class Minimal(LinearRecurrence):
    """What the two share: for each gate a linear map of x, ``weight_z`` and ``bias_z`` for z, and so on."""

    letters: tuple[str, ...]

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for letter in self.letters:
            shapes[f"weight_{letter}"] = (self.hidden_size, input_size)
            if self.bias:
                shapes[f"bias_{letter}"] = (self.hidden_size,)
        return shapes

    def _linear(self, letter: str, suffix: str, x: Tensor) -> Tensor:
        own = self.__dict__
        return product(x, own[f"weight_{letter}{suffix}"], own.get(f"bias_{letter}{suffix}"))


class MinimalGated(Minimal):
    """z = sigmoid(W_z x + b_z);  h̃ = W_h x + b_h;  h' = (1 - z) h + z h̃."""

    scope_name = "mingru"
    letters = ("z", "h")

    def _terms(self, suffix: str) -> Terms:
        def terms(x: Tensor) -> tuple[Tensor, Tensor]:
            with scope("update gate"):
                z = sigmoid(self._linear("z", suffix, x))
            with scope("candidate"):
                new = self._linear("h", suffix, x)
            z.name, new.name = "z", "h̃"
            return 1.0 - z, z * new

        return terms


class MinGRU(MinimalGated, Unrolled):
    """The minimal GRU (Feng et al. 2024, section 3.1); see `Unrolled` for the other arguments.

    z_t = sigmoid(W_z x_t + b_z);  h̃_t = W_h x_t + b_h;  h_t = (1 - z_t) h_{t-1} + z_t h̃_t.

    Here z lets the candidate in, where z of `GRU` keeps h.

    Args:
        scan: compute all steps at once, in 2 log₂ T rounds, instead of one after another.

    Parameters per layer k: weight_z_lk, weight_h_lk (H, I), bias_z_lk, bias_h_lk (H,).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> loop, scan = nn.MinGRU(3, 2, rng=0), nn.MinGRU(3, 2, rng=0, scan=True)
    >>> x = np.random.default_rng(1).normal(size=(100, 3))
    >>> bool(np.allclose(loop(x)[0].data, scan(x)[0].data))
    True
    """


class MinimalLongShortTerm(Minimal):
    """f, i = sigmoid of W x + b;  h̃ = W_h x + b_h;  h' = f/(f + i) h + i/(f + i) h̃."""

    scope_name = "minlstm"
    letters = ("f", "i", "h")

    def _terms(self, suffix: str) -> Terms:
        def terms(x: Tensor) -> tuple[Tensor, Tensor]:
            with scope("forget gate"):
                f = sigmoid(self._linear("f", suffix, x))
            with scope("input gate"):
                i = sigmoid(self._linear("i", suffix, x))
            with scope("candidate"):
                new = self._linear("h", suffix, x)
            f.name, i.name, new.name = "f", "i", "h̃"
            total = f + i
            return f / total, i / total * new

        return terms


class MinLSTM(MinimalLongShortTerm, Unrolled):
    """The minimal LSTM with normalized gates (Feng et al. 2024, section 3.2); see `MinGRU` for ``scan``.

    f_t, i_t = sigmoid of W_f x_t + b_f and of W_i x_t + b_i;  h̃_t = W_h x_t + b_h;
    h_t = f_t / (f_t + i_t) h_{t-1} + i_t / (f_t + i_t) h̃_t.

    Parameters per layer k: weight_f_lk, weight_i_lk, weight_h_lk (H, I), and bias_f_lk and so on (H,).

    >>> import numpy as np
    >>> from micrornn import nn
    >>> output, h_n = nn.MinLSTM(3, 2, num_layers=2)(np.ones((5, 1, 3)))
    >>> output.shape, h_n.shape
    ((5, 1, 2), (2, 1, 2))
    """
