"""The gradient check of a source: which way it goes, that it passes what is right and finds what is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from micrornn.check import GradientMismatch, gradcheck
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.tasks import task
from micrornn.tasks.checking import checkable, rerun
from micrornn.tasks.userfile import SourceError

NET = """
import numpy as np
import micrornn as mr
from micrornn import nn
from micrornn.core.primitive import primitive
from micrornn.tasks import Unrolled

w = mr.tensor([0.5, -0.3], requires_grad=True, name="w")
x = mr.tensor([1.0, 2.0])
wrong_sine = primitive(
    "wrong_sine", "sin x", forward=np.sin, vjp=(lambda g, y, x: g,), jvp=(lambda d, y, x: d,), samples=()
)
calls = 0


def loss():
    return ((w * x).tanh() ** 2).sum()


def fresh():
    v = mr.tensor([0.5, -0.3], requires_grad=True, name="v")
    return ((v * x).tanh() ** 2).sum()


def whole():
    return Unrolled("mine", loss())


def cut():
    return (w * w.detach()).sum()


def of_data():
    return (w * w.data).sum()


def wrong():
    return wrong_sine(w).sum()


def single():
    v = mr.tensor([0.5], requires_grad=True, dtype=np.float32)
    return (v * v).sum()


def restless():
    return (w * np.random.default_rng().normal(size=2)).sum()


def pair():
    return lambda a, b: a @ b, [w, x]


def fresh_cut():
    v = mr.tensor([0.5, -0.3], requires_grad=True, name="v")
    return (v * v.detach()).sum()


def later():
    global calls
    calls += 1
    if calls > 4:
        raise ValueError("enough")
    return (w * w).sum()


def other(v):
    return 3.0


tensor = fresh()
wrong_tensor = wrong()
both = (lambda v: (v * v).sum(), w)
no_tensor = (other, [w])
not_pairs = [(other,), (other, w, w), (w, w), (1, w), (other, [w, 1.0]), (other, "w")]
triple, tensors, number, mixed, text = not_pairs[1:]
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield "net.py"
    from micrornn.core.primitive import PRIMITIVES

    PRIMITIVES.pop("wrong_sine", None)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def worst(source: str) -> float:
    check = checkable(source)
    return gradcheck(check.f, check.inputs)


@pytest.mark.parametrize(
    ("name", "how", "size"),
    [
        ("loss", "calling loss", 2),
        ("whole", "calling whole", 2),
        ("fresh", "rerunning the recorded operations", 2),
        # The detached value is data of the recorded graph: it stays, and the gradient agrees with that.
        ("fresh_cut", "rerunning the recorded operations", 2),
        ("tensor", "rerunning the recorded operations", 2),
        ("both", "calling f", 2),
    ],
)
def test_what_is_right_passes_each_way(net: str, name: str, how: str, size: int) -> None:
    check = checkable(f"{net}:{name}")
    assert (check.how, check.size) == (how, size)
    assert gradcheck(check.f, check.inputs) < 1e-8


@pytest.mark.parametrize("name", ["wrong", "wrong_tensor", "cut", "of_data"])
def test_what_is_wrong_is_found(net: str, name: str) -> None:
    with pytest.raises(GradientMismatch, match="element"):
        worst(f"{net}:{name}")


def test_leaves_are_left_as_they_were(net: str) -> None:
    check = checkable(f"{net}:loss")
    before = [x.numpy().tolist() for x in check.inputs]
    gradcheck(check.f, check.inputs)
    assert [x.numpy().tolist() for x in check.inputs] == before


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("single", "must be a float64 leaf"),
        ("restless", "f gives different values for the same input"),
        ("pair", "input 1 .* must be a float64 leaf with requires_grad=True"),
        ("later", r"net\.py, line \d+, in later: ValueError: enough"),
        ("no_tensor", r"f of net\.py returned float; a function to check returns a tensor"),
        ("x", "a tensor without a history"),
        ("calls", r"net\.py:calls is an object of type int; expected a tensor"),
        ("other", r"net\.py:other needs the arguments v, but it is called without any"),
        ("los", "did you mean 'loss'"),
        *((n, "of type tuple; expected") for n in ("triple", "tensors", "number", "mixed", "text")),
    ],
)
def test_what_cannot_be_checked(net: str, name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        worst(f"{net}:{name}")


def test_a_replay_gives_the_recorded_values() -> None:
    """Whatever is in the graph: every primitive of a bidirectional LSTM, and its loss."""
    options = {"cell": "lstm", "bidirectional": True, "hidden": 2}
    graph = task("hello").unrolled(options).graph
    check = rerun(graph)
    (result,) = graph.outs
    assert check.f(*check.inputs) is result
    (first, *_) = check.inputs
    data = first._value
    first._value = data.copy()  # as much as moved, by nothing
    try:
        assert check.f(*check.inputs).item() == result.item()
    finally:
        first._value = data


def test_a_graph_of_several_results_is_refused() -> None:
    a = Tensor(1.0, True)
    with pytest.raises(SourceError, match="has 2 results"):
        rerun(Graph([a * 2.0, a * 3.0]))
