"""The doors: the options by which a user's own data come in, one for each kind of file.

A task takes a door by having a parameter of that name; the rest follows from this table: the option of every
command, its help, and what a checkpoint remembers of the file. The readers are beside this file.
"""

from __future__ import annotations

from typing import NamedTuple


class Door(NamedTuple):
    """An option that names a file or a folder of data.

    Attributes:
        name: the option, and the parameter of a task.
        help: what it takes, for the help of a command.
    """

    name: str
    help: str


DOORS = {
    door.name: door
    for door in (
        Door("text", "A text, a text file, or - for stdin."),
        Door("csv", "A time series as CSV, TSV or JSON lines; - is stdin."),
        Door("pairs", "One pair per line: source, tab, target; - is stdin."),
        Door("labels", "Texts with labels: a table, or a folder with a subfolder per label."),
        Door("conll", "Sentences with a tag per token, one token per line; - is stdin."),
        Door(
            "audio", "WAV files: a folder with a subfolder per label, or a table of file and label."
        ),
        Door("frames", "Clips: a .npz file, or a folder with a subfolder per label."),
    )
}
MISSING = ("error", "skip", "previous")  # what to do with the missing cells of a table
