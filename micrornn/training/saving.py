"""How a training keeps its results: signals end it between two iterations, and its checkpoint is its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from micrornn.files import written_whole
from micrornn.training.checkpoint import Saveable, tree_of
from micrornn.training.tree import CheckpointError, write

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

# Of a file: it changes when the file is replaced or written to.
Identity = tuple[int, int, int] | None


class CheckpointFile:
    """The checkpoint of a running training, locked against other trainings.

    Args:
        path: the file. If it is there, it has to be the one that this training read or wrote last.
        known: the identity of that file; None if this training has neither read nor written it.

    Raises:
        CheckpointError: another training writes to the file, or has written to it since.
    """

    def __init__(self, path: str | Path, known: Identity) -> None:
        self.path = path
        self.known = known
        self._lock: int | None = None
        if identity(path) is not None:
            self._lock = os.open(path, os.O_RDONLY)
            if not _locked(self._lock):
                self.close()
                raise CheckpointError(
                    f"another training is writing {path}; wait until it ends, or give another file"
                )
        if identity(path) != known:
            self.close()
            found = "exists" if known is None else "was changed by another program"
            raise CheckpointError(f"{path} {found}; resume from it, or give another file")

    def save(self, trainer: Saveable) -> None:
        """Replace the file by one with the state of the trainer.

        Raises:
            OSError: the file cannot be written, or is new and has been created by another program.
        """
        with written_whole(self.path, new=self.known is None) as file:
            write(file, tree_of(trainer, trainer.about))
            lock = os.dup(file.fileno())
            _locked(lock)  # before the file has its name: no other process can hold it
        self.close()
        self._lock, self.known = lock, identity(self.path)

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def identity(path: str | Path) -> Identity:
    """What tells a file from another one of the same name; None if there is no file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _locked(handle: int) -> bool:
    """Lock an open file, until it is closed or the program ends; where that cannot be done, say it was."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


@contextmanager
def interruptible(end: Callable[[int], None]) -> Iterator[None]:
    """Call ``end`` with the number of a signal (Ctrl-C, `kill`, a closed terminal) instead of obeying it.

    A second signal is obeyed. Signals that are ignored, as by `nohup`, stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            with suppress(TypeError):  # a handler that was not set from Python
                signal.signal(number, handler)

    def ask(number: int, frame: Any) -> None:
        restore()
        end(number)

    try:
        for number, handler in before.items():
            if handler not in (signal.SIG_IGN, None):
                signal.signal(number, ask)
        yield
    finally:
        restore()
