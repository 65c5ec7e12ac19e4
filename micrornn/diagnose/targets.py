"""What is wrong with the targets: read by the network, shifted, of one class, or of a class never seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence as Several
from itertools import pairwise

import numpy as np

from micrornn.core.backward import dense, pullbacks
from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, Facts
from micrornn.diagnose.origin import NONE
from micrornn.diagnose.problem import Problem, Sure
from micrornn.diagnose.reading import Sequence
from micrornn.diagnose.sequences import Goal, Sequences

_TELLING = 8  # elements from which on a match is not by chance
_FAR = 8  # steps by which targets are compared with what is read
_SHUFFLES = 20
_CHANCE = 0.01


def check_targets(sequences: Sequences) -> Iterator[Problem]:
    """Targets against what the network reads."""
    for goal in sequences.goals:
        for sequence in sequences.sequences:
            problem = _against(sequences, goal, sequence)
            if problem is not None:
                yield problem
                return


def _against(sequences: Sequences, goal: Goal, sequence: Sequence) -> Problem | None:
    """Targets that are what a sequence holds, at the same step or some steps away."""
    pairs = _pairs(sequences, goal, sequence)
    if not pairs:
        return None
    columns = [None] if sequence.read is sequence.symbols else range(_width(sequence))
    for column in columns:
        if (column is None) != (goal.classes > 0):
            continue
        if column is None and _other_order(pairs, goal, sequence):
            words = [
                f"Taken sequence by sequence instead of step by step (or the other way), all {len(pairs)} "
                "targets are the next symbols; as they stand, predictions meet targets of other steps."
            ]
            return Problem("targets in another order", words, goal.node)
        away = {k for k in range(-_FAR, _FAR + 1) if _equal(pairs, goal, sequence, column, k)}
        if not away or (1 in away and not _sees(sequences, pairs, sequence, 1)):
            continue
        k = min(away, key=lambda k: (abs(k), -k))
        return _problem(sequences, goal, sequence, column, k, pairs)
    return None


Pairs = list[tuple[int, Tensor, int]]  # (element of the goal, its state, its row)


def _pairs(sequences: Sequences, goal: Goal, sequence: Sequence) -> Pairs:
    """The elements that count and were predicted from a state that reads this sequence at its step."""
    found, reads = [], {}
    for i in np.flatnonzero(goal.counts & (goal.states != NONE)):
        state, row = sequences.state(int(goal.states[i]))
        if state.number not in reads:
            product = sequence.products.get(int(state.step or 0))
            reads[state.number] = product is not None and _reaches(product, state, state.step)
        if reads[state.number]:
            found.append((int(i), state, row))
    return found


def _equal(pairs: Pairs, goal: Goal, sequence: Sequence, column: int | None, k: int) -> bool:
    """Whether all targets are what is read k steps later."""
    read, targets = [], []
    for i, state, row in pairs:
        there = sequence.read.get(int(state.step or 0) + k)
        if there is not None and row < len(there):
            read.append(there[row] if column is None else there[row, column])
            targets.append(goal.targets[i])
    several = len({*targets}) >= (3 if goal.classes else 4)
    enough = len(targets) >= (_TELLING if goal.classes else 4) and 2 * len(targets) >= len(pairs)
    return several and enough and bool(np.allclose(read, targets, 1e-6, 1e-9))


def _other_order(pairs: Pairs, goal: Goal, sequence: Sequence) -> bool:
    """Whether the targets are the next symbols, once their two axes are swapped."""
    rows, n = len(sequence.symbols[sequence.first]), len(goal.targets)
    if (
        rows < 2
        or n % rows
        or len(pairs) < n
        or n // rows == 1
        or _matches(pairs, goal, sequence, goal.targets)
    ):
        return False
    turned = (goal.targets.reshape(rows, -1).T, goal.targets.reshape(-1, rows).T)
    return any(_matches(pairs, goal, sequence, t.ravel()) for t in turned)


def _matches(pairs: Pairs, goal: Goal, sequence: Sequence, targets: Array) -> bool:
    """Whether targets are the symbols that are read one step later."""
    next_read = [
        (targets[i], sequence.read[step][row])
        for i, state, row in pairs
        if (step := int(state.step or 0) + 1) in sequence.read and row < len(sequence.read[step])
    ]
    enough = len(next_read) >= 2 * _TELLING and len({t for t, _ in next_read}) >= 3
    return enough and all(a == b for a, b in next_read)


def _problem(
    sequences: Sequences,
    goal: Goal,
    sequence: Sequence,
    column: int | None,
    k: int,
    pairs: Pairs,
) -> Problem | None:
    where = "the symbol" if column is None else f"column {column} of the input"
    if k == 0:
        words = [f"All {len(pairs)} targets are {where} that the network reads at the same step."]
        return Problem("target in the input", words, goal.node)
    if k > 0 and _sees(sequences, pairs, sequence, k):
        words = [
            f"All targets are {where}, {_steps(k)} later, and the prediction was computed from it: "
            "the network also reads from the end."
        ]
        return Problem("target in the input", words, goal.node)
    if k > 0 and column is not None:
        return None  # a forecast of some steps
    sure: Sure = "likely" if abs(k + 0.5) < 3 or _ordered(sequence) else "possible"
    if column is not None and not _smooth(sequence, column):
        sure = "possible"  # to repeat what was read is a task of its own
    side = "later" if k > 0 else "before"
    words = [f"Every target is {where} read {_steps(abs(k))} {side}, and not the next one."]
    return Problem("targets shifted", words, goal.node, sure)


def _steps(k: int) -> str:
    return "one step" if k == 1 else f"{k} steps"


def _width(sequence: Sequence) -> int:
    return min(int(v.shape[-1]) for v in sequence.values.values())


def _sees(sequences: Sequences, pairs: Pairs, sequence: Sequence, k: int) -> bool:
    """Whether a prediction depends on what is read k steps later."""
    for _, state, row in pairs:
        product = sequence.products.get(int(state.step or 0) + k)
        if product is not None:
            return product.number < state.number and _depends(state, row, product)
    return False


def _depends(state: Tensor, row: int, product: Tensor) -> bool:
    """Whether a row of a state sends a gradient to a product."""
    seed = np.zeros(state.shape, state.dtype)
    seed[row if state.ndim == 2 else ...] = np.cos(np.arange(state.shape[-1]))
    for pullback in pullbacks(state, seed):
        if pullback.node is product:
            return bool(np.any(dense(pullback.gradient)))
        if pullback.node.number < product.number:
            break
    return False


def _reaches(first: Tensor, last: Tensor, step: int | None) -> bool:
    """Whether a node was computed from another; with a step, by nodes of this step alone."""
    waiting, seen = [last], {last.number}
    while waiting:
        node = waiting.pop()
        if node is first:
            return True
        for x in node.inputs:
            inside = step is None or x.step in (step, None)
            if inside and x.number >= first.number and x.number not in seen:
                seen.add(x.number)
                waiting.append(x)
    return False


def _ordered(sequence: Sequence) -> bool:
    """Whether a symbol says something of the next one, as in a text: fewer pairs occur than by chance."""
    steps = sorted(sequence.symbols)
    rows = np.array([sequence.symbols[t] for t in steps if len(sequence.symbols[t])], dtype=object)
    if len(rows) < 2 or len({len(r) for r in rows}) > 1:
        return False
    symbols = np.array([list(r) for r in rows]).T
    rng = np.random.default_rng(0)
    own = _different_pairs(symbols)
    chance = [_different_pairs(rng.permuted(symbols, axis=1)) for _ in range(_SHUFFLES)]
    return own < min(chance)


def _different_pairs(symbols: Array) -> int:
    return len({pair for row in symbols.tolist() for pair in pairwise(row)})


def _smooth(sequence: Sequence, column: int) -> bool:
    """Whether a column changes little from step to step, as a measured series does."""
    steps = sorted(sequence.values)
    if len({len(sequence.values[t]) for t in steps}) > 1:
        return False
    values = np.array([sequence.values[t][:, column] for t in steps])
    return bool(
        np.abs(np.diff(values, axis=0)).mean() < 0.5 * np.abs(values - values.mean()).mean()
    )


# -- classes ----------------------------------------------------------------------------------------


def check_classes(runs: Several[Facts], sequences: Sequences) -> Iterator[Problem]:
    """Targets of one class, a class that no target has, numbers that are no probabilities.

    Args:
        runs: of all iterations.
        sequences: of the first one.
    """
    facts = runs[0]
    asked = facts.asked
    counted = [a.targets[a.counts] for a in asked]
    every = np.concatenate(counted) if counted else np.array([])
    if every.size >= _TELLING and len(np.unique(every)) == 1 and asked[0].classes > 1:
        words = [f"All {every.size} targets are class {int(every[0])} of {asked[0].classes}."]
        # The steps of one sequence may well be of one class.
        single = asked[0].step is not None and all(a.targets.size == 1 for a in asked)
        single = single or any(g.classes and _one_sequence(sequences, g) for g in sequences.goals)
        yield Problem("one class only", words, asked[0].node, "possible" if single else "likely")
    yield from _never_seen(runs, sequences)
    constant = [g for g in sequences.goals if not g.classes and g.counts.sum() >= _TELLING]
    if constant and all((g.targets[g.counts] == g.targets[g.counts][0]).all() for g in constant):
        goal = constant[0]
        value = goal.targets[goal.counts][0]
        words = [f"All {int(goal.counts.sum())} targets are {value:.4g}."]
        yield Problem("one class only", words, goal.node, "likely")


def _one_sequence(sequences: Sequences, goal: Goal) -> bool:
    """Whether all targets are of several steps of one sequence."""
    known = goal.states[goal.states != NONE]
    places = [sequences.state(int(m)) for m in known]
    return len({row for _, row in places}) == 1 and len({s.step for s, _ in places}) > 1


def _never_seen(runs: Several[Facts], sequences: Sequences) -> Iterator[Problem]:
    every = [a for facts in runs for a in facts.asked]
    if not every or len({a.classes for a in every}) > 1:
        return
    classes, node = every[0].classes, every[0].node
    # A vocabulary that is read as well has symbols that are never asked for, such as "begin".
    tables = [s.weight.shape for s in sequences.sequences if s.symbols]
    read = {n for shape in tables for n in shape} | {
        t.shape[0]
        for t in sequences.facts.rec.parameters
        if t.ndim == 2 and t.number in sequences.tables
    }
    if classes in read or classes < 2:
        return
    different = {(a.targets.tobytes(), a.counts.tobytes()): a for a in every}
    every = list(different.values())  # a batch that comes again says nothing new
    seen = np.concatenate([a.targets[a.counts] for a in every]).astype(int)
    left_out = np.concatenate([a.targets[~a.counts] for a in every]).astype(int)
    inside = seen[(seen >= 0) & (seen < classes)]
    counts = np.bincount(inside, minlength=classes)
    missing = [k for k in np.flatnonzero(counts == 0) if k not in left_out]
    known = counts[counts > 0]
    if not missing or len(known) < 2 or (known == 1).mean() > 0.15:
        return  # where many classes occur once, others are just rare
    # By chance, if they were as frequent as the rarest of the others; a block at one end is no chance.
    m, rare = len(missing), min(known.min(), np.median(known) / 2) / inside.size
    block = missing[-1] - missing[0] == m - 1 and (missing[0] == 0 or missing[-1] == classes - 1)
    chance = (1 - min(1.0, m * rare)) ** inside.size
    if chance * (2 / math.comb(classes, m) if block else 1) > _CHANCE:
        return
    names = ", ".join(map(str, missing[:5])) + (" ..." if len(missing) > 5 else "")
    words = [
        f"None of {inside.size} targets is class {names}, of {classes} for which the network has an "
        f"output; each of the others occurs {known.min()} times or more."
    ]
    yield Problem("class never seen", words, node, "likely")
