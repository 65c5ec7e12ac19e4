"""Online learning: the gradient is carried forward in time, so that no past step has to be kept.

Backpropagation through time runs back from a loss. These two methods carry, from step to step, how the state
depends on the weights, and so have the gradient of each loss at once:

- `RTRL`, real-time recurrent learning (Williams & Zipser 1989): the whole matrix J_t = ds_t/dw, by
  J_t = (ds_t/ds_{t-1}) J_{t-1} + (ds_t/dw at s_{t-1} fixed). Exact; S x P numbers for a state of S and P
  weights, and S^2 P work for a step.
- `UORO`, unbiased online recurrent optimization (Tallec & Ollivier 2017): one column times one row whose
  mean is that matrix. S + P numbers; noisy, but unbiased.

Every step has its own graph, with a state that is detached from the step before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrornn.core.backward import grad
from micrornn.core.tensor import Tensor
from micrornn.data.feeds import Batch
from micrornn.forward import jvp
from micrornn.training.objective import Computed, Objective
from micrornn.training.truncated import as_arrays, detached, parts

Array = np.ndarray[Any, Any]


class OnlineGradient:
    """What both methods share: the state, one step of the model, and the gradient of its loss.

    Args:
        objective: as for a `Trainer`, for batches of one step.
        params: the parameters to learn.
    """

    def __init__(self, objective: Objective, params: Sequence[Tensor]) -> None:
        self.objective = objective
        self.params = list(params)
        self.state: Any = None
        if not self.params:
            raise ValueError("no parameters to learn; give list(model.parameters())")

    def begin(self) -> None:
        """Start a new sequence, at the model's initial state, which depends on no weight."""
        self.state = None
        self._forget()

    def observe(self, batch: Batch) -> Computed:
        """The loss of one step; its gradient is added to ``.grad`` of every parameter.

        Raises:
            ValueError: the batch has more than one step, or the model carries no state.
        """
        if len(batch) != 1:
            raise ValueError(f"online learning takes one step at a time, not {len(batch)}")
        begin = detached(self.state, wants_gradient=True)
        computed = self.objective(batch, begin)
        if computed.state is None:
            raise ValueError("the model carries no state, so online learning has nothing to track")
        old, new = parts(begin), parts(computed.state)
        found = grad(computed.total, [*self.params, *old])
        direct, to_state = found[: len(self.params)], found[len(self.params) :]
        through = self._through_past(_row(to_state, old)) if old else None
        for i, p in enumerate(self.params):
            share = np.zeros(p.shape) if direct[i] is None else np.asarray(direct[i])
            if through is not None:
                share = share + through[i]
            p.grad = share if p.grad is None else p.grad + share
        self._carry(old, new)
        self.state = detached(computed.state)
        return computed

    def state_dict(self) -> dict[str, Any]:
        """The carried quantities, as arrays."""
        return {"state": as_arrays(self.state), **self._carried()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the carried quantities."""
        arrays = state["state"]
        tensors = None if arrays is None else tuple(Tensor(a) for a in arrays)
        self.state = tensors[0] if tensors and len(tensors) == 1 else tensors
        self._set_carried(state)

    # -- what differs between the two methods ------------------------------------------------------

    def _forget(self) -> None:
        raise NotImplementedError

    def _through_past(self, to_state: Array) -> list[Array]:
        """The gradient through the old state, dL/ds_{t-1} J_{t-1}, for each parameter."""
        raise NotImplementedError

    def _carry(self, old: list[Tensor], new: list[Tensor]) -> None:
        raise NotImplementedError

    def _carried(self) -> dict[str, Any]:
        raise NotImplementedError

    def _set_carried(self, state: dict[str, Any]) -> None:
        raise NotImplementedError

    def _split(self, row: Array) -> list[Array]:
        """A row of P numbers as one array for each weight."""
        ends = np.cumsum([p.size for p in self.params])
        return [part.reshape(p.shape) for part, p in zip(np.split(row, ends[:-1]), self.params)]


class RTRL(OnlineGradient):
    """Real-time recurrent learning (Williams & Zipser 1989); exact for constant weights.

    If the weights change at each step, the matrix contains terms that were computed with earlier weights, as
    in the paper.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> from micrornn.training.objective import by_step
    >>> rnn = nn.RNN(1, 2, rng=0)
    >>> objective = by_step(rnn, nn.functional.mse_loss, "sum")
    >>> sequence = Batch(np.ones((5, 1, 1)), np.zeros((5, 1, 2)))
    >>> objective(sequence, None).total.backward()
    >>> by_bptt = rnn.weight_hh_l0.grad
    >>> rnn.zero_grad()
    >>> online = RTRL(objective, list(rnn.parameters()))
    >>> for step in sequence.cut(1):
    ...     _ = online.observe(step)
    >>> bool(abs(rnn.weight_hh_l0.grad - by_bptt).max() < 1e-12)
    True
    """

    def __init__(self, objective: Objective, params: Sequence[Tensor]) -> None:
        super().__init__(objective, params)
        self.influence: Array | None = None

    def _forget(self) -> None:
        self.influence = None

    def _through_past(self, to_state: Array) -> list[Array]:
        assert self.influence is not None
        return self._split(to_state @ self.influence)

    def _carry(self, old: list[Tensor], new: list[Tensor]) -> None:
        """J <- (ds'/ds) J + ds'/dw, row by row of s'."""
        rows_s, rows_w = [], []
        for part in new:
            for unit in np.eye(part.size):
                found = grad(part, [*self.params, *old], unit.reshape(part.shape))
                rows_w.append(_row(found[: len(self.params)], self.params))
                rows_s.append(_row(found[len(self.params) :], old))
        influence = np.array(rows_w)
        if self.influence is not None:
            influence += np.array(rows_s) @ self.influence
        self.influence = influence

    def _carried(self) -> dict[str, Any]:
        return {"influence": self.influence}

    def _set_carried(self, state: dict[str, Any]) -> None:
        self.influence = state["influence"]


class UORO(OnlineGradient):
    """Unbiased online recurrent optimization (Tallec & Ollivier 2017).

    The matrix J is carried as s w^T, with s <- r0 (ds'/ds) s + r1 v and w <- w / r0 + (v^T ds'/dw) / r1.
    The signs v are drawn anew at every step: independent terms average out, and E[s w^T] = J. The factors
    r0 and r1 balance the lengths of s and w, which minimizes the noise.

    Args:
        objective: as for a `Trainer`, for batches of one step.
        params: the parameters to learn.
        seed: for the signs.
    """

    def __init__(self, objective: Objective, params: Sequence[Tensor], seed: int = 0) -> None:
        super().__init__(objective, params)
        self.rng = np.random.default_rng(seed)
        self._s: Array | None = None
        self._w: Array | None = None

    def _forget(self) -> None:
        self._s = self._w = None

    def _through_past(self, to_state: Array) -> list[Array]:
        assert self._s is not None and self._w is not None
        return self._split((to_state @ self._s) * self._w)

    def _carry(self, old: list[Tensor], new: list[Tensor]) -> None:
        signs = [self.rng.choice([-1.0, 1.0], part.shape) for part in new]
        total: Tensor | None = None
        for part, sign in zip(new, signs):
            share = (part * sign).sum()
            total = share if total is None else total + share
        assert total is not None
        v = np.concatenate([sign.ravel() for sign in signs])
        w = _row(grad(total, self.params), self.params)  # v^T ds'/dw
        r1 = _balance(w, v)
        s, w = r1 * v, w / r1
        if self._s is not None and self._w is not None:
            tangents = self._tangents(old)
            moved = np.concatenate([np.ravel(jvp(part, old, tangents)) for part in new])
            r0 = _balance(self._w, moved)
            s, w = s + r0 * moved, w + self._w / r0
        self._s, self._w = s, w

    def _tangents(self, old: list[Tensor]) -> list[Array]:
        assert self._s is not None
        ends = np.cumsum([part.size for part in old])
        return [piece.reshape(part.shape) for piece, part in zip(np.split(self._s, ends[:-1]), old)]

    def _carried(self) -> dict[str, Any]:
        return {"s": self._s, "w": self._w, "random": self.rng.bit_generator.state}

    def _set_carried(self, state: dict[str, Any]) -> None:
        self._s, self._w = state["s"], state["w"]
        self.rng.bit_generator.state = state["random"]


def _row(gradients: Sequence[Any], of: Sequence[Tensor]) -> Array:
    """Gradients as one row, with zeros where there is no path."""
    pieces = [np.zeros(x.size) if g is None else np.ravel(g) for g, x in zip(gradients, of)]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def _balance(w: Array, s: Array) -> float:
    """sqrt(|w| / |s|), kept away from 0 and infinity as in the paper."""
    small = 1e-7
    return (
        math.sqrt((float(np.linalg.norm(w)) + small) / (float(np.linalg.norm(s)) + small)) + small
    )
