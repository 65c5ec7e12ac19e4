"""Connectionist temporal classification (Graves et al. 2006): a loss for labels not aligned to frames.

A path has one symbol or the blank at every frame; merging repeats, then removing blanks gives its labeling.
The loss is -ln of the probability of the labeling, the SUM over all of its paths (`ctc_best_path` finds the
best single one). The sum is computed by the recursions of the paper's section 4.1 over the labeling with
blanks around every label, 2S + 1 positions, in logarithms and in time proportional to T.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.primitive import Operation, primitive, sample
from micrornn.core.tensor import Data
from micrornn.ops.shape import expand_dims

Array = np.ndarray[Any, Any]


class Lattice(NamedTuple):
    """The result of the recursions, for frame t, sequence n and position s of its extended labeling.

    Attributes:
        symbols: (N, 2S + 1), blank, l_1, blank, l_2, ..., blank.
        skip: (N, 2S + 1), whether s may follow s - 2: a label that differs from the one before it. Where
            it does not differ, a blank must stand between, or the two would be merged.
        emitted: (T, N, 2S + 1), ln of the probability of the position's symbol at the frame.
        ahead: (T, N, 2S + 1), alpha: ln of the sum over all beginnings that are at s at frame t.
        back: (T, N, 2S + 1), beta: ln of the sum over all endings after that.
        total: (N,), ln of the probability of the labeling; -inf if it has no path.
        ends: (N, 2S + 1), true at the positions where a path may end.
    """

    symbols: Array
    skip: Array
    emitted: Array
    ahead: Array
    back: Array
    total: Array
    ends: Array


def extended(targets: Array, blank: int) -> tuple[Array, Array]:
    """The labelings (N, S) with blanks around every label, and the positions that s - 2 can lead to.

    >>> extended(np.array([[1, 1]]), 0)[0]
    array([[0, 1, 0, 1, 0]])
    """
    symbols = np.full((len(targets), 2 * targets.shape[1] + 1), blank)
    symbols[:, 1::2] = targets
    skip = np.zeros(symbols.shape, bool)
    skip[:, 3::2] = targets[:, 1:] != targets[:, :-1]
    return symbols, skip


def lattice(
    x: Array, targets: Array, input_lengths: Array, target_lengths: Array, blank: int
) -> Lattice:
    """Both recursions (Graves et al. 2006, eq. 5 to 11) over log-probabilities (T, N, C)."""
    symbols, skip = extended(targets, blank)
    steps, batch, _ = x.shape
    rows = np.arange(batch)
    emitted = x[:, rows[:, None], symbols]
    place = np.arange(symbols.shape[1])
    last = 2 * target_lengths[:, None]
    ends = (place == last) | (place == last - 1)
    ahead = np.full(emitted.shape, -np.inf)
    ahead[0, :, :2] = emitted[0, :, :2]
    for t in range(1, steps):
        ahead[t] = emitted[t] + _gather(ahead[t - 1], skip)
    back = np.full(emitted.shape, -np.inf)
    for t in range(steps - 1, -1, -1):
        if t < steps - 1:
            back[t] = _spread(emitted[t + 1] + back[t + 1], skip)
        now = input_lengths == t + 1
        back[t, now] = np.where(ends[now], 0.0, -np.inf)
        back[t, input_lengths < t + 1] = -np.inf
    total = np.logaddexp.reduce(np.where(ends, ahead[input_lengths - 1, rows], -np.inf), axis=1)
    return Lattice(symbols, skip, emitted, ahead, back, total, ends)


def _before(a: Array, k: int, empty: float = -np.inf) -> Array:
    """a at position s - k."""
    moved = np.full(a.shape, empty)
    moved[..., k:] = a[..., : a.shape[-1] - k]
    return moved


def _after(a: Array, k: int, empty: float = -np.inf) -> Array:
    """a at position s + k."""
    moved = np.full(a.shape, empty)
    moved[..., : a.shape[-1] - k] = a[..., k:]
    return moved


def _gather(a: Array, skip: Array) -> Array:
    two = np.where(skip, _before(a, 2), -np.inf)
    return np.logaddexp(np.logaddexp(a, _before(a, 1)), two)


def _spread(a: Array, skip: Array) -> Array:
    two = _after(np.where(skip, a, -np.inf), 2)
    return np.logaddexp(np.logaddexp(a, _after(a, 1)), two)


def occupancy(found: Lattice) -> Array:
    """(T, N, 2S + 1): the probability of each position at each frame, given the labeling.

    It adds up to 1 at every frame; NaN if the labeling has no path.
    """
    with np.errstate(invalid="ignore"):
        share: Array = np.exp(found.ahead + found.back - found.total[:, None])
    return share


def _by_symbol(values: Array, symbols: Array, shape: tuple[int, ...]) -> Array:
    whole = np.zeros(shape)
    index: Any = (slice(None), np.arange(shape[1])[:, None], symbols)
    np.add.at(whole, index, values)
    return whole


# -- the loss and its derivatives ----------------------------------------------------------------------


def _forward(
    x: Data,
    *,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    blank: int,
    zero_infinity: bool,
) -> Data:
    loss = -lattice(x, targets, input_lengths, target_lengths, blank).total
    return (np.where(np.isinf(loss), 0.0, loss) if zero_infinity else loss).astype(x.dtype)


def _settle(values: Array, found: Lattice, lengths: Array, zero_infinity: bool) -> Array:
    """Zero after a sequence's end; zero or NaN if there is no path."""
    values[:, np.isinf(found.total)] = 0.0 if zero_infinity else np.nan
    values[np.arange(len(values))[:, None] >= lengths] = 0.0
    return values


