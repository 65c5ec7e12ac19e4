"""What is wrong with what goes in: NaN, scales, sameness, shapes that do not fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.diagnose.facts import Facts
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
    yield from _broadcast(facts)


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
