"""What `explain` writes: it runs, it is right, it is clean, and it finds the term that a hand got wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.compiler.explain import compare, derived, explain, written
from micrornn.core.backward import gradients, seed_of
from micrornn.tasks import TASKS
from micrornn.tasks.source import resolve


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    ("form", "ending"), [("numpy", "py"), ("pseudocode", "txt"), ("latex", "tex")]
)
def test_hello(golden: Callable[..., None], cell: str, form: str, ending: str) -> None:
    network = resolve("hello", {"cell": cell})
    golden(f"explain/{cell}.{ending}", explain(network.loss, form, network.title))


@pytest.mark.parametrize("task", TASKS)
def test_the_program_of_every_task_gives_the_graphs_gradients(task: str, tmp_path: Path) -> None:
    network = resolve(task, {})
    module = written(derived(network.loss), network.title)
    with np.errstate(all="ignore"):
        found, _ = module.run()
        right = gradients(network.loss, seed_of(network.loss))
    assert {node.name for node, _ in right} == set(found)
    for node, g in right:
        size = float(np.max(np.abs(np.nan_to_num(g)), initial=0.0))
        np.testing.assert_allclose(found[node.name or ""], g, rtol=1e-9, atol=1e-10 * size)
    path = tmp_path / "explained.py"
    path.write_text(module.text)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select=E,F,W,B",
        "--line-length=110",
    ]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for form in ("pseudocode", "latex"):
        assert "Gradients" in explain(network.loss, form)


def by_hand(wrong: bool) -> Callable[..., Any]:
    def backward(
        x: Any,
        targets: Any,
        rnn_weight_ih_l0: Any,
        rnn_bias_ih_l0: Any,
        rnn_weight_hh_l0: Any,
        rnn_bias_hh_l0: Any,
        readout_weight: Any,
        readout_bias: Any,
    ) -> Any:
        h = np.zeros((len(x) + 1, 8))
        for t in range(len(x)):
            a = x[t] @ rnn_weight_ih_l0.T + rnn_bias_ih_l0
            h[t + 1] = np.tanh(a + h[t] @ rnn_weight_hh_l0.T + rnn_bias_hh_l0)
        d = np.exp(h[1:] @ readout_weight.T + readout_bias)
        d /= d.sum(1, keepdims=True)
        d[np.arange(len(x)), targets] -= 1.0
        delta, after = np.zeros((len(x), 8)), np.zeros(8)
        for t in reversed(range(len(x))):
            slope = 1.0 - h[t + 1] ** 2
            arrived = d[t] @ readout_weight
            delta[t] = arrived * slope + after if wrong else (arrived + after) * slope
            after = delta[t] @ rnn_weight_hh_l0
        return {"delta": delta, "weight_hh_l0": delta.T @ h[:-1], "readout.bias": d.sum(0)}

    return backward


def test_a_backward_pass_by_hand_is_right_or_told_where_it_is_not() -> None:
    loss = resolve("hello", {}).loss
    assert compare(loss, by_hand(wrong=False)) == []
    first, second = compare(loss, by_hand(wrong=True))
    assert first.startswith(
        "delta[2] differs first, going back"
    )  # at the last step nothing came after
    assert second.startswith("dL/d rnn.weight_hh_l0 differs by")


def test_what_cannot_be_compared() -> None:
    loss = resolve("hello", {}).loss
    with pytest.raises(
        ValueError, match=r"takes weights; what there is to take is .*rnn_weight_ih_l0"
    ):
        compare(loss, lambda weights: {})
    with pytest.raises(ValueError, match="returns no gradients; return a dict"):
        compare(loss, lambda x: None)
    with pytest.raises(
        ValueError, match=r"'W' is no gradient of this network; it has readout\.weight"
    ):
        compare(loss, lambda x: {"W": 0.0})
    assert compare(loss, lambda x: {"readout.bias": np.zeros(3)}) == [
        "dL/d readout.bias has the shape (3,), and the parameter (4,)."
    ]


def test_what_cannot_be_explained() -> None:
    with pytest.raises(ValueError, match="give one of 'numpy'"):
        explain(mr.Value(1.0) * 2.0, "fortran")
    with pytest.raises(ValueError, match="nothing to go back through"):
        explain(mr.tensor(1.0))
    with pytest.raises(ValueError, match="only a scalar"):
        explain(mr.tensor([1.0, 2.0], requires_grad=True) * 2.0)
