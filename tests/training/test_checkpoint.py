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
from micrornn.tasks import task
from micrornn.tasks.training import make_trainer
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
from micrornn.training.checkpoint import read_checkpoint
from micrornn.training.saving import CheckpointFile
from micrornn.training.tree import read, write

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
    """SIGKILL, several times, at arbitrary moments; a last run to the end."""
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
    assert 0 < read_checkpoint(path)["trainer"]["iteration"] < 60
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

    def full(file: Any, array: Any, **options: Any) -> None:
        file.write(b"half an array")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
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


def bomb(whole: bytes) -> bytes:
    """A checkpoint with one more array: 50 MB of zeros in a few kilobytes."""
    return repacked(
        whole, {"model.more.npy": npy(np.zeros(50_000_000, "u1"))}, zipfile.ZIP_DEFLATED
    )


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def repacked(whole: bytes, more: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(buffer, "w", kind) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
        for name, content in more.items():
            new.writestr(name, content)
    return buffer.getvalue()


HEADER = b"\x93NUMPY\x01\x00\x76\x00"
HUGE = (
    HEADER
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (bomb, r"damaged \(it takes \d+ MiB in memory, and 0 MiB are allowed\)"),
        (
            lambda whole: repacked(whole, {}, zipfile.ZIP_DEFLATED),
            "damaged .it (is compressed|takes)",
        ),
        (lambda whole: repacked(whole, {"mine.npy": npy(np.ones(2))}), "member mine belongs to no"),
        (
            lambda whole: repacked(whole, {"readme.txt": b"hello"}),
            "member readme.txt belongs to no",
        ),
        (lambda whole: repacked(whole, {"../../evil": b"x"}), "member ../../evil belongs to no"),
        (lambda whole: twice(whole), "its member meta.npy occurs twice"),
        (lambda whole: instead(whole, HUGE), "does not fit its 128 bytes"),
        (lambda whole: instead(whole, HEADER + b"{'descr': '<f8',"), "has a damaged header"),
        (lambda whole: instead(whole, b"nothing"), "has a damaged header"),
    ],
)
def test_an_archive_that_claims_too_much_is_refused(
    make: Make, saved: Path, change: Any, complaint: str
) -> None:
    saved.write_bytes(change(saved.read_bytes()))
    with pytest.raises(CheckpointError, match=complaint):
        make().resume(saved)


def twice(whole: bytes) -> bytes:
    buffer = io.BytesIO(whole)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("meta.npy", b"{}")
    return buffer.getvalue()


def instead(whole: bytes, content: bytes) -> bytes:
    """The first weight replaced by some bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.namelist():
            weight = member == "model.weight_ih_l0.npy"
            new.writestr(member, content if weight else old.read(member))
    return buffer.getvalue()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no such devices here")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null"])
def test_a_device_is_not_read(make: Make, device: str) -> None:
    with pytest.raises(ValueError, match=f"{device} is a device; give a checkpoint"):
        make().resume(device)


def test_numpy_shows_the_arrays_by_their_names(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as file:
        names = set(file.files)
        assert file["model.weight_hh_l0"].shape == (3, 1)
    assert {"optimizer.state.0.exp_avg", "trainer.carried.0", "meta"} < names
    assert {name for name in names if name.startswith("model.")} == {
        f"model.{part}_l{layer}"
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for layer in (0, 1)
    }


def test_a_checkpoint_of_the_first_version_is_read() -> None:
    """Written before arrays had names of their own; it goes on as a training that was not stopped."""
    problem, unbroken = (task("hello").problem({"hidden": 2}) for _ in range(2))
    resumed, whole = (make_trainer(one, {}, 6) for one in (problem, unbroken))
    resumed.resume(Path(__file__).with_name("checkpoint-version-1.npz"))
    assert resumed.iteration == 3
    resumed.run(6)
    whole.run(6)
    np.testing.assert_allclose(weights(resumed), weights(whole), rtol=1e-6)


# -------------------------------------------------------------------------------- two trainings


def test_a_checkpoint_that_is_there_is_not_replaced(make: Make, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(CheckpointError, match=r"net\.npz exists; resume from it, or give another"):
        make().run(1, checkpoint=saved)
    assert saved.read_bytes() == before


def test_a_checkpoint_that_has_changed_since_is_not_replaced(make: Make, saved: Path) -> None:
    one, other = make(), make()
    one.resume(saved)
    other.resume(saved)
    one.run(5, checkpoint=saved)
    one.run(6, checkpoint=saved)  # its own file, it may replace
    before = saved.read_bytes()
    with pytest.raises(CheckpointError, match=r"net\.npz was changed by another program; resume"):
        other.run(9, checkpoint=saved)
    assert saved.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_a_second_training_on_a_running_ones_checkpoint_is_refused(make: Make, saved: Path) -> None:
    other, told = make(), []
    other.resume(saved)

    def start_the_other(trainer: Trainer, report: Any) -> None:
        with pytest.raises(CheckpointError, match=r"another training is writing .*net\.npz; wait"):
            other.run(9, checkpoint=saved)
        told.append(report.iteration)

    one = make(callbacks=[start_the_other])
    one.resume(saved)
    one.run(5, checkpoint=saved, save_every=1)
    assert told == [4, 5]
    assert read_checkpoint(saved)["trainer"]["iteration"] == 5


def test_of_two_that_begin_at_once_only_one_makes_the_file(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    file = CheckpointFile(path, None)  # it saw no file
    make().run(1, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        file.save(make())
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["net.npz"]


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
    with pytest.raises(
        FileNotFoundError, match=r"no file .*; give a checkpoint that training saved"
    ):
        make().resume(tmp_path / "none.npz")
    with pytest.raises(CheckpointError, match="is a folder"):
        make().resume(tmp_path)


def test_a_later_version_says_so(saved: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    _, tree = read(saved)
    monkeypatch.setattr("micrornn.training.tree.VERSION", 3)
    with saved.open("wb") as file:
        write(file, tree)
    monkeypatch.undo()
    with pytest.raises(
        CheckpointError, match=r"has version 3 of the format.*reads versions 1 to 2"
    ):
        make().resume(saved)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"cell": nn.LSTM},
            r"another model: its parameter weight_ih_l0 has shape \(3, 1\), that of this model \(4, 1\)",
        ),
        ({"optimizer": optim.SGD}, "trained with Adam, not SGD"),
        (
            {"schedule": lambda o: schedules.StepLR(o, 5)},
            "trained without schedule, and this trainer is with schedule",
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
    with pytest.raises(
        CheckpointError, match=r"has no parameter extra\.weight, which this model has"
    ):
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
    with (tmp_path / "tree.npz").open("wb") as file:
        write(file, tree)
    _, found = read(tmp_path / "tree.npz")
    arrays = found.pop("arrays"), tree.pop("arrays")
    assert found == tree
    for name, array in arrays[1].items():
        assert array.dtype == arrays[0][name].dtype
        assert np.array_equal(array, arrays[0][name])


def test_what_only_pickle_could_write_is_refused(tmp_path: Path) -> None:
    for value in (object(), np.array([object()])):
        with pytest.raises(TypeError, match="numbers, strings and arrays"):
            write(io.BytesIO(), {"value": value})
