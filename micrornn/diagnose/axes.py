"""Axes that a reshape mixes: a row that should be one sequence and holds numbers of several."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, place
from micrornn.diagnose.origin import NONE
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.sequences import Sequences
from micrornn.recording.losses import kind_of

_FEWEST = 3  # steps


def check_axes(sequences: Sequences) -> Iterator[Problem]:
    """A reshape where the axes should have been swapped, before the network or behind it."""
    yield from _normalized(sequences)
    every = sequences.sequences
    if every and sequences.outputs and sequences.mixed:
        product = sequences.mixed[0]
        view = _reshape(product)
        if view is not None:
            words = [
                f"After {view.inputs[0].shape} became {view.shape} ({place(view)}), a row holds numbers of "
                "several sequences, which the next layer adds up."
            ]
            yield Problem("axes mixed by a reshape", words, view)
            return
    for number, reads in sequences.read_from.items():
        source = sequences.facts.rec.by_number[number]
        lead = source.shape[:-1]
        view = _reshape(reads[0][0])
        by_row = [at for _, at in reads]
        several = len(by_row) >= _FEWEST and len({len(at) for at in by_row}) == 1
        if len(lead) < 2 or view is None or not several or len(by_row[0]) < 2:
            continue
        if _scrambled(np.array(by_row), lead):
            words = [
                f"{view.inputs[0].shape} became {view.shape} ({place(view)}) without its axes being "
                "swapped: a row reads one step of one sequence, and the next step of another."
            ]
            yield Problem("axes mixed by a reshape", words, view)
            return


def _normalized(sequences: Sequences) -> Iterator[Problem]:
    """A softmax over numbers of several sequences: attention over the batch."""
    for node in sequences.facts.rec.nodes:
        if kind_of(node) not in ("distribution", "log distribution") or not node.ndim:
            continue
        marks = sequences.in_row.get(node.number)
        axis = node.params.get("axis", -1) % node.ndim
        if marks is None or (marks == NONE).any() or node.shape[axis] < 2:
            continue
        rows = np.moveaxis(marks, axis, -1)
        if (rows != rows[..., :1]).any(-1).all():
            words = [
                f"The softmax ({place(node)}) acts on axis {axis} of {node.shape}, along which the sequences "
                f"of the batch lie: its outputs add up to 1 over {node.shape[axis]} sequences."
            ]
            yield Problem("softmax over the wrong axis", words, node)
            return


def _scrambled(at: Array, lead: tuple[int, ...]) -> bool:
    """Whether no axis of the data tells the rows apart: (T, B) places in data of leading axes ``lead``."""
    where = np.unravel_index(at, lead)
    return not any((axis == axis[:1]).all() and len(set(axis[0].tolist())) > 1 for axis in where)


def _reshape(node: Tensor) -> Tensor | None:
    """The newest reshape before a node that keeps neither the first axis nor the second, or joins them."""
    waiting, seen = [node], set()
    while waiting:
        x = waiting.pop(0)
        for before in x.inputs[:1]:
            if "shape" in x.params and kind_of(x) == "view" and x.size == before.size:
                merges = x.shape[:1] != before.shape[:1]
                if merges and x.shape[-1:] != () and not _flattened(before.shape, x.shape):
                    return x
            if before.number not in seen:
                seen.add(before.number)
                waiting.append(before)
    return None


def _flattened(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a reshape only joins the leading axes, or takes them apart."""
    return before[-1:] == after[-1:] and 1 in (len(before) - 1, len(after) - 1)
