"""A log of the training in a file: one line for each iteration, as CSV or as JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrornn.files import written_whole

if TYPE_CHECKING:
    from micrornn.training.trainer import Report, Trainer

COLUMNS = ("iteration", "loss", "validation", "norm", "lr", "losses")
UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, RecursionError)


class Log:
    """Appends a line to a file at each iteration; give it to a `Trainer` among its callbacks.

    The file ends in ``.csv`` (columns iteration, loss, validation, norm, lr, and the steps' losses separated
    by blanks) or in ``.json`` or ``.jsonl`` (one object in each line). When training is resumed, lines later
    than the checkpoint are taken off, for those iterations are made again.

    Raises:
        ValueError: the file name ends in neither, or the file is there and is no log.

    >>> Log("training.txt")
    Traceback (most recent call last):
    ValueError: training.txt: a log is written as .csv or .json; name it so
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in (".csv", ".json", ".jsonl"):
            raise ValueError(f"{path}: a log is written as .csv or .json; name it so")
        self.tabular = self.path.suffix.lower() == ".csv"
        self._begun = False
        lines = self._lines()
        first = lines[0].rstrip() if lines else ""
        if lines and not (
            first == ",".join(COLUMNS) if self.tabular else first.startswith('{"iteration"')
        ):
            raise ValueError(
                f"{path} is there already and is no log of a training, so it is not replaced; name another "
                "file"
            )

    def __call__(self, trainer: Trainer, report: Report) -> None:
        if not self._begun:
            self._begin(report.iteration)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(self._line(report))

    def go_on(self, iteration: int) -> None:
        """See to it that the log is one of the training that goes on after this iteration.

        Raises:
            ValueError: it has no line of that iteration: there would be a gap, or it is of another training.
        """
        numbers = [self._number(line) for line in self._lines()]
        if any(numbers) and iteration not in numbers:
            raise ValueError(
                f"{self.path} has no line of iteration {iteration}, after which the training goes on: it "
                "is of another one, or has a gap; name another file"
            )

    def _lines(self) -> list[str]:
        """What is in the file, where there is one."""
        if not self.path.is_file():
            return []
        try:
            return self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        except UnicodeDecodeError:
            raise ValueError(f"{self.path} is no text, and so no log; name another file") from None

    def _begin(self, iteration: int) -> None:
        """Keep what was written before this iteration, and nothing else."""
        kept = [line for line in self._lines() if 0 < self._number(line) < iteration]
        heading = ",".join(COLUMNS) + "\n" if self.tabular else ""
        with written_whole(self.path) as file:
            file.write((heading + "".join(kept)).encode())
        self._begun = True

    def _number(self, line: str) -> int:
        """The iteration of a line, or 0 for one that is no line of a log, or not a whole one."""
        try:
            if not line.endswith("\n"):
                return 0
            return int(line.split(",")[0] if self.tabular else json.loads(line)["iteration"])
        except UNREADABLE:
            return 0

    def _report(self, line: str) -> Report:
        """What `_line` wrote."""
        from micrornn.training.trainer import Report

        row = dict(zip(COLUMNS, line.split(","))) if self.tabular else json.loads(line)
        losses = row["losses"].split() if self.tabular else row["losses"]
        loss, norm, lr = (float(row[name]) for name in ("loss", "norm", "lr"))
        judged = row["validation"]
        validation = None if judged in ("", None) else float(judged)
        return Report(int(row["iteration"]), loss, [float(x) for x in losses], norm, lr, validation)

    def _line(self, report: Report) -> str:
        if not self.tabular:
            return json.dumps({name: getattr(report, name) for name in COLUMNS}) + "\n"
        buffer = io.StringIO()
        losses = " ".join(f"{loss:.6g}" for loss in report.losses)
        judged = "" if report.validation is None else report.validation
        row: list[Any] = [report.iteration, report.loss, judged, report.norm, report.lr, losses]
        csv.writer(buffer, lineterminator="\n").writerow(row)
        return buffer.getvalue()


def read_log(path: str | Path) -> list[Report]:
    """The reports in a log that `Log` wrote, in order; a last line that is not whole is left out.

    Raises:
        ValueError: the file name is not that of a log, or a line is none of one.
        FileNotFoundError: there is no such file.

    >>> import tempfile
    >>> from micrornn.training.trainer import Report
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Log(Path(folder, "log.csv"))
    ...     log(None, Report(1, 0.5, [0.25, 0.75], 1.5, 0.01))
    ...     read_log(log.path)
    [Report(iteration=1, loss=0.5, losses=[0.25, 0.75], norm=1.5, lr=0.01, validation=None)]
    """
    log = Log(path)
    found = []
    if not log.path.is_file():
        raise FileNotFoundError(f"there is no file {path}; give a log that training has written")
    for i, line in enumerate(log._lines(), 1):
        if log._number(line) > 0:
            try:
                found.append(log._report(line))
            except UNREADABLE:
                raise ValueError(
                    f"{path}, line {i}: this is no line of a log; give a file that training has written"
                ) from None
    return found
