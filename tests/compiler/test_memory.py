"""What a compiled program keeps from call to call, in arrays of the size that backward needs of each step."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor

STEPS, BATCH, HIDDEN, CLASSES = 200, 16, 64, 5
ARRAY = STEPS * BATCH * HIDDEN * 8
NEEDED = {
    nn.RNN: 1,  # h
    nn.LSTM: 7,  # i f g o, c, tanh c, h
    nn.GRU: 5,  # r z n, the recurrent part of n, h
}


@pytest.mark.parametrize("layer", NEEDED)
@pytest.mark.parametrize("of", ["the last step", "every step"])
def test_a_program_keeps_at_most_half_more_than_backward_needs(
    layer: type[nn.Module], of: str
) -> None:
    network, readout = layer(8, HIDDEN, rng=0), nn.Linear(HIDDEN, CLASSES, rng=1)
    rng = np.random.default_rng(0)
    series = rng.normal(size=(STEPS, BATCH, 8))
    targets = rng.integers(CLASSES, size=STEPS * BATCH)

    def loss(x: np.ndarray, y: np.ndarray) -> Tensor:
        states, last = network(x)
        if of == "every step":
            logits = readout(states).reshape((STEPS * BATCH, CLASSES))
            return nn.functional.cross_entropy(logits, y)
        return mr.sum(last[0] if isinstance(last, tuple) else last)

    mr.compile(loss)(
        series, targets
    )  # what is loaded when it is used is none of a program's arrays
    gc.collect()
    tracemalloc.start()
    try:
        step = mr.compile(loss)
        for i in range(3):
            step(series + i, targets)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        step(series, targets)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    weights = sum(p.size for p in network.parameters()) * 8
    needed = NEEDED[layer] * ARRAY
    if of == "every step":
        needed += STEPS * BATCH * CLASSES * 8  # the probabilities
    assert needed < kept < 1.5 * needed
    assert peak < kept + 3 * weights + ARRAY / 4


def test_what_was_traced_is_freed_without_the_collector() -> None:
    cell = nn.RNNCell(3, 4, rng=0)

    def loss(xs: np.ndarray) -> Tensor:
        h = mr.tensor(np.zeros(4))
        for x in xs:
            h = cell(x, h)
        return mr.sum(h)

    step = mr.compile(loss)
    step(np.ones((5, 3)))  # what is made once
    gc.collect()
    gc.disable()
    try:
        step(np.ones((500, 3)))
        unreached = gc.collect()
    finally:
        gc.enable()
    assert unreached < 500 * 4  # of some 60 objects for each step
