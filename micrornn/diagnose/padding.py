"""Padding that counts: in the loss, as the last step of a sequence, or alone, where a mask is inverted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, place
from micrornn.diagnose.origin import NONE
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.reading import Sequence
from micrornn.diagnose.sequences import Goal, Sequences
from micrornn.recording.losses import kind_of

_SHARE = 0.25  # of the sequences end in padding at the step that is read


def check_padding(sequences: Sequences) -> Iterator[Problem]:
    """Padding that counts as if it were data."""
    for sequence in sequences.sequences:
        padded = padding(sequence)
        if padded is None:
            continue
        for goal in sequences.goals:
            yield from _in_the_loss(_Ended(sequences, sequence, padded), goal)
        yield from _attended(_Ended(sequences, sequence, padded))
        return


def padding(sequence: Sequence) -> Array | None:
    """(T, B): where a sequence has ended, and what is read is one and the same to the end of the batch.

    None without such ends: they have different lengths, and what fills them occurs nowhere before.
    """
    steps = range(sequence.first, sequence.last + 1)
    read = [sequence.read.get(t) for t in steps]
    known = [r for r in read if r is not None]
    if len(known) < len(read) or len({r.shape for r in known}) > 1 or len(known[0]) < 2:
        return None
    every = np.array(known, dtype=float).reshape(len(known), len(known[0]), -1)  # (T, B, F)
    shortest = _ends(every, every[-1]).sum(axis=0).argmax()
    filler = every[-1, shortest]
    padded = _ends(every, filler[None])
    same = (every == filler).all(-1)
    ends = padded.sum(axis=0)
    several = ends.max() >= 2 and len(set(ends.tolist())) > 1
    # A symbol may come twice by chance; then more than one sequence has to end in several of them.
    if every.shape[-1] == 1 or not several:
        several = ends.max() > 2 and (ends >= 2).sum() >= 2 and len(set(ends.tolist())) > 1
    return padded if several and (not filler.any() or (same == padded).all()) else None


def _ends(every: Array, filler: Array) -> Array:
    """(T, B): where each sequence holds nothing but a filler from there on."""
    same = (every == filler).all(-1)
    return np.logical_and.accumulate(same[::-1])[::-1]


@dataclass(frozen=True)
class _Ended:
    """Sequences of which some have ended: ``padded`` (T, B) counts from the first step."""

    sequences: Sequences
    sequence: Sequence
    padded: Array

    def places(self, marks: Array) -> list[tuple[Tensor, int, int]] | None:
        """The (state, step from 0 on, row) of marks; None where one lies elsewhere."""
        found = []
        for mark in marks:
            state, row = self.sequences.state(int(mark))
            at = int(state.step or 0) - self.sequence.first
            if not 0 <= at < len(self.padded) or row >= self.padded.shape[1]:
                return None
            found.append((state, at, row))
        return found

    def held(self, state: Tensor, at: int, row: int) -> bool:
        """Whether a state has stayed as it was since its sequence ended."""
        end = int((~self.padded[:at, row]).sum()) - 1
        facts = self.sequences.facts
        if state.name is None or end < 0:
            return False
        own = facts.rec.find(state.name, end + self.sequence.first, exact=True)
        own = [n for n in own if n.scope == state.scope and n.shape == state.shape]
        return bool(own) and bool((facts.value(own[0])[row] == facts.value(state)[row]).all())


def _in_the_loss(ended: _Ended, goal: Goal) -> Iterator[Problem]:
    known = goal.states != NONE
    where = ended.places(goal.states[known])
    counts = goal.counts[known]
    if not where:
        return
    fills = np.array([ended.padded[at, row] for _, at, row in where])
    node = goal.node
    if not fills.any() or not counts.any():
        return
    if len({at for _, at, _ in where}) == 1:
        late = [w for w, c, f in zip(where, counts, fills) if c and f and not ended.held(*w)]
        if len(late) >= max(2, _SHARE * int(counts.sum())):
            yield _last_step(ended, late, node)
    elif not (counts & ~fills).any():
        words = [
            f"The loss counts {int((counts & fills).sum())} steps of padding and none of the "
            f"{int((~fills).sum())} real ones."
        ]
        yield Problem("mask inverted", words, node)
    elif counts.all():
        words = [
            f"The loss counts {int(fills.sum())} steps at which the input is padding ({place(node)}), "
            f"of {fills.size}."
        ]
        yield Problem("padding in the loss", words, node, "likely")


def _last_step(ended: _Ended, late: list[tuple[Tensor, int, int]], node: Tensor) -> Problem:
    """All sequences are read at one step, at which some have ended."""
    at = late[0][1]
    most = max(int(ended.padded[: at + 1, row].sum()) for _, _, row in late)
    words = [
        f"The prediction is read at step {at + 1}, where {len(late)} of {ended.padded.shape[1]} sequences "
        f"have ended: up to {most} steps of padding ago."
    ]
    return Problem("padding read last", words, node, "likely")


def _attended(ended: _Ended) -> Iterator[Problem]:
    """Attention that gives all its weight to padding."""
    sequences = ended.sequences
    for node in sequences.facts.rec.nodes:
        marks = sequences.outputs.get(node.number)
        if kind_of(node) != "distribution" or marks is None or (marks == NONE).any():
            continue
        places = ended.places(marks.ravel())
        if not places or len({at for _, at, _ in places}) < 2:
            continue
        fills = np.array([ended.padded[at, row] for _, at, row in places])
        rows = np.array([row for _, _, row in places])
        weight = sequences.facts.value(node).ravel()
        short = np.isin(rows, rows[fills])  # sequences with padding
        if weight[short & ~fills].max(initial=0.0) < 1e-6 < weight[fills].sum():
            words = [
                f"The softmax ({place(node)}) gives the steps of padding all the weight, and the real "
                "steps of these sequences none."
            ]
            yield Problem("mask inverted", words, node)
            return
