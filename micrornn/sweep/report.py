"""What came out of a sweep: for each combination of settings, each figure over the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from micrornn.sweep.grid import Settings, canonical
from micrornn.sweep.records import DONE, FAILED, REFUSED, Result, SweepError, reason
from micrornn.sweep.store import Store


class Spread(NamedTuple):
    """One figure over the seeds of one combination.

    Attributes:
        values: one for each seed that ended.
        reached: how many of them reached the goal of the task; None where it has none.
    """

    values: list[float]
    reached: int | None = None

    @property
    def mean(self) -> float:
        """The mean; NaN if a value is."""
        return math.fsum(self.values) / len(self.values)

    @property
    def deviation(self) -> float:
        """The sample standard deviation; 0 for a single seed.

        >>> Spread([1.0, 3.0]).deviation == 2**0.5
        True
        """
        known = all(map(math.isfinite, self.values))
        if len(self.values) < 2:
            return 0.0
        return statistics.stdev(self.values) if known else math.nan


class Row(NamedTuple):
    """One combination of settings.

    Attributes:
        figures: by name.
        failed: how many of its trials failed.
        refused: why the task does not take these settings together, if so.
        missing: how many of its trials have not ended.
        curves: the loss over the iterations, of each seed that ended.
    """

    settings: Settings
    figures: dict[str, Spread]
    failed: int
    refused: str
    missing: int
    seconds: float
    curves: list[list[tuple[int, float, float | None]]]


class Report(NamedTuple):
    """A sweep of one source.

    Attributes:
        names: the settings that differ between rows, in the order in which they were given.
        constant: those that are the same everywhere.
        metrics: the names of the figures, in the order of the task.
        errors: each different reason, with the number of trials that it ended.
    """

    source: str
    names: list[str]
    constant: Settings
    metrics: list[str]
    rows: list[Row]
    errors: dict[str, int]

    def values(self, name: str) -> list[Any]:
        """The different values of a setting, numbers in their order and the rest as they came."""
        found = list(dict.fromkeys(row.settings.get(name) for row in self.rows))
        return sorted(found) if all(map(is_number, found)) else found

    def best(self, metric: str, maximize: bool) -> Row | None:
        """The row with the best mean, of those that have the figure."""
        rows = [row for row in self.rows if metric in row.figures]
        rows = [row for row in rows if math.isfinite(row.figures[metric].mean)]
        pick = max if maximize else min
        return pick(rows, key=lambda row: row.figures[metric].mean) if rows else None


def report(store: Store, source: str | None = None) -> Report:
    """The report of a source; by default of the only one in the file.

    Raises:
        SweepError: the file has no trials, or several sources and none is named, or not that one.

    >>> store = Store(":memory:")
    >>> store.add("recall", [{"cell": "lstm"}, {"cell": "gru"}], seeds=1)
    2
    >>> report(store).names, [row.missing for row in report(store).rows]
    (['cell'], [1, 1])
    """
    sources = store.sources()
    if not sources:
        raise SweepError(f"{store.path} has no trials; run a sweep first")
    if (source is None and len(sources) > 1) or (source is not None and source not in sources):
        raise SweepError(
            f"{store.path} has sweeps of {', '.join(sources)}; name one: --source NAME"
        )
    source = source or sources[0]
    results, curves = store.results(source), store.curves(source)
    grouped: dict[str, list[Any]] = {}
    errors: dict[str, int] = {}
    for trial in store.trials(source):
        grouped.setdefault(canonical(trial.settings), []).append(trial)
        if trial.state == FAILED:
            why = reason(trial.error)
            errors[why] = errors.get(why, 0) + 1
    rows = [_row(trials, results, curves) for trials in grouped.values()]
    names = list(dict.fromkeys(name for row in rows for name in row.settings))
    varying = [n for n in names if len({canonical({n: r.settings.get(n)}) for r in rows}) > 1]
    constant = {name: rows[0].settings[name] for name in names if name not in varying}
    metrics = list(dict.fromkeys(name for row in rows for name in row.figures))
    return Report(source, varying, constant, metrics, rows, errors)


def _row(
    trials: Sequence[Any],
    results: dict[int, list[Result]],
    curves: dict[int, list[tuple[int, float, float | None]]],
) -> Row:
    done = [trial for trial in trials if trial.state == DONE]
    figures: dict[str, Spread] = {}
    for trial in done:
        for result in results.get(trial.id, ()):
            spread = figures.get(result.name, Spread([], None if result.reached is None else 0))
            reached = None if spread.reached is None else spread.reached + bool(result.reached)
            figures[result.name] = Spread([*spread.values, result.value], reached)
    refused = [trial.error for trial in trials if trial.state == REFUSED]
    failed = sum(trial.state == FAILED for trial in trials)
    return Row(
        trials[0].settings,
        figures,
        failed,
        refused[0] if refused else "",
        len(trials) - len(done) - failed - len(refused),
        sum(trial.seconds or 0.0 for trial in trials),
        [curves[trial.id] for trial in done if trial.id in curves],
    )


def is_number(value: Any) -> bool:
    """Whether a setting is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
