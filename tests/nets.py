"""Small networks for the tests of pictures: each function returns the loss of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import micrornn as mr
from micrornn import nn

KINDS = ("rnn", "lstm", "gru")


def unrolled(
    kind: str = "rnn",
    steps: int = 4,
    layers: int = 1,
    both_ways: bool = False,
    gates: str = "separate",
    loss: str = "all",
    hidden: int = 3,
) -> mr.Tensor:
    """A recurrent network with an output layer and a loss per step, over the letters of "hello"."""
    vocabulary = "ehlo"
    text = ("hello" * steps)[: steps + 1]
    numbers = [vocabulary.index(letter) for letter in text]
    make: Any = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind]
    net = make(4, hidden, num_layers=layers, bidirectional=both_ways, gates=gates, rng=0)
    head = nn.Linear(hidden * (2 if both_ways else 1), 4, rng=1)
    states, _ = net([np.eye(4)[number] for number in numbers[:-1]])
    logits = []
    for t, h in enumerate(states, 1):
        with mr.scope(t=t):
            logits.append(head(h))
    losses, total = nn.sequence_loss(logits, numbers[1:], reduction="sum")
    return total if loss == "all" else losses[-1]


def own_cell(steps: int = 3) -> mr.Tensor:
    """A cell that the project has never seen: a leaky state and two gates with names of their own."""
    rng = np.random.default_rng(2)
    w, u, v = (
        mr.tensor(rng.normal(size=(3, 3)), requires_grad=True, name=name)
        for name in ("W", "U", "V")
    )
    with mr.scope(t=0):
        m = mr.tensor(np.zeros(3), name="m")
    for t in range(1, steps + 1):
        with mr.scope("leaky", t=t):
            x = mr.tensor(rng.normal(size=3), name="x")
            with mr.scope("keep"):
                keep = mr.sigmoid(w @ m + u @ x)
            with mr.scope("write"):
                write = mr.tanh(v @ x) * 0.5
            m = keep * m + (1 - keep) * write
            m.name = "m"
    loss = mr.sum(m * m)
    loss.name = "loss"
    return loss


def attention(steps: int = 4) -> mr.Tensor:
    """Each step looks back at the states of all the steps before it: links over several steps."""
    rng = np.random.default_rng(3)
    w = mr.tensor(rng.normal(size=(2, 2)) * 0.5, requires_grad=True, name="W")
    with mr.scope(t=0):
        h = mr.tensor(np.zeros(2), name="h")
    states: list[mr.Tensor] = []
    losses = []
    for t in range(1, steps + 1):
        with mr.scope("rnn", t=t):
            x = mr.tensor(rng.normal(size=2), name="x")
            h = mr.tanh(w @ h + x)
            h.name = "h"
        states.append(h)
        with mr.scope("attention", t=t):
            memory = mr.stack(states)
            scores = mr.softmax(memory @ h)
            context = scores @ memory
            loss = mr.sum(context * context)
            loss.name = "loss"
        losses.append(loss)
    return sum(losses[1:], start=losses[0])


def truncated(steps: int = 4, cut: int = 3) -> mr.Tensor:
    """A tape that is cut: at one step the state continues without its history."""
    w = mr.tensor([[0.5, 0.2], [0.1, 0.4]], requires_grad=True, name="W")
    with mr.scope(t=0):
        h = mr.tensor(np.ones(2), name="h")
    losses = []
    for t in range(1, steps + 1):
        with mr.scope("rnn", t=t):
            h = mr.tanh(w @ (h.detach() if t == cut else h))
            h.name = "h"
        with mr.scope("loss", t=t):
            loss = mr.sum(h * h)
            loss.name = "loss"
        losses.append(loss)
    return sum(losses[1:], start=losses[0])


def mlp() -> mr.Tensor:
    """Micrograd's kind of graph: numbers, a few neurons, no steps and no scopes."""
    rng = np.random.default_rng(4)
    xs = [mr.Value(float(value)) for value in rng.normal(size=2)]

    def layer(inputs: list[mr.Tensor], size: int) -> list[mr.Tensor]:
        found = []
        for _ in range(size):
            ws = [mr.Value(float(value)) for value in rng.normal(size=len(inputs))]
            total = sum((w * x for w, x in zip(ws, inputs)), start=mr.Value(0.0))
            found.append(mr.tanh(total))
        return found

    return layer(layer(xs, 3), 1)[0]


def formula() -> mr.Tensor:
    """One expression with names: no steps, a few operations."""
    a, b = mr.Value(-4.0, name="a"), mr.Value(2.0, name="b")
    c = (a + b) * b
    d = mr.relu(c * -1.0 + b**3)
    d.name = "loss"
    return d


OTHERS: dict[str, Callable[[], mr.Tensor]] = {
    "own cell": own_cell,
    "attention": attention,
    "truncated": truncated,
    "mlp": mlp,
    "formula": formula,
}