def _posterior_forward(
    x: Data,
    *,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    blank: int,
    zero_infinity: bool,
) -> Data:
    found = lattice(x, targets, input_lengths, target_lengths, blank)
    share = _by_symbol(occupancy(found), found.symbols, x.shape)
    return _settle(share, found, input_lengths, zero_infinity).astype(x.dtype)


def _curvature_forward(
    x: Data,
    d: Data,
    *,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    blank: int,
    zero_infinity: bool,
) -> Data:
    """How the posterior moves when x moves along d: both recursions, differentiated."""
    found = lattice(x, targets, input_lengths, target_lengths, blank)
    symbols, skip, emitted, ahead, back, total, ends = found
    moved = d[:, np.arange(x.shape[1])[:, None], symbols]
    a, b = np.zeros(emitted.shape), np.zeros(emitted.shape)
    with np.errstate(invalid="ignore"):
        share = occupancy(found)
        a[0] = moved[0]
        for t in range(1, len(x)):
            sums, before, da = _gather(ahead[t - 1], skip), ahead[t - 1], a[t - 1]
            a[t] = moved[t] + _weigh(before, sums) * da
            a[t] += _weigh(_before(before, 1), sums) * _before(da, 1, 0.0)
            a[t] += _weigh(_before(before, 2), sums) * skip * _before(da, 2, 0.0)
        for t in range(len(x) - 2, -1, -1):
            after, db = emitted[t + 1] + back[t + 1], moved[t + 1] + b[t + 1]
            b[t] = _weigh(after, back[t]) * db
            b[t] += _weigh(_after(after, 1), back[t]) * _after(db, 1, 0.0)
            b[t] += _weigh(_after(after, 2), back[t]) * _after(skip * db, 2, 0.0)
        at = input_lengths - 1, np.arange(x.shape[1])
        dtotal = (_weigh(ahead[at], total[:, None]) * ends * a[at]).sum(-1)
        change = _by_symbol(share * (a + b - dtotal[:, None]), symbols, x.shape)
    return _settle(change, found, input_lengths, zero_infinity).astype(x.dtype)


def _weigh(part: Array, whole: Array) -> Array:
    """The share of one term in a sum, from their logarithms; 0 where a term is 0."""
    none = np.isneginf(part) | np.isneginf(whole)
    return np.where(none, 0.0, np.exp(np.where(none, -np.inf, part - whole)))


def _no_third(*_: Any, **__: Any) -> Any:
    raise NotImplementedError(
        "CTC has a first and a second derivative here, and this asks for a third"
    )


_ABOUT = {
    "targets": np.array([[1, 1], [2, 1]]),
    "input_lengths": np.array([4, 3]),
    "target_lengths": np.array([2, 1]),
    "blank": 0,
    "zero_infinity": False,
}
_SAMPLE = sample((4, 2, 3), between=(-3.0, -0.1), **_ABOUT)

# The Jacobian of the posterior is minus the Hessian of the loss, so it is symmetric: it is its own transpose.
_curvature: Operation = primitive(
    "ctc_curvature",
    "d(posterior)/dx · d",
    forward=_curvature_forward,
    vjp=(_no_third, lambda g, y, x, d, **about: _curvature(x, g, **about)),
    jvp=(_no_third, lambda dd, y, x, d, **about: _curvature(x, dd, **about)),
    samples=(),
    symbol="CTC″",
)

_posterior: Operation = primitive(
    "ctc_posterior",
    "p(symbol k at frame t | labeling)",
    forward=_posterior_forward,
    vjp=(lambda g, y, x, **about: _curvature(x, g, **about),),
    jvp=(lambda d, y, x, **about: _curvature(x, d, **about),),
    samples=(_SAMPLE,),
    symbol="CTC′",
)

ctc = primitive(
    "ctc",
    "-ln Σ over paths of the labeling of Π x",
    forward=_forward,
    vjp=(lambda g, y, x, **about: -expand_dims(expand_dims(g, 0), -1) * _posterior(x, **about),),
    jvp=(lambda d, y, x, **about: -(_posterior(x, **about) * d).sum((0, 2)),),
    samples=(_SAMPLE,),
    symbol="CTC",
    doc="x (T, N, C) log-probabilities; y (N,). Its gradient is minus the posterior of each symbol at each\n"
    "frame (Graves et al. 2006, eq. 15); through log_softmax it becomes p - posterior.",
    kind="loss",
)
