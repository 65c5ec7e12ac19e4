"""A SOURCE of the command line becomes a run here, for every command.

A source is a built-in task, FILE.py:NAME, a recording, or a checkpoint. `resolve` makes an unrolled network
of it, forward done; `recorded` makes a recording of it, with a backward pass.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor, describe
from micrornn.diagnose.watch import Enough, Training, watch
from micrornn.files import STDIN, is_file, opened
from micrornn.messages import flags, nearest
from micrornn.recording import Recording, RecordingError, load_recording, record
from micrornn.recording.losses import loss_terms
from micrornn.recording.observe import recalled
from micrornn.recording.steps import infer_steps
from micrornn.tasks import TASKS
from micrornn.tasks.torchfile import record_torch, uses_torch, watch_torch
from micrornn.tasks.trained import is_checkpoint, open_trained
from micrornn.tasks.unrolled import Unrolled
from micrornn.tasks.userfile import SourceError, UserFile

NO_OPTIONS: Mapping[str, Any] = {}
SUFFIX = ".mrn"
LIMIT = 2**32  # bytes of a recording on standard input
EXPECTED = "expected a tensor, or a function without arguments that returns one"


class Run(NamedTuple):
    """A recorded run of a source: its title, what was changed in its input, and the recording."""

    title: str
    remarks: Sequence[str]
    recording: Recording


def resolve(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Unrolled:
    """The network that a source names, unrolled.

    Args:
        source: the name of a built-in task; a recording (FILE.mrn, or ``-`` for standard input); a
            checkpoint of `micrornn train`; or FILE.py:NAME, where NAME is a tensor, an `Unrolled`, or a
            function without arguments that returns one of them.
        options: those of a built-in task that differ from its defaults.

    Raises:
        SourceError: the source names nothing of the kind.
        ValueError, OSError: the source has no such option, or an option has an unusable value.

    >>> resolve("hello", {"cell": "gru"}).title
    'hello: a GRU reads "hell", predicts "ello"'
    >>> resolve("helo")
    Traceback (most recent call last):
    micrornn.tasks.userfile.SourceError: no source 'helo'; did you mean 'hello'? (your own: FILE.py:NAME)
    """
    if source in TASKS:
        return TASKS[source].unrolled(options)
    if is_recording(source):
        return _of_recording(source, load(source, options))
    if not is_python(source):
        return open_trained(source).unrolled(**options)
    return _of_file(*open_file(source, options), source)


def recorded(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Run:
    """The run that a source names, recorded with a backward pass; or the recording itself.

    Raises:
        ValueError, OSError: as `resolve`, or the recording cannot be read.
    """
    if is_recording(source):
        return Run(source, (), load(source, options))
    file, name = open_file(source, options) if is_python(source) else (None, "")
    if file is not None and uses_torch(file):
        recording = record_torch(file, name)
        return Run(source, [recording.inferred] if recording.inferred else [], recording)
    made: list[Unrolled] = []

    def run() -> Tensor:
        made.append(_of_file(file, name, source) if file else resolve(source, options))
        return made[0].loss

    with np.errstate(all="ignore"), marks_of(source):  # of NaN, the recording says more than NumPy
        recording = record(run)
        if len(recording.passes) > 1:  # the source trains: its last loss counts
            recording = record(made[0].loss)
    check_marks(source, recording.nodes)
    recording.inferred = recording.inferred or made[0].inferred
    return Run(made[0].title, made[0].remarks, recording)


def watched(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Recording | Training:
    """What a source does, for the diagnosis: of a function that trains, its first iterations.

    Raises:
        ValueError, OSError: as `recorded`.
    """
    if not is_python(source):
        return recorded(source, options).recording
    file, name = open_file(source, options)
    value = file.get(name)
    if uses_torch(file):
        return watch_torch(file, name)
    if not isinstance(value, FunctionType):
        return record(_of_file(file, name, source).loss)
    made: list[Unrolled] = []

    def run() -> Any:
        result = value()
        if isinstance(result, Unrolled):
            made.append(result)
            return result.loss
        return result

    try:
        with np.errstate(all="ignore"), marks_of(source):
            return watch(lambda: file.call(name, run, Enough))
    except RecordingError as error:
        raise SourceError(f"{source}() {str(error).removeprefix('it ')}") from error


def execute(source: str, options: Mapping[str, Any], done: Callable[[Tensor], None]) -> None:
    """Run a source as it is; ``done`` is called with the loss, if the source gives one.

    Unlike for the other functions here, NAME in FILE.py:NAME may be a program that returns anything.
    """
    if not is_python(source):
        return done(resolve(source, options).loss)
    file, name = open_file(source, options)
    value = file.get(name)
    if callable(value) and not isinstance(value, (Tensor, Unrolled)):
        value = file.call(name, value)
    if isinstance(value, (Tensor, Unrolled)):
        done(value.loss if isinstance(value, Unrolled) else value)


# -- recordings -------------------------------------------------------------------------------------


def is_recording(source: str) -> bool:
    """Whether a source is a recording: by its ending, by its content, or because it is standard input."""
    if source == STDIN or source.endswith(SUFFIX):
        return True
    archive = not source.endswith(".py") and is_file(source) and zipfile.is_zipfile(source)
    return archive and not source.endswith(".npz") and not is_checkpoint(source)


def load(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> Recording:
    """The recording in a file, or on standard input.

    Raises:
        SourceError: options are given, which a recording does not take.
        RecordingError, OSError: there is no such file, or it cannot be read.
    """
    _no_options(source, options, "it is a recording of a run")
    with opened(source, "a recording that micrornn record wrote") as file:
        if file.seekable() and source != STDIN:
            return load_recording(source)
        content = io.BytesIO(file.read(LIMIT))
        content.name = "standard input" if source == STDIN else source
        return load_recording(content)


def _of_recording(source: str, recording: Recording) -> Unrolled:
    if not recording.passes:
        raise SourceError(f"{source} has no backward pass, so it has no loss; record the run again")
    loss = recording.passes[-1].out
    title = f"{Path(source).name}: a recorded run"
    return Unrolled(
        *(title, loss, recording.losses),
        inferred=recording.inferred,
        recomputed=recording.recomputed,
        recording=recording,
    )


# -- a user's own file ------------------------------------------------------------------------------


def is_python(source: str) -> bool:
    """Whether a source is FILE.py:NAME, and not a task, a recording or a checkpoint."""
    return not (
        source in TASKS
        or is_recording(source)
        or source.endswith(".npz")
        or (not source.endswith(".py") and is_checkpoint(source))
    )


def open_file(source: str, options: Mapping[str, Any] = NO_OPTIONS) -> tuple[UserFile, str]:
    """The file of FILE.py:NAME, run, and the name.

    Raises:
        SourceError: the source has another form, or its file is missing or fails.
    """
    path, _, name = source.rpartition(":")
    if source.endswith(".py"):
        path, name = source, ""
    if is_file(source) and not path.endswith(".py"):
        raise SourceError(f"{source} is not a recording, a checkpoint or FILE.py:NAME")
    if not path.endswith(".py") and not (path and name):
        raise SourceError(
            f"no source {source!r}; {nearest(source, TASKS)} (your own: FILE.py:NAME)"
        )
    _no_options(source, options, f"its network is made in {path}")
    file = UserFile(path)
    if not name:
        raise SourceError(f"{source} has no NAME; {file.advice()}")
    return file, name


def _of_file(file: UserFile, name: str, source: str) -> Unrolled:
    """The network that a name in a user's file stands for."""
    if uses_torch(file):
        return _of_recording(source, record_torch(file, name))
    value = file.get(name)
    if callable(value):
        return as_unrolled(file.call(name, value), source, f"{source}() returned")
    return as_unrolled(value, source, f"{source} is")


