"""ecg: the part of a heartbeat of each sample of a trace (many to many, bidirectional).

The data are three real beats (`micrornn.data.heartbeats`), with labels set by eye: one to train on, one to
choose by, one to measure on. One beat is few, so the training data are variations of it: faster or slower,
higher or lower, with noise, on a wandering baseline. With one beat of one heart to measure on, the result
shows the task and says nothing about other hearts; it is not for medical use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.data.heartbeats import BEATS, PARTS, parts, trace
from micrornn.data.series import columns_of, numeric, rows_of
from micrornn.data.tables import read_table
from micrornn.tasks.network import Network, predicted
from micrornn.tasks.parts import needs_file
from micrornn.tasks.problem import Example, Measure, Problem, accuracy, at_least
from micrornn.tasks.stepwise import rows
from micrornn.training.objective import by_step

if TYPE_CHECKING:
    from numpy.random import Generator

Array = np.ndarray[Any, Any]
LETTERS = "-PQT"
EVERY = 4  # samples are averaged by fours, so that a beat has about 80 steps


class Trace(NamedTuple):
    """Samples and their parts, both (T,); samples are about 0 at rest, and at most 1 in the training part."""

    values: Array
    parts: Array


def beats() -> tuple[Trace, Trace, Trace]:
    """The beat to train on, the one to choose by, and the one to measure on.

    >>> training, choosing, test = beats()
    >>> len(training.values), len(choosing.values), len(test.values), letters(test.parts[::2])
    (98, 78, 80, '----------PPPP---QQQQ------TTTTTTTT-----')
    """
    values = trace().reshape(-1, EVERY).mean(1)
    labels = parts()[EVERY // 2 :: EVERY]
    second, third = (start // EVERY for start in BEATS[1:])
    rest = np.median(values[:second])
    values = (values - rest) / (values[:second].max() - rest)

    cuts = zip(np.split(values, [second, third]), np.split(labels, [second, third]))
    training, choosing, test = (Trace(*cut) for cut in cuts)
    return training, choosing, test


def letters(labels: Any) -> str:
    """Parts as letters, ``-`` for rest."""
    return "".join(LETTERS[label] for label in labels)


def draw(rng: Generator, real: Trace, steps: int, batch: int) -> Batch:
    """Variations of a real trace: values (T, B, 1) and parts (T, B).

    Each starts at a random place and continues from the start where the trace ends.
    """
    pace, height = rng.uniform(0.8, 1.25, (2, batch))
    count = len(real.values)
    times = rng.uniform(0, count, batch) + pace * np.arange(steps)[:, np.newaxis]
    values = np.interp(times, np.arange(count), real.values, period=count)
    length, begin = rng.uniform((40, 0), (200, 2 * np.pi), (batch, 2)).T
    wander = 0.15 * np.sin(times * 2 * np.pi / length + begin)
    values = height * values + wander + rng.normal(0.0, 0.02, times.shape)
    return Batch(values[:, :, np.newaxis], real.parts[times.astype(int) % count])


def by_height(training: Trace, values: Array) -> Array:
    """The most frequent part of samples of the same height: a baseline without a network.

    >>> training, _, test = beats()
    >>> accuracy(by_height(training, test.values), test.parts)
    0.6
    """
    bins = np.quantile(training.values, np.linspace(0, 1, 11)[1:-1])
    seen, queries = np.digitize(training.values, bins), np.digitize(values, bins)
    commonest = [np.bincount(training.parts[seen == k]).argmax() for k in range(10)]
    return np.asarray(np.array(commonest)[queries])


def problem(
    csv: str | None = None,
    column: str | None = None,
    target: str | None = None,
    encoding: str | None = None,
    missing: str = "error",
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    bidirectional: bool = True,
    steps: int = 80,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn to tell rest, P wave, QRS complex and T wave apart, from traces of ``steps`` samples.

    Or learn the label of each row of a user's table: of an electroencephalogram, a patient, network traffic.

    Args:
        csv: a table, its rows in order of time.
        column: the columns of numbers to read, with commas between them; by default all but the target.
        target: the column with the label of each row.
        encoding, missing: see `micrornn.data.series.read_column`.

    Raises:
        ValueError: no sample, or the file is unusable.
    """
    at_least(1, steps=steps)
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    if csv is not None:
        table = read_table(csv, encoding)
        if target is None:
            raise ValueError(
                f"--csv {csv}: name the column with the label of each row: --target NAME; columns: "
                f"{table.listed()}"
            )
        names = columns_of(column) or numeric(table, target)
        values, labels = rows_of(table, names, missing, target)
        return rows(values, labels, csv, steps, bidirectional, {"cell": cell, **sizes}, batch)
    needs_file("csv", column=column, target=target, encoding=encoding)
    network = Network(cell, 1, len(PARTS), bidirectional=bidirectional, **sizes)
    objective = by_step(network)
    training, choosing, test = beats()
    baseline = accuracy(by_height(training, test.values), test.parts)

    def loss() -> float:
        batch = Batch(choosing.values[:, np.newaxis, np.newaxis], choosing.parts[:, np.newaxis])
        return objective(batch, None).total.item()

    def predictions() -> Any:
        return predicted(network(test.values[:, np.newaxis, np.newaxis])[0])[:, 0]

    def measures() -> list[Measure]:
        right = accuracy(predictions(), test.parts)
        return [Measure.above("accuracy", right, baseline, "the height of each sample alone")]

    def examples() -> Iterator[Example]:
        high = test.values - test.values.min()
        levels = (9 * np.sqrt(high / high.max())).astype(int)  # the root shows small waves too
        picture = "".join(" .:-=+*#%@"[k] for k in levels)
        yield Example(picture, letters(test.parts), letters(predictions()))

    return Problem(
        f"{network} predicts the part of a heartbeat of each sample",
        network,
        Drawn(lambda rng: draw(rng, training, steps, batch), seed),
        objective,
        measures,
        examples,
        validate=loss,
        lr=0.03,
        iterations=100,
        inputs=lambda b: [f"{x[0, 0]:.2f}" for x in b.inputs],
        labels=lambda b: [PARTS[k] for k in b.targets[:, 0]],
    )
