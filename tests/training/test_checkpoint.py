"""Checkpoints: resumed to the bit, whatever kills the training; and no file is taken for one that is none."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import Make, weights

from micrornn import nn, optim
from micrornn.optim import lr_scheduler as schedules
from micrornn.training import (
    RTRL,
    UORO,
    CheckpointError,
    EarlyStopping,
    Trainer,
    Truncation,
    load_checkpoint,
    save_checkpoint,
)
from micrornn.training.checkpoint import read, write

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("killed.py")

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sgd with momentum": {"optimizer": lambda p, lr: optim.SGD(p, lr, momentum=0.9)},
    "adagrad": {"optimizer": optim.Adagrad},
    "rmsprop": {"optimizer": lambda p, lr: optim.RMSprop(p, lr, momentum=0.5, centered=True)},
    "adamw": {"optimizer": lambda p, lr: optim.AdamW(p, lr, amsgrad=True)},
    "truncated": {"truncation": Truncation(2, 6)},
    "dropout": {"dropout": 0.5},
    "noise": {"noise": 0.1},
    "schedule": {"schedule": lambda o: schedules.WarmUp(o, 12)},
    "plateau": {
        "schedule": lambda o: schedules.ReduceLROnPlateau(o, patience=1),
        "validate": lambda: 1.0,
        "validate_every": 2,
    },
}


@pytest.mark.parametrize("name", OPTIONS)
def test_it_goes_on_as_if_nothing_had_happened(make: Make, tmp_path: Path, name: str) -> None:
    unbroken, first, second = (make(**OPTIONS[name]) for _ in range(3))
    expected = unbroken.run(17)
    reports = first.run(9, checkpoint=tmp_path / "net.npz")
    second.resume(tmp_path / "net.npz")
    reports += second.run(17)
    assert reports == expected
    assert (weights(second) == weights(unbroken)).all()


@pytest.mark.parametrize("method", [RTRL, UORO])
def test_learning_online_goes_on_too(make: Make, tmp_path: Path, method: Any) -> None:
    def online() -> Trainer:
        trainer = make()
        trainer.online = method(trainer.objective, list(trainer.model.parameters()))
        return trainer

    unbroken, first, second = online(), online(), online()
    unbroken.run(4)
    first.run(2, checkpoint=tmp_path / "net.npz")
    second.resume(tmp_path / "net.npz")
    second.run(4)
    assert (weights(second) == weights(unbroken)).all()


def test_early_stopping_goes_on_waiting(make: Make, tmp_path: Path) -> None:
    def stopping() -> Trainer:
        return make(validate=lambda: 1.0, validate_every=2, stopping=EarlyStopping(3))

    first, second = stopping(), stopping()
    first.run(5, checkpoint=tmp_path / "net.npz")
    second.resume(tmp_path / "net.npz")
    second.run(100)
    assert second.iteration == 8


def killed_trainer() -> Trainer:
    spec = importlib.util.spec_from_file_location("killed", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    trainer: Trainer = module.trainer()
    return trainer


def test_killed_at_any_moment_it_resumes_to_the_same_bits(tmp_path: Path) -> None:
    """SIGKILL, several times, at moments that nobody chose; a last run to the end."""
    path = tmp_path / "net.npz"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(PROGRAM), str(path), "60"]
    kills = 0
    for wait in (0.031, 0.017, 0.053, 0.007):
        resume = ["resume"] if path.exists() else []
        process = subprocess.Popen(
            [*command, *resume], stdout=subprocess.PIPE, env=environment, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline(), "it should have begun"
        time.sleep(wait)  # some iterations, and some part of one
        process.kill()
        process.communicate(timeout=60)
        kills += process.returncode == -9
    assert kills >= 2, "it was too quick to be killed"
    assert 0 < read(path)["trainer"]["iteration"] < 60
    subprocess.run([*command, "resume"], check=True, env=environment, capture_output=True)
    unbroken, resumed = killed_trainer(), killed_trainer()
    unbroken.run(60)
    resumed.resume(path)
    assert resumed.iteration == 60
    assert (weights(resumed) == weights(unbroken)).all()


def test_a_failure_while_writing_leaves_the_old_file(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, path = make(), tmp_path / "net.npz"
    trainer.run(3, checkpoint=path)
    before = path.read_bytes()

    def full(file: Any, **arrays: Any) -> None:
        file.write(b"PK half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        trainer.run(5, checkpoint=path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


# ------------------------------------------------------------------------------------ wrong files


@pytest.fixture
def saved(make: Make, tmp_path: Path) -> Path:
    make().run(3, checkpoint=tmp_path / "net.npz")
    return tmp_path / "net.npz"


def test_a_file_cut_short_anywhere_is_refused(make: Make, saved: Path) -> None:
    whole = saved.read_bytes()
    trainer = make()
    before = weights(trainer)
    for length in {0, 1, 3, 30, *range(0, len(whole), len(whole) // 40), len(whole) - 1}:
        saved.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"net\.npz is (empty|not a|damaged)"):
            trainer.resume(saved)
    assert (weights(trainer) == before).all()
    assert trainer.iteration == 0


def test_a_flipped_bit_is_found_or_does_no_harm(make: Make, saved: Path) -> None:
    """Every part of the file is under a checksum, but for the zip format's own unused fields."""
    whole = bytearray(saved.read_bytes())
    expected = make()
    expected.resume(saved)
    found = 0
    places = range(11, len(whole), max(1, len(whole) // 150))
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        saved.write_bytes(damaged)
        trainer = make()
        try:
            trainer.resume(saved)
        except CheckpointError:
            found += 1
        else:
            assert (weights(trainer) == weights(expected)).all()
    assert found > len(places) / 2


class Trap:
    """Unpickling it would leave a mark."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("opened",)


def foreign(folder: Path) -> dict[str, bytes]:
    """Files of other kinds."""
    arrays, objects, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(arrays, weights=np.ones(3))
    np.savez(objects, meta=np.array([Trap()], dtype=object))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "hello")
    other = io.BytesIO()
    np.savez(other, meta=np.array(json.dumps({"format": "another", "version": 1})))
    return {
        "text": b"hello, this is a text",
        "pickle": pickle.dumps(Trap()),
        "arrays": arrays.getvalue(),
        "objects": objects.getvalue(),
        "archive": archive.getvalue(),
        "another format": other.getvalue(),
    }


@pytest.mark.parametrize("kind", sorted(foreign(Path())))
def test_a_foreign_file_is_refused_and_nothing_in_it_runs(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.npz"
    path.write_bytes(foreign(tmp_path)[kind])
    with pytest.raises(CheckpointError, match=r"net\.npz (is|has)"):
        make().resume(path)
    assert not (tmp_path / "opened").exists()


def test_the_trap_would_have_worked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(foreign(tmp_path)["pickle"])
    assert (tmp_path / "opened").exists()


def test_no_file_and_a_folder(make: Make, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        make().resume(tmp_path / "none.npz")
    with pytest.raises(CheckpointError, match="is a folder"):
        make().resume(tmp_path)


def test_a_later_version_says_so(saved: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = read(saved)
    monkeypatch.setattr("micrornn.training.checkpoint.VERSION", 2)
    write(saved, tree)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"has version 2 of the format.*reads version 1"):
        make().resume(saved)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"cell": nn.LSTM},
            r"another model: its parameter weight_ih_l0 has shape \(3, 1\) there and",
        ),
        ({"optimizer": optim.SGD}, "trained by Adam, not by SGD"),
        (
            {"schedule": lambda o: schedules.StepLR(o, 5)},
            "with no schedule, and is to go on with a",
        ),
    ],
)
def test_what_it_was_not_saved_from_is_left_as_it_was(
    make: Make, saved: Path, options: dict[str, Any], complaint: str
) -> None:
    trainer = make(**options)
    before = weights(trainer), trainer.feed.state_dict(), trainer.optimizer.state_dict()
    with pytest.raises(CheckpointError, match=complaint):
        trainer.resume(saved)
    assert (weights(trainer) == before[0]).all()
    assert (trainer.feed.state_dict(), trainer.optimizer.state_dict()) == before[1:]


def test_a_model_with_more_layers_is_another(make: Make, saved: Path) -> None:
    trainer = make()
    trainer.model.extra = nn.Linear(1, 1)
    with pytest.raises(CheckpointError, match=r"has no parameter extra\.weight, and this one has"):
        trainer.resume(saved)


def test_what_is_told_about_it_comes_back(make: Make, tmp_path: Path) -> None:
    about = {"task": "text", "options": {"hidden": 8, "text": None}, "values": [1.5, float("inf")]}
    save_checkpoint(tmp_path / "net.npz", make(), about)
    assert load_checkpoint(tmp_path / "net.npz", make()) == about


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    tree = {
        "numbers": [1, 2**100, -0.1, float("-inf"), True, None],
        "tuple": (0.9, (1, "a")),
        "by number": {0: {"step": 3}, 1: {}},
        "$array": "no array",
        "arrays": {"f": np.arange(3.0), "i": np.array(7), "none": np.zeros((0, 2))},
    }
    write(tmp_path / "tree.npz", tree)
    found = read(tmp_path / "tree.npz")
    arrays = found.pop("arrays"), tree.pop("arrays")
    assert found == tree
    for name, array in arrays[1].items():
        assert array.dtype == arrays[0][name].dtype
        assert np.array_equal(array, arrays[0][name])


def test_what_only_pickle_could_write_is_refused(tmp_path: Path) -> None:
    for value in (object(), np.array([object()])):
        with pytest.raises(TypeError, match="numbers, texts and arrays"):
            write(tmp_path / "tree.npz", {"value": value})
    assert list(tmp_path.iterdir()) == []
