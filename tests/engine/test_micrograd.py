"""Programs written for micrograd run unchanged, with its numbers (github.com/karpathy/micrograd)."""

from __future__ import annotations

import random

import pytest

import micrornn as mr
from micrornn import Value


def test_the_example_of_its_readme() -> None:
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"
    assert type(g.data) is float and type(a.grad) is float


def test_its_sanity_check() -> None:
    # The values and gradients that micrograd's test takes from PyTorch.
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


@pytest.mark.parametrize("other", [2, 2.0, True])
def test_numbers_on_either_side(other: float) -> None:
    for f in (
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: a**b,
    ):
        a = Value(3.0)
        assert f(a, other).data == f(3.0, other)
        assert f(other, a).data == f(float(other), 3.0)
        mr.gradcheck(lambda a, f=f: f(a, other), a)
        mr.gradcheck(lambda a, f=f: f(other, a), a)


def test_sum_of_values() -> None:
    values = [Value(float(i)) for i in range(4)]
    total = sum(values)
    assert isinstance(total, mr.Tensor) and total.data == 6.0
    total.backward()
    assert [v.grad for v in values] == [1.0] * 4


def test_training_as_in_its_demo() -> None:
    random.seed(1)
    xs = [(2.0, 3.0), (3.0, -1.0), (0.5, 1.0), (1.0, 1.0)]
    ys = [1.0, -1.0, -1.0, 1.0]
    layers = [
        [([Value(random.uniform(-1, 1)) for _ in range(n)], Value(0)) for _ in range(m)]
        for n, m in ((2, 4), (4, 1))
    ]
    parameters = [p for layer in layers for w, b in layer for p in [*w, b]]

    def score(x: list[mr.Tensor]) -> mr.Tensor:
        for layer in layers:
            x = [sum((wi * xi for wi, xi in zip(w, x)), b) for w, b in layer]
            if len(x) > 1:
                x = [unit.relu() for unit in x]
        return x[0]

    losses = []
    for _ in range(50):
        inputs = [list(map(Value, x)) for x in xs]
        hinge = [(1 + -y * score(x)).relu() for y, x in zip(ys, inputs)]
        loss = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0
        loss.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.6 * losses[0]
    assert all(type(p.data) is float and type(p.grad) is float for p in parameters)


def test_it_knows_no_order_of_operations_but_its_own() -> None:
    # accumulation over several uses, and over several backward passes
    a = Value(3.0)
    b = a + a
    b.backward()
    assert a.grad == 2.0
    (a * b).backward()
    assert a.grad == 2.0 + 12.0
