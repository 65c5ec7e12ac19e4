"""What shows only across the iterations of a training: carried states, sums, clipping, evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Facts, telling
from micrornn.diagnose.problem import Problem, Sure
from micrornn.diagnose.reading import Sequence as Read
from micrornn.diagnose.sequences import Goal, Sequences
from micrornn.diagnose.watch import Iteration, Training
from micrornn.flow.series import label
from micrornn.recording.losses import kind_of

_FEWEST = 3  # iterations
_MOST = 0.8  # of the iterations
_VARIED = 1.5  # times as many losses in one iteration as in another
_LARGE = 8.0  # times the gradient of a mean
_FAR = 0.1  # of max_norm is never reached
_ABSURD = 1e-3  # of max_norm: nobody sets it so high to be safe
_WILD = 100.0  # times its own size, to which a gradient grows


def check_across(
    training: Training, runs: Sequence[Sequences], found: set[str]
) -> Iterator[Problem]:
    """Compare the iterations with one another.

    Args:
        training: what was watched.
        runs: the sequences of each iteration.
        found: the names of the problems that were found so far.
    """
    yield from _evaluated(training)
    yield from _carried(training.iterations, runs)
    yield from _summed(runs, found)
    yield from _clipping(training.iterations, found)


def _evaluated(training: Training) -> Iterator[Problem]:
    """Dropout in a pass that keeps no gradients, between iterations that do."""
    if not training.idle_dropout:
        return
    words = [
        f"Dropout ran {len(training.idle_dropout)} times while no gradients were kept (no_grad): an "
        "evaluation with units dropped at random."
    ]
    line = training.idle_dropout[0]
    yield Problem("dropout in evaluation", words, sure="likely", line=line)


# -- states -----------------------------------------------------------------------------------------


def _carried(its: Sequence[Iteration], runs: Sequence[Sequences]) -> Iterator[Problem]:
    """Initial states that are final states of the iteration before, though the sequences do not go on."""
    pairs, leaves = [], []
    for k, (before, now) in enumerate(pairwise(its)):
        leaf = _from_before(before, now)
        if leaf is not None:
            pairs.append((runs[k], runs[k + 1]))
            leaves.append(leaf)
    if len(pairs) < max(2, _MOST * (len(its) - 1) - 1):
        return
    answers = [_unrelated(a, b) for a, b in pairs]
    for why in ("again", "unrelated", "labels"):
        if answers.count(why) >= _MOST * len(answers):
            break
    else:
        return
    words = [
        f"In {len(pairs)} of {len(its) - 1} iterations the initial state {label(leaves[0])} is the final "
        f"state of the iteration before, {_REASONS[why]}."
    ]
    users = its[1].recording.users.get(leaves[0].number, ())
    sure: Sure = "possible" if why == "labels" and _few(runs) else "likely"
    yield Problem("state carried over", words, users[0][0] if users else leaves[0], sure)


_REASONS = {
    "again": "which read the same data",
    "unrelated": "whose sequences are not continued by the next ones",
    "labels": "and each sequence has a target of its own",
}


def _from_before(before: Iteration, now: Iteration) -> Tensor | None:
    """A leaf that holds a final state of the iteration before, or None."""
    a, b = Facts(before.recording), Facts(now.recording)
    steps = [s for s in before.recording.steps if s]
    if not steps:
        return None
    ends = {
        a.value(n).tobytes()
        for n in before.recording.nodes
        if n.step == steps[-1] and n.requires_grad and n.inputs and telling(a.value(n))
    }
    for leaf in b.data:
        if telling(b.value(leaf)) and b.value(leaf).tobytes() in ends:
            return leaf
    return None


def _few(runs: Sequence[Sequences]) -> bool:
    """Whether there is one sequence at a time: it may be a long one, read in parts."""
    return runs[0].rows < 2


def _unrelated(before: Sequences, now: Sequences) -> str:
    """Why the sequences of an iteration do not go on in the next one; "" if they do, or it is unknown."""
    for a, b in zip(before.sequences, now.sequences):
        if _same(a, b):
            return "again"
        first, last = b.read.get(b.first), a.read.get(a.last)
        if first is None or last is None or first.shape != last.shape:
            continue
        for goal in before.goals:
            asked = _next_asked(before, goal, a)
            if asked is not None:
                same = [np.isclose(asked[r], first[r]).any() for r in asked if r < len(first)]
                return "" if np.mean(same) > 0.5 else "unrelated"
        if a.read is a.values:
            own = np.array([a.values[t] for t in sorted(a.values)])
            inside = np.abs(np.diff(own, axis=0)).mean()
            smooth = inside < 0.5 * np.abs(own - own.mean(axis=(0, 1))).mean()
            if smooth:
                return "unrelated" if np.abs(first - last).mean() > 3 * inside else ""
        if any(_one_label(before, goal) for goal in before.goals):
            return "labels"
    return ""


def _same(a: Read, b: Read) -> bool:
    one, two = list(a.read.values()), list(b.read.values())
    return len(one) == len(two) and all(map(np.array_equal, one, two))


def _next_asked(sequences: Sequences, goal: Goal, read: Read) -> dict[int, float] | None:
    """By row, what is asked after the last step, where targets are what is read one step later."""
    last: dict[int, float] = {}
    same = tries = 0
    for i in np.flatnonzero(goal.states >= 0):
        state, row = sequences.state(int(goal.states[i]))
        step = int(state.step or 0)
        if step == read.last:
            last[row] = float(goal.targets[i])
        elif step + 1 in read.read and row < len(read.read[step + 1]):
            tries += 1
            same += bool(np.isclose(read.read[step + 1][row], goal.targets[i]).any())
    return last if last and tries >= _FEWEST and same >= _MOST * tries else None


def _one_label(sequences: Sequences, goal: Goal) -> bool:
    """Whether each sequence is asked once, at its end."""
    marks = goal.states[goal.states >= 0]
    places = [sequences.state(int(m)) for m in marks]
    return len(places) > 1 and len({row for _, row in places}) == len(places)


# -- sums -------------------------------------------------------------------------------------------


def _summed(runs: Sequence[Sequences], found: set[str]) -> Iterator[Problem]:
    """Losses that are added up, so that more of them make a longer step."""
    sizes, weights, node = [], [], None
    for sequences in runs:
        parts = [
            (goal, w) for goal in sequences.goals if (w := _weight(sequences, goal)) is not None
        ]
        if not parts:
            return
        node = parts[0][0].node if node is None else node
        sizes.append(sum(int(goal.counts.sum()) for goal, _ in parts))
        weights.append(sum(w for _, w in parts))
    size, weight = np.array(sizes, dtype=float), np.array(weights)
    if len(size) < _FEWEST or not (size > 0).all() or not (weight > 0).all():
        return
    each = weight / size
    varied = size.max() > _VARIED * size.min() and weight.max() > _VARIED * weight.min()
    if varied and each.max() < 1.05 * each.min():
        words = [
            f"The loss adds up {size.min():g} to {size.max():g} losses, each with the weight "
            f"{each[0]:.3g}: a longer sequence makes a longer step, up to "
            f"{weight.max() / weight.min():.3g} times as long."
        ]
        yield Problem("loss summed", words, node, "likely")
    elif "learning rate too large" in found and weight.min() >= _LARGE:
        words = [
            f"The loss is a sum of {size[0]:g} losses, so its gradient is {weight[0]:.3g} times that of "
            "their mean, and the learning rate is too large for it."
        ]
        yield Problem("loss summed", words, node, "likely")


def _weight(sequences: Sequences, goal: Goal) -> float | None:
    """The weight of all losses of a goal in the total: 1 for a mean; None where that is not seen."""
    facts, node = sequences.facts, goal.node
    total = 0.0
    for one in goal.nodes:
        if goal.classes:
            g = facts.rec.gradient(one)
            amount = np.abs(np.asarray(one.params.get("amount", 1.0), dtype=float))
            if g is None:
                continue
            if kind_of(one) != "loss":  # log-probabilities that were picked
                total += float(np.abs(np.asarray(g, dtype=float)).sum())
                continue
            whole = np.broadcast_to(amount * np.abs(np.asarray(g, dtype=float)), _shape(one))
            total += float(whole.sum())
        else:
            behind = [user for user, _ in facts.behind(one) if user.size == one.size]
            g = facts.rec.gradient(behind[0]) if behind else None
            if g is None or behind[0].number == node.number:
                return None
            total += float(np.abs(np.asarray(g, dtype=float)).sum())
    return total


def _shape(node: Tensor) -> tuple[int, ...]:
    """The shape of the targets of a loss of classes."""
    index, axis = node.params["index"], node.params.get("axis", -1)
    parts = index if isinstance(index, tuple) else (index,)
    return np.atleast_1d(np.asarray(parts[axis])).shape


# -- clipping ---------------------------------------------------------------------------------------


def _clipping(its: Sequence[Iteration], found: set[str]) -> Iterator[Problem]:
    clips = [it.clipped for it in its if it.clipped is not None]
    norms = np.array([norm for norm, _ in clips])
    if len(clips) < _FEWEST or not np.isfinite(norms).all():
        return
    most = np.array([max_norm for _, max_norm in clips])
    node = its[0].recording.passes[-1].out
    grows = "exploding" in found or norms.max() > _WILD * max(np.median(norms), 1e-12)
    if (norms < (_FAR if grows else _ABSURD) * most).all():
        words = [
            f"The gradient's norm is {norms.min():.3g} to {norms.max():.3g} in {len(norms)} iterations, and "
            f"is clipped from {most[0]:g} on: it never acts."
        ]
        yield Problem("clipping never acts", words, node, "likely" if grows else "possible")
    elif grows and (norms > most).mean() >= _MOST and np.median(norms / most) > _WILD:
        words = [
            f"Clipping cuts the gradient from a norm of {np.median(norms):.3g} (median) to {most[0]:g}: the "
            "loss stays finite, and what explodes is still all that is learned from."
        ]
        yield Problem("explosion hidden by clipping", words, node, "likely")
