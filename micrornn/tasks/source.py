"""From what a user writes after a command, ``hello`` or ``net.py:loss``, to an unrolled network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrornn.core.tensor import Tensor, describe
from micrornn.data.text import text_or_file
from micrornn.tasks import SOURCES, Source
from micrornn.tasks.output import nearest
from micrornn.tasks.trained import is_checkpoint, open_trained
from micrornn.tasks.unrolled import Unrolled
from micrornn.tasks.userfile import SourceError, UserFile

NO_OPTIONS: Mapping[str, Any] = {}
WANTED = "a tensor, or a function without arguments that returns one"


def resolve(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Unrolled:
    """The network that ``source`` names, unrolled.

    Args:
        source: a built-in name; a recording, FILE.mrn; a checkpoint that `micrornn train` saved; or
            FILE.py:NAME, where NAME is a tensor, an `Unrolled`, or a function without arguments that
            returns one of them.
        options: what a built-in source is to be made with; only what differs from its defaults. A
            ``text`` may be the name of a file with the text.

    Raises:
        SourceError: it names nothing, or something else; an option is not one of this source.
        ValueError, OSError: an option has a value that does not do.

    >>> resolve("hello", {"cell": "gru"}).title
    'hello: a GRU reads "hell", and is asked for "ello"'
    >>> resolve("helo")
    Traceback (most recent call last):
    micrornn.tasks.userfile.SourceError: there is no source 'helo'; did you mean 'hello'? (a file ...
    """
    if source in SOURCES:
        return _built_in(source, options)
    if source.endswith(".mrn"):
        return _recorded(source)
    if source.endswith(".npz") or is_checkpoint(source):
        return open_trained(source).unrolled(**options)
    file, name = open_file(source, options)
    value = file.get(name)
    if callable(value):
        result = file.call(name, value)
        return as_unrolled(result, source, f"{source}() returned")
    return as_unrolled(value, source, f"{source} is")


def _recorded(source: str) -> Unrolled:
    """The last run in a file that `micrornn record` wrote."""
    from micrornn.recording import load_recording

    recording = load_recording(source)
    if not recording.passes:
        raise SourceError(f"{source} holds no backward pass, so there is no loss to begin from")
    return Unrolled(f"{source}: a recorded run", recording.passes[-1].out, recording.losses)


def _built_in(source: str, options: Mapping[str, Any]) -> Unrolled:
    known = SOURCES[source].options()
    if foreign := [name for name in options if name not in known]:
        raise SourceError(
            f"{', '.join(map(flag, foreign))} has no meaning for {source}; "
            f"it takes {', '.join(map(flag, known))}"
        )
    options = dict(options)
    if "text" in options:
        options["text"] = text_or_file(options["text"])
    return SOURCES[source].load()(**options)


def flag(option: str) -> str:
    """An option as it is written on the command line."""
    return f"--{option.replace('_', '-')}"


def open_file(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> tuple[UserFile, str]:
    """The file of FILE.py:NAME, run, and the name.

    Raises:
        SourceError: the source is not of that form, or its file is not there or fails.
    """
    path, _, name = source.rpartition(":")
    if source.endswith(".py"):
        path, name = source, ""
    if not path.endswith(".py") and not (path and name):
        raise SourceError(
            f"there is no source {source!r}; {nearest(source, SOURCES)} (a file of your own is FILE.py:NAME)"
        )
    if options:
        raise SourceError(
            f"{', '.join(map(flag, options))} has no meaning for {source}; what it draws is made in "
            f"{path}"
        )
    file = UserFile(path)
    if not name:
        raise SourceError(f"{source} is a file, and what in it? {file.advice()}")
    return file, name


def as_unrolled(value: Any, title: str, what: str) -> Unrolled:
    """A user's result under a title; its per-step losses are the nodes named ``loss`` that have a step.

    Raises:
        SourceError: it is neither a tensor nor an `Unrolled`, or nothing was recorded behind it.
    """
    if isinstance(value, Unrolled):
        unrolled = value
    elif isinstance(value, Tensor):
        unrolled = Unrolled(title, value)
        losses = [node for node in unrolled.graph.named("loss") if node.step is not None]
        unrolled = Unrolled(title, value, losses)
    else:
        given = "None" if value is None else f"an object of type {type(value).__name__}"
        raise SourceError(f"{what} {given}; expected {WANTED}")
    if unrolled.loss.is_leaf:
        raise SourceError(
            f"{what} a tensor with nothing behind it ({describe(unrolled.loss)}): either nothing "
            "computed it, or no input wanted a gradient; give some leaf requires_grad=True"
        )
    return unrolled


def flags(source: Source) -> str:
    """The options of a built-in source as one would write them, with their defaults.

    >>> flags(SOURCES["hello"])
    '--text hello --cell rnn --hidden 8 --layers 1 --bidirectional --steps ... --loss all --seed 0'
    """
    words = []
    for name, default in source.options().items():
        value = "" if isinstance(default, bool) else f" {'...' if default is None else default}"
        words.append(flag(name) + value)
    return " ".join(words)
