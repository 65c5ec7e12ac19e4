"""Where a result goes, settled before the work begins; and the words for what does not go."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that may have been meant, as a question, or else all there are.

    >>> nearest("lsmt", ["rnn", "lstm", "gru"])
    "did you mean 'lstm'?"
    >>> nearest("transformer", ["rnn", "lstm", "gru"])
    'there are rnn, lstm, gru'
    """
    words = list(words)
    close = difflib.get_close_matches(word.lower(), words, 1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(words)}"


def destination(
    output: str | None,
    format: str | None,
    formats: Sequence[str],
    *,
    terminal: bool = False,
    binary: Sequence[str] = ("png", "pdf"),
) -> tuple[Path | None, str]:
    """The file to write to (None: stdout) and the format to write.

    Args:
        output: a file, or ``-`` or None for stdout.
        format: the format, if one was named; else it is told by how the file ends, and is text on stdout.
        formats: those there are.
        terminal: whether stdout is one, which does not show the ``binary`` formats.

    Raises:
        ValueError: no file can be written there, or its format is not known.

    >>> path, format = destination("hello.svg", None, ["svg", "txt"])
    >>> path.name, format
    ('hello.svg', 'svg')
    >>> destination("hello.svgg", None, ["svg", "txt"])
    Traceback (most recent call last):
    ValueError: hello.svgg: there is no format 'svgg'; did you mean 'svg'? (end the file name ...
    """
    if output is None or output == "-":
        if format in binary and terminal:
            raise ValueError(f"a terminal cannot show {format}; name a file: -o FILE.{format}")
        return None, format or "txt"
    path = Path(output)
    writable(path)
    suffix = path.suffix[1:].lower()
    if format is None and suffix not in formats:
        unknown = f"there is no format {suffix!r}" if suffix else "no format is named"
        advice = "end the file name in it, or name it with -T"
        raise ValueError(f"{path}: {unknown}; {nearest(suffix, formats)} ({advice})")
    return path, format or suffix


def writable(path: Path) -> None:
    """Refuse a file whose folder is not there or cannot be written to, or that is a folder itself.

    Better now than after the work whose result it should hold.

    Raises:
        ValueError: says which.

    >>> writable(Path("no-such-folder/hello.svg"))
    Traceback (most recent call last):
    ValueError: no-such-folder/hello.svg: there is no folder no-such-folder; make it first
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent}; make it first")
    if path.exists() and not path.is_file():
        return  # a device or a pipe, which is written to as it is
    try:
        with tempfile.NamedTemporaryFile(dir=Path(os.path.realpath(path)).parent):
            pass
    except OSError as error:
        why = (error.strerror or "").lower()
        raise ValueError(
            f"{path}: nothing can be written into {path.parent} ({why}); name a file elsewhere"
        ) from None


def all_apart(**files: str | None) -> None:
    """Refuse one file for two purposes, of which the second would destroy the first.

    Raises:
        ValueError: names both.

    >>> all_apart(csv="prices.csv", log="./prices.csv")
    Traceback (most recent call last):
    ValueError: --csv and --log are the same file, ./prices.csv; give each its own
    """
    seen: dict[str, str] = {}
    for purpose, name in files.items():
        if name is not None:
            path = os.path.realpath(name.removeprefix("@"))
            if path in seen:
                both = f"--{seen[path]} and --{purpose}"
                raise ValueError(f"{both} are the same file, {name}; give each its own")
            seen[path] = purpose
