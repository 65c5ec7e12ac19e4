"""What no loss should be: below its least value, or a reward of errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Facts, picks, place
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.sequences import Sequences
from micrornn.flow.activation import bounds
from micrornn.recording.losses import kind_of

_BEYOND = 0.1  # of the targets
_TELLING = 8  # targets from which on it is no chance that all are alike


def check_losses(sequences: Sequences) -> Iterator[Problem]:
    """Losses that fall where the network errs, have no least value, or ask for what cannot be reached."""
    facts = sequences.facts
    yield from _rewarded(facts)
    yield from _out_of_reach(sequences)
    binary = [(node, y) for node in facts.rec.nodes if (y := facts.probabilities(node)) is not None]
    for node, y in binary:
        if y.min() < 0 or y.max() > 1:
            words = [
                f"The targets of a binary cross-entropy go from {y.min():.4g} to {y.max():.4g}; they are "
                "probabilities, and outside 0 to 1 the loss has no least value."
            ]
            yield Problem("loss below what is possible", words, node)
            return
    if binary and all(y.size >= _TELLING and len(np.unique(y)) == 1 for _, y in binary):
        node, y = binary[0]
        words = [f"All {y.size} targets are {y.flat[0]:g}."]
        yield Problem("one class only", words, node, "likely")


def _rewarded(facts: Facts) -> Iterator[Problem]:
    """Losses whose gradient has the wrong sign: they fall as the error grows."""
    for node in facts.rec.nodes:
        error = _is_error(facts, node)
        gain = picks(node) and kind_of(facts.before(node.inputs[0])) == "log distribution"
        if not (error or gain):
            continue
        g = facts.rec.gradient(node)
        g = np.zeros(1) if g is None else np.asarray(g, dtype=float) * (1 if error else -1)
        if np.any(g) and (g <= 0).all():
            out = facts.rec.passes[-1].out
            at = _turned(facts, node) or out
            what = "the error" if error else "minus the log-probability of the target"
            words = [
                f"The loss is {float(np.sum(facts.value(out))):.4g}, and falls as {what} grows: a minus "
                f"{'too many' if error else 'is missing'}."
            ]
            yield Problem("loss below what is possible", words, at)
            return


def _turned(facts: Facts, node: Tensor) -> Tensor | None:
    """Where on the way to the loss the gradient changes its sign."""
    waiting, seen = [node], {node.number}
    while waiting:
        x = waiting.pop()
        for user, _ in facts.rec.users.get(x.number, ()):
            a, b = facts.rec.gradient(x), facts.rec.gradient(user)
            if a is not None and b is not None and np.sum(a) < 0 < np.sum(b):
                return user
            if user.number not in seen:
                seen.add(user.number)
                waiting.append(user)
    return None


def _out_of_reach(sequences: Sequences) -> Iterator[Problem]:
    """Targets beyond the range of the last activation."""
    facts = sequences.facts
    for goal in sequences.goals:
        for slot in (0, 1) if not goal.classes else ():
            made = facts.before(goal.node.inputs[slot])
            p = made.primitive
            if kind_of(made) != "activation" or p is None or not made.requires_grad:
                continue
            low, high = bounds(p)
            asked = goal.targets[goal.counts]
            beyond = float(np.mean((asked < low) | (asked > high))) if asked.size else 0.0
            if beyond > _BEYOND:
                words = [
                    f"{p.name} ({place(made)}) gives {low:g} to {high:g}; {beyond:.0%} of {asked.size} "
                    f"targets lie outside, from {asked.min():.4g} to {asked.max():.4g}."
                ]
                yield Problem("targets out of reach", words, made)
                return


def _is_error(facts: Facts, node: Tensor) -> bool:
    """Whether a node is a cross-entropy, or the square of a difference from data."""
    if kind_of(node) == "loss":
        return True
    if not node.inputs or not facts.final(node):
        return False
    made = facts.before(node.inputs[0])
    if kind_of(made) != "sum" or len(made.inputs) != 2 or made.shape != node.shape:
        return False
    from_data = any(x.is_leaf and not x.requires_grad and x.size == made.size for x in made.inputs)
    value = facts.value(made)
    return from_data and made.size > 1 and bool(np.allclose(facts.value(node), value * value))
