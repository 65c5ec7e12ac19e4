"""Every cell, layer and Linear: outputs and every gradient as PyTorch computes them in float64."""

import numpy as np
import pytest
from reference.store import Case, load

import micrornn as mr
from micrornn import nn

TOLERANCE = 1e-10
CELLS = load("cells")
LAYERS = load("layers")
WAYS = ("stacked", "separate")


def name_of(case):
    return case.name if isinstance(case, Case) else case


def build(case, **more):
    maker = getattr(nn, case.arguments["module"])
    sizes = case["inputs"]["x"].shape[-1], case["parameters"].get("weight_hh", np.zeros((2, 2)))
    module = maker(3, 2, **case.arguments["options"], **more)
    assert sizes[0] == 3
    module.load_state_dict(case["parameters"])
    return module


def run(case, module):
    """Outputs and gradients of a case by name, as the reference has them."""
    inputs = {key: mr.tensor(value, requires_grad=True) for key, value in case["inputs"].items()}
    x, *state = inputs.values()
    result = module(x, *([tuple(state)] if len(state) == 2 else state))
    parts = result if isinstance(result, tuple) else (result,)
    flat = [p for part in parts for p in (part if isinstance(part, tuple) else (part,))]
    outputs = dict(zip(case["outputs"], flat, strict=True))
    total = sum((value * case["cotangents"][key]).sum() for key, value in outputs.items())
    total.backward()
    leaves = {**dict(module.named_parameters()), **inputs}
    # A leaf that nothing reaches (an all-dead ReLU never stops it) has no gradient; PyTorch's is zero.
    gradients = {
        key: np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
        for key, leaf in leaves.items()
    }
    return {key: value.data for key, value in outputs.items()}, gradients


def differences(expected, found):
    assert expected.keys() == found.keys()
    wrong = {}
    for key, value in expected.items():
        assert np.shape(found[key]) == value.shape, key
        worst = float(np.max(np.abs(value - found[key])))
        if not worst <= TOLERANCE:
            wrong[key] = worst
    return wrong


@pytest.mark.parametrize("gates", WAYS)
@pytest.mark.parametrize("case", CELLS + LAYERS[:-6], ids=name_of)
def test_outputs_and_every_gradient(case, gates):
    outputs, gradients = run(case, build(case, gates=gates))
    assert differences(case["outputs"], outputs) == {}
    assert differences(case["gradients"], gradients) == {}


@pytest.mark.parametrize("case", LAYERS[-6:], ids=name_of)
def test_linear(case):
    assert case.arguments["module"] == "Linear"
    outputs, gradients = run(case, build(case))
    assert differences(case["outputs"], outputs) == {}
    assert differences(case["gradients"], gradients) == {}


@pytest.mark.parametrize("case", CELLS + LAYERS, ids=name_of)
def test_parameters_have_pytorchs_names_order_and_shapes(case):
    module = build(case)
    own = [(name, parameter.shape) for name, parameter in module.named_parameters()]
    assert own == [(name, value.shape) for name, value in case["parameters"].items()]


def test_the_reference_covers_what_it_claims():
    options = [case.arguments["options"] for case in LAYERS[:-6]]
    for kind in ("RNN", "LSTM", "GRU"):
        assert sum(case.arguments["module"] == kind for case in LAYERS) >= 16
    for name, values in {"num_layers": {1, 2}, "bias": {True, False}}.items():
        assert {option[name] for option in options} == values
    for name in ("batch_first", "bidirectional"):
        assert {option[name] for option in options} == {True, False}
    assert {case["inputs"]["x"].ndim for case in LAYERS[:-6]} == {2, 3}
    assert {"h0" in case["inputs"] for case in LAYERS[:-6]} == {True, False}
