"""ctc: predict labels from frames, without alignment: no frame is marked with its label.

The frames are generated and resemble speech: each label sounds for some frames, with pauses between, under
noise. The CTC loss (Graves et al. 2006) sums the probabilities of all alignments that read as the labels,
with a blank between equal ones; it does not search for the best alignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.context import scope
from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.ctc_decoding import ctc_greedy
from micrornn.nn.losses import ctc_loss
from micrornn.ops.join import stack
from micrornn.ops.softmax import log_softmax
from micrornn.tasks.network import Network
from micrornn.tasks.problem import Example, Measure, Problem, held_out, to_choose_by
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

SOUNDS = 4
WORDS = " abcd"


def draw(rng: Generator, steps: int, batch: int, labels: int) -> Batch:
    """Frames (T, B, 4) and labels (B, S), which count from 1; 0 is the blank.

    >>> drawn = draw(np.random.default_rng(0), 12, 2, 3)
    >>> drawn.inputs.shape, drawn.targets.shape
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
    """Learn to predict ``length`` labels from ``steps`` frames.

    Raises:
        ValueError: fewer than two frames per label, so that repeated labels cannot be separated.
    """
    if length < 1 or steps < 2 * length:
        raise ValueError(
            f"steps={steps} for {length} labels; repeated labels need a blank between them, so give at "
            f"least --steps {2 * max(length, 1)}"
        )
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    network = Network(cell, SOUNDS, SOUNDS + 1, bidirectional=bidirectional, **sizes)
    test = draw(held_out(seed), steps, 100, length)
    choosing = draw(to_choose_by(seed), steps, 100, length)

    def log_probs(frames: Any) -> Any:
        return log_softmax(stack(network(frames)[0]), axis=-1)

    def objective(batch: Batch, state: Any) -> Computed:
        logs = log_probs(batch.inputs)
        with scope("loss"):
            loss = ctc_loss(logs, batch.targets)
        loss.name = "loss"
        return Computed([loss], loss)

    def predictions() -> list[list[int]]:
        logs = log_probs(test.inputs).numpy()
        return [ctc_greedy(logs[:, b]).labels for b in range(logs.shape[1])]

    def measures() -> list[Measure]:
        wrong = np.mean(
            [one != target for one, target in zip(predictions(), test.targets.tolist())]
        )
        why = f"guessing: 1 - {SOUNDS}^-{length}"
        return [Measure.below("wrong sequences", float(wrong), 0.2, why)]

    def examples() -> Iterator[Example]:
        loudest = np.where(test.inputs.max(-1) > 0.6, test.inputs.argmax(-1) + 1, 0)
        for row in zip(loudest.T, test.targets, predictions()):
            yield Example(*("".join(WORDS[i] for i in part) for part in row))

    return Problem(
        f"{network} predicts {length} labels from {steps} frames, by CTC",
        network,
        Drawn(lambda rng: draw(rng, steps, batch, length), seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=250,
        inputs=lambda b: [f"{frame[0].argmax() + 1}" for frame in b.inputs],
    )
