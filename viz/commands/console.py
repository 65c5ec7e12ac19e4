"""The output of commands: results on stdout, messages on stderr.

Text from files, recordings and users' programs is made printable here: escape sequences in it are shown, not
executed.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from micrornn.files import STDIN, check_writable
from micrornn.messages import nearest, printable, printable_json, printable_lines
from viz.ansi import dyed, wants_color

if TYPE_CHECKING:
    from micrornn.tasks.problem import Measure

GREEN, RED, BOLD = "green", "red", "bold"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal; a closed one is not."""
    return stream is not None and stream.isatty()


def colored(text: str, color: str, stream: TextIO | None) -> str:
    """Text in a color, where the stream is a terminal and NO_COLOR is not set."""
    return dyed(text, color) if wants_color(stream) else text


# -- messages and results ---------------------------------------------------------------------------


def say(message: str) -> None:
    """Print a message on stderr, in one line."""
    click.echo(printable(message), err=True)


def emit(content: str | bytes) -> None:
    """Print a result on stdout: in the encoding of a terminal, or in UTF-8 to a file or a pipe.

    Raises:
        OSError: stdout is closed.
    """
    if sys.stdout is None:
        raise OSError("stdout is closed, so the result cannot be printed")
    if isinstance(content, str):
        encoding = sys.stdout.encoding if is_terminal(sys.stdout) else "utf-8"
        content = content.encode(encoding, "replace")
    click.echo(content, nl=False)


def emit_text(text: str, width: int | None = None) -> None:
    """Print text on stdout, made printable; with a width, wrap long lines."""
    text = printable_lines(text)
    emit(wrapped(text, width) if width else text)


def emit_file(content: str | bytes, format: str) -> None:
    """Print on stdout what -o writes to a file; text, and everything in a terminal, is made printable."""
    if isinstance(content, str) and (format == "txt" or is_terminal(sys.stdout)):
        content = printable_lines(content)
    emit(content)


def as_json(value: Any) -> str:
    """Format plain values as JSON on several lines; NaN is null, infinity is "inf"."""
    from micrornn.flow.series import plain

    text = json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False)
    return printable_json(text) + "\n"


def wrapped(text: str, width: int = 80) -> str:
    """Wrap long lines, and indent each continuation below its line.

    >>> print(wrapped("   one two three", 10), end="")
       one two
         three
    """
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        settings: dict[str, Any] = {"subsequent_indent": f"{indent}  ", "break_on_hyphens": False}
        lines += textwrap.wrap(line, width, **settings) if len(line) > width else [line]
    return "\n".join(lines) + "\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout: with borders in a terminal, otherwise in plain columns."""
    rows = [[printable(cell) for cell in row] for row in rows]
    if is_terminal(sys.stdout):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(header_style=BOLD if wants_color(sys.stdout) else "")
        for heading in headings:
            drawn.add_column(heading, overflow="fold")  # wrapped, never cut
        for row in rows:
            drawn.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        Console().print(drawn)
        return
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    cells = ("  ".join(cell.ljust(w) for cell, w in zip(line, widths)) for line in lines)
    emit("".join(f"{line.rstrip()}\n" for line in cells))


_STYLES = {"yes": GREEN, "no": RED}


def results(measures: Sequence[Measure]) -> None:
    """Print the results beside their goals, as a table."""
    verdicts = {True: "yes", False: "no", None: ""}
    rows = [(m.name, format(m.value, m.digits), m.goal, verdicts[m.reached]) for m in measures]
    table(("metric", "value", "goal", "reached"), rows)


def destination(
    output: str | None, format: str | None, formats: Sequence[str]
) -> tuple[Path | None, str]:
    """The file to write to (None: stdout) and the format to write.

    Args:
        output: a file, or ``-`` or None for stdout.
        format: the format; by default that of the file's extension, or text on stdout.
        formats: all formats.

    Raises:
        ValueError: the file cannot be written, its format is unknown, or a terminal cannot show it.

    >>> path, format = destination("hello.svg", None, ["svg", "txt"])
    >>> path.name, format
    ('hello.svg', 'svg')
    """
    if output is None or output == STDIN:
        if format in ("png", "pdf") and is_terminal(sys.stdout):
            raise ValueError(f"a terminal cannot show {format}; give a file: -o FILE.{format}")
        return None, format or "txt"
    path = Path(output)
    check_writable(path)
    suffix = path.suffix[1:].lower()
    if format is None and suffix not in formats:
        problem = f"no format {suffix!r}" if suffix else "the name has no extension"
        raise ValueError(
            f"{path}: {problem}; {nearest(suffix, formats)} (or name the format with -T)"
        )
    return path, format or suffix
