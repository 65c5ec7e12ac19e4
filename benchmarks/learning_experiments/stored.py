"""The runs that have been measured, in a file: one for each variant and seed of an experiment."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from learning_experiments.frame import Experiment, Figures, Results
from micrornn.files import written_whole


class Run(NamedTuple):
    """One variant with one seed: how it was set, what came out, what it took, and with what."""

    experiment: str
    variant: str
    seed: int
    settings: dict[str, Any]
    figures: Figures
    seconds: float
    made_with: str


class Stored:
    """All runs; a new one takes the place of an older one of the same variant and seed.

    Args:
        path: of the file.
        reading: begin with the runs that it holds.
        writing: write it again after each new run.
    """

    def __init__(self, path: Path, reading: bool, writing: bool) -> None:
        self.path, self.writing = path, writing
        self.runs: dict[tuple[str, str, int], Run] = {}
        if reading and path.exists():
            for item in json.loads(path.read_text(encoding="utf-8")):
                run = Run(**item)
                self.runs[run[:3]] = run

    def add(self, run: Run) -> None:
        """Keep a run."""
        self.runs[run[:3]] = run
        if self.writing:
            items = [self.runs[key]._asdict() for key in sorted(self.runs)]
            text = ",\n".join(json.dumps(item, allow_nan=False) for item in items)
            with written_whole(self.path) as file:
                file.write(f"[\n{text}\n]\n".encode())

    def has(self, experiment: str, variant: str, seed: int, settings: Mapping[str, Any]) -> bool:
        """Whether there is such a run, with these settings."""
        run = self.runs.get((experiment, variant, seed))
        return run is not None and run.settings == settings

    def of(self, experiment: Experiment, quick: bool = False) -> dict[str, list[Run]]:
        """The runs of every variant, by seed; those with other settings than now do not count."""
        found: dict[str, list[Run]] = {}
        for variant in experiment.variants:
            settings = experiment.settings_of(variant, quick)
            own = [
                self.runs[key] for key in sorted(self.runs) if key[:2] == (experiment.name, variant)
            ]
            found[variant] = [run for run in own if run.settings == settings]
        return found

    def results(self, experiment: Experiment, quick: bool = False) -> Results | None:
        """The figures of every variant; None while one has none."""
        found = {v: [run.figures for run in runs] for v, runs in self.of(experiment, quick).items()}
        return found if all(found.values()) else None


def made_with() -> str:
    """What the figures were measured with."""
    return f"CPython {platform.python_version()}, NumPy {version('numpy')}, {platform.machine()}"
