"""Recurrent graphs of every kind, drawn by hypothesis, with the losses of their steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor
from micrornn.recording import Recording, recording

KINDS = (
    *("rnn", "lstm", "gru", "stacked", "bidirectional", "masked", "truncated"),
    *("attention", "residual", "whole sequence", "untagged views", "penalised views"),
)
VIEWS = ("untagged views", "penalised views")  # of the weight, made before the steps begin


class Drawn(NamedTuple):
    """A recorded run and its losses."""

    kind: str
    rec: Recording
    losses: list[Tensor]
    total: Tensor


def states(kind: str, steps: int, hidden: int, batch: int, gates: str, rng: Any) -> list[Tensor]:
    """h over time, as one network or another makes it."""
    x = [rng.normal(size=(batch, 2)) for _ in range(steps)]
    options: Any = {"gates": gates, "rng": rng}
    if kind in ("rnn", "lstm", "gru", "truncated", "attention"):
        chosen = {"lstm": nn.LSTM, "gru": nn.GRU}.get(kind, nn.RNN)
        model: Any = chosen(2, hidden, **options)
        if kind != "truncated":
            output = model(x)[0]
            return attended(output) if kind == "attention" else output
        cut = int(rng.integers(1, steps + 1))
        cell = nn.LSTMCell(2, hidden, **options)
        outputs, state = [], None
        for t in range(1, steps + 1):
            with mr.scope("lstm", t=t):
                if state is not None and t == cut:
                    state = tuple(s.detach() for s in state)
                state = cell(x[t - 1], state)
            outputs.append(state[0])
        return outputs
    if kind == "stacked":
        return nn.GRU(2, hidden, num_layers=2, **options)(x)[0]  # type: ignore[no-any-return]
    if kind == "bidirectional":
        return nn.LSTM(2, hidden, bidirectional=True, **options)(x)[0]  # type: ignore[no-any-return]
    weight = mr.tensor(rng.normal(size=(hidden, hidden)), requires_grad=True, name="W")
    enter = mr.tensor(rng.normal(size=(hidden, 2)), requires_grad=True, name="U")
    with mr.scope(t=0):
        h: Tensor = mr.tensor(rng.normal(size=(batch, hidden)), name="h")
    if kind in VIEWS:
        used = mr.tanh(weight) / mr.exp(weight).sum() + weight.T
    outputs = []
    for t in range(1, steps + 1):
        with mr.scope("cell", t=t):
            xt = mr.tensor(x[t - 1], name="x")
            if kind in VIEWS:
                h = mr.tanh(h @ used + xt @ enter.T)
            elif kind == "residual":
                h = h + mr.tanh(h @ weight.T + mr.linear(xt, enter))
            else:  # masked, and whole sequence
                new = mr.tanh(mr.linear(h, weight) + mr.linear(xt, enter))
                keep = rng.random((batch, 1)) < 0.7
                h = mr.where(keep, new, h) if kind == "masked" else new
            h.name = "h"
        outputs.append(h)
    return outputs


def attended(outputs: list[Tensor]) -> list[Tensor]:
    """Each step looks back at all steps so far."""
    found = []
    for t, query in enumerate(outputs, 1):
        with mr.scope("attention", t=t):
            keys = mr.stack(outputs[:t])
            scores = (keys * query).sum(axis=-1)
            weights = mr.softmax(scores, axis=0)
            found.append((mr.expand_dims(weights, -1) * keys).sum(axis=0) + query)
    return found


@st.composite
def drawn_runs(draw: Any, kinds: tuple[str, ...] = KINDS) -> Drawn:
    """A recorded forward and backward pass."""
    kind = draw(st.sampled_from(kinds))
    steps, hidden, batch = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    gates = draw(st.sampled_from(["stacked", "separate"]))
    reduction = draw(st.sampled_from(["mean", "sum", "last", "each"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return run(kind, steps, hidden, batch, gates, reduction, rng)


def run(
    kind: str, steps: int, hidden: int, batch: int, gates: str, reduction: str, rng: Any
) -> Drawn:
    """The run of these properties, recorded."""
    with recording() as rec:
        outputs = states(kind, steps, hidden, batch, gates, rng)
        if kind == "whole sequence":
            total = (mr.stack(outputs) ** 2).mean()
            losses = [total]
        else:
            losses = []
            for t, h in enumerate(outputs, 1):
                with mr.scope("loss", t=t):
                    losses.append((h * h * rng.uniform(0.5, 1.5)).sum())
                losses[-1].name = "loss"
            if reduction == "last":
                losses = losses[-1:]
            if reduction == "each":
                for loss in losses:
                    loss.backward()
                return Drawn(kind, rec, losses, losses[-1])
            with mr.scope("loss"):
                stacked = mr.stack(losses)
                total = stacked.mean() if reduction == "mean" else stacked.sum()
                if kind == "penalised views":  # outside all steps, by way of what the steps use
                    penalty = (outputs[0].inputs[0].inputs[0].inputs[1] ** 2.0).sum() * 0.1
                    losses = [*losses, penalty]
                    total = total + penalty
        total.backward()
    return Drawn(kind, rec, losses, total)
