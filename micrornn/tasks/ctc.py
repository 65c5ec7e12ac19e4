"""ctc: many frames in, few labels out, and nobody says which frame belongs to which label.

Frames as of speech, made up: each label sounds for some frames, with pauses between, all under noise. The
loss (Graves et al. 2006) adds up the probabilities of all alignments that read as the labels; a blank stands
between equal ones. That is a sum, not a search for the best alignment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.context import scope
from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.ctc_decoding import ctc_greedy
from micrornn.nn.losses import ctc_loss
from micrornn.ops.reduce import log_softmax
from micrornn.ops.shape import stack
from micrornn.tasks.models import Carrying
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

SOUNDS = 4
WORDS = " abcd"
DRAWN = {"steps": 8, "hidden": 4, "length": 2}


def draw(rng: Generator, steps: int, batch: int, labels: int) -> Batch:
    """Frames (T, B, 4) and labels (B, S), counted from 1; 0 is the blank.

    >>> made = draw(np.random.default_rng(0), 12, 2, 3)
    >>> made.inputs.shape, made.targets.shape
    ((12, 2, 4), (2, 3))
    """
    targets = rng.integers(1, SOUNDS + 1, (batch, labels))
    frames = rng.normal(0.0, 0.3, (steps, batch, SOUNDS))
    for b in range(batch):
        cuts = np.linspace(0, steps, labels + 1).astype(int)
        for label, begin, end in zip(targets[b], cuts, cuts[1:]):
            room = end - begin
            sounds = int(rng.integers(max(1, room // 2), max(2, room)))
            first = begin + int(rng.integers(0, room - sounds + 1))
            frames[first : first + sounds, b, label - 1] += 1.0
    return Batch(frames, targets)


def problem(
    cell: str = "gru",
    hidden: int = 24,
    layers: int = 1,
    bidirectional: bool = True,
    steps: int = 30,
    batch: int = 16,
    length: int = 4,
    seed: int = 0,
) -> Problem:
    """Learn to read ``length`` labels out of ``steps`` frames.

    Raises:
        ValueError: fewer than two frames for each label, so that repeats could not be told apart.
    """
    if length < 1 or steps < 2 * length:
        raise ValueError(
            f"{steps} frames for {length} labels: equal labels need a blank between them; give at least "
            f"--steps {2 * max(length, 1)}"
        )
    options: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    model = Carrying(cell, SOUNDS, SOUNDS + 1, bidirectional=bidirectional, **options)
    test = draw(np.random.default_rng(10**6 + seed), steps, 100, length)

    def log_probs(frames: Any) -> Any:
        outputs, _ = model(frames)
        return log_softmax(stack(outputs), axis=-1)

    def objective(batch: Batch, state: Any) -> Computed:
        logs = log_probs(batch.inputs)
        with scope("loss"):
            loss = ctc_loss(logs, batch.targets)
        loss.name = "loss"
        return Computed([loss], loss, None)

    def said() -> list[list[int]]:
        logs = log_probs(test.inputs).numpy()
        return [ctc_greedy(logs[:, b]).labels for b in range(logs.shape[1])]

    def measures() -> list[Measure]:
        wrong = np.mean([a != b for a, b in zip(said(), test.targets.tolist())])
        return [
            Measure.below("wrong sequences", float(wrong), 0.2, f"guessing: 1 - {SOUNDS}^-{length}")
        ]

    def show(count: int) -> list[Shown]:
        loudest = np.where(test.inputs.max(-1) > 0.6, test.inputs.argmax(-1) + 1, 0)
        rows = zip(loudest.T[:count], test.targets, said())
        return [Shown(*("".join(WORDS[k] for k in row) for row in example)) for example in rows]

    return Problem(
        f"{length} labels out of {steps} frames, by CTC",
        model,
        Drawn(lambda rng: draw(rng, steps, batch, length), seed),
        objective,
        measures,
        show,
        iterations=250,
        inputs=lambda b: [f"{frame[0].argmax() + 1}" for frame in b.inputs],
    )
