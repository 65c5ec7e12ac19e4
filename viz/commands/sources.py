"""From SOURCE, or a file that `micrornn record` wrote, to a recording; or to several, to compare."""

from __future__ import annotations

import json
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from micrornn.tasks.trained import is_checkpoint

if TYPE_CHECKING:
    from micrornn.core.tensor import Tensor
    from micrornn.recording import Recording

SUFFIX = ".mrn"


def say(message: str) -> None:
    """A message, on stderr."""
    click.echo(message, err=True)


def emit(content: str | bytes) -> None:
    """A result, on stdout: in the terminal's own encoding there, in UTF-8 for whoever else reads it."""
    if isinstance(content, str):
        terminal = sys.stdout is not None and sys.stdout.isatty()
        encoding = sys.stdout.encoding if terminal else "utf-8"
        content = content.encode(encoding, "replace")
    if sys.stdout is None:
        raise OSError("there is nowhere to print to: stdout is closed; use -o FILE")
    click.echo(content, nl=False)


def recording_of(
    source: str, options: Mapping[str, Any] | None = None, quiet: bool = False
) -> Recording:
    """The run that SOURCE names, recorded with one backward pass from its loss; or the one in a file.

    Raises:
        ValueError, OSError: it names nothing, or an option does not fit it.
    """
    from micrornn.recording import load_recording, record
    from micrornn.tasks.source import flag, resolve

    options = options or {}
    if is_file(source):
        if options:
            raise ValueError(
                f"{', '.join(map(flag, options))} has no meaning for {source}: it was recorded as it is"
            )
        return load_recording(source)
    made = []

    def run() -> Tensor:
        made.append(resolve(source, options))
        return made[0].loss

    with np.errstate(all="ignore"):
        rec = record(run)
        if len(rec.passes) > 1:  # it trains: what counts is the loss that it gives in the end
            rec = record(made[0].loss)
    if not quiet:
        for remark in made[0].remarks:
            say(remark)
    return rec


def recordings_of(
    source: str, options: Mapping[str, Any] | None = None, quiet: bool = False
) -> dict[str, Recording]:
    """As `recording_of`, by cell where several cells are named; under the name "" where one is.

    Raises:
        ValueError, OSError: as there.
    """
    options = dict(options or {})
    cells = options.pop("cell", ())
    if len(cells) > 1:
        runs = {}
        for cell in cells:
            runs[cell] = recording_of(source, {**options, "cell": cell}, quiet)
            quiet = True  # what was done to the text is the same for all
        return runs
    if cells:
        options["cell"] = cells[0]
    return {"": recording_of(source, options, quiet)}


def is_file(source: str) -> bool:
    """Whether a source is the file of a recording: by its ending, or by what is in it."""
    if source.endswith(SUFFIX):
        return True
    path = Path(source)
    archive = path.suffix != ".py" and path.is_file() and zipfile.is_zipfile(path)
    return archive and not is_checkpoint(source)


def as_json(value: Any) -> str:
    """Plain values as JSON, on several lines; NaN is null, infinity is "inf"."""
    from viz.plots.runs import plain

    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def narrow(text: str, width: int = 80) -> str:
    """Text with its long lines broken, each part indented as its line is.

    >>> print(narrow("   one two three", 10), end="")
       one two
         three
    """
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        parts = textwrap.wrap(
            line, width, subsequent_indent=f"{indent}  ", break_on_hyphens=False
        ) if len(line) > width else [line]  # fmt: skip
        lines += parts
    return "\n".join(lines) + "\n"
