"""What a compiled program keeps from call to call, in arrays of the size that backward needs of each step."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor

STEPS, BATCH, HIDDEN = 50, 16, 128
ARRAY = STEPS * BATCH * HIDDEN * 8


@pytest.mark.parametrize(
    ("layer", "arrays"),
    [
        # h; what x adds to every step, and in its place the gradient of every step, for one product over time
        (nn.RNN, 2),
        # i f g o, c, tanh c, h; and those products of four gates
        (nn.LSTM, 7 + 4),
    ],
)
def test_a_program_keeps_what_backward_needs_and_the_products_over_time(
    layer: type[nn.Module], arrays: int
) -> None:
    network = layer(8, HIDDEN, rng=0)
    rng = np.random.default_rng(0)
    series = rng.normal(size=(STEPS, BATCH, 8))

    def loss(x: np.ndarray) -> Tensor:
        last = network(x)[1]
        return mr.sum(last[0] if isinstance(last, tuple) else last)

    tracemalloc.start()
    try:
        step = mr.compile(loss)
        for i in range(3):
            step(series + i)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        step(series)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    weights = sum(p.size for p in network.parameters()) * 8
    small = 20 * BATCH * 4 * HIDDEN * 8  # of single steps
    assert arrays * ARRAY < kept < 1.1 * arrays * ARRAY + 3 * weights + small
    assert peak < kept + 3 * weights + ARRAY / 4
