"""Files are written aside and renamed: whatever interrupts the writing, the old file stays whole."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to, which takes its place at ``path`` when all is written, or not at all.

    A link is followed to what it points to. What is there and is no file (a device, a pipe) cannot be
    replaced and is written to as it is.

    Raises:
        IsADirectoryError: the path is a folder.
        OSError: the folder is missing or not writable.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.txt"
    ...     with written_whole(path) as file:
    ...         _ = file.write(b"all of it")
    ...     path.read_bytes()
    b'all of it'
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(21, "is a folder; give the name of a file in it", str(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(2, f"there is no folder {target.parent}; make it first", str(path))
    with _named(path):
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.")
    try:
        with _named(path), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(
            aside, stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        )
        os.replace(aside, target)
    except BaseException:
        os.unlink(aside)
        raise


@contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """The system's errors (no room, no permission) say the name that was asked for, and not the one aside."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
