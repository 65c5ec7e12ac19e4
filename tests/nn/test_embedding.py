"""Embedding: PyTorch's numbers, the row that stands for nothing, and indices that are none."""

import numpy as np
import pytest
from reference.compare import module_differences
from reference.store import load

import micrornn as mr
from micrornn import nn
from micrornn.nn import functional as F

CASES = load("embeddings")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_and_gradients_are_pytorchs(case):
    module = nn.Embedding(5, 3, **case.arguments["options"])
    run = lambda: {"output": module(case.arguments["index"])}  # noqa: E731
    assert module_differences(case, module, run) == {}


def test_it_is_the_product_with_the_one_hot_rows():
    module, index = nn.Embedding(4, 3, rng=0), [2, 0, 2]
    cotangent = np.random.default_rng(0).normal(size=(3, 3))
    (module(index) * cotangent).sum().backward()
    rows = F.one_hot(index, 4)
    assert np.array_equal(module(index).data, rows @ module.weight.data)
    assert np.abs(module.weight.grad - rows.T @ cotangent).max() < 1e-15


def test_the_padding_begins_at_zero_and_stays_there():
    module = nn.Embedding(4, 3, padding_idx=-1, rng=0)
    assert module.padding_idx == 3 and (module.weight.data[3] == 0).all()
    optimizer = mr.optim.SGD(module.parameters(), lr=0.1)
    (module([1, 3, 3]) - 1.0).sum().backward()
    optimizer.step()
    assert (module.weight.data[3] == 0).all()
    assert repr(module) == "Embedding(4, 3, padding_idx=3)"


def test_steps_are_tagged_and_the_scope_is_the_attributes():
    net = nn.Module()
    net.words = nn.Embedding(4, 3)
    found = nn.each_step(net.words, [[1, 2], [0, 3]])
    assert [(e.step, e.scope, e.name, e.shape) for e in found] == [
        (t, "words", "embedding", (2, 3)) for t in (1, 2)
    ]
    assert nn.Embedding(4, 3)([0]).scope == "embedding"


def test_a_known_table():
    table = np.arange(6.0).reshape(3, 2)
    frozen = nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad and frozen([2]).data.tolist() == [[4.0, 5.0]]
    free = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
    free([0, 1]).sum().backward()
    assert free.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0]]


def test_one_symbol_and_no_symbols():
    assert nn.Embedding(1, 1)([0, 0]).shape == (2, 1)
    assert nn.Embedding(1, 2)(np.zeros((0,), int)).shape == (0, 2)
    assert nn.Embedding(2, 2, dtype="float32", padding_idx=0)([0, 1]).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: nn.Embedding(4, 3)([4]), ValueError, "index 4 has no row in a table of 4"),
        (lambda: nn.Embedding(4, 3)([-1]), ValueError, "index -1 has no row"),
        (lambda: nn.Embedding(4, 3)([1.0]), TypeError, "give integers"),
        (lambda: nn.Embedding(4, 3)([]), TypeError, "give integers"),
        (lambda: nn.Embedding(0, 3), ValueError, "num_embeddings=0"),
        (lambda: nn.Embedding(4, 0), ValueError, "embedding_dim=0"),
        (lambda: nn.Embedding(4, 3, padding_idx=4), ValueError, "padding_idx=4 has no row"),
        (lambda: nn.Embedding.from_pretrained([1.0]), ValueError, "one row per symbol"),
    ],
)
def test_wrong_symbols_say_what_was_expected(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize("padding_idx", [-1, 2])
def test_the_row_of_padding_gets_no_gradient_however_it_is_counted(padding_idx):
    table = mr.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    y = nn.functional.embedding([2, 0, 2], table, padding_idx=padding_idx)
    assert y.data.tolist() == [[4.0, 5.0], [0.0, 1.0], [4.0, 5.0]]
    y.sum().backward()
    assert table.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: nn.functional.embedding([0], [[1.0]], padding_idx=1),
            "padding_idx=1 has no row among 1",
        ),
        (lambda: nn.functional.embedding([0], [[1.0]], padding_idx=-2), "from -1 to 0, or None"),
        (lambda: nn.functional.embedding([0], [[1.0]], padding_idx=0.0), "padding_idx=0.0"),
        (lambda: nn.functional.embedding([0], [1.0]), r"a table of shape \(1,\)"),
        (lambda: nn.Embedding(3, 2.0), "embedding_dim=2.0; give an integer from 1 up"),
        (lambda: nn.Embedding.from_pretrained([[1.0]], freeze="no"), "freeze='no'"),
    ],
)
def test_what_does_not_fit_the_table_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_table_may_be_a_list():
    assert nn.functional.embedding([1], [[1.0], [2.0]]).data.tolist() == [[2.0]]
