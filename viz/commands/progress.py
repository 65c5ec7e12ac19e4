"""Progress on stderr: a bar in a terminal, a few lines in a file."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from micrornn.messages import printable
from viz.commands.console import is_terminal, say

if TYPE_CHECKING:
    from micrornn.training import Report

PATIENCE = 2.0  # seconds until a bar is shown
LINES = 10  # how many to print where stderr is not a terminal


class Bar:
    """A progress bar that appears in a terminal when it is shown, or after some seconds."""

    def __init__(self, what: str, total: int | None = None, done: int = 0) -> None:
        self.what, self.total, self.done = printable(what), total, done
        self._shown: Any = None
        self._over = False
        self._lock = threading.Lock()  # the timer shows the bar in a thread of its own
        self._timer = threading.Timer(PATIENCE, self.show)
        self._timer.daemon = True

    def wait(self) -> None:
        """Show the bar unless the work is over soon."""
        self._timer.start()

    def show(self) -> None:
        """Show the bar now."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed
        from rich.progress import TimeRemainingColumn as Remaining

        times = (MofNCompleteColumn(), Remaining()) if self.total else (Elapsed(),)
        columns = (BarColumn(), *times, TextColumn("{task.description}", markup=False))
        with self._lock:
            if not self._over:
                shown = Progress(*columns, console=Console(stderr=True))
                shown.add_task(self.what, total=self.total, completed=self.done)
                shown.start()
                self._shown = shown  # from here on, update finds its task

    def update(self, done: int, what: str | None = None) -> None:
        """Show how much is done."""
        self.done, self.what = done, self.what if what is None else what
        if self._shown is not None:
            self._shown.update(0, completed=done, description=self.what)

    def stop(self) -> None:
        """End the bar: it stays if the amount of work was known, and disappears if not."""
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._shown is not None:
                self._shown.live.transient = self.total is None
                self._shown.stop()


@contextmanager
def working(what: str, quiet: bool = False, total: int | None = None) -> Iterator[Bar]:
    """Show a bar in a terminal if the work inside takes more than two seconds.

    Args:
        what: the work, such as "drawing hello".
        quiet: show nothing.
        total: the amount of work, if it is known; then call `Bar.update`.
    """
    bar = Bar(what, total)
    if quiet or not is_terminal(sys.stderr):
        yield bar
        return
    bar.wait()
    try:
        yield bar
    finally:
        bar.stop()


@contextmanager
def iterations(done: int, total: int, quiet: bool) -> Iterator[Callable[[object, Report], None]]:
    """A callback for a trainer that shows its progress."""
    if quiet:
        yield lambda trainer, report: None
    elif is_terminal(sys.stderr):
        bar = Bar("", total, done)
        held_out = [""]  # the last loss on held-out data

        def update(trainer: object, report: Report) -> None:
            words = f"loss {report.loss:.4g}  gradient {report.norm:.3g}"
            if report.validation is not None:
                held_out[0] = f"  held-out loss {report.validation:.4g}"
            bar.update(report.iteration, words + held_out[0])

        bar.show()
        try:
            yield update
        finally:
            bar.stop()
    else:
        every = max(1, (total - done) // LINES)

        def tell(trainer: object, report: Report) -> None:
            if (report.iteration - done) % every == 0 or report.iteration == total:
                loss, norm = f"loss {report.loss:.4g}", f"gradient {report.norm:.3g}"
                say(f"iteration {report.iteration} of {total}: {loss}, {norm}")

        yield tell
