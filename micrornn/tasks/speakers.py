"""speakers: who says two vowels? Sequences of different lengths, one answer for each (many to one).

Nine men, 216 recordings to train on, 54 to choose by and 370 to measure on, all real: see
`micrornn.data.vowels`. The network is given the lengths, so that padding changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.sound import read_audio
from micrornn.data.vowels import LONGEST, SPEAKERS, WIDTH, Recording, divided
from micrornn.tasks.baselines import nearest_mean, nearest_neighbor, summary
from micrornn.tasks.classify import sequences
from micrornn.tasks.network import Network
from micrornn.tasks.problem import Example, Measure, Problem, accuracy, at_least
from micrornn.training.objective import Computed, final_loss


def padded(some: list[Recording]) -> Batch:
    """Frames (T, B, 12), padded with zeros, speakers (B,), and lengths (B,).

    >>> from micrornn.data.vowels import recordings
    >>> batch = padded(recordings()[0][:3])
    >>> batch.inputs.shape, batch.targets, batch.extra
    ((26, 3, 12), array([0, 0, 0]), array([20, 26, 22]))
    """
    lengths = np.array([len(one.frames) for one in some])
    frames = np.zeros((lengths.max(), len(some), WIDTH))
    for b, (one, length) in enumerate(zip(some, lengths)):
        frames[:length, b] = one.frames
    return Batch(frames, np.array([one.speaker for one in some]), extra=lengths)


class Listener(Network):
    """Reads the frames up to the length of each recording; the last state predicts the speaker."""

    def forward(self, steps: Any, lengths: Any = None) -> Any:
        """The logits of the speakers."""
        _, last = self.recurrent(list(steps), lengths=lengths)
        h = last[0] if isinstance(last, tuple) else last
        with scope(t=len(steps)):
            return self.readout(h[-1])


def problem(
    audio: str | None = None,
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    steps: int | None = None,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to tell nine speakers apart, or the labels of a user's sounds.

    Args:
        audio: see `micrornn.data.sound.read_audio`.
        steps: how many frames of each recording are read, all by default; at most 100 of a user's sound.

    Raises:
        ValueError: no frame, or unusable sounds.
    """
    if steps is not None:
        at_least(1, steps=steps)
    if audio is not None:
        sizes: dict[str, Any] = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
        return sequences(read_audio(audio), audio, "sounds", steps, sizes, batch)
    steps = steps or LONGEST
    network = Listener(cell, WIDTH, SPEAKERS, hidden=hidden, layers=layers, seed=seed)
    training, choosing, kept = (
        [Recording(frames[:steps], who) for frames, who in part] for part in divided()
    )
    test = padded(kept)
    means = [np.array([one.frames.mean(0) for one in part]) for part in (training, kept)]
    speakers = np.array([one.speaker for one in training])
    parts = [np.array([summary(one.frames) for one in part]) for part in (training, kept)]
    baselines = {
        "the nearest neighbor by mean frames": accuracy(
            nearest_neighbor(parts[0], speakers, parts[1]), test.targets
        ),
        "the nearest mean frame": accuracy(
            nearest_mean(means[0], speakers, means[1]), test.targets
        ),
    }

    def objective(batch: Batch, state: Any) -> Computed:
        return final_loss(network(batch.inputs, batch.extra), batch)

    def predictions() -> Any:
        return network(test.inputs, test.extra).numpy().argmax(-1)

    def measures() -> list[Measure]:
        right = accuracy(predictions(), test.targets)
        return [Measure.beside("accuracy", right, baselines)]

    def examples() -> Iterator[Example]:
        for length, target, prediction in zip(test.extra, test.targets, predictions()):
            yield Example(f"{length} frames", f"speaker {target}", f"speaker {prediction}")

    return Problem(
        f"{network} predicts which of nine speakers says the vowels",
        network,
        Shuffled(training, batch, padded, seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(padded(choosing), None).total.item(),
        iterations=200,
        inputs=lambda b: [" ".join(f"{v:.1f}" for v in x[0]) for x in b.inputs],
        labels=lambda b: [str(b.targets[0])],
    )
