"""Parameters that the loss does not reach, that get nothing, or that begin all alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Facts
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.sequences import Sequences
from micrornn.diagnose.wiring import rounded
from micrornn.flow.causes.sizes import FAR
from micrornn.flow.series import label
from micrornn.flow.verdicts import CANCELLED, DETACHED, FEW, NO_PATH, TRUNCATED
from micrornn.flow.why import Why, why
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of

_WIDE = 3  # numbers from which on a vector is a row of a table
_LONG = 20_000  # pullbacks: what each use of a weight sent is a matrix of its own
_SEVERAL = 3  # uses
_MOVES = ("view", "join")
_NAMED = 3  # parameters that are named one by one


def check_parameters(sequences: Sequences) -> Iterator[Problem]:
    """What is wrong with parameters."""
    facts = sequences.facts
    yield from _unreached(facts)
    yield from _uses(facts)
    yield from _alike(facts)
    frozen = list(_frozen(facts))
    yield from frozen or _rows_again(sequences)


def _unreached(facts: Facts) -> Iterator[Problem]:
    rec = facts.rec
    nothing = [p for p in rec.parameters if rec.gradient(p) is None and rec.users.get(p.number)]
    if nothing and len(nothing) < len(rec.parameters):
        answers = [why(rec, p) for p in nothing]
        lost = [(p, a) for p, a in zip(nothing, answers) if a.verdict == NO_PATH]
        cut = [(p, a) for p, a in zip(nothing, answers) if a.verdict in (DETACHED, TRUNCATED)]
        if lost:
            yield _problem("parameter never reached", lost, "gets no gradient")
        if cut and not lost:
            yield _problem("detached", cut, "gets no gradient")
    zero = [p for p in rec.parameters if (g := rec.gradient(p)) is not None and not np.any(g)]
    zero = [p for p in zero if p.size]
    if zero:
        asked = [(p, why(rec, p)) for p in zero]
        # Where it ended in a slice or a stack, and reached nothing of the layer, nothing took its output.
        by_use: dict[bool, list[tuple[Tensor, Why]]] = {}
        for p, a in asked:
            moved = a.node is not None and kind_of(a.node) in _MOVES
            by_use.setdefault(moved and not _arrives(rec, p), []).append((p, a))
        what = "gets a gradient of exactly 0"
        if True in by_use:
            yield _problem("parameter never reached", by_use[True], what)
        steps = next((a.node for _, a in by_use.get(False, ()) if _in_steps(facts, a.node)), None)
        if steps is not None:
            words = [
                f"{label(steps)} takes only some values: its derivative is 0, and no gradient passes."
            ]
            yield Problem("rounded on the path", words, steps)
        elif False in by_use:
            yield _problem("gradient exactly zero", by_use[False], what, "likely")


def _in_steps(facts: Facts, node: Tensor | None) -> bool:
    """Whether a node rounds its input, or takes its sign: flat between steps."""
    if node is None or not node.inputs:
        return False
    value, origin = facts.value(node), facts.value(node.inputs[0])
    if kind_of(node) == "opaque" and value.shape == origin.shape:
        return any((value == step(origin)).all() for step in (np.round, np.floor, np.ceil, np.sign))
    return bool(rounded(value, origin))


def _arrives(rec: Recording, parameter: Tensor) -> bool:
    """Whether a gradient that is not zero arrives in a layer that uses a parameter."""
    layers = {user.scope.partition("/")[0] for user, _ in rec.users.get(parameter.number, ())} - {
        ""
    }
    return any(
        node.inputs
        and node.scope.partition("/")[0] in layers
        and kind_of(node) not in _MOVES
        and (g := rec.gradient(node)) is not None
        and bool(np.any(g))
        for node in rec.nodes
    )


def _uses(facts: Facts) -> Iterator[Problem]:
    """Weights whose uses send contributions that cancel, or of which most send nothing, as `why` says."""
    rec = facts.rec
    if sum(len(run.pullbacks) for run in rec.passes) > _LONG:
        return
    sent = _sent(facts)
    asked = []
    for p in rec.parameters:
        sizes = sent.get(p.number, [])
        g = rec.gradient(p)
        if g is None or not np.any(g) or len(rec.users.get(p.number, ())) < _SEVERAL:
            continue
        left = float(np.linalg.norm(np.asarray(g, dtype=float)))
        silent = len(rec.users[p.number]) - sum(1 for size in sizes if size)
        if left * FAR < sum(sizes) or 2 * silent >= len(rec.users[p.number]):
            asked.append((p, why(rec, p)))
    for verdict, name in ((CANCELLED, "contributions cancel"), (FEW, "few uses")):
        found = [(p, a) for p, a in asked if a.verdict == verdict]
        if found:
            what = f"has a gradient of norm {found[0][1].norm:.3g}"
            yield _problem(name, found, what, "possible")


def _sent(facts: Facts) -> dict[int, list[float]]:
    """By parameter, the norm of what each of its uses sent."""
    leaves = {p.number for p in facts.rec.parameters}
    found: dict[int, list[float]] = {}
    for run in facts.rec.passes:
        for pullback in run.pullbacks:
            for x, c in zip(pullback.node.inputs, pullback.contributions):
                if c is not None and x.number in leaves:
                    size = float(np.linalg.norm(np.asarray(dense(c), dtype=float)))
                    found.setdefault(x.number, []).append(size)
    return found


def _problem(
    name: str, found: list[tuple[Tensor, Why]], what: str, sure: str = "certain"
) -> Problem:
    words = [
        f"{_name(p)} {what}: {a.verdict}. {' '.join(a.evidence[:1])}" for p, a in found[:_NAMED]
    ]
    if len(found) > _NAMED:
        words.append(f"So do {len(found) - _NAMED} more parameters.")
    answer = found[0][1]
    return Problem(name, words, answer.node, sure, answer)  # type: ignore[arg-type]


def _alike(facts: Facts) -> Iterator[Problem]:
    """Rows of a weight that begin alike and get the same gradient: they stay alike."""
    for weight in facts.rec.parameters:
        value, g = facts.value(weight), facts.rec.gradient(weight)
        if weight.ndim != 2 or min(weight.shape) < 2 or g is None or not np.any(g):
            continue
        for axis in (0, 1):
            rows = value if axis == 0 else value.T
            sent = np.asarray(g if axis == 0 else np.transpose(g), dtype=float)
            if (rows == rows[0]).all() and np.allclose(sent, sent[0], rtol=1e-6, atol=1e-12):
                words = [
                    f"All {len(rows)} {'rows' if axis == 0 else 'columns'} of {_name(weight)} are "
                    f"equal, and so are "
                    "their gradients: its units do the same, and will."
                ]
                users = facts.rec.users.get(weight.number, ())
                yield Problem("all weights alike", words, users[0][0] if users else weight)
                return


def _frozen(facts: Facts) -> Iterator[Problem]:
    """Tables of weights that need no gradient, though other parameters do."""
    for node in facts.data:
        index = node.params.get("index")
        table = isinstance(index, np.ndarray) and index.dtype.kind in "iu"
        named = bool(node.name) and str(node.name).rpartition(".")[2].startswith(
            ("weight", "embedding")
        )
        value = facts.value(node)
        one_hot = np.isin(value, (0.0, 1.0)).all()
        if (table or named) and value.ndim >= 2 and not one_hot and facts.rec.parameters:
            word = node.name or "A table of weights, from which rows are picked,"
            yield Problem(
                "frozen weights",
                [f"{word} needs no gradient, so it is never trained."],
                node,
                "possible",
            )
            return


def _rows_again(sequences: Sequences) -> Iterator[Problem]:
    """Vectors that are read again and again, bit for bit: rows of a table that was looked up outside."""
    for sequence in sequences.sequences:
        if sequence.read is sequence.symbols:
            continue
        rows = np.concatenate([v for v in sequence.values.values() if v.ndim == 2])
        rows = rows[rows.any(axis=1)]
        different = np.unique(rows, axis=0)
        dense = rows.shape[1] >= _WIDE and len(np.unique(different)) > 0.9 * different.size
        if dense and 1 < len(different) <= len(rows) / 2:
            words = [
                f"The {len(rows)} vectors that {_name(sequence.weight)} multiplies are only "
                f"{len(different)} different ones: rows of a table that is not trained."
            ]
            yield Problem("frozen weights", words, sequence.products[sequence.first], "possible")
            return


def _name(node: Tensor) -> str:
    return node.name or f"parameter #{node.number}"
