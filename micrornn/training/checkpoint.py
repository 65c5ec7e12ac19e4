"""Checkpoints: everything that makes the next iteration what it is, in one file.

The file is NumPy's ``.npz``: arrays, and one text in JSON that says how they hang together. It is never
pickled, so opening one runs nothing. It is written aside and renamed: whatever interrupts the writing, the
file is either the old one or the new one, whole.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.files import written_whole
from micrornn.nn.generators import as_generator
from micrornn.nn.module import Module

if TYPE_CHECKING:
    from micrornn.training.trainer import Trainer

FORMAT = "micrornn checkpoint"
VERSION = 1
# What every checkpoint holds, and in it.
PARTS: dict[str, dict[str, type]] = {
    "model": {"kind": dict, "state": dict},
    "optimizer": {"kind": str, "state": dict},
    "trainer": {"iteration": int},
    "feed": {},
    "random": {},
    "about": {},
}
# What reading a tree raises where something in it is not what it should be.
UNFIT = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


class CheckpointError(ValueError):
    """A file that cannot be gone on from: what it is, and what to do."""


def save_checkpoint(
    path: str | Path, trainer: Trainer, about: dict[str, Any] | None = None
) -> None:
    """Save model, optimizer, schedule, data position and random states.

    Args:
        path: the file; an older one is replaced when the new one is whole.
        about: what else should be known of it: numbers, texts, lists, dictionaries. By default
            ``trainer.about``.

    Raises:
        OSError: it cannot be written; an older file stays as it is.
    """
    write(path, tree_of(trainer, trainer.about if about is None else about))


def load_checkpoint(path: str | Path, trainer: Trainer) -> dict[str, Any]:
    """Bring a trainer to where it was when it was saved; nothing is changed when anything is wrong.

    Returns:
        What was given as ``about``.

    Raises:
        CheckpointError: the file is no checkpoint, is damaged, or is of another model, optimizer or data.
        FileNotFoundError: there is no such file.
    """
    tree = read_checkpoint(path)
    own = shape_of_model(trainer.model)
    if tree["model"]["kind"] != own:
        raise CheckpointError(
            f"{path} is a checkpoint of another model: {_difference(tree['model']['kind'], own)}. Give "
            "the options it was trained with"
        )
    kind = type(trainer.optimizer).__name__
    if tree["optimizer"]["kind"] != kind:
        raise CheckpointError(
            f"{path} was trained by {tree['optimizer']['kind']}, not by {kind}; give that optimizer"
        )
    before = tree_of(trainer, None)
    try:
        _set(trainer, tree)
    except UNFIT as error:
        _set(trainer, before)
        raise CheckpointError(f"{path} does not fit: {_in_words(error)}") from error
    about: dict[str, Any] = tree["about"]
    return about


def tree_of(trainer: Trainer, about: Any) -> dict[str, Any]:
    """All that a checkpoint holds, as dictionaries, lists, numbers, texts and arrays."""
    return {
        "about": about,
        "model": {"kind": shape_of_model(trainer.model), "state": trainer.model.state_dict()},
        "optimizer": {
            "kind": type(trainer.optimizer).__name__,
            "state": trainer.optimizer.state_dict(),
        },
        "feed": trainer.feed.state_dict(),
        "random": random_states(trainer.model),
        "trainer": trainer.state_dict(),
    }


def _set(trainer: Trainer, tree: dict[str, Any]) -> None:
    trainer.feed.load_state_dict(tree["feed"])
    trainer.optimizer.load_state_dict(tree["optimizer"]["state"])
    trainer.load_state_dict(tree["trainer"])
    trainer.model.load_state_dict(tree["model"]["state"])
    set_random_states(trainer.model, tree["random"])


def _in_words(error: Exception) -> str:
    """What is wrong; of a key that is missing, more than its name."""
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)


# -- what a model is, and what it draws from --------------------------------------------------------


def shape_of_model(model: Module) -> dict[str, list[int]]:
    """The shape of every parameter by path: what tells one model from another."""
    return {path: list(value.shape) for path, value in model.state_dict().items()}


def random_states(model: Module) -> dict[str, Any]:
    """The state of every generator that the model's modules draw from, and of the shared one."""
    states = {"": as_generator(None).bit_generator.state}
    for path, module in model.named_modules():
        rng = getattr(module, "rng", None)
        if isinstance(rng, np.random.Generator):
            states[path or "."] = rng.bit_generator.state
    return states


