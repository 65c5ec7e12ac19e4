"""Files: read whole within a limit, written whole or not at all.

What is written is complete before it takes its name, so that whatever interrupts the writing leaves the old
file as it was and no temporary file behind it.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PathLike = str | os.PathLike[str]

STDIN = "-"
LIMIT = 2**30  # bytes that a text, a table or a script may have


def read_whole(path: PathLike, expected: str, limit: int = LIMIT) -> bytes:
    """The content of a file, a pipe, or standard input (``-``).

    Args:
        path: the file.
        expected: what the file should be, for errors: "a CSV file".
        limit: the largest number of bytes accepted, so that an endless file cannot fill the memory.

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: it is a device, or is larger than ``limit``.

    >>> read_whole("none.csv", "a CSV file")
    Traceback (most recent call last):
    FileNotFoundError: no file none.csv; give a CSV file
    """
    with opened(path, expected) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        size = f"{limit / 2**20:,.0f} MiB"
        raise ValueError(
            f"{path} is larger than {size}, the most that micrornn reads of {expected}"
        )
    return content


@contextmanager
def opened(path: PathLike, expected: str) -> Iterator[IO[bytes]]:
    """A file, a pipe, or standard input (``-``), open for reading; see `read_whole`."""
    if os.fspath(path) == STDIN:
        if sys.stdin is None:
            raise ValueError(f"standard input is closed; give {expected}")
        yield sys.stdin.buffer
        return
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {path}; give {expected}") from None
    except ValueError:  # a NUL in the name
        raise ValueError(f"{path} cannot be the name of a file; give {expected}") from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(f"{path} is a folder; give {expected}")
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise ValueError(f"{path} is a device; give {expected}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)


def is_file(name: str) -> bool:
    """Whether a regular file has this name; a text may be no possible name at all."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def is_folder(name: str) -> bool:
    """Whether a folder has this name; a text may be no possible name at all."""
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


# -- writing ----------------------------------------------------------------------------------------


@contextmanager
def written_whole(path: PathLike, new: bool = False) -> Iterator[IO[bytes]]:
    """A file to write to, which takes its name when the block ends without an error, or never.

    A link is followed to what it points to. A device or a pipe cannot be replaced and is written to as it is.

    Args:
        path: the file.
        new: refuse to replace a file that is there.

    Raises:
        IsADirectoryError: the path is a folder.
        FileExistsError: with ``new``, the file is there.
        OSError: the folder is missing or not writable, or there is no room; names ``path``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.txt"
    ...     with written_whole(path) as file:
    ...         _ = file.write(b"all of it")
    ...     path.read_bytes()
    b'all of it'
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, "is a folder; give the name of a file in it", str(path)
        )
    if target.exists() and not target.is_file():
        with _named(path), target.open("wb") as device:
            yield device
        return
    if not target.parent.is_dir():
        missing = f"no folder {target.parent}; make it first"
        raise FileNotFoundError(errno.ENOENT, missing, str(path))
    with _named(path):
        file, aside = _aside(target)
    try:
        with _named(path), file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            aside = aside or _linked(file.fileno(), target)
        with _named(path):
            old = target.exists()
            os.chmod(aside, stat.S_IMODE(target.stat().st_mode) if old else 0o666 & ~_umask())
            if new:
                os.link(aside, target)  # unlike replace, it fails where the target is there
            else:
                os.replace(aside, target)
    finally:
        if aside is not None:
            aside.unlink(missing_ok=True)


def _aside(target: Path) -> tuple[IO[bytes], Path | None]:
    """A temporary file in the target's folder; where the system can, one without a name, gone when killed."""
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):  # some file systems cannot; any other trouble shows again below
            handle = os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o600)
            return os.fdopen(handle, "wb"), None
    import tempfile  # loaded to write, not on import

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.")
    return os.fdopen(handle, "wb"), Path(name)


def _linked(handle: int, target: Path) -> Path:
    """Give a file without a name a temporary one, for the moment until it is renamed."""
    name = target.with_name(f".{target.name[:80]}.{os.getpid()}-{handle}")
    name.unlink(missing_ok=True)
    # A folder's handle makes Python follow the link in /proc; an absolute path takes no notice of it.
    os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=handle)
    return name


@contextmanager
def _named(path: PathLike) -> Iterator[None]:
    """Let the system's errors name the file that was asked for, and not the one beside it."""
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


# -- before the work --------------------------------------------------------------------------------


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before the work whose result it should hold.

    Raises:
        ValueError: it is a folder or read-only, or its folder is missing or not writable.

    >>> check_writable(Path("no-such-folder/hello.svg"))
    Traceback (most recent call last):
    ValueError: no-such-folder/hello.svg: no folder no-such-folder; make it first
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: no folder {path.parent}; make it first")
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        return  # a device or a pipe is written to as it is
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError(f"{path} is read-only; name another file")
    try:
        file, aside = _aside(target)
        file.close()
        if aside is not None:
            aside.unlink()
    except OSError as error:
        why = (error.strerror or "").lower()
        raise ValueError(
            f"{path}: cannot write into {path.parent} ({why}); name a file elsewhere"
        ) from None


def check_distinct(**files: str | None) -> None:
    """Refuse one file for two purposes, of which the second would destroy the first.

    Raises:
        ValueError: names both options.

    >>> check_distinct(csv="prices.csv", log="./prices.csv")
    Traceback (most recent call last):
    ValueError: --csv and --log name the same file, ./prices.csv; give each its own
    """
    seen: dict[str, str] = {}
    for option, name in files.items():
        if name is not None:
            path = os.path.realpath(name.removeprefix("@"))
            if path in seen:
                both = f"--{seen[path]} and --{option}"
                raise ValueError(f"{both} name the same file, {name}; give each its own")
            seen[path] = option
