"""A log of the training in a file: one line for each iteration, as CSV or as JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrornn.training.trainer import Report, Trainer

COLUMNS = ("iteration", "loss", "norm", "lr", "losses")


class Log:
    """Appends a line to a file at each iteration; give it to a `Trainer` among its callbacks.

    The file ends in ``.csv`` (columns iteration, loss, norm, lr, and the steps' losses separated by
    blanks) or in ``.json`` or ``.jsonl`` (one object in each line). When training is resumed, lines that are
    later than the checkpoint are taken off, for those iterations are made again.

    Raises:
        ValueError: the file name ends in neither.

    >>> Log("training.txt")
    Traceback (most recent call last):
    ValueError: training.txt: a log is written as .csv or .json; name it so
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix not in (".csv", ".json", ".jsonl"):
            raise ValueError(f"{path}: a log is written as .csv or .json; name it so")
        self.tabular = self.path.suffix == ".csv"
        self._begun = False

    def __call__(self, trainer: Trainer, report: Report) -> None:
        if not self._begun:
            self._begin(report.iteration)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(self._line(report))

    def _begin(self, iteration: int) -> None:
        """Keep what was written before this iteration, and nothing else."""
        kept = []
        if iteration > 1 and self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if 0 < self._number(line) < iteration]
        heading = ",".join(COLUMNS) + "\n" if self.tabular else ""
        self.path.write_text(heading + "".join(kept), encoding="utf-8")
        self._begun = True

    def _number(self, line: str) -> int:
        """The iteration of a line, or 0 for one that is no line of a log, or not a whole one."""
        try:
            if not line.endswith("\n"):
                return 0
            return int(line.split(",")[0] if self.tabular else json.loads(line)["iteration"])
        except (ValueError, KeyError, TypeError):
            return 0

    def _line(self, report: Report) -> str:
        if not self.tabular:
            return json.dumps({name: getattr(report, name) for name in COLUMNS}) + "\n"
        buffer = io.StringIO()
        losses = " ".join(f"{loss:.6g}" for loss in report.losses)
        row: list[Any] = [report.iteration, report.loss, report.norm, report.lr, losses]
        csv.writer(buffer, lineterminator="\n").writerow(row)
        return buffer.getvalue()
