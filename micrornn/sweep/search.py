"""A search over settings instead of all combinations: Optuna proposes, the sweep measures.

Optuna's study is made anew from the file of the sweep each time, so a search resumes like any sweep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from micrornn.sweep.grid import Axis, Range, Settings, canonical
from micrornn.sweep.records import SweepError

SAMPLERS = ("tpe", "random", "cmaes")


class Search:
    """Proposes settings, given the results so far.

    Args:
        axes: the values, or ranges, of each setting.
        sampler: one of `SAMPLERS`.
        maximize: whether larger results are better.
        seed: of the sampler.

    Raises:
        SweepError: Optuna is not installed.
    """

    def __init__(self, axes: Sequence[Axis], sampler: str, maximize: bool, seed: int = 0) -> None:
        try:
            import optuna
        except ImportError:
            raise SweepError(
                "--search needs Optuna; install it: pip install 'micrornn[sweep]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self._spaces = {axis.name: self._space(axis) for axis in axes}
        samplers: dict[str, Any] = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
            "cmaes": lambda: optuna.samplers.CmaEsSampler(seed=seed),
        }
        self._study = optuna.create_study(
            direction="maximize" if maximize else "minimize", sampler=samplers[sampler]()
        )
        self._asked: dict[str, list[Any]] = {}  # the same settings may be proposed again

    def _space(self, axis: Axis) -> Any:
        distributions, values = self._optuna.distributions, axis.values
        if not isinstance(values, Range):
            return distributions.CategoricalDistribution(list(values))
        if values.whole:
            return distributions.IntDistribution(int(values.low), int(values.high), log=values.log)
        return distributions.FloatDistribution(values.low, values.high, log=values.log)

    def known(self, settings: Settings, value: float) -> None:
        """Tell of a result from earlier; one outside the ranges is not of this search."""
        if set(settings) != set(self._spaces) or not math.isfinite(value):
            return
        try:
            trial = self._optuna.trial.create_trial(
                params=settings, distributions=self._spaces, value=value
            )
        except ValueError:
            return
        self._study.add_trial(trial)

    def ask(self) -> Settings:
        """The next settings to try."""
        trial = self._study.ask(self._spaces)
        settings: Settings = dict(trial.params)
        self._asked.setdefault(canonical(settings), []).append(trial)
        return settings

    def tell(self, settings: Settings, value: float | None) -> None:
        """The result of settings that were asked for; None or NaN if they failed."""
        for trial in self._asked.pop(canonical(settings), []):
            if value is None or not math.isfinite(value):
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            else:
                self._study.tell(trial, value)
