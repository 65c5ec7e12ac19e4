"""What is wrong with the updates of a training: their size, what they use, what they leave out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.gradients import check_finite
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.watch import Iteration, Training

Array = np.ndarray[Any, Any]

_FEWEST = 3  # iterations
_LARGE, _SMALL = 0.02, 1e-5  # |update| / |weight|
_CUT = 0.2  # of a gradient's norm is left when it is clipped


def check_training(training: Training) -> Iterator[Problem]:
    """What is wrong with the updates."""
    its = training.iterations
    broken = next((it for it in its[1:] if not np.isfinite(it.loss)), None)
    if broken is not None:
        problem = check_finite(broken.recording)
        if problem is not None:
            at = its.index(broken) + 1
            words = [f"The loss is {broken.loss} in iteration {at}.", *problem.evidence]
            yield Problem(problem.name, words, problem.node, because=problem.because)
    if len(its) < _FEWEST:
        return
    moved = {name for a, b in pairwise(its) for name in a.values if _differ(a, b, name)}
    if not moved and any(np.any(g) for it in its for g in (it.given or {}).values()):
        words = [
            f"The optimizer has gradients in {len(its)} iterations, and no weight changes by a digit."
        ]
        yield Problem("learning rate too small", words, its[0].recording.passes[-1].out, "likely")
        return
    yield from _without(training)
    if not moved and not any(np.any(g) for it in its for g in it.gradients.values()):
        return  # nothing to step by
    if not moved:
        words = [f"No parameter changes in {len(its)} iterations, though each computes gradients."]
        yield Problem("optimizer never steps", words, its[0].recording.passes[-1].out)
        return
    yield from _left_out(its, moved)
    yield from _not_reset(its)
    yield from _clipped(its)
    yield from _rate(its, moved)


def check_norms(norms: Sequence[float] | None, max_norm: float | None) -> Iterator[Problem]:
    """What gradient norms say that were kept beside a training."""
    if not norms or max_norm is None:
        return
    hit = float(np.mean(np.asarray(norms) > max_norm))
    if hit > 0.9:
        words = [
            f"{hit:.0%} of {len(norms)} steps were clipped to {max_norm:g}; the median norm was "
            f"{np.median(norms):.3g}. Every step then has the same length, whatever the gradient."
        ]
        yield Problem("clipping always on", words)


def _differ(a: Iteration, b: Iteration, name: str) -> bool:
    return name in b.values and not np.array_equal(a.values[name], b.values[name])


def _left_out(its: Sequence[Iteration], moved: set[str]) -> Iterator[Problem]:
    given = {name for it in its for name in it.given or {}}  # held, and too little to see
    named = its[0].names
    still = [
        p
        for p in its[0].recording.parameters
        if (name := named[p.number]) not in moved | given
        and all(np.any(it.gradients.get(name, 0.0)) for it in its)
        and all(name in it.values for it in its)
    ]
    if still:
        names = ", ".join(named[p.number] for p in still[:4])
        more = f" and {len(still) - 4} more" if len(still) > 4 else ""
        words = [
            f"{names}{more} had a gradient in each of {len(its)} iterations and never changed; "
            f"{len(moved)} others did."
        ]
        users = its[0].recording.users.get(still[0].number, ())
        yield Problem("not in the optimizer", words, users[0][0] if users else still[0])


def _without(training: Training) -> Iterator[Problem]:
    """Parameters that the optimizer holds and that appear in no recorded run."""
    its = training.iterations
    known = {name for it in its for name in it.names.values()}
    lost = [name for name in training.without if name not in known]
    if lost:
        names = ", ".join(lost[:4])
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        words = [
            f"The optimizer holds {names}{more}, with no gradient in {len(its)} iterations: nothing that the "
            "loss depends on was computed from them, or it was computed under no_grad."
        ]
        yield Problem("parameter never reached", words, its[0].recording.passes[-1].out, "likely")


def _not_reset(its: Sequence[Iteration]) -> Iterator[Problem]:
    total: dict[str, Array] = {}
    hits = tries = 0
    for k, it in enumerate(its):
        for name, g in it.gradients.items():
            total[name] = total[name] + g if name in total else g
        used = it.given if it.given is not None else _used(its, k)
        if not k or used is None:
            continue
        own = _joined(it.gradients, used)
        every, given = _joined(total, used), _joined(used, it.gradients)
        if own is None or every is None or given is None:
            continue
        tries += 1
        hits += _along(given, every) > 0.9999 > _along(given, own)
    if tries and hits >= max(2, 0.8 * tries):
        words = [
            f"In {hits} of {tries} iterations the update used the sum of the gradients of all "
            f"iterations so far."
        ]
        yield Problem("gradients not reset", words, its[0].recording.passes[-1].out)


def _used(its: Sequence[Iteration], k: int) -> dict[str, Array] | None:
    """The direction of an update that was made without an optimizer."""
    if k + 1 >= len(its):
        return None
    after = its[k + 1].values
    return {n: v - after[n] for n, v in its[k].values.items() if n in after}


def _joined(values: dict[str, Array], like: dict[str, Array]) -> Array | None:
    names = [name for name in values if name in like]
    return np.concatenate([np.ravel(values[n]) for n in names]) if names else None


def _along(a: Array, b: Array) -> float:
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / size) if size and np.isfinite(size) else 0.0


def _clipped(its: Sequence[Iteration]) -> Iterator[Problem]:
    ratios, norms = [], []
    for it in its:
        if it.given is None:
            continue
        own, given = _joined(it.gradients, it.given), _joined(it.given, it.gradients)
        if own is None or given is None or not np.linalg.norm(own):
            continue
        same = _along(own, given) > 0.9999
        ratios.append(float(np.linalg.norm(given) / np.linalg.norm(own)) if same else 1.0)
        norms.append(float(np.linalg.norm(own)))
    if len(ratios) >= _FEWEST and np.mean(np.array(ratios) < _CUT) > 0.9:
        words = [
            f"All of {len(ratios)} gradients were clipped, to {np.median(ratios):.2g} of their norm "
            f"in the "
            f"median; the median norm was {np.median(norms):.3g}."
        ]
        yield Problem("clipping always on", words, its[0].recording.passes[-1].out, "likely")


def _rate(its: Sequence[Iteration], moved: set[str]) -> Iterator[Problem]:
    ratios = []
    for a, b in pairwise(its):
        sizes = [
            float(np.linalg.norm(b.values[name] - a.values[name]) / size)
            for name in a.values
            if name in b.values and a.values[name].ndim >= 2
            if (size := np.linalg.norm(a.values[name]))
        ]
        if sizes:
            ratios.append(max(sizes))
    losses = np.array([it.loss for it in its])
    if not ratios or len(its) < 4:
        return
    ratio = float(np.median(ratios))
    node: Tensor = its[0].recording.passes[-1].out
    what = f"An update changes some weight by {ratio:.2g} of its norm in the median"
    first, worst = abs(losses[0]), float(np.nanmax(np.abs(losses)))
    late = float(np.mean(losses[len(losses) // 2 :]))
    rises = not np.isfinite(losses).all() or (worst > 3 * first and late > 1.5 * losses[0])
    wild = late > losses[0] and ratio > 10 * _LARGE
    if ratio > _LARGE and (rises or wild):
        words = [f"{what}, and the loss goes from {losses[0]:.3g} to {worst:.3g}."]
        yield Problem("learning rate too large", words, node, "likely")
    fall = abs(losses[-1] - losses[0]) / max(first, 1e-12)
    if ratio < _SMALL and fall < 0.01:
        words = [f"{what}, and the loss changed by {fall:.1%} in {len(its)} iterations."]
        yield Problem("learning rate too small", words, node, "likely")
