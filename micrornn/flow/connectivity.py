"""Connectivity: which earlier inputs the prediction of a step depends on (Madsen 2019, Distill)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.pieces import Rows
from micrornn.flow.rows import sweep
from micrornn.flow.series import norms, plain, table
from micrornn.messages import percent
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Connectivity:
    """How strongly each step's output depends on each earlier input.

    Attributes:
        steps: k, of the inputs.
        outputs: t, of the outputs.
        inputs: what each input is, as the recording names it.
        sizes: (outputs, inputs), |dy_t[best] / dx_k|; NaN where k is after t, or no path leads.
    """

    steps: list[int]
    outputs: list[int]
    inputs: list[str]
    sizes: Array

    @property
    def shares(self) -> Array:
        """Each row divided by its sum: which share of the dependence each input has; 0 for no path."""
        known = np.nan_to_num(self.sizes)
        total = known.sum(1, keepdims=True)
        shares: Array = known / np.where(total > 0, total, 1.0)
        return shares

    @property
    def reach(self) -> float:
        """How many steps back, on average, the last output depends on."""
        back = self.outputs[-1] - np.array(self.steps)
        return float(self.shares[-1] @ np.maximum(back, 0))

    def table(self) -> str:
        """One row for each input, with its share in the last output."""
        rows = [
            [k, word, "-" if np.isnan(size) else float(size), f"{share:.1%}"]
            for k, word, size, share in zip(
                self.steps, self.inputs, self.sizes[-1], self.shares[-1]
            )
        ]
        return table(["k", "input", "size", "share"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return plain(
            {
                "steps": self.steps,
                "outputs": self.outputs,
                "inputs": self.inputs,
                "sizes": self.sizes,
                "reach": self.reach,
            }
        )

    def __str__(self) -> str:
        last = self.shares[-1]
        if not last.any():
            return f"no path leads from an input to the output of step {self.outputs[-1]}"
        best = int(last.argmax())
        word = f" ({self.inputs[best]})" if self.inputs[best] else ""
        return (
            f"the output of step {self.outputs[-1]} rests on inputs {self.reach:.2g} steps back on average, "
            f"most on step {self.steps[best]}{word} with {percent(last[best])}"
        )


def connectivity(rec: Recording) -> Connectivity:
    """The norm of the derivative of each step's largest output with respect to each earlier input.

    connectivity(t, k) = |d y_t[best] / d x_k|, where best is the class with the largest logit of step t (of
    an output of one number, that number): what the prediction of step t depends on (Madsen 2019, "Visualizing
    memorization in RNNs"). Outputs are what the losses are of. A batch is taken together.

    Args:
        rec: live or loaded; backward need not have run.

    Raises:
        RecordingError: there are no inputs named x over time, or no outputs of losses.

    >>> from micrornn.tasks.source import recorded
    >>> found = connectivity(recorded("hello").recording)
    >>> found.sizes.shape, found.inputs
    ((4, 4), ["'h'", "'e'", "'l'", "'l'"])
    >>> bool(np.isnan(found.sizes[0, 1:]).all())  # what comes after cannot matter
    True
    """
    inputs = _inputs(rec)
    outputs = _outputs(rec)
    seeds: dict[int, Rows] = {}
    for row, node in enumerate(outputs):
        value = np.asarray(rec.value(node), float)
        unit = (value == value.max(-1, keepdims=True)) if value.ndim else np.ones(())
        seeds[node.number] = Rows(np.array([row]), np.asarray(unit, float)[None])
    found = sweep(rec.nodes, seeds, [n.number for n in inputs])
    sizes = np.full((len(outputs), len(inputs)), np.nan)
    for column, node in enumerate(inputs):
        rows = found.get(node.number)
        if rows is not None:
            sizes[rows.labels, column] = norms(rows.values)
    words = [(node.name or "").partition(" ")[2] for node in inputs]
    return Connectivity([n.step or 0 for n in inputs], [n.step or 0 for n in outputs], words, sizes)


def _inputs(rec: Recording) -> list[Tensor]:
    by_step: dict[int, Tensor] = {}
    for node in rec.nodes:
        if node.step and (node.name or "").partition(" ")[0] == "x":
            by_step.setdefault(node.step, node)  # later ones were computed from it
    if not by_step:
        raise RecordingError(
            "no input is named x over time, so nothing can rest on one; name them (x.name = 'x') and mark "
            "the steps (with mr.scope(t=t))"
        )
    return [by_step[t] for t in sorted(by_step)]


def _outputs(rec: Recording) -> list[Tensor]:
    """What each loss is of, by step: the first input of its loss function."""
    by_step: dict[int, Tensor] = {}
    for loss in rec.losses:
        made = loss.primitive
        if made is not None and made.kind == "loss" and loss.step and loss.inputs:
            by_step[loss.step] = loss.inputs[0]
    for node in rec.find("y", exact=True):
        if node.step:
            by_step.setdefault(node.step, node)
    if not by_step:
        raise RecordingError("no loss of a step is of an output, and no output is named y")
    return [by_step[t] for t in sorted(by_step)]
