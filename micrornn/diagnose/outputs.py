"""What stands between the network and its loss: softmax, sigmoid, and the axis they act on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Facts, picks, place
from micrornn.diagnose.problem import Problem
from micrornn.flow.activation import bounds, slope
from micrornn.recording.losses import kind_of

_FLAT = 0.1  # mean slope of a sigmoid


def check_outputs(facts: Facts) -> Iterator[Problem]:
    """Mistakes at the outputs; one problem of each kind, at the first place."""
    seen = set()
    for node in facts.rec.nodes:
        for problem in _at(facts, node):
            if problem.name not in seen:
                seen.add(problem.name)
                yield problem


def _at(facts: Facts, node: Tensor) -> Iterator[Problem]:
    if kind_of(node) == "loss" and "axis" in node.params:
        yield from _before_cross_entropy(facts, node)
    if kind_of(node) == "loss" and "blank" in node.params:
        yield from _before_ctc(facts, node)
    if kind_of(node) in ("distribution", "log distribution"):
        yield from _axis(facts, node)
    if kind_of(node) == "distribution":
        yield from _picked(facts, node)
        yield from _attended(facts, node)
    p = node.primitive
    if kind_of(node) == "activation" and p is not None and bounds(p) == (0.0, 1.0):
        yield from _sigmoid(facts, node)


def _before_cross_entropy(facts: Facts, loss: Tensor) -> Iterator[Problem]:
    made = facts.before(loss.inputs[0])
    p = made.primitive
    if kind_of(made) == "distribution" or _adds_up(facts, made):
        low, high = facts.value(made).min(), facts.value(made).max()
        words = [
            f"The input of the cross-entropy ({place(loss)}) is the output of a softmax, from "
            f"{low:.3g} to "
            f"{high:.3g}; its loss cannot fall below {_floor(made.shape[-1]):.3g}."
        ]
        yield Problem("softmax before cross-entropy", words, made)
    elif kind_of(made) == "activation" and p is not None and np.isfinite(bounds(p)).any():
        low, high = bounds(p)
        words = [f"{p.name} ({place(made)}) keeps the logits between {low:g} and {high:g}."]
        yield Problem("activation before cross-entropy", words, made)


def _before_ctc(facts: Facts, loss: Tensor) -> Iterator[Problem]:
    made = facts.before(loss.inputs[0])
    x = facts.value(loss.inputs[0])  # (T, N, C)
    read = np.arange(len(x))[:, None] < loss.params["input_lengths"]
    sums = np.exp(x).sum(-1)[read]
    if not np.allclose(sums, 1.0, atol=1e-3):
        words = [
            f"The input of the CTC loss ({place(loss)}) is no log-probability: the exponentials of a frame "
            f"add up to {sums.min():.3g} to {sums.max():.3g}, and not to 1."
        ]
        yield Problem("CTC of logits", words, loss if made.source is None else made)


def _adds_up(facts: Facts, node: Tensor) -> bool:
    """Whether a value is a softmax, however it was computed: not negative, and its rows add up to 1."""
    value = facts.value(node)
    several = bool(node.inputs) and node.ndim > 0 and value.shape[-1] > 1
    return several and bool((value > 0).all()) and bool(np.allclose(value.sum(-1), 1.0, atol=1e-6))


def _floor(classes: int) -> float:
    """The cross-entropy of a perfect softmax output, taken for logits."""
    return float(np.log(1 + (classes - 1) * np.exp(-1.0)))


def _axis(facts: Facts, node: Tensor) -> Iterator[Problem]:
    axis = node.params.get("axis", -1) % max(node.ndim, 1)
    if axis == node.ndim - 1 or node.shape[-1] == 1 or node.shape[axis] == 1:
        return
    reached = list(_to_loss(facts, node))
    if any(picks(user) or kind_of(user) == "loss" for user in reached):
        words = [
            f"The softmax ({place(node)}) acts on axis {axis} of {node.shape}, and the loss picks "
            f"from the last "
            f"axis: there its outputs add up to {facts.value(node).sum(-1).flat[0]:.3g}."
        ]
        if kind_of(node) == "log distribution":
            words = [
                f"The log-softmax ({place(node)}) acts on axis {axis} of {node.shape}, and the loss "
                f"picks from "
                "the last axis."
            ]
        yield Problem("softmax over the wrong axis", words, node)


def _attended(facts: Facts, node: Tensor) -> Iterator[Problem]:
    """Attention: weights of a weighted mean must add up to 1 over what is averaged."""
    axis = node.params.get("axis", -1) % max(node.ndim, 1)
    if axis == node.ndim - 1 or node.shape[axis] == 1 or node.shape[-1] == 1:
        return
    for user, slot in facts.behind(node):
        if user.primitive is None or user.primitive.name != "matmul":
            continue
        weights = np.asarray(user.values[slot])
        if weights.ndim < 2 or weights.size != node.size:
            continue
        sums = weights.sum(-1 if slot == 0 else -2)
        if not np.allclose(sums, 1.0, atol=0.01):
            words = [
                f"The softmax ({place(node)}) acts on axis {axis} of {node.shape}, and its outputs "
                f"weight a sum ({place(user)}) over another axis: there they add up to {sums.min():.3g} "
                f"to {sums.max():.3g}."
            ]
            yield Problem("softmax over the wrong axis", words, node, "likely")
            return


def _to_loss(facts: Facts, node: Tensor) -> Iterator[Tensor]:
    """What uses a node up to the loss, as long as each element stays by itself."""
    waiting, seen = [node], set()
    while waiting:
        for user, _ in facts.rec.users.get(waiting.pop().number, ()):
            if user.number in seen:
                continue
            seen.add(user.number)
            yield user
            moves = kind_of(user) == "view" and "index" not in user.params
            alone = len(user.inputs) == 1 and user.shape == node.shape
            if (moves and _keeps_last(user)) or alone:
                waiting.append(user)


def _keeps_last(node: Tensor) -> bool:
    return node.shape[-1:] == node.inputs[0].shape[-1:]


def _picked(facts: Facts, node: Tensor) -> Iterator[Problem]:
    for user, _ in facts.behind(node):
        if not picks(user):
            continue
        after = [u for u, _ in facts.behind(user)]
        if after and all(kind_of(u) == "sum" and len(u.inputs) == 1 for u in after):  # -p
            words = [
                f"The loss takes the probability of the target itself ({place(user)}), from "
                f"{facts.value(user).min():.3g} to {facts.value(user).max():.3g}, and not its logarithm."
            ]
            yield Problem("probabilities in a log loss", words, user)


def _sigmoid(facts: Facts, node: Tensor) -> Iterator[Problem]:
    for user, slot in facts.behind(node):
        p = user.primitive
        smooth = kind_of(user) == "activation" and not np.any(facts.value(user) == 0)
        if smooth and p is not None and bounds(p) == (0.0, np.inf) and user.size == node.size:
            words = [
                f"The input of the loss with logits ({place(user)}) is the output of a sigmoid, "
                f"from "
                f"{facts.value(node).min():.3g} to {facts.value(node).max():.3g}."
            ]
            yield Problem("sigmoid before logits loss", words, node)
        if kind_of(user) == "sum" and len(user.inputs) == 2:
            other = user.inputs[1 - slot]
            squared = facts.squared(user)
            if squared and other.is_leaf and not other.requires_grad and slope(node) < _FLAT:
                words = [
                    f"The sigmoid ({place(node)}) has a mean slope of {slope(node):.3g}, and the "
                    f"loss is its "
                    "squared error."
                ]
                yield Problem("squared error of a sigmoid", words, node, "likely")
