"""Plain networks whose recurrent matrix begins, or always is, a rotation: the gradient keeps its length.

`IRNN` begins with the identity. `OrthogonalRNN` never leaves the orthogonal matrices: what is learned is a
skew-symmetric A, and W_hh is its Cayley transform, at every point of training.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor, constant
from micrornn.nn import equations
from micrornn.nn.equations import Step
from micrornn.nn.init import identity_, normal_, orthogonal_, zeros_
from micrornn.nn.recurrent import Recurrent
from micrornn.nn.unrolled import Unrolled
from micrornn.ops.inverse import solve

INPUT_STD = 0.001  # Le et al. 2015, section 4


def cayley(weight: Tensor) -> Tensor:
    """The orthogonal matrix (I - A/2)⁻¹ (I + A/2) of a skew-symmetric A, the weight's lower triangle L - Lᵀ.

    Every orthogonal matrix without an eigenvalue of exactly -1 is one of these (Helfrich et al. 2018, scoRNN,
    eq. 4, up to the sign of A). It is PyTorch's ``parametrizations.orthogonal(..., "cayley")`` with
    ``use_trivialization=False``.

    Args:
        weight: (H, H); what is not below the diagonal has no effect.

    >>> from micrornn import nn
    >>> W = cayley(nn.Parameter([[0.0, 0.0], [2.0, 0.0]]))
    >>> W.data  # A = [[0, -2], [2, 0]]: a quarter turn
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    size = len(weight)
    lower = weight * np.tril(np.ones((size, size)), -1)
    half = 0.5 * (lower - lower.T)
    half.name = "A/2"
    identity = constant(np.eye(size, dtype=weight.dtype), "I")
    return solve(identity - half, identity + half)


class IdentityStart(Recurrent):
    """h' = relu(W_ih x + b_ih + W_hh h + b_hh), where W_hh begins as ``scale`` times the identity."""

    scope_name = "irnn"
    variants = (("scale", 1.0),)
    scale: float

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        super()._make_weights(suffix, input_size, dtype)
        w_ih, w_hh, *biases = self._weights(suffix)
        normal_(w_ih, 0.0, INPUT_STD, self.rng)
        identity_(w_hh, self.scale)
        for bias in biases:
            if bias is not None:
                zeros_(bias)

    def _equation(self, suffix: str) -> Step:
        return equations.rnn(self._weights(suffix), "relu")


class IRNN(IdentityStart, Unrolled):
    """A ReLU network that begins by adding up its inputs: W_hh = I and b = 0 (Le, Jaitly & Hinton 2015).

    h_t = relu(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh). At first every unit that is above 0 passes the
    gradient on unchanged, whatever the number of steps. Input weights are drawn with the paper's standard
    deviation, 0.001. Parameters are those of `RNN`; see `Unrolled` for the arguments.

    Args:
        scale: W_hh begins as ``scale`` times the identity; the paper takes 0.01 for speech.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> irnn = nn.IRNN(1, 2)
    >>> _ = irnn.load_state_dict({**irnn.state_dict(), "weight_ih_l0": np.ones((2, 1))})
    >>> irnn(np.array([[1.0], [2.0], [3.0]]))[0].data[-1]  # the sum
    array([6., 6.])
    """


class Orthogonal(Recurrent):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu, where W_hh = cayley(weight_hh)."""

    scope_name = "orthogonal"
    variants = (("nonlinearity", "tanh"),)
    nonlinearity: str

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        super()._make_weights(suffix, input_size, dtype)
        weight = self._weights(suffix)[1]
        weight.data = _inverse_cayley(orthogonal_(weight, generator=self.rng).numpy())

    def _equation(self, suffix: str) -> Step:
        w_ih, w_hh, b_ih, b_hh = self._weights(suffix)
        with scope("cayley"):
            turn = cayley(w_hh)
        turn.name = "W_hh"
        return equations.rnn((w_ih, turn, b_ih, b_hh), self.nonlinearity)


def _inverse_cayley(turn: Any) -> Any:
    """The lower triangle whose Cayley transform is this rotation: A/2 = (W - I)(W + I)⁻¹.

    Of W with an eigenvalue of -1 there is none: flipping the sign of a column takes W off such a place.
    """
    size = len(turn)
    if np.linalg.det(turn) < 0:
        turn[:, 0] *= -1.0  # of a reflection, whose eigenvalues include -1
    half = np.linalg.solve((turn + np.eye(size)).T, (turn - np.eye(size)).T).T
    return np.tril(2.0 * half, -1)


class OrthogonalRNN(Orthogonal, Unrolled):
    """A plain network whose W_hh is a rotation throughout training (Helfrich, Willmott & Ye 2018).

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) with W_hh = (I - A/2)⁻¹ (I + A/2) and A = L - Lᵀ, L the
    part of ``weight_hh`` below the diagonal. All singular values of W_hh are 1, so that only the activation
    makes a gradient smaller, and nothing makes it larger. See `cayley`, and `Unrolled` for the arguments.

    Args:
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Parameters per layer k: those of `RNN`, of which weight_hh_lk (H, H) holds L.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> net = nn.OrthogonalRNN(3, 4, rng=0)
    >>> W = nn.families.cayley(net.weight_hh_l0).data
    >>> bool(np.allclose(W @ W.T, np.eye(4)))
    True
    """
