"""Watches as callbacks: the hooks of PyTorch Lightning 2 and of Hugging Face's Trainer, as they call them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import micrornn.torch as mt


class Callback:
    """The base class of Lightning, as far as a watch uses it."""

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None: ...

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None: ...

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None: ...


class TrainerCallback:
    """The base class of transformers, as far as a watch uses it."""

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, base in (("lightning.pytorch", Callback), ("transformers", TrainerCallback)):
        module = ModuleType(name)
        setattr(module, base.__name__, base)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "lightning", ModuleType("lightning"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.rnn, self.fc = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 2)
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.1)

    def step(self, parts: int = 1, wrong: bool = False) -> None:
        self.optimizer.zero_grad()
        for _ in range(parts):
            x = torch.randn(4, 6, 3)
            if wrong:
                raise RuntimeError("the user's own error")
            loss = nn.functional.cross_entropy(
                self.fc(self.rnn(x)[0][:, -1]), torch.tensor([0, 1, 0, 1])
            )
            (loss / parts).backward()
        self.optimizer.step()


def test_lightning_calls_a_watch_around_each_batch(tmp_path: Path) -> None:
    callback, model = mt.lightning_callback(tmp_path, every=3), Model()
    assert isinstance(callback, Callback)
    for i in range(7):
        callback.on_train_batch_start(None, model, None, i)
        model.step()
        callback.on_train_batch_end(None, model, None, None, i)
    assert [line["iteration"] for line in callback.watch.lines()] == [1, 4, 7]
    (states,) = callback.watch.lines()[0]["layers"].values()
    assert states["steps"] == [1, 2, 3, 4, 5, 6]


def test_an_error_in_a_batch_ends_its_recording(tmp_path: Path) -> None:
    callback, model = mt.lightning_callback(tmp_path, every=1), Model()
    callback.on_train_batch_start(None, model, None, 0)
    with pytest.raises(RuntimeError, match="own error") as caught:
        model.step(wrong=True)
    callback.on_exception(None, model, caught.value)
    assert callback.watch.lines() == []
    with mt.recording() as rec:  # nothing of the first one listens any more
        model.step()
    assert len(rec.passes) == 1


def test_transformers_calls_a_watch_around_each_update(tmp_path: Path) -> None:
    callback, model = mt.transformers_callback(tmp_path, every=2), Model()
    assert isinstance(callback, TrainerCallback)
    for _ in range(4):
        callback.on_step_begin(None, None, None, model=model, optimizer=model.optimizer)
        model.step(parts=2)
        callback.on_step_end(None, None, None, model=model, optimizer=model.optimizer)
    lines = callback.watch.lines()
    assert [line["iteration"] for line in lines] == [1, 3]
    assert 0.4 < lines[0]["loss"] < 1.2  # of two batches, half of each


@pytest.mark.parametrize("make", [mt.lightning_callback, mt.transformers_callback])
def test_without_the_package_it_says_what_to_do(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="which is not installed"):
        make(tmp_path)