def _no_options(source: str, options: Mapping[str, Any], why: str) -> None:
    if options:
        raise SourceError(f"{source} does not take {flags(options)}: {why}")


def as_unrolled(value: Any, title: str, what: str) -> Unrolled:
    """A user's result with a title; its losses are the nodes named ``loss`` that have a step.

    Raises:
        SourceError: it is neither a tensor nor an `Unrolled`, nothing was recorded behind it, or its nodes
            have unusable names or steps.
    """
    if isinstance(value, Unrolled):
        unrolled = value
    elif isinstance(value, Tensor):
        unrolled = Unrolled(title, value)
        with marks_of(title):
            losses = [node for node in unrolled.graph.named("loss") if node.step is not None]
        unrolled = Unrolled(title, value, losses)
    else:
        given = "None" if value is None else f"an object of type {type(value).__name__}"
        raise SourceError(f"{what} {given}; {EXPECTED}")
    graph, again = recalled(unrolled.graph)
    if again:
        losses = [x for x in graph.named("loss") if x.step is not None]
        unrolled = replace(unrolled, losses=unrolled.losses or losses, recomputed=again)
    if unrolled.loss.is_leaf:
        raise SourceError(
            f"{what} a tensor without a history ({describe(unrolled.loss)}): no operation made it, or no "
            "input needs a gradient; give a leaf requires_grad=True"
        )
    with marks_of(title):
        check_marks(title, unrolled.graph.nodes)
    if inferred := infer_steps(unrolled.graph.nodes):
        remarks = [*unrolled.remarks, inferred]
        terms = [x for x in loss_terms([unrolled.loss]) if x is not unrolled.loss]
        own = unrolled.losses or terms
        unrolled = replace(unrolled, losses=own, remarks=remarks, inferred=inferred)
    return unrolled


@contextmanager
def marks_of(source: str) -> Iterator[None]:
    """Where the engine reads the marks of nodes: one that it refuses is a mistake of the source.

    Raises:
        SourceError: the engine refused a mark, such as a name that is not a string.
    """
    try:
        yield
    except TypeError as error:
        if not is_python(source):
            raise
        raise SourceError(f"{source}: {error}") from error


def check_marks(source: str, nodes: Sequence[Tensor]) -> None:
    """Check that the names and scopes of nodes are strings, and their steps integers.

    Raises:
        SourceError: names the first mark that is not, and the line where the node was made, if it is known.
    """
    for node in nodes:
        place = f"{node.source[0]}, line {node.source[1]}" if node.source else source
        marks: tuple[Any, ...] = node.step, node.scope, node.name
        step, scope, name = marks
        if step is not None and not isinstance(step, Integral):
            wrong = f"the time step {step!r} of a node is not an integer: mr.scope(t=1)"
        elif not isinstance(scope, str):
            wrong = f"the scope {scope!r} of a node is not a string: mr.scope('layer')"
        elif name is not None and not isinstance(name, str):
            wrong = f"the name {name!r} of a node is not a string"
        else:
            continue
        raise SourceError(f"{place}: {wrong}")
