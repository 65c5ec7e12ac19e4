"""Views of tasks: every option that changes the network or its data can be given; batches cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrornn.flow.failures import FAILURES
from micrornn.tasks import TASKS
from micrornn.tasks.source import resolve

TRAINED = [name for name, task in TASKS.items() if task.module]


@pytest.mark.parametrize("name", TRAINED)
def test_a_view_takes_all_that_training_does_but_the_size_of_a_batch(name: str) -> None:
    view, training = TASKS[name].options(view=True), TASKS[name].options()
    assert set(view) - set(TASKS[name].view_only) == set(training) - {"batch"}
    with pytest.raises(ValueError, match=f"{name} has no option --batch; options: --"):
        resolve(name, {"batch": 2})


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.view_only])
def test_what_only_a_view_takes_cannot_be_trained_with(name: str) -> None:
    for option in TASKS[name].view_only:
        with pytest.raises(ValueError, match=f"{name} has no option --{option}; options: --"):
            TASKS[name].problem({option: 1})


def test_the_failures_are_those_of_the_flow() -> None:
    assert [name for name, task in TASKS.items() if not task.module] == list(FAILURES)
    assert TASKS["vanishing"].options() == {"steps": 50, "w": 0.5}
    with pytest.raises(ValueError, match="vanishing is a run that fails, not a task to train"):
        TASKS["vanishing"].problem({})
    with pytest.raises(ValueError, match="steps=0; give at least 1"):
        resolve("vanishing", {"steps": 0})


@pytest.mark.parametrize("name", ["reverse", "translate"])
def test_attention_is_drawn_where_there_is_one(name: str) -> None:
    sizes = {}
    for kind in ("none", "dot", "scaled", "general", "additive"):
        graph = resolve(name, {"attention": kind}).graph
        assert bool(graph.named("attention")) == (kind != "none"), kind
        sizes[kind] = len(graph)
    assert sizes["none"] < sizes["dot"] < sizes["scaled"]
    assert sizes["dot"] < sizes["general"] < sizes["additive"]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_bias_of_the_gate_that_keeps_the_state_is_in_the_weight(cell: str) -> None:
    for bias in (3.0, -1.5):
        options = {"forget_bias": bias, "hidden": 2, "cell": cell, "layers": 2}
        recurrent = getattr(resolve("recall", options).model, cell)
        for layer in (0, 1):
            parts = (f"bias_{part}_l{layer}" for part in ("ih", "hh"))
            both = sum(getattr(recurrent, name).numpy() for name in parts)
            assert both[2:4].tolist() == [bias, bias]
            assert not (np.abs(both[[0, 1, 4, 5]]) == abs(bias)).any(), "no other gate is set"


def test_a_bias_without_a_gate_is_refused() -> None:
    with pytest.raises(ValueError, match="a tanh RNN has no gate with a bias that keeps its state"):
        resolve("recall", {"cell": "rnn", "forget_bias": 3.0})


def test_the_length_decides_how_many_steps_are_unrolled() -> None:
    assert len(resolve("copy", {"steps": 3, "length": 4}).steps) == 3 + 2 * 4


def test_published_weights_are_drawn_or_not() -> None:
    weights = []
    for published in (True, False):
        model: Any = resolve("companies", {"published": published}).model
        weights.append(model.lstm.weight_ih_l0.numpy()[0, 0])
    assert weights[0] == 1.65 != weights[1]


def test_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text(
        "".join(f"abc{n}\t{n}cba\n" for n in range(12)), encoding="utf-8"
    )
    assert resolve("translate", {"pairs": str(tmp_path / "pairs.tsv")}).inputs[:3] == list("abc")
    (tmp_path / "v.csv").write_text("v\n" + "7.5\n" * 30, encoding="utf-8")
    drawn = resolve("anomaly", {"csv": str(tmp_path / "v.csv"), "column": "v", "steps": 3})
    assert drawn.inputs == ["7.5", "7.5", "7.5"]
    (tmp_path / "log.txt").write_text("all is well\n" * 12, encoding="utf-8")
    drawn = resolve("logs", {"text": f"@{tmp_path / 'log.txt'}", "steps": 4})
    assert drawn.inputs == ["\n", *"all "]


def test_every_seed_is_another_network() -> None:
    losses = [resolve("reverse", {"seed": seed}).loss.item() for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    assert np.isfinite(losses).all()
