"""Attention: PyTorch's numbers, masks, and weights that can be read."""

import numpy as np
import pytest
from reference.compare import leaves_of, module_differences
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F
from micrornn.nn.scaled_dot_product import masked_softmax

CASES = load("attention")
MAKERS = {
    "dot": lambda: nn.DotAttention(),
    "scaled": lambda: nn.ScaledDotAttention(),
    "general": lambda: nn.GeneralAttention(2, 3),
    "additive": lambda: nn.AdditiveAttention(2, 3, 6),
}
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.arguments["kind"] != "causal"], ids=lambda case: case.name
)
@pytest.mark.parametrize("projected", [False, True])
def test_context_weights_and_gradients(case, projected):
    module = MAKERS[case.arguments["kind"]]()

    def run(query, keys, values):
        ready = module.project(keys) if projected else None
        context, weights = module(query, keys, values, case.arguments["mask"], ready)
        assert (context.name, weights.name) == ("context", "attention")
        return {"context": context, "weights": weights}

    assert module_differences(case, module, run) == {}


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.arguments["kind"] in ("causal", "scaled") and "many" in c.name],
    ids=lambda case: case.name,
)
def test_the_function_of_pytorchs_name(case):
    query, keys, values = leaves_of(case).values()
    mask = case.arguments["mask"]
    mask = None if mask is None else np.array(mask)[..., None, :]
    causal = case.arguments["kind"] == "causal"
    context = F.scaled_dot_product_attention(query, keys, values, mask, is_causal=causal)
    assert np.abs(context.data - case["outputs"]["context"]).max() < 1e-12


def test_masked_places_get_exactly_nothing_and_no_infinity_is_made():
    keys = mr.tensor(RNG.normal(size=(4, 2)), requires_grad=True)
    with mr.trap_nonfinite():
        context, weights = nn.DotAttention()([1.0, 2.0], keys, mask=[True, False, True, False])
        context.sum().backward()
    assert (weights.data[[1, 3]] == 0).all() and abs(weights.data.sum() - 1) < 1e-15
    assert (keys.grad[[1, 3]] == 0).all() and (keys.grad[[0, 2]] != 0).all()


def test_scaling_keeps_the_weights_from_saturating():
    q, k = RNG.normal(size=512), RNG.normal(size=(8, 512))
    assert nn.DotAttention()(q, k)[1].data.max() > 0.99
    assert nn.ScaledDotAttention()(q, k)[1].data.max() < 0.9


def test_nodes_are_in_the_modules_scope_and_step():
    net = nn.Module()
    net.look = nn.AdditiveAttention(2, 2, 3)
    with mr.scope(t=7):
        context, weights = net.look(np.ones(2), np.ones((3, 2)))
    for node in (context, weights):
        assert (node.scope, node.step) == ("look", 7)
    named = [n for n in mr.Graph(context).nodes if n.name == "attention"]
    assert len(named) == 1


def test_repr():
    assert repr(nn.GeneralAttention(2, 3)) == "GeneralAttention(2, 3)"
    assert repr(nn.AdditiveAttention(2, 3, 6)) == "AdditiveAttention(2, 3, 6)"


def test_a_seed_does_not_make_weights_alike():
    module = nn.AdditiveAttention(3, 3, 3, rng=0)
    assert (module.query_weight.data != module.key_weight.data).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: masked_softmax([1.0, 2.0], [False, False]), "excludes every key of query"),
        (lambda: masked_softmax([1.0, 2.0], [1, 0]), "give truth values"),
        (lambda: masked_softmax([1.0, 2.0], [True] * 3), r"shape \(3,\) does not fit"),
        (
            lambda: nn.DotAttention()(np.ones(2), np.ones((3, 4))),
            "a dot product needs equal lengths",
        ),
        (lambda: nn.GeneralAttention(2, 3)(np.ones(2), np.ones((3, 4))), "2 and 3 expected"),
        (lambda: nn.DotAttention()(np.ones(2), np.ones(2)), r"keys \(..., S, K\)"),
        (
            lambda: F.scaled_dot_product_attention(
                np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)), np.eye(2) > 0, is_causal=True
            ),
            "not both",
        ),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
    with pytest.raises(NotImplementedError, match="define score"):
        nn.Attention()(np.ones(2), np.ones((2, 2)))
