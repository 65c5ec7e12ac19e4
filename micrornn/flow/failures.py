"""Runs that fail, one for each classic failure: small and reproducible.

For lessons, for the debugger, and to check that the diagnosis gives the right answer. Each function runs
a forward pass; call it inside `recording()`, or through `record_failure`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from micrornn import nn
from micrornn.core.context import scope
from micrornn.core.tensor import Tensor, Value
from micrornn.nn.functional import cross_entropy, mse_loss
from micrornn.recording import Recording, RecordingError, record


@dataclass(frozen=True)
class Failure:
    """A run that went wrong.

    Attributes:
        name: the failure.
        loss: what backward should begin from.
        losses: the losses of the single steps.
        ask: the value to ask `flow.why` about.
        story: what was done, in a sentence.
    """

    name: str
    loss: Tensor
    losses: list[Tensor]
    ask: str
    story: str


def vanishing(steps: int = 50, w: float = 0.5) -> Failure:
    """h_t = w h_{t-1} with w = 0.5: dh_50/dh_0 is exactly 0.5^50 = 8.9e-16.

    No nonlinearity and no input: all that remains of the gradient is a power of the weight.

    >>> vanishing().name
    'vanishing'
    """
    return _power("vanishing", steps, w)


def exploding(steps: int = 50, w: float = 2.0) -> Failure:
    """h_t = w h_{t-1} with w = 2: dh_50/dh_0 is exactly 2^50 = 1.1e15.

    >>> exploding().loss.item() == 2.0**50
    True
    """
    return _power("exploding", steps, w)


def _power(name: str, steps: int, w: float) -> Failure:
    weight = Value(w, "w")
    with scope(t=0):
        h = Tensor(1.0, name="h")
    for t in range(1, steps + 1):
        with scope("linear loop", t=t):
            h = weight * h
            h.name = "h"
    does = (
        "shrinks" if abs(w) < 1 else "grows" if abs(w) > 1 else "keeps its size: it is multiplied"
    )
    story = f"A scalar loop h = {w:g} h over {steps} steps: the gradient {does} by {w:g} at each."
    return Failure(name, h, [h], "h[0]", story)


def forgetful(steps: int = 20, forget_bias: float = 0.0) -> Failure:
    """An LSTM that should recall its first token at the end, with the forget gate half shut.

    With a bias of 0 the forget gate is about 1/2 and the cell state keeps 2^-T of the first token; with 5
    it is .99 (Jozefowicz et al. 2015 recommend a bias of 1 or more).

    >>> len(forgetful().losses)
    1
    """
    rng = np.random.default_rng(0)
    lstm = nn.LSTM(4, 8, gates="separate", rng=rng)
    readout = nn.Linear(8, 2, rng=rng)
    parameters = dict(lstm.named_parameters())
    for name in ("bias_ih_l0", "bias_hh_l0"):  # the forget gate's bias is their sum
        bias = parameters[name]
        values = bias.numpy()
        values[8:16] = forget_bias / 2
        bias.data = values
    tokens = np.concatenate([[0], rng.integers(2, 4, steps - 1)])  # the one to recall, then noise
    outputs, _ = lstm([*np.eye(4)[tokens]])
    with scope("loss", t=steps):
        loss = cross_entropy(readout(outputs[-1]), 0)
    loss.name = "loss"
    story = f"Recall of the first of {steps} tokens by an LSTM with forget bias {forget_bias:g}."
    return Failure("forgetful", loss, [loss], "h[1]", story)


def nan(steps: int = 100) -> Failure:
    """A ReLU RNN in float32 whose recurrent weights are too large: it overflows, and inf - inf is NaN.

    >>> bool(np.isnan(nan().loss.item()))
    True
    """
    rng = np.random.default_rng(1)
    rnn = nn.RNN(2, 8, nonlinearity="relu", rng=rng, dtype="float32")
    readout = nn.Linear(8, 1, rng=rng, dtype="float32")
    recurrent = dict(rnn.named_parameters())["weight_hh_l0"]
    recurrent.data = rng.normal(0.5, 2.0, (8, 8)).astype("float32")
    with np.errstate(all="ignore"):
        outputs, _ = rnn([*rng.normal(size=(steps, 2)).astype("float32")])
        with scope("loss", t=steps):
            loss = mse_loss(readout(outputs[-1]), np.ones(1, "float32"))
    loss.name = "loss"
    return Failure(
        "nan", loss, [loss], "h[1]", "A ReLU RNN with weights far too large, in float32."
    )


def detached(steps: int = 10) -> Failure:
    """A loop that detaches the state at every step, so nothing is learned through time.

    >>> len(detached().losses)
    1
    """
    rng = np.random.default_rng(2)
    cell, readout = nn.RNNCell(2, 4, rng=rng), nn.Linear(4, 1, rng=rng)
    h = None
    for t, x in enumerate(rng.normal(size=(steps, 2)), 1):
        with scope("rnn", t=t):
            h = cell(x, None if h is None else h.detach())
    with scope("loss", t=steps):
        loss = mse_loss(readout(h), np.ones(1))
    loss.name = "loss"
    story = "An RNN whose loop writes h = cell(x, h.detach()) at every step."
    return Failure("detached", loss, [loss], "h[1]", story)


def saturated(steps: int = 10) -> Failure:
    """A tanh RNN with unscaled inputs, up to 25: tanh is flat there.

    >>> len(saturated().losses)
    1
    """
    rng = np.random.default_rng(3)
    rnn, readout = nn.RNN(1, 4, rng=rng), nn.Linear(4, 1, rng=rng)
    dict(rnn.named_parameters())["weight_ih_l0"].data = np.array([[0.3], [-0.3], [0.35], [0.25]])
    prices = 20.0 + rng.uniform(0.0, 5.0, (steps, 1))
    outputs, _ = rnn([*prices])
    with scope("loss", t=steps):
        loss = mse_loss(readout(outputs[-1]), np.ones(1))
    loss.name = "loss"
    return Failure("saturated", loss, [loss], "h[1]", "A tanh RNN fed with prices from 20 to 25.")


FAILURES: dict[str, Callable[..., Failure]] = {
    "vanishing": vanishing,
    "exploding": exploding,
    "forgetful": forgetful,
    "nan": nan,
    "detached": detached,
    "saturated": saturated,
}


def record_failure(name: str) -> Recording:
    """The recording of one of the `FAILURES`, forward and backward.

    Raises:
        RecordingError: there is none of that name; says which there are.

    >>> from micrornn.flow.why import why
    >>> why(record_failure("vanishing"), "h[0]").norm == 0.5**50
    True
    """
    if name not in FAILURES:
        raise RecordingError(f"no failure {name!r}; there are: {', '.join(FAILURES)}")
    with np.errstate(all="ignore"):
        return record(lambda: FAILURES[name]().loss)
