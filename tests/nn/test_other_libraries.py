"""Weights of Keras, Flax and Equinox, loaded as docs/weights.md does, give what those libraries compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrornn import nn
from micrornn.nn.utils import convert_gates

GIVEN = np.load(Path(__file__).parents[1] / "reference" / "other_libraries.npz")
GATES = {"LSTM": "ifgo", "GRU": "rzn"}


def keras(kind: str) -> list[Any]:
    kernel, recurrent, bias = (
        GIVEN[f"keras {kind} {name}"] for name in ("kernel", "recurrent_kernel", "bias")
    )
    b_ih, b_hh = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    return [
        convert_gates(array, kind, "keras", "pytorch")
        for array in (kernel.T, recurrent.T, b_ih, b_hh)
    ]


def flax(kind: str) -> list[Any]:
    def stacked(side: str, name: str) -> Any:
        none = np.zeros(4)
        parts = [GIVEN.get(f"flax {kind} {side}{g} {name}", none).T for g in GATES[kind]]
        return convert_gates(np.concatenate(parts), kind, "flax", "pytorch")

    return [
        stacked("i", "kernel"),
        stacked("h", "kernel"),
        stacked("i", "bias"),
        stacked("h", "bias"),
    ]


def equinox(kind: str) -> list[Any]:
    w_ih, w_hh, bias = (
        convert_gates(GIVEN[f"equinox {kind} {name}"], kind, "equinox", "pytorch")
        for name in ("weight_ih", "weight_hh", "bias")
    )
    b_hh = np.zeros_like(bias)
    if kind == "GRU":
        b_hh[-4:] = GIVEN["equinox GRU bias_n"]
    return [w_ih, w_hh, bias, b_hh]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("library", [keras, flax, equinox])
def test_the_layer_computes_what_the_library_does(library: Any, kind: str) -> None:
    layer = getattr(nn, kind)(3, 4, batch_first=True)
    names = [name for name, _ in layer.named_parameters()]
    layer.load_state_dict(dict(zip(names, library(kind))))
    expected = GIVEN[f"{library.__name__} {kind}"]
    output, _ = layer(GIVEN["x"][: len(expected)])
    assert np.allclose(output.data, expected, rtol=0, atol=1e-6)
