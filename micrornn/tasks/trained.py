"""A trained network: the task, options and weights in a checkpoint of ``micrornn train``."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from micrornn.data.doors import DOORS
from micrornn.data.text import Vocabulary
from micrornn.files import STDIN, is_file, is_folder
from micrornn.messages import flags
from micrornn.nn.module import Module
from micrornn.tasks import TASKS, Task
from micrornn.tasks.generation import character_model
from micrornn.tasks.network import Network
from micrornn.tasks.problem import Problem
from micrornn.tasks.unrolled import Unrolled
from micrornn.training.checkpoint import read_checkpoint
from micrornn.training.tree import CheckpointError


class Trained(NamedTuple):
    """The content of a checkpoint of ``micrornn train``.

    Attributes:
        path: the checkpoint.
        options: those of the task.
        memory: what else is needed to use the network, such as its characters.
        settings: how it was trained.
        files: the files that were read, by absolute name, with a digest of their content.
    """

    path: str
    task: Task
    options: dict[str, Any]
    memory: dict[str, Any]
    settings: dict[str, Any]
    weights: dict[str, Any]
    iteration: int
    files: dict[str, str]

    def problem(self, **changed: Any) -> Problem:
        """The problem with the trained network, and with other values of options that fit the network.

        Raises:
            CheckpointError: the data have changed since, or the weights do not fit.
        """
        self.check_data()
        problem = self.task.problem({**self.options, **changed})
        try:
            self.load_into(problem.model)
        except CheckpointError as error:
            others = [n for n in changed if changed[n] != self.options.get(n) and n != "batch"]
            if others:
                raise CheckpointError(
                    f"{self.path} was trained with other values of {flags(others)}, so its weights do not "
                    "fit; leave the options out"
                ) from error
            raise
        return problem

    def unrolled(self, **changed: Any) -> Unrolled:
        """The trained network unrolled over one sequence; see `problem`."""
        one = {"batch": 1} if "batch" in self.task.options() else {}
        unrolled = self.problem(**one, **changed).unrolled()
        count = f"{self.iteration} iteration{'' if self.iteration == 1 else 's'}"
        return unrolled.titled(f"{self.task.name} after {count}: {unrolled.title}")

    def language_model(self) -> tuple[Network, Vocabulary]:
        """The trained character model and its vocabulary; the text is not needed.

        Raises:
            CheckpointError: the task has no characters, or the weights do not fit.
        """
        if "characters" not in self.memory:
            raise CheckpointError(f"{self.path} is a checkpoint of {self.task.name}, not of a text")
        vocabulary = Vocabulary(self.memory["characters"])
        model = character_model(len(vocabulary), {**self.task.options(), **self.options})
        self.load_into(model)
        return model, vocabulary

    def load_into(self, model: Module) -> None:
        """Load the trained weights into a model.

        Raises:
            CheckpointError: they do not fit.
        """
        try:
            model.load_state_dict(self.weights)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{self.path} does not fit its own task: {error}") from error

    def check_data(self) -> None:
        """Check that the files are still those that were trained on.

        Raises:
            CheckpointError: a file is missing, or has changed.
        """
        for name, digest in self.files.items():
            if not there(name):
                raise CheckpointError(
                    f"{self.path} was trained on {name}, which is missing; restore it"
                )
            if digest_of(name) != digest:
                raise CheckpointError(
                    f"{name} has changed since {self.path} was trained on it, so a result on it would mean "
                    "nothing; restore the old file, or train again"
                )


def open_trained(path: str) -> Trained:
    """Read a checkpoint of ``micrornn train``.

    Raises:
        CheckpointError: the file is not a checkpoint, is damaged, or was saved by another program.
        FileNotFoundError: there is no such file.
    """
    tree = read_checkpoint(path)
    about = tree["about"]
    if not isinstance(about, dict) or not {"task", "options", "memory", "training"} <= set(about):
        raise CheckpointError(
            f"{path} was not saved by micrornn train, so its task is unknown; load it in the program that "
            "saved it"
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
        raise CheckpointError(
            f"{path} is damaged (its task is incomplete); give another checkpoint"
        )
    options, memory, settings = parts
    iteration = tree["trainer"]["iteration"]
    return Trained(path, TASKS[name], options, memory, settings, tree["model"], iteration, files)


def _fit(options: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether options are those of a task, with values of the types of its defaults."""
    return all(
        name in known and (known[name] is None or isinstance(value, type(known[name])))
        for name, value in options.items()
    )


def is_checkpoint(path: str) -> bool:
    """Whether a file looks like a checkpoint, whatever its name."""
    if not is_file(path) or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return "meta.npy" in file.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


# -- the files that options name --------------------------------------------------------------------


def files_of(options: Mapping[str, Any]) -> dict[str, str]:
    """The absolute names of the files that options name, by option."""
    named = {name: str(options.get(name) or "").removeprefix("@") for name in DOORS}
    return {name: str(Path(file).resolve()) for name, file in named.items() if there(file)}


def kept(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a checkpoint keeps them: files by absolute name, a text in a file as ``@FILE``.

    Raises:
        ValueError: an option reads standard input, which cannot be read again.

    >>> kept({"text": "to be", "hidden": 8})
    {'text': 'to be', 'hidden': 8}
    """
    if piped := [name for name in DOORS if options.get(name) == STDIN]:
        raise ValueError(
            f"{flags(piped)} -: a checkpoint refers to its data by file name; save standard input to a "
            "file first"
        )
    files = {name: f"@{f}" if name == "text" else f for name, f in files_of(options).items()}
    return {**options, **files}


def digests(options: Mapping[str, Any]) -> dict[str, str]:
    """The files that options name, with a digest of their content."""
    return {file: digest_of(file) for file in files_of(options).values()}


def digest_of(path: str) -> str:
    """A digest of the content of a file, or of all files in a folder with their names."""
    place = Path(path)
    if not place.is_dir():
        return hashlib.sha256(place.read_bytes()).hexdigest()[:32]
    digest = hashlib.sha256()
    for file in sorted(place.rglob("*")):
        if file.is_file():
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(place)} {content}\n".encode())
    return digest.hexdigest()[:32]


def there(name: str) -> bool:
    """Whether a file or a folder has this name."""
    return is_file(name) or (bool(name) and is_folder(name))
