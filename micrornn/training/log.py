"""The results of each iteration: as a report, and as a line of a log in CSV or JSON."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = ("iteration", "loss", "validation", "norm", "lr", "losses")
SUFFIXES = (".csv", ".json", ".jsonl")
UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, RecursionError)


class Report(NamedTuple):
    """The results of one iteration.

    Attributes:
        loss: the mean over the updates of the iteration.
        losses: the loss of each step.
        norm: of the gradient before clipping, at the last update.
        lr: the learning rate.
        validation: the loss on held-out data, at the iterations that compute it.
    """

    iteration: int
    loss: float
    losses: list[float]
    norm: float
    lr: float
    validation: float | None = None


class Log:
    """Appends a line to a file at each iteration; give it to a `Trainer` as a callback.

    A file that ends in ``.csv`` has the columns iteration, loss, validation, norm, lr, and the losses of the
    steps separated by spaces; a ``.json`` or ``.jsonl`` file has one object per line. A new training needs a
    new file. A resumed one continues its log: lines later than the checkpoint are removed, since those
    iterations run again.

    Raises:
        ValueError: the file name has another ending, or the file exists and is not a training log.

    >>> Log("training.txt")
    Traceback (most recent call last):
    ValueError: training.txt: a training log ends in .csv or .json; rename it
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"{path}: a training log ends in .csv or .json; rename it")
        self.tabular = self.path.suffix.lower() == ".csv"
        self._size = -1  # of the file after the last line of this training
        self.read()

    def __call__(self, trainer: object, report: Report) -> None:
        if self._size < 0:
            self._begin(report.iteration - 1)
        elif self.path.is_file() and self.path.stat().st_size != self._size:
            problem = "another program writes to this log; give each training its own"
            raise OSError(errno.EBUSY, problem, str(self.path))
        with self.path.open("ab") as file:
            file.write(self._line(report).encode())
        self._size = self.path.stat().st_size

    def check(self, iteration: int) -> None:
        """Check that a training at this iteration can continue the log; 0 is a new training.

        Raises:
            ValueError: the log is of another training, or has a gap.
        """
        iterations = [report.iteration for report, _ in self.read()]
        if iterations and not iteration:
            raise ValueError(
                f"{self.path} is the log of another training, of {iterations[-1]} iterations; resume that "
                "training, or give another file"
            )
        if iterations and iteration not in iterations:
            raise ValueError(
                f"{self.path} has no line for iteration {iteration}, where training resumes; it is the log "
                "of another training, so give another file"
            )

    def read(self) -> list[tuple[Report, int]]:
        """The reports, each with the size of the file up to the end of its line.

        The last line is left out if it is incomplete, as after a kill.

        Raises:
            ValueError: the file is not a training log; names the line.
        """
        found: list[tuple[Report, int]] = []
        content = self.path.read_bytes() if self.path.is_file() else b""
        size = 0
        for i, line in enumerate(content.splitlines(keepends=True), 1):
            size += len(line)
            if not line.endswith(b"\n"):
                line = b"" if i > 1 else line
            if not line or (self.tabular and i == 1 and line == _HEADING):
                continue
            try:
                found.append((Report(*self._fields(line.decode())), size))
            except UNREADABLE:
                raise ValueError(
                    f"{self.path} is not a training log (line {i}); give another file"
                ) from None
        if self.tabular and content and not content.startswith(_HEADING):
            raise ValueError(f"{self.path} is not a training log; give another file")
        return found

    def _begin(self, iteration: int) -> None:
        """Keep the lines up to this iteration, in place: there is no other file that a kill could leave."""
        self.check(iteration)
        sizes = {report.iteration: size for report, size in self.read()}
        heading = _HEADING if self.tabular else b""
        if not self.path.exists() or (self.path.is_file() and not sizes):
            self.path.write_bytes(heading)
        elif sizes:
            os.truncate(self.path, sizes[iteration])

    def _fields(self, line: str) -> tuple[Any, ...]:
        """The fields of a report, from the line that `_line` wrote."""
        if self.tabular:
            (row,) = csv.reader([line], strict=True)
            iteration, loss, validation, norm, lr, losses = row
            steps: list[Any] = losses.split()
        else:
            read = json.loads(line)
            if set(read) != set(COLUMNS):
                raise ValueError
            iteration, loss, validation, norm, lr, steps = (read[name] for name in COLUMNS)
        judged = None if validation in ("", None) else float(validation)
        if int(iteration) < 1:
            raise ValueError
        return (
            *(int(iteration), float(loss), [float(x) for x in steps]),
            *(float(norm), float(lr), judged),
        )

    def _line(self, report: Report) -> str:
        if not self.tabular:
            return json.dumps({name: getattr(report, name) for name in COLUMNS}) + "\n"
        buffer = io.StringIO()
        losses = " ".join(f"{loss:.6g}" for loss in report.losses)
        validation = "" if report.validation is None else report.validation
        row: list[Any] = [report.iteration, report.loss, validation, report.norm, report.lr, losses]
        csv.writer(buffer, lineterminator="\n").writerow(row)
        return buffer.getvalue()


_HEADING = (",".join(COLUMNS) + "\n").encode()


def read_log(path: str | Path) -> list[Report]:
    """The reports in a training log, in order; the last line is left out if it is incomplete.

    Raises:
        ValueError: the file is not a training log; names the line.
        FileNotFoundError: there is no such file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Log(Path(folder, "log.csv"))
    ...     log(None, Report(1, 0.5, [0.25, 0.75], 1.5, 0.01))
    ...     read_log(log.path)
    [Report(iteration=1, loss=0.5, losses=[0.25, 0.75], norm=1.5, lr=0.01, validation=None)]
    """
    log = Log(path)
    if not log.path.is_file():
        raise FileNotFoundError(f"no file {path}; give a training log")
    return [report for report, _ in log.read()]
