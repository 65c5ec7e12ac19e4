"""The runs in the file of the sweep: one trial for each variant and seed of an experiment.

A trial keeps numbers by name, so nested figures are kept under the path to each number.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from learning_experiments.frame import Experiment, Figures, Results
from micrornn.sweep.grid import canonical
from micrornn.sweep.records import DONE
from micrornn.sweep.store import Store

SOURCE = "benchmarks/learning.py:measure"


class Run(NamedTuple):
    """One variant with one seed: what came out, how long it took, when and with what."""

    variant: str
    seed: int
    figures: Figures
    seconds: float
    measured: str
    made_with: str


class Stored:
    """The runs that a file has, for the settings that an experiment has now."""

    def __init__(self, store: Store) -> None:
        results = store.results(SOURCE)
        self._runs: dict[str, list[Run]] = {}
        for trial in sorted(store.trials(SOURCE), key=lambda trial: trial.seed):
            if trial.state == DONE:
                figures = nested({r.name: r.value for r in results.get(trial.id, ())})
                run = Run(
                    trial.settings["variant"],
                    trial.seed,
                    figures,
                    trial.seconds or 0.0,
                    trial.ended[:10],
                    ", ".join(f"{name} {number}" for name, number in trial.versions.items()),
                )
                self._runs.setdefault(canonical(trial.settings), []).append(run)

    def of(self, experiment: Experiment, quick: bool = False) -> dict[str, list[Run]]:
        """The runs of every variant, by seed."""
        return {
            variant: self._runs.get(canonical(experiment.settings_of(variant, quick)), [])
            for variant in experiment.variants
        }

    def results(self, experiment: Experiment, quick: bool = False) -> Results | None:
        """The figures of every variant; None while one has none."""
        found = {v: [run.figures for run in runs] for v, runs in self.of(experiment, quick).items()}
        return found if all(found.values()) else None


def flat(figures: Any, path: str = "") -> dict[str, float]:
    """Nested figures as numbers by path; None, what was never reached, is infinite.

    >>> flat({"a": 1, "b": {"c": [2, None]}})
    {'a': 1.0, 'b/c/0': 2.0, 'b/c/1': inf}
    """
    if isinstance(figures, dict | list):
        items = figures.items() if isinstance(figures, dict) else enumerate(figures)
        return {
            name: number
            for key, value in items
            for name, number in flat(value, f"{path}/{key}" if path else str(key)).items()
        }
    return {path: math.inf if figures is None else float(figures)}


def nested(numbers: dict[str, float]) -> Figures:
    """The figures that `flat` made numbers of; those of a list count from 0.

    >>> nested({"a": 1.0, "b/c/0": 2.5, "b/c/1": math.inf})
    {'a': 1, 'b': {'c': [2.5, None]}}
    """
    tree: dict[str, Any] = {}
    for path, number in numbers.items():
        *above, last = path.split("/")
        place = tree
        for key in above:
            place = place.setdefault(key, {})
        whole = math.isfinite(number) and number.is_integer() and abs(number) < 2**53
        place[last] = None if math.isinf(number) else int(number) if whole else number
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(one) for key, one in value.items()}
    counted = list(inner) == [str(i) for i in range(len(inner))]
    return list(inner.values()) if counted else inner
