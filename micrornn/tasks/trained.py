"""A network that ``micrornn train`` has trained: its task, options and weights, out of a checkpoint."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from micrornn.data.text import is_file
from micrornn.nn.module import Module
from micrornn.tasks.problem import TASKS, Problem, Task
from micrornn.tasks.unrolled import Unrolled
from micrornn.training.checkpoint import CheckpointError, read_checkpoint

READ = ("text", "csv", "pairs")  # the options that may name a file


class Trained(NamedTuple):
    """A checkpoint of the command ``train``: the task, its options, what has to be known, the weights.

    Attributes:
        path: the checkpoint.
        files: what was read, by the full name of the file: a digest of its content.
    """

    path: str
    task: Task
    options: dict[str, Any]
    memory: dict[str, Any]
    training: dict[str, Any]
    weights: dict[str, Any]
    iteration: int
    files: dict[str, str]

    def problem(self, **changed: Any) -> Problem:
        """The task with the trained model, and some options changed that do not change the model.

        Raises:
            CheckpointError: the data have changed since, or the weights do not fit.
        """
        self.check_data()
        problem = self.task.make({**self.options, **changed})
        try:
            self.fill(problem.model)
        except CheckpointError as error:
            if others := [name for name in changed if changed[name] != self.options.get(name)]:
                flags = ", ".join(
                    f"--{name.replace('_', '-')}" for name in others if name != "batch"
                )
                raise CheckpointError(
                    f"{flags}: {self.path} was trained otherwise, and its weights do not fit; leave it out"
                ) from error
            raise
        return problem

    def unrolled(self, **changed: Any) -> Unrolled:
        """The trained network as a source: unrolled over one sequence.

        Raises:
            CheckpointError: as `problem`.
        """
        one = {"batch": 1} if "batch" in self.task.options() else {}
        return self.problem(**one, **changed).unrolled()

    def fill(self, model: Module) -> None:
        """Give a model that was made for it the trained weights.

        Raises:
            CheckpointError: they do not fit.
        """
        try:
            model.load_state_dict(self.weights)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{self.path} does not fit its own task: {error}") from error

    def check_data(self) -> None:
        """See to it that the files are those that were trained on.

        Raises:
            CheckpointError: one is gone, or was changed.
        """
        for name, digest in self.files.items():
            if not is_file(name):
                raise CheckpointError(
                    f"{self.path} was trained on {name}, which is not there any more; put it back"
                )
            if digest_of(name) != digest:
                raise CheckpointError(
                    f"{name} was changed since {self.path} was trained on it, so nothing that was learnt "
                    "of it can be measured on it; put the old one back, or train anew"
                )


def open_trained(path: str) -> Trained:
    """Read a checkpoint of the command ``train``.

    Raises:
        CheckpointError: it is none, is damaged, or was not saved by ``micrornn train``.
        FileNotFoundError: there is no such file.
    """
    tree = read_checkpoint(path)
    about = tree["about"]
    if not isinstance(about, dict) or not {"task", "options", "memory", "training"} <= set(about):
        raise CheckpointError(
            f"{path} was saved by a program of its own, so micrornn does not know what it is for; load it "
            "there"
        )
    name, parts = about["task"], [about[part] for part in ("options", "memory", "training")]
    files = about.get("files", {})
    if (
        not isinstance(name, str)
        or name not in TASKS
        or not all(isinstance(part, dict) for part in (*parts, files))
        or not isinstance(about["training"].get("iterations"), int)
        or not _fit(about["options"], TASKS[name].options())
        or not isinstance(about["memory"].get("characters", ""), str)
    ):
        raise CheckpointError(f"{path} is damaged: what it says of its task is not whole")
    options, memory, training = parts
    weights, iteration = tree["model"]["state"], tree["trainer"]["iteration"]
    return Trained(path, TASKS[name], options, memory, training, weights, iteration, files)


def _fit(options: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether options are those of a task, and of the kind that its defaults are."""
    return all(
        name in known and (known[name] is None or isinstance(value, type(known[name])))
        for name, value in options.items()
    )


def is_checkpoint(path: str) -> bool:
    """Whether a file looks like one, whatever it is called: an archive of arrays that says what it is."""
    if not is_file(path) or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return "meta.npy" in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def files_of(options: Mapping[str, Any]) -> dict[str, str]:
    """The files that options name, by the option and by their full names, so that they are found again."""
    named = {name: str(options.get(name) or "").removeprefix("@") for name in READ}
    return {name: str(Path(file).resolve()) for name, file in named.items() if is_file(file)}


def absolute(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with files by their full names.

    A text in a file is written as ``@FILE``, so that it is never taken for the text itself.

    >>> absolute({"text": "to be", "hidden": 8})
    {'text': 'to be', 'hidden': 8}
    """
    files = {name: f"@{f}" if name == "text" else f for name, f in files_of(options).items()}
    return {**options, **files}


def digests(options: Mapping[str, Any]) -> dict[str, str]:
    """What files the options name, and a digest of the content of each."""
    return {file: digest_of(file) for file in files_of(options).values()}


def digest_of(path: str) -> str:
    """A short text that differs where the content of files does."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
