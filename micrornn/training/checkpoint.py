"""Checkpoints: everything that determines the next iteration, in one ``.npz`` file.

Its arrays are named as in the state dicts, ``model.rnn.weight_ih_l0`` and ``optimizer.state.0.exp_avg``, so
that `numpy.load` shows them; see `micrornn.training.tree` for the rest of the format.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from micrornn.data.feeds import Feed
from micrornn.files import written_whole
from micrornn.nn.generators import as_generator
from micrornn.nn.module import Module
from micrornn.optim import Optimizer
from micrornn.training.tree import UNFIT, CheckpointError, in_words, read, write

# The parts of a checkpoint, with their types.
PARTS = {
    **{"about": object, "model": dict, "optimizer": dict, "optimizer_class": str},
    **{"feed": object, "random": object, "trainer": dict},
}


class Saveable(Protocol):
    """What a checkpoint saves of a `Trainer`."""

    model: Module
    optimizer: Optimizer
    feed: Feed
    about: dict[str, Any]

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def save_checkpoint(
    path: str | Path, trainer: Saveable, about: dict[str, Any] | None = None
) -> None:
    """Save model, optimizer, schedule, position in the data, and random states.

    Args:
        path: the file; an old one is replaced when the new one is complete.
        about: further data to keep: numbers, strings, lists, dictionaries; ``trainer.about`` by default.

    Raises:
        OSError: the file cannot be written; an old one stays as it is.
    """
    with written_whole(path) as file:
        write(file, tree_of(trainer, trainer.about if about is None else about))


def load_checkpoint(path: str | Path, trainer: Saveable) -> dict[str, Any]:
    """Restore a trainer to where it was when it was saved; on an error the trainer stays as it was.

    Returns:
        What was given as ``about``.

    Raises:
        CheckpointError: the file is not a checkpoint, is damaged, or is of another model, optimizer or data.
        FileNotFoundError: there is no such file.
    """
    tree = read_checkpoint(path)
    saved, own = shapes(tree["model"]), shapes(trainer.model.state_dict())
    if saved != own:
        raise CheckpointError(
            f"{path} is a checkpoint of another model: {_difference(saved, own)}; give the options it was "
            "trained with"
        )
    optimizer = type(trainer.optimizer).__name__
    if tree["optimizer_class"] != optimizer:
        raise CheckpointError(
            f"{path} was trained with {tree['optimizer_class']}, not {optimizer}; give that optimizer"
        )
    before = tree_of(trainer, None)
    try:
        _restore(trainer, tree)
    except UNFIT as error:
        _restore(trainer, before)
        raise CheckpointError(f"{path} does not fit: {in_words(error)}") from error
    about: dict[str, Any] = tree["about"]
    return about


def tree_of(trainer: Saveable, about: Any) -> dict[str, Any]:
    """Everything a checkpoint holds, as dictionaries, lists, numbers, strings and arrays."""
    return {
        "about": about,
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "optimizer_class": type(trainer.optimizer).__name__,
        "feed": trainer.feed.state_dict(),
        "random": random_states(trainer.model),
        "trainer": trainer.state_dict(),
    }


def _restore(trainer: Saveable, tree: dict[str, Any]) -> None:
    trainer.feed.load_state_dict(tree["feed"])
    trainer.optimizer.load_state_dict(tree["optimizer"])
    trainer.load_state_dict(tree["trainer"])
    trainer.model.load_state_dict(tree["model"])
    set_random_states(trainer.model, tree["random"])


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The tree of a checkpoint with all its parts.

    Raises:
        CheckpointError: the file is not a checkpoint, is damaged, or lacks a part.
        FileNotFoundError: there is no such file.
    """
    version, tree = read(path)
    try:
        if version == 1:
            tree = _upgraded(tree)
        for part, kind in PARTS.items():
            if not isinstance(tree[part], kind):
                raise TypeError(f"its {part} is not a {kind.__name__}")
        if not isinstance(tree["trainer"]["iteration"], int):
            raise TypeError("its iteration is not a number")
    except UNFIT as error:
        words = in_words(error)
        raise CheckpointError(f"{path} is damaged ({words}); give another checkpoint") from None
    return tree


def _upgraded(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree of version 1, in which model and optimizer had a kind and a state each."""
    return {
        **tree,
        "model": tree["model"]["state"],
        "optimizer": tree["optimizer"]["state"],
        "optimizer_class": tree["optimizer"]["kind"],
    }


# -- what a model is, and what it draws from --------------------------------------------------------


def shapes(state: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter by name: what tells one model from another."""
    return {name: np.shape(value) for name, value in state.items()}


def random_states(model: Module) -> dict[str, Any]:
    """The state of every generator that the model's modules draw from, and of the shared one."""
    states = {"": as_generator(None).bit_generator.state}
    for path, module in model.named_modules():
        rng = getattr(module, "rng", None)
        if isinstance(rng, np.random.Generator):
            states[path or "."] = rng.bit_generator.state
    return states


def set_random_states(model: Module, states: dict[str, Any]) -> None:
    """Restore those states."""
    as_generator(None).bit_generator.state = states[""]
    for path, module in model.named_modules():
        rng = getattr(module, "rng", None)
        if isinstance(rng, np.random.Generator) and (path or ".") in states:
            rng.bit_generator.state = states[path or "."]


def _difference(saved: dict[str, tuple[int, ...]], own: dict[str, tuple[int, ...]]) -> str:
    for name in saved:
        if name not in own:
            return f"it has a parameter {name} of shape {saved[name]}, which this model has not"
        if saved[name] != own[name]:
            return f"its parameter {name} has shape {saved[name]}, that of this model {own[name]}"
    missing = next(name for name in own if name not in saved)
    return f"it has no parameter {missing}, which this model has"
