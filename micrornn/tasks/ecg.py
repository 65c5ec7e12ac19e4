"""ecg: what part of a heartbeat is each sample of a trace? Many to many, in both directions.

Three real beats (`micrornn.data.heartbeats`), whose parts were set by eye. The network learns from the first
two and is measured on the third, as it was recorded. Two beats are few, so what is learnt from is made up of
them: played faster or slower, higher or lower, with noise, on a wandering baseline. One heart, one beat to
measure on: it shows the task and says nothing of other hearts. No doctor should rely on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.data.heartbeats import LEARNT, PARTS, parts, trace
from micrornn.tasks.models import Carrying, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import by_step

if TYPE_CHECKING:
    from numpy.random import Generator

Array = np.ndarray[Any, Any]
LETTERS = "-PQT"
EVERY = 4  # of so many samples the mean is read, so that a beat is about 80 steps
DRAWN = {"steps": 12, "hidden": 4}


class Trace(NamedTuple):
    """Samples and their parts, both (T,); samples are about 0 at rest, and at most 1 in what is learnt."""

    values: Array
    parts: Array


def beats() -> tuple[Trace, Trace]:
    """The two beats to learn from, and the one to measure on.

    >>> learnt, kept = beats()
    >>> len(learnt.values), len(kept.values), "".join(LETTERS[part] for part in kept.parts[::2])
    (176, 80, '----------PPPP---QQQQ------TTTTTTTT-----')
    """
    values = trace().reshape(-1, EVERY).mean(1)
    labels = parts()[EVERY // 2 :: EVERY]
    end = LEARNT // EVERY
    rest = np.median(values[:end])
    values = (values - rest) / (values[:end].max() - rest)
    return Trace(values[:end], labels[:end]), Trace(values[end:], labels[end:])


def draw(rng: Generator, of: Trace, steps: int, batch: int) -> Batch:
    """Traces made up of a real one: values (T, B, 1) and parts (T, B).

    It is read from anywhere and, where it ends, goes on from its beginning.
    """
    pace, height = rng.uniform(0.8, 1.25, (2, batch))
    times = rng.uniform(0, len(of.values), batch) + pace * np.arange(steps)[:, np.newaxis]
    values = np.interp(times, np.arange(len(of.values)), of.values, period=len(of.values))
    length, begin = rng.uniform((40, 0), (200, 2 * np.pi), (batch, 2)).T
    wander = 0.15 * np.sin(times * 2 * np.pi / length + begin)
    values = height * values + wander + rng.normal(0.0, 0.02, times.shape)
    return Batch(values[:, :, np.newaxis], of.parts[times.astype(int) % len(of.parts)])


def by_height(learnt: Trace, values: Array) -> Array:
    """The part by the sample's height alone, as often in what is learnt from: what needs no network.

    >>> learnt, kept = beats()
    >>> float((by_height(learnt, kept.values) == kept.parts).mean())
    0.64
    """
    bins = np.quantile(learnt.values, np.linspace(0, 1, 11)[1:-1])
    seen, asked = np.digitize(learnt.values, bins), np.digitize(values, bins)
    commonest = [np.bincount(learnt.parts[seen == k]).argmax() for k in range(10)]
    return np.asarray(np.array(commonest)[asked])


def problem(
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    bidirectional: bool = True,
    steps: int = 80,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn to tell rest, P wave, QRS complex and T wave apart; ``steps`` is how many are read in training.

    Raises:
        ValueError: no sample.
    """
    at_least(1, steps=steps)
    options: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    model = Carrying(cell, 1, len(PARTS), bidirectional=bidirectional, **options)
    learnt, kept = beats()
    guessed = float((by_height(learnt, kept.values) == kept.parts).mean())

    def said() -> Any:
        return likeliest(model(kept.values[:, np.newaxis, np.newaxis])[0])[:, 0]

    def measures() -> list[Measure]:
        right = float((said() == kept.parts).mean())
        why = "by the height of each sample alone"
        return [Measure.above("right parts of a beat never seen", right, guessed, why)]

    def show(count: int) -> list[Shown]:
        high = kept.values - kept.values.min()
        high = (9 * np.sqrt(high / high.max())).astype(int)  # the root shows the small waves too
        return [
            Shown(
                "".join(" .:-=+*#%@"[k] for k in high),
                "".join(LETTERS[k] for k in kept.parts),
                "".join(LETTERS[k] for k in said()),
            )
        ][:count]

    return Problem(
        "what part of a heartbeat each sample is",
        model,
        Drawn(lambda rng: draw(rng, learnt, steps, batch), seed),
        by_step(model),
        measures,
        show,
        lr=0.03,
        iterations=100,
        inputs=lambda b: [f"{x[0, 0]:.2f}" for x in b.inputs],
        labels=lambda b: [PARTS[k] for k in b.targets[:, 0]],
    )