def set_random_states(model: Module, states: dict[str, Any]) -> None:
    """Set those states again."""
    as_generator(None).bit_generator.state = states[""]
    for path, module in model.named_modules():
        rng = getattr(module, "rng", None)
        if isinstance(rng, np.random.Generator) and (path or ".") in states:
            rng.bit_generator.state = states[path or "."]


def _difference(saved: dict[str, list[int]], own: dict[str, list[int]]) -> str:
    for path in saved:
        if path not in own:
            return f"it has a parameter {path} of shape {tuple(saved[path])}, and this one has none"
        if saved[path] != own[path]:
            shapes = f"{tuple(saved[path])} there and {tuple(own[path])} here"
            return f"its parameter {path} has shape {shapes}"
    more = next(path for path in own if path not in saved)
    return f"it has no parameter {more}, and this one has"


# -- the file ---------------------------------------------------------------------------------------


def write(path: str | Path, tree: dict[str, Any]) -> None:
    """Write a tree of dictionaries, lists, numbers, texts and arrays, aside, and rename it."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    text = json.dumps({"format": FORMAT, "version": VERSION, "tree": _encode(tree, arrays)})
    with written_whole(path) as file:
        savez: Callable[..., None] = np.savez
        savez(file, meta=np.array(text), **arrays)


def read(path: str | Path) -> dict[str, Any]:
    """The tree that `write` wrote.

    Raises:
        CheckpointError: it is not such a file, or not a whole one.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    damaged = f"{path} is damaged, or was not saved by micrornn ({{}}); give another checkpoint"
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; give a checkpoint, a file in it")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no file {path}; give a checkpoint to go on from"
        ) from None
    if content[:2] != b"PK":
        what = "not a checkpoint of micrornn" if content else "empty"
        raise CheckpointError(f"{path} is {what}; give a file that training has saved")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            # First of all, before anything large that is none of ours is unpacked.
            meta = _meta(file, path)
            arrays = {name: file[name] for name in file.files}  # all of it, so that all is checked
    except CheckpointError:
        raise
    except Exception as error:  # there is no end to what a damaged archive can be
        raise CheckpointError(damaged.format(error)) from error
    if meta.get("version") != VERSION:
        raise CheckpointError(
            f"{path} has version {meta.get('version')} of the format, and this micrornn reads version "
            f"{VERSION}; use the micrornn that wrote it"
        )
    try:
        tree: dict[str, Any] = _decode(meta["tree"], arrays)
    except UNFIT as error:
        raise CheckpointError(damaged.format(_in_words(error))) from None
    return tree


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The tree of a checkpoint, in which nothing is missing.

    Raises:
        CheckpointError: it is none, or not a whole one.
        FileNotFoundError: there is no such file.
    """
    tree = read(path)
    try:
        for part, inner in PARTS.items():
            held = tree[part]
            for name, kind in inner.items():
                if not isinstance(held[name], kind):
                    raise TypeError(f"its {part} has no {name}")
    except UNFIT as error:
        words = _in_words(error)
        raise CheckpointError(f"{path} is damaged ({words}); give another checkpoint") from None
    return tree


def _meta(file: Any, path: Path) -> dict[str, Any]:
    """What the file says of itself.

    Raises:
        CheckpointError: it is no checkpoint.
    """
    try:
        meta: dict[str, Any] = json.loads(str(file["meta"]))
        if meta["format"] == FORMAT:
            return meta
    except UNFIT:
        pass
    raise CheckpointError(
        f"{path} is a file of arrays, but not a checkpoint of micrornn; give one that training has saved"
    )


def _encode(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """A value as JSON can write it; what JSON does not know stands in a dictionary of one word."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind in "biuf" and value.itemsize <= 8 else value
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":  # objects would be pickled
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"$array": name}
    if isinstance(value, list):
        return [_encode(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [_encode(item, arrays) for item in value]}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _encode(item, arrays) for key, item in value.items()}
        return {"$dict": [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]}
    raise TypeError(
        f"a checkpoint holds numbers, texts and arrays, not {type(value).__name__}; convert it first"
    )


def _decode(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "$array":
            return arrays[inner]
        if kind == "$float":
            return float(inner)
        if kind == "$tuple":
            return tuple(_decode(item, arrays) for item in inner)
        if kind == "$dict":
            return {_decode(k, arrays): _decode(v, arrays) for k, v in inner}
    return {key: _decode(item, arrays) for key, item in value.items()}
