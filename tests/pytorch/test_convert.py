"""A converted module computes the same numbers, and comes back with the same weights."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; .ci/run has it")

import micrornn.torch as mt  # noqa: E402
from micrornn import nn  # noqa: E402

# PyTorch says so for every such layer in float32.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")

T = torch.nn
MODULES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "rnn": (lambda: T.RNN(3, 4, nonlinearity="relu"), (5, 2, 3)),
    "lstm": (lambda: T.LSTM(3, 4, 2, batch_first=True, bidirectional=True), (2, 5, 3)),
    "projected": (lambda: T.LSTM(3, 4, proj_size=2, bias=False), (5, 2, 3)),
    "gru": (lambda: T.GRU(3, 4, 2, dropout=0.3), (5, 2, 3)),
    "cells": (lambda: T.LSTMCell(3, 4), (2, 3)),
    "gru cell": (lambda: T.GRUCell(3, 4, bias=False), (2, 3)),
    "rnn cell": (lambda: T.RNNCell(3, 4), (2, 3)),
    "conv": (lambda: T.Conv1d(4, 6, 3, padding=1, groups=2), (2, 4, 7)),
    "images": (
        lambda: T.Sequential(
            T.Conv2d(1, 2, 3, stride=2),
            T.LeakyReLU(0.2),
            T.MaxPool2d((2, 2), (2, 2), (0, 0), (1, 1)),
            T.Flatten(),
        ),
        (2, 1, 9, 9),
    ),
    "named": (
        lambda: T.Sequential(
            OrderedDict(body=T.Linear(3, 4, bias=False), norm=T.LayerNorm(4), out=T.LogSoftmax(-1))
        ),
        (2, 3),
    ),
    "normalized": (
        lambda: T.Sequential(T.Linear(3, 4), T.BatchNorm1d(4), T.Tanh(), T.Dropout(0.5)),
        (6, 3),
    ),
}


def first(output: Any) -> Any:
    return output[0] if isinstance(output, tuple) else output


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", MODULES)
def test_both_compute_the_same_and_it_comes_back(name: str, dtype: Any) -> None:
    torch.manual_seed(0)
    build, shape = MODULES[name]
    module = build().to(dtype).eval()
    x = torch.randn(*shape, dtype=dtype)
    ours = mt.to_micrornn(module)
    assert not ours.training
    expected = first(module(x)).detach().numpy()
    found = first(ours(x.numpy())).data
    assert found.dtype == expected.dtype
    assert np.allclose(found, expected, rtol=0, atol=1e-12 if dtype == torch.float64 else 1e-5)
    back = mt.to_torch(ours)
    assert repr(back) == repr(module)
    assert torch.equal(first(back(x)), first(module(x)))


def test_an_embedding_and_frozen_weights() -> None:
    module = T.Embedding(5, 3, padding_idx=0)
    module.weight.requires_grad_(False)
    ours = mt.to_micrornn(module)
    assert not ours.weight.requires_grad and ours.training
    words = torch.tensor([[1, 0, 4]])
    assert np.array_equal(ours(words.numpy()).data, module(words).numpy())
    assert not mt.to_torch(ours).weight.requires_grad


def test_what_has_no_counterpart_is_named() -> None:
    class Own(T.Module):
        pass

    with pytest.raises(TypeError, match=r"1 \(Own\) has a forward of its own.*load_state_dict"):
        mt.to_micrornn(T.Sequential(T.Tanh(), Own()))
    with pytest.raises(TypeError, match="Bilinear has no counterpart"):
        mt.to_micrornn(T.Bilinear(2, 2, 2))
    with pytest.raises(ValueError, match=r"max_norm=1\.0 has no counterpart"):
        mt.to_micrornn(T.Embedding(5, 3, max_norm=1.0))
    with pytest.raises(ValueError, match="reset_after=False has no counterpart"):
        mt.to_torch(nn.GRU(3, 4, reset_after=False))
    with pytest.raises(ValueError, match="peepholes=True has no counterpart"):
        mt.to_torch(nn.LSTM(3, 4, peepholes=True))
