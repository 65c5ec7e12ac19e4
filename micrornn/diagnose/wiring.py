"""How the parts are put together: states that are not passed on, values that left the graph, swapped axes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.primitive import PRIMITIVES
from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, Facts, place, telling
from micrornn.diagnose.problem import Problem
from micrornn.flow.series import label
from micrornn.recording.losses import kind_of

_CHANCE = 16  # elements from which on zeros and ones do not agree by chance
_NEAR = 200  # nodes before a leaf among which its origin is looked for


def check_wiring(facts: Facts) -> Iterator[Problem]:
    """Mistakes in how values are passed on."""
    yield from _states(facts)
    yield from _zero_cells(facts)
    yield from _chosen(facts)
    yield from _detached(facts)
    yield from _copies(facts)
    yield from _swapped(facts)
    yield from _shared_layers(facts)


# -- states -----------------------------------------------------------------------------------------


def _states(facts: Facts) -> Iterator[Problem]:
    """Recurrent weights that multiply zeros: at every step, or again after the first."""
    rec = facts.rec
    for weight in rec.parameters:
        if weight.ndim != 2:
            continue
        uses = [
            (user, user.inputs[1 - slot])
            for user, slot in rec.users.get(weight.number, ())
            if kind_of(user) == "product" and slot < 2 <= len(user.inputs)
        ]
        if len(uses) < 2:
            continue
        zero = [
            other.is_leaf and not other.requires_grad and not np.any(other._value)
            for _, other in uses
        ]
        name = weight.name or f"#{weight.number}"
        if all(zero):
            words = [
                f"{name} multiplies a state of zeros in all {len(uses)} of its uses: no state leads "
                f"from one step "
                "to the next."
            ]
            yield Problem("state not passed on", words, uses[-1][0])
            return
        ends = sorted(run.out.number for run in rec.passes)
        started: set[int] = set()  # sequences, one for each backward pass
        again = []
        for (user, _), z in zip(uses, zero):
            sequence = int(np.searchsorted(ends, user.number))
            if z and sequence in started:
                again.append(user)
            started.add(sequence)
        if again and zero[0] and len({user.scope for user, _ in uses}) == 1:
            user = again[0]
            number = [u.number for u, _ in uses].index(user.number) + 1
            at = f"step {user.step}" if user.step is not None else f"its use {number}"
            words = [
                f"{name} multiplies a state of zeros at {at}, after it had another state before."
            ]
            yield Problem("state reset in the middle", words, user, "likely")
            return


def _zero_cells(facts: Facts) -> Iterator[Problem]:
    """A gate that multiplies a state of zeros at every step: the cell state of an LSTM, left behind."""
    by_gate: dict[tuple[str, tuple[int, ...]], dict[int, tuple[Tensor, bool]]] = {}
    for node in facts.rec.nodes:
        if kind_of(node) != "scaling" or not node.step or len(node.inputs) != 2:
            continue
        for slot in (0, 1):
            gate, other = node.inputs[slot], node.inputs[1 - slot]
            if kind_of(facts.before(gate)) == "activation" and other.shape == gate.shape:
                zero = other.is_leaf and not other.requires_grad and not np.any(other._value)
                steps = by_gate.setdefault((node.scope, node.shape), {})
                if zero or node.step not in steps:
                    steps[node.step] = (node, zero)
    for (scope, _), steps in by_gate.items():
        nodes = [node for node, zero in steps.values() if zero]
        if len(nodes) > 2 and len(nodes) == len(steps):
            words = [
                f"At all {len(nodes)} steps a gate{f' of {scope}' if scope else ''} multiplies a state of "
                "zeros: the cell state is not passed on."
            ]
            yield Problem("state not passed on", words, nodes[-1])
            return


def _detached(facts: Facts) -> Iterator[Problem]:
    """Cuts in a row, each in a value that was computed from the one before, within one backward pass."""
    chain: dict[int, int] = {}  # by number: how many cuts led to a node
    longest, at = 0, None
    for node in facts.rec.nodes:
        if "cut" in node.params:
            chain[node.number] = chain.get(node.params["cut"], 0) + 1
            if chain[node.number] > longest:
                longest, at = chain[node.number], node
        else:
            before = max((chain.get(x.number, 0) for x in node.inputs), default=0)
            if before:
                chain[node.number] = before
    if at is not None and longest > max(2, len(facts.rec.passes)):
        words = [
            f"A value is detached {longest} times in a row, each time after it was computed from "
            f"the one "
            "before: nothing is learned through time."
        ]
        yield Problem("detached", words, at)


# -- values that left the graph ---------------------------------------------------------------------


def _copies(facts: Facts) -> Iterator[Problem]:
    """Data that is bit for bit, or but for rounding, a value computed before: its gradient is lost."""
    computed = [n for n in facts.rec.nodes if n.inputs and n.requires_grad]
    by_bytes: dict[bytes, Tensor] = {}
    for node in computed:
        if telling(facts.value(node)):
            by_bytes.setdefault(facts.value(node).tobytes(), node)
    numbers = np.array([n.number for n in computed])
    for leaf in facts.data:
        if "cut" in leaf.params:
            continue
        value = facts.value(leaf)
        origin = by_bytes.get(value.tobytes()) if telling(value) else None
        if origin is not None and origin.number < leaf.number:
            words = [
                f"{label(leaf)} is plain data with exactly the values of {label(origin)} "
                f"({place(origin)}): no gradient passes."
            ]
            yield Problem("copied out of the graph", words, origin, "certain")
            return
        end = int(np.searchsorted(numbers, leaf.number))
        for node in reversed(computed[max(0, end - _NEAR) : end]):
            applied = _applied(value, facts.value(node))
            if applied:
                words = [
                    f"{label(leaf)} is plain data: {applied} {label(node)} ({place(node)}), computed "
                    "outside the graph. It has no gradient."
                ]
                yield Problem("copied out of the graph", words, node, "likely")
                return
            how = rounded(value, facts.value(node))
            if how:
                words = [
                    f"{label(leaf)} is plain data: the {how} of {label(node)} ({place(node)}). It "
                    f"has no gradient."
                ]
                yield Problem("rounded on the path", words, node, "likely")
                return


def _chosen(facts: Facts) -> Iterator[Problem]:
    """Symbols that are looked up and are the argmax of what was computed, which the loss does not reach."""
    looked_up = [n for n in facts.rec.nodes if isinstance(n.params.get("index"), np.ndarray)]
    computed = [n for n in facts.rec.nodes if n.requires_grad and n.inputs and n.ndim >= 2]
    for node in looked_up:
        ids = node.params["index"]
        if ids.dtype.kind not in "iu" or ids.size < _CHANCE // 2 or len(np.unique(ids)) < 2:
            continue
        for origin in reversed([n for n in computed if n.number < node.number][-_NEAR:]):
            if origin.shape[:-1] != ids.shape or facts.rec.gradient(origin) is not None:
                continue
            if (facts.value(origin).argmax(-1) == ids).all():
                words = [
                    f"The symbols looked up at {place(node)} are the argmax of {label(origin)} "
                    f"({place(origin)}), which gets no gradient."
                ]
                yield Problem("rounded on the path", words, origin, "likely")
                return


def _applied(value: Array, origin: Array) -> str:
    """The activation that makes one value of another, outside the graph; "" if none does."""
    if value.shape != origin.shape or not telling(value):
        return ""
    if np.allclose(value, origin, 1e-5, 1e-7):
        return "the values of"
    for p in PRIMITIVES.values():
        if p.kind == "activation" and np.allclose(value, p.forward(origin), 1e-6, 1e-9):
            return f"{p.name} of"
    return ""


def rounded(value: Array, origin: Array) -> str:
    """What makes steps of an array: rounding, argmax, comparison or sign; "" if none of them does."""
    if value.shape != origin.shape or value.size < 2 or not np.isfinite(origin).all():
        return ""
    if (value == origin).all() or len(np.unique(value)) < 2:
        return ""
    several = len(np.unique(value)) > 2 or value.size >= _CHANCE
    if several and (value == np.round(origin)).all():
        return "rounding"
    if np.isin(value, (0.0, 1.0)).all():
        if value.ndim and value.shape[-1] > 1 and (value.sum(-1) == 1).all():
            chosen = np.take_along_axis(origin, value.argmax(-1)[..., None], -1)[..., 0]
            if (chosen == origin.max(-1)).all() and value.size >= _CHANCE:
                return "argmax"
        if value.size >= _CHANCE and any((value == (origin > c)).all() for c in (0.0, 0.5)):
            return "comparison"
    if (value == np.sign(origin)).all() and value.size >= _CHANCE:
        return "sign"
    return ""


# -- axes -------------------------------------------------------------------------------------------


def _swapped(facts: Facts) -> Iterator[Problem]:
    """A batch of which the loss uses the same single row at every step."""
    rec = facts.rec
    by_scope: dict[str, list[Tensor]] = {}
    for node in rec.find("h", exact=True):
        if node.step and node.inputs and node.ndim == 2 and node.shape[0] > 1:
            by_scope.setdefault(node.scope, []).append(node)
    for scope, nodes in by_scope.items():
        if len(nodes) < 2 or len({n.shape for n in nodes}) > 1:
            continue
        rows: set[int] = set()
        for node in nodes:
            g = rec.gradient(node)
            if g is None:
                break
            rows |= set(np.flatnonzero(np.asarray(g).any(axis=1)).tolist())
        else:
            if len(rows) == 1:
                words = [
                    f"Of the {nodes[0].shape[0]} rows of h in {scope}, only row {rows.pop()} gets a "
                    f"gradient, at all "
                    f"{len(nodes)} steps: the rows are the time steps of one sequence, not "
                    f"sequences of a batch."
                ]
                yield Problem("batch and time swapped", words, nodes[-1], "likely")
                return


def _shared_layers(facts: Facts) -> Iterator[Problem]:
    """Weights that are used several times within a step, one use after the other."""
    rec = facts.rec
    for weight in rec.parameters:
        if weight.ndim != 2:
            continue
        uses: dict[int, list[Tensor]] = {}
        for user, _ in rec.users.get(weight.number, ()):
            if kind_of(user) == "product" and user.step is not None:
                uses.setdefault(user.step, []).append(user)
        if len(uses) < 2 or {len({n.scope for n in nodes}) for nodes in uses.values()} != {1}:
            continue
        if {len(nodes) for nodes in uses.values()} <= {1}:
            continue
        if all(len(nodes) > 1 and _follows(*nodes[:2]) for nodes in uses.values()):
            name = weight.name or f"#{weight.number}"
            count = len(next(iter(uses.values())))
            words = [
                f"{name} is used {count} times in each step, each time on what came of the time before."
            ]
            yield Problem("layers share weights", words, next(iter(uses.values()))[1], "likely")
            return


def _follows(first: Tensor, second: Tensor) -> bool:
    """Whether the second was computed from the first within its step."""
    waiting, seen = [second], set()
    while waiting:
        for x in waiting.pop().inputs:
            if x is first:
                return True
            if x.number > first.number and x.number not in seen and x.step == first.step:
                seen.add(x.number)
                waiting.append(x)
    return False
