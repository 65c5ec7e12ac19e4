"""Recordings of the SOURCE of a command, one or several by cell; its remarks are printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from viz.commands.console import say
from viz.commands.progress import working

if TYPE_CHECKING:
    from micrornn.diagnose import Training
    from micrornn.recording import Recording


def recording_of(
    source: str, options: Mapping[str, Any] | None = None, quiet: bool = False
) -> Recording:
    """The recorded run of a source.

    Raises:
        ValueError, OSError: the source names nothing, or does not take an option.
    """
    from micrornn.tasks.source import recorded

    with working(f"running {source}", quiet):
        run = recorded(source, options or {})
    if not quiet:
        for remark in run.remarks:
            say(remark)
    return run.recording


def watched_run(
    source: str, options: Mapping[str, Any] | None = None, quiet: bool = False
) -> Recording | Training:
    """What the diagnosis reads of a source: a recorded run, or the first iterations of a training.

    Raises:
        ValueError, OSError: as `recording_of`.
    """
    from micrornn.diagnose import Training
    from micrornn.tasks.source import is_python, watched

    if not is_python(source):
        return recording_of(source, options, quiet)
    with working(f"running {source}", quiet):
        run = watched(source, options or {})
    recording = run.iterations[0].recording if isinstance(run, Training) else run
    if recording.inferred and not quiet:
        say(recording.inferred)
    return run


def recordings_of(
    source: str, options: Mapping[str, Any], quiet: bool = False
) -> dict[str, Recording]:
    """The recorded runs by cell; one run, if it has no cell or one, is under the name "".

    Raises:
        ValueError, OSError: as `recording_of`.
    """
    options = dict(options)
    cells = options.pop("cell", ())
    if len(cells) < 2:
        cell = {"cell": cells[0]} if cells else {}
        return {"": recording_of(source, {**options, **cell}, quiet)}
    runs: dict[str, Recording] = {}
    for cell in cells:  # the remarks are the same for all
        runs[cell] = recording_of(source, {**options, "cell": cell}, quiet or bool(runs))
    return runs


def iterations_of(folder: str) -> dict[int, Recording]:
    """The recordings that a `Watch` left in a folder, by iteration.

    Raises:
        ValueError: there is none.
        RecordingError: one cannot be read.
    """
    from pathlib import Path

    from micrornn.recording import load_recording

    found = {
        int(path.stem.rpartition("-")[2]): path
        for path in sorted(Path(folder).glob("*-[0-9]*.mrn"))
        if path.stem.startswith(("run-", "broke-"))
    }
    if not found:
        raise ValueError(
            f"{folder} holds no recordings of a watched training (run-*.mrn); use `with watch:` around each "
            "training step, with watch = micrornn.training.Watch(folder, keep=20)"
        )
    return {iteration: load_recording(path) for iteration, path in found.items()}
