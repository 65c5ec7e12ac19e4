"""The cases: what is trained, who with, and the ratio to reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import chain
import lstm
import plain
import scalars
import training

Step = Callable[[], object]  # one training step: forward, backward, update
State = Callable[[], dict[str, Any]]  # the loss and the parameters after it, by name
Peer = Callable[[], tuple[Step, State]]


class Case(NamedTuple):
    """One comparison; the first peer is ours."""

    name: str
    title: str
    target: float  # of the other peer's time
    peers: dict[str, Peer]
    tolerance: float = 1e-10  # relative, for losses and parameters
    checked_steps: int = 3


def _torch(module: Any, name: str, title: str, target: float, **more: Any) -> Case:
    shape = getattr(module, name.upper().replace("-", "_"))
    peers = {
        "micrornn": lambda: module.micrornn(*shape),
        "PyTorch": lambda: module.pytorch(*shape),
    }
    return Case(name, title, target, peers, **more)


def _compiled(
    module: Any, name: str, title: str, target: float, by: str = "compiled", **more: Any
) -> Case:
    shape = getattr(module, name.upper().replace("-", "_"))
    peers = {
        "micrornn": lambda: getattr(module, by)(*shape),
        "PyTorch": lambda: module.pytorch(*shape),
    }
    return Case(f"{name} {by}", f"{title}, {by}", target, peers, **more)


def _task(name: str, title: str, target: float) -> Case:
    shape = getattr(training, name.upper())
    ours, theirs = (getattr(training, f"{name}_{peer}") for peer in ("micrornn", "pytorch"))
    peers = {"micrornn": lambda: ours(*shape), "PyTorch's layers": lambda: theirs(*shape)}
    return Case(f"train {name}", title, target, peers, tolerance=1e-8)


IMPORT_LIMIT = 0.15  # seconds beyond NumPy's own import

CASES = {
    case.name: case
    for case in (
        _torch(plain, "hello", "tanh RNN, V=4 H=8 T=4 B=1, SGD", 0.55),
        _torch(plain, "min-char", "tanh RNN, V=65 H=100 T=25 B=1, Adagrad", 0.65),
        _torch(
            *(lstm, "char-lstm", "LSTM, V=65 H=128 T=50 B=32, Adam, clipped, float32", 0.85),
            tolerance=1e-4,
        ),
        _torch(plain, "long-rnn", "tanh RNN, H=32 B=1, 10,000 steps, SGD", 0.5, checked_steps=1),
        _torch(
            *(lstm, "lstm-256", "LSTM, H=256 T=100 B=64, SGD, float32", 0.8),
            tolerance=1e-4,
            checked_steps=1,
        ),
        _torch(chain, "chain", "1,000 operations, tanh and mul, on 8 numbers", 0.55),
        Case(
            "micrograd",
            "two-moons MLP 2-16-16-1 on scalars, 100 points, SGD",
            0.1,
            {"micrornn": scalars.micrornn, "micrograd": scalars.micrograd},
            checked_steps=1,
        ),
        _compiled(plain, "hello", "tanh RNN, V=4 H=8 T=4 B=1, SGD", 0.14),
        _compiled(plain, "min-char", "tanh RNN, V=65 H=100 T=25 B=1, Adagrad", 0.10),
        _compiled(
            *(lstm, "char-lstm", "LSTM, V=65 H=128 T=50 B=32, Adam, clipped, float32", 0.56),
            tolerance=1e-4,
        ),
        _compiled(
            *(plain, "long-rnn", "tanh RNN, H=32 B=1, 10,000 steps, SGD", 0.06), checked_steps=1
        ),
        _compiled(
            *(lstm, "lstm-256", "LSTM, H=256 T=100 B=64, SGD, float32", 0.8),
            tolerance=1e-4,
            checked_steps=1,
        ),
        _compiled(plain, "hello", "tanh RNN, V=4 H=8 T=4 B=1, SGD", 0.14, by="numba"),
        _compiled(plain, "min-char", "tanh RNN, V=65 H=100 T=25 B=1, Adagrad", 0.10, by="numba"),
        _compiled(
            *(plain, "long-rnn", "tanh RNN, H=32 B=1, 10,000 steps, SGD", 0.025, "numba"),
            checked_steps=1,
        ),
        _task("adding", "the trainer: GRU H=64 T=100 B=32, Adam, clipped", 1.5),
        _task("translate", "the trainer: GRU H=32, additive attention, 6 to 4 steps, B=32", 1.3),
        _task("ctc", "the trainer: GRU H=24 both ways, T=60 B=16, CTC of 5 labels", 1.8),
    )
}
