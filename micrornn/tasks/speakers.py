"""speakers: who says this vowel? Sequences of different lengths, one answer for each; many to one.

Made up in the shape of the Japanese vowels of Kudo, Toyama & Shimbo (1999): nine speakers say the same two
vowels, 7 to 26 frames of some numbers each. A speaker is a shift of both vowels and a pace; a recording adds
noise. Padding changes nothing: the network is told the lengths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.context import scope
from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.cross_entropy import cross_entropy
from micrornn.tasks.models import Carrying
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

SPEAKERS, WIDTH, SHORTEST = 9, 4, 7
VOICES = np.random.default_rng(9).normal(0.0, 0.5, (SPEAKERS, 2, WIDTH))
DRAWN = {"steps": 9, "hidden": 4}


def draw(rng: Generator, longest: int, batch: int) -> Batch:
    """Frames (T, B, 4) padded with zeros, speakers (B,), and lengths (B,)."""
    speakers = rng.integers(0, SPEAKERS, batch)
    lengths = rng.integers(min(SHORTEST, longest), longest + 1, batch)
    frames = np.zeros((longest, batch, WIDTH))
    for b, (speaker, length) in enumerate(zip(speakers, lengths)):
        share = np.linspace(0.0, 1.0, length)[:, np.newaxis]  # from the first vowel to the second
        first, second = VOICES[speaker] + rng.normal(0.0, 0.2, (2, WIDTH))
        said = first * (1 - share) + second * share
        frames[:length, b] = said + rng.normal(0.0, 0.2, (length, WIDTH))
    return Batch(frames, speakers, extra=lengths)


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
    cell: str = "lstm",
    hidden: int = 32,
    layers: int = 1,
    steps: int = 26,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to tell nine speakers apart; ``steps`` is how long the longest recording may be.

    Raises:
        ValueError: no frame.
    """
    at_least(1, steps=steps)
    model = Listening(cell, WIDTH, SPEAKERS, hidden=hidden, layers=layers, seed=seed)
    test = draw(np.random.default_rng(10**6 + seed), steps, 270)

    def objective(batch: Batch, state: Any) -> Computed:
        who = model(batch.inputs, batch.extra)
        with scope("loss", t=len(batch)):
            loss = cross_entropy(who, batch.targets)
        loss.name = "loss"
        return Computed([loss], loss, None)

    def said() -> Any:
        return model(test.inputs, test.extra).numpy().argmax(-1)

    def measures() -> list[Measure]:
        right = float((said() == test.targets).mean())
        return [Measure.above("right speakers", right, 0.6, "guessing gives 1/9 = 0.111")]

    def show(count: int) -> list[Shown]:
        rows = zip(test.extra[:count], test.targets, said())
        return [Shown(f"{n} frames", f"speaker {a}", f"speaker {b}") for n, a, b in rows]

    return Problem(
        "which of nine speakers says two vowels",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=150,
        inputs=lambda b: [" ".join(f"{v:.1f}" for v in x[0]) for x in b.inputs],
    )
