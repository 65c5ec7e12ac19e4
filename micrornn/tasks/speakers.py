"""speakers: who says these vowels? Sequences of different lengths, one answer for each; many to one.

Nine men, 270 recordings to learn from and 370 to measure on, all real: see `micrornn.data.vowels`. Padding
changes nothing: the network is told the lengths.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.vowels import LONGEST, SPEAKERS, WIDTH, Recording, nearest_mean, recordings
from micrornn.tasks.models import Carrying
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import Computed, concluded

DRAWN = {"steps": 9, "hidden": 4}


def padded(some: list[Recording]) -> Batch:
    """Frames (T, B, 12) with zeros after the last, speakers (B,), and lengths (B,).

    >>> batch = padded(recordings()[0][:3])
    >>> batch.inputs.shape, batch.targets, batch.extra
    ((26, 3, 12), array([0, 0, 0]), array([20, 26, 22]))
    """
    lengths = np.array([len(one.frames) for one in some])
    frames = np.zeros((lengths.max(), len(some), WIDTH))
    for b, (one, length) in enumerate(zip(some, lengths)):
        frames[:length, b] = one.frames
    return Batch(frames, np.array([one.speaker for one in some]), extra=lengths)


class Listening(Carrying):
    """Reads frames up to each one's length; the last state says who spoke."""

    def forward(self, steps: Any, lengths: Any = None) -> Any:
        """The logits of the speakers."""
        recurrent = getattr(self, self.cell)
        _, last = recurrent(list(steps), lengths=lengths)
        h = last[0] if isinstance(last, tuple) else last
        with scope(t=len(steps)):
            return self.readout(h[-1])


def problem(
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    steps: int = LONGEST,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to tell nine speakers apart; ``steps`` is how many frames of a recording are read at most.

    Raises:
        ValueError: no frame.
    """
    at_least(1, steps=steps)
    model = Listening(cell, WIDTH, SPEAKERS, hidden=hidden, layers=layers, seed=seed)
    learnt, kept = (
        [Recording(frames[:steps], who) for frames, who in some] for some in recordings()
    )
    test = padded(kept)
    by_mean = float((nearest_mean(learnt, kept) == test.targets).mean())

    def objective(batch: Batch, state: Any) -> Computed:
        return concluded(model(batch.inputs, batch.extra), batch)

    def said() -> Any:
        return model(test.inputs, test.extra).numpy().argmax(-1)

    def measures() -> list[Measure]:
        right = float((said() == test.targets).mean())
        return [Measure.above("right speakers", right, by_mean, "the nearest mean frame")]

    def show(count: int) -> list[Shown]:
        rows = zip(test.extra[:count], test.targets, said())
        return [Shown(f"{n} frames", f"speaker {a}", f"speaker {b}") for n, a, b in rows]

    return Problem(
        "which of nine speakers says the vowels",
        model,
        Shuffled(learnt, batch, padded, seed),
        objective,
        measures,
        show,
        iterations=200,
        inputs=lambda b: [" ".join(f"{v:.1f}" for v in x[0]) for x in b.inputs],
    )
