"""What is wrong with what goes in: NaN, scales, sameness, targets in the input, masks and padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, Facts, place
from micrornn.diagnose.problem import Problem
from micrornn.flow.series import label
from micrornn.recording.losses import kind_of

_LARGE = 10.0  # root of the mean square of an input
_TELLING = 4  # steps from which on a match is not by chance


def check_data(facts: Facts) -> Iterator[Problem]:
    """Mistakes in inputs and targets."""
    yield from _not_a_number(facts)
    yield from _scale(facts)
    yield from _sameness(facts)
    yield from _targets(facts)
    yield from _padding(facts)


def _not_a_number(facts: Facts) -> Iterator[Problem]:
    for leaf in facts.data:
        value = facts.value(leaf)
        bad = np.argwhere(np.isnan(value)) if value.ndim else np.argwhere(np.isnan(value[None]))
        if len(bad):
            at = ", ".join(map(str, bad[0])) if value.ndim else "0"
            words = [
                f"{label(leaf)}, which is data, holds {len(bad)} NaN of {value.size} numbers, the "
                f"first at [{at}]."
            ]
            users = facts.rec.users.get(leaf.number, ())
            yield Problem("NaN in the data", words, users[0][0] if users else leaf)
            return


def _scale(facts: Facts) -> Iterator[Problem]:
    values = [facts.value(x).ravel() for x in facts.inputs]
    if not values:
        return
    every = np.concatenate(values)
    every = every[np.isfinite(every)]
    size = float(np.sqrt(np.mean(every**2))) if every.size else 0.0
    if size > _LARGE:
        node = facts.inputs[0]
        users = facts.rec.users.get(node.number, ())
        words = [
            f"The inputs range from {every.min():.4g} to {every.max():.4g}, with mean "
            f"{every.mean():.3g} and "
            f"standard deviation {every.std():.3g}."
        ]
        yield Problem("unscaled input", words, users[0][0] if users else node, "likely")


def _sameness(facts: Facts) -> Iterator[Problem]:
    own = [facts.value(x) for x in facts.inputs]
    steps = {x.step for x in facts.inputs}
    several = len(own) >= _TELLING and len(steps) >= _TELLING and len({v.shape for v in own}) == 1
    if several and all((v == own[0]).all() for v in own):
        yield Problem(
            "inputs all alike",
            [f"The inputs of all {len(own)} steps are equal."],
            facts.inputs[0],
            "likely",
        )
        return
    rows = [v for v in own if v.ndim >= 2 and v.shape[0] > 1]
    if rows and len(rows) == len(own) and all((v == v[:1]).all() for v in rows):
        words = [f"All {rows[0].shape[0]} sequences of the batch are equal."]
        yield Problem("inputs all alike", words, facts.inputs[0], "likely")


# -- targets ----------------------------------------------------------------------------------------


def _targets(facts: Facts) -> Iterator[Problem]:
    asked = facts.asked
    targets = [t.targets[t.counts] for t in asked]
    every = np.concatenate(targets) if targets else np.array([])
    if every.size >= 8 and len(np.unique(every)) == 1 and asked[0].classes > 1:
        words = [f"All {every.size} targets are class {int(every[0])} of {asked[0].classes}."]
        yield Problem("one class only", words, asked[0].node, "likely")
    read = _symbols(facts)
    both = [(read[a.step], a) for a in asked if a.step in read and a.step is not None]
    same = [(r, a) for r, a in both if r.shape == a.targets.shape]
    seen = {int(k) for _, a in same for k in a.targets}
    if len(same) >= _TELLING and len(seen) >= 3 and all((r == a.targets).all() for r, a in same):
        words = [
            f"At all {len(same)} steps the target is the symbol that the network reads at the same step."
        ]
        yield Problem("target in the input", words, same[0][1].node)
        return
    looked_up = [
        np.asarray(node.params["index"])
        for node in facts.rec.nodes
        if node.inputs
        and node.inputs[0].is_leaf
        and isinstance(node.params.get("index"), np.ndarray)
    ]
    for a in asked:
        enough = a.targets.size >= 2 * _TELLING and len(np.unique(a.targets)) >= 3
        for ids in looked_up if enough else ():
            if ids.size == a.targets.size and any(
                np.array_equal(np.ravel(part), a.targets.ravel()) for part in (ids, ids.T)
            ):
                words = [
                    f"All {ids.size} targets are the symbols that the network reads at the "
                    f"same steps."
                ]
                yield Problem("target in the input", words, a.node)
                return
    yield from _broadcast(facts)
    yield from _column(facts)


def _broadcast(facts: Facts) -> Iterator[Problem]:
    """An error that is larger than what was predicted and what was asked for."""
    for node in facts.rec.nodes:
        if kind_of(node) != "sum" or len(node.inputs) != 2:
            continue
        target = next((x for x in node.inputs if x.is_leaf and not x.requires_grad), None)
        other = next((x for x in node.inputs if x.requires_grad and not x.is_leaf), None)
        if target is None or other is None or min(target.size, other.size) < 2:
            continue
        squared = facts.squared(node)
        base, value = facts.before(other), facts.value(target)
        stretched = (
            base.size < other.size and (value == value[:1]).all()
        )  # both, before the difference
        if squared and (stretched or node.size > max(target.size, other.size)):
            words = [
                f"A prediction of shape {other.shape} and a target of shape {target.shape} give an "
                f"error of shape "
                f"{node.shape}."
            ]
            yield Problem("target broadcast", words, node)
            return


def _symbols(facts: Facts) -> dict[int, Array]:
    """By step, the symbols that are read there: one-hot vectors, or rows picked from a table."""
    found: dict[int, Array] = {}
    for node in facts.inputs:
        value = facts.value(node)
        one_hot = value.shape[-1:] > (1,) and np.isin(value, (0.0, 1.0)).all()
        if node.step and one_hot and (value.sum(-1) == 1).all():
            found.setdefault(node.step, np.atleast_1d(value.argmax(-1)))
    for node in facts.rec.nodes:
        index = node.params.get("index")
        table = bool(node.inputs) and node.inputs[0].is_leaf and node.inputs[0].ndim == 2
        if node.step and table and isinstance(index, (int, np.integer, np.ndarray)):
            picked = np.atleast_1d(np.asarray(index))
            if picked.dtype.kind in "iu" and picked.ndim == 1:
                found.setdefault(node.step, picked)
    return found


def _column(facts: Facts) -> Iterator[Problem]:
    """A column of the input that is the target of the same step."""
    inputs = {x.step: facts.value(x) for x in facts.inputs if x.step}
    steps: dict[int, set[int]] = {}  # by column, where it equals what is predicted
    values: set[float] = set()
    at: dict[int, Tensor] = {}
    for target, node in _regression(facts):
        x = inputs.get(node.step or -1)
        if x is None or x.shape[:-1] != np.squeeze(target).shape or not np.any(target):
            continue
        for column in range(x.shape[-1]):
            if (x[..., column] == np.squeeze(target)).all():
                steps.setdefault(column, set()).add(int(node.step or 0))
                at.setdefault(column, node)
                values |= set(np.ravel(target).tolist())
    for column, found in steps.items():
        if found == set(inputs) and len(found) >= _TELLING and len(values) >= _TELLING:
            words = [f"Column {column} of the input equals the target at all {len(found)} steps."]
            yield Problem("target in the input", words, at[column])
            return


def _regression(facts: Facts) -> Iterator[tuple[Array, Tensor]]:
    """Differences between a prediction and data: (target, node)."""
    for node in facts.rec.nodes:
        if kind_of(node) == "sum" and len(node.inputs) == 2:
            for slot in (0, 1):
                target = node.inputs[slot]
                if target.is_leaf and not target.requires_grad and target.size == node.size:
                    yield facts.value(target), node


# -- padding ----------------------------------------------------------------------------------------


def _padding(facts: Facts) -> Iterator[Problem]:
    """Padding that counts in the loss, or alone counts."""
    padded = _padded(facts)
    if padded is None:
        return
    real = ~padded
    counted = np.zeros(padded.shape, dtype=bool)
    node = None
    for a in facts.asked:
        if a.step is None or not 0 < a.step <= len(padded) or a.counts.shape != padded[0].shape:
            return
        counted[a.step - 1] = a.counts & (_weights(facts, a.node, a.counts) != 0)
        node = a.node if node is None else node
    if node is None or not counted.any():
        return
    if not (counted & real).any() and (counted & padded).any():
        words = [
            f"The loss counts {int(counted.sum())} steps of padding and none of the "
            f"{int(real.sum())} real ones."
        ]
        yield Problem("mask inverted", words, node)
    elif counted.all() and padded.any():
        words = [
            f"The loss counts {int(padded.sum())} steps at which the input is padding "
            f"({place(node)}), of "
            f"{padded.size}."
        ]
        yield Problem("padding in the loss", words, node, "likely")


def _padded(facts: Facts) -> Array | None:
    """(T, B): where a sequence has ended and its input is zeros to the end; None without such ends."""
    own = {x.step: facts.value(x) for x in facts.inputs if x.step}
    if len(own) < _TELLING or any(v.ndim != 2 or v.shape[0] < 2 for v in own.values()):
        return None
    steps = range(1, max(own) + 1)
    if any(t in own and own[t].shape != own[min(own)].shape for t in steps):
        return None
    width = own[min(own)].shape[0]
    empty = np.array([~own[t].any(axis=1) if t in own else np.ones(width, bool) for t in steps])
    padded = np.logical_and.accumulate(empty[::-1])[::-1]
    ends = padded.sum(axis=0)
    return padded if ends.max() >= 2 and len(set(ends.tolist())) > 1 else None


def _weights(facts: Facts, loss: Tensor, counts: Array) -> Array:
    """The mask that multiplies the losses of a step behind the loss, where there is one."""
    for user, slot in facts.behind(loss):
        if kind_of(user) == "scaling":
            other = user.inputs[1 - slot]
            value = facts.value(other)
            if other.is_leaf and not other.requires_grad and value.shape == counts.shape:
                return value
    return np.ones(counts.shape)
