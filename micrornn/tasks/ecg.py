"""ecg: what part of a heartbeat is each sample of a trace? Many to many, in both directions.

Made up: no trace with labels comes with Python. A beat is the textbook's, a P wave, a sharp QRS complex and a
broad T wave, each a bump; how far apart beats are, how high the waves, the noise and the wandering of the
baseline differ. It shows the task, and no doctor should rely on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.tasks.models import Carrying, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import by_step

if TYPE_CHECKING:
    from numpy.random import Generator

PARTS = ("rest", "P", "QRS", "T")
LETTERS = "-PQT"
# Of each wave: its place in the beat, its width and its height.
WAVES = ((1, 0.18, 0.035, 0.2), (2, 0.35, 0.012, 1.0), (3, 0.62, 0.06, 0.35))
BEAT = 24  # samples, on average
DRAWN = {"steps": 12, "hidden": 4}


def trace(rng: Generator, samples: int) -> tuple[Any, Any]:
    """A trace and the part of each sample, both (T,).

    >>> values, parts = trace(np.random.default_rng(0), 24)
    >>> "".join(LETTERS[part] for part in parts)
    '-Q-----TTTTT-----------P'
    """
    values = rng.normal(0.0, 0.03, samples)
    values += 0.1 * np.sin(np.arange(samples) / 40 + rng.uniform(0, 6))
    parts = np.zeros(samples, dtype=int)
    times = np.arange(samples)
    begin = -rng.uniform(0, BEAT)
    while begin < samples:
        length = BEAT * rng.uniform(0.8, 1.2)
        height = rng.uniform(0.8, 1.2)
        for part, place, width, size in WAVES:
            distance = ((times - begin) / length - place) / width
            values += height * size * np.exp(-(distance**2) / 2)
            parts[np.abs(distance) < 1.5] = part
        begin += length
    return values, parts


def draw(rng: Generator, samples: int, batch: int) -> Batch:
    """Traces (T, B, 1) and parts (T, B)."""
    values, parts = zip(*[trace(rng, samples) for _ in range(batch)])
    return Batch(np.array(values).T[:, :, np.newaxis], np.array(parts).T)


def problem(
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    bidirectional: bool = True,
    steps: int = 50,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn to tell rest, P wave, QRS complex and T wave apart.

    Raises:
        ValueError: no sample.
    """
    at_least(1, steps=steps)
    options: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    model = Carrying(cell, 1, len(PARTS), bidirectional=bidirectional, **options)
    objective = by_step(model)
    test = draw(np.random.default_rng(10**6 + seed), steps, 100)

    def said() -> Any:
        return likeliest(model(test.inputs)[0])

    def measures() -> list[Measure]:
        right = float((said() == test.targets).mean())
        high = test.inputs[..., 0]
        by_height = float((np.where(high > 0.6, 2, 0) == test.targets).mean())
        return [Measure.above("right parts", right, by_height, "QRS where it is high, else rest")]

    def show(count: int) -> list[Shown]:
        rows = zip(test.inputs[..., 0].T[:count], test.targets.T, said().T)
        return [
            Shown(
                "".join(" .:-=+*#%@"[int(np.clip(9 * v, 0, 9))] for v in values),
                "".join(LETTERS[k] for k in wanted),
                "".join(LETTERS[k] for k in answer),
            )
            for values, wanted, answer in rows
        ]

    return Problem(
        "what part of a heartbeat each sample is",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=200,
        inputs=lambda b: [f"{x[0, 0]:.2f}" for x in b.inputs],
        labels=lambda b: [PARTS[k] for k in b.targets[:, 0]],
    )
