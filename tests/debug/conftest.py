"""What the tests of the debugger share: small runs, and a session that is driven by lines of text."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.recording import Recording, record

HERE = os.path.dirname(os.path.abspath(__file__))


def loop(steps: int = 4, w: float = 0.5) -> mr.Tensor:
    """A scalar loop: h = tanh(w h), with a loss at every step."""
    weight = mr.Value(w, "w")
    with mr.scope(t=0):
        h = mr.tensor(1.0, name="h")
    total: mr.Tensor | float = 0.0
    for t in range(1, steps + 1):
        with mr.scope("rnn", t=t):
            h = mr.tanh(weight * h)
            h.name = "h"
        with mr.scope("loss", t=t):
            loss = h * h
            loss.name = "loss"
        total = total + loss
    assert isinstance(total, mr.Tensor)
    return total


def lstm(steps: int = 3) -> mr.Tensor:
    """A small LSTM with a scope for each gate, and one loss at the end."""
    rng = np.random.default_rng(0)
    net, readout = nn.LSTM(2, 2, gates="separate", rng=rng), nn.Linear(2, 2, rng=rng)
    outputs, _ = net([*rng.normal(size=(steps, 2))])
    with mr.scope("loss", t=steps):
        loss = nn.functional.cross_entropy(readout(outputs[-1]), 1)
        loss.name = "loss"
    return loss


def rnn(steps: int = 6, seed: int = 0, scale: float = 1.0) -> mr.Tensor:
    """A small tanh RNN that asks for something at every step."""
    rng = np.random.default_rng(seed)
    net = nn.RNN(2, 3, rng=rng)
    dict(net.named_parameters())["weight_hh_l0"].data = rng.normal(size=(3, 3)) * scale
    outputs, _ = net([*rng.normal(size=(steps, 2))])
    losses = []
    for t, h in enumerate(outputs, 1):
        with mr.scope("loss", t=t):
            losses.append((h * h).sum())
            losses[-1].name = "loss"
    with mr.scope("loss"):
        return mr.sum(mr.stack(losses))


RUNS: dict[str, Callable[[], mr.Tensor]] = {"loop": loop, "lstm": lstm, "rnn": rnn}


def source_line(file: str, number: int) -> str | None:
    """The text of a source line."""
    return Path(file).read_text(encoding="utf-8").splitlines()[number - 1]


@pytest.fixture
def session() -> Session:
    """The debugger on the scalar loop."""
    return Session(record(loop), source_line=source_line)


@pytest.fixture
def recorded() -> Callable[[str], Recording]:
    """``recorded("lstm")``: one of the runs above."""
    return lambda name: record(RUNS[name])


@pytest.fixture
def told() -> Callable[[Session, Sequence[str]], str]:
    """What the debugger answers to some lines, as one text; places in files without their numbers."""

    def tell(session: Session, commands: Sequence[str]) -> str:
        lines = []
        for command in commands:
            lines.append(f"> {command}")
            try:
                lines += session.execute(command).lines
            except DebuggerError as error:
                lines.append(f"! {error}")
        text = "\n".join(lines) + "\n"
        return re.sub(r"\S*conftest\.py:\d+", "net.py:N", text.replace(HERE, ""))

    return tell
