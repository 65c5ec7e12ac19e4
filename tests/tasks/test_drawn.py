"""Tasks as sources: whatever changes the network or what it reads can be asked for; training cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrornn.tasks import SOURCES
from micrornn.tasks.problem import TASKS
from micrornn.tasks.source import resolve
from micrornn.tasks.userfile import SourceError

TRAINED = [name for name, source in SOURCES.items() if source.trained]


@pytest.mark.parametrize("name", TRAINED)
def test_a_source_takes_all_that_its_task_does_but_the_size_of_a_batch(name: str) -> None:
    assert set(SOURCES[name].options()) == set(TASKS[name].options()) - {"batch"}
    with pytest.raises(SourceError, match="--batch has no meaning"):
        resolve(name, {"batch": 2})


@pytest.mark.parametrize("name", ["reverse", "translate"])
def test_attention_is_drawn_where_there_is_one(name: str) -> None:
    sizes = {}
    for kind in ("none", "dot", "scaled", "general", "additive"):
        graph = resolve(name, {"attention": kind}).graph
        assert bool(graph.named("attention")) == (kind != "none"), kind
        sizes[kind] = len(graph)
    assert sizes["none"] < sizes["dot"] < sizes["scaled"]
    assert sizes["dot"] < sizes["general"] < sizes["additive"]


def test_the_bias_of_the_forget_gate_stands_in_the_weight() -> None:
    for bias in (3.0, -1.5):
        model: Any = resolve("recall", {"forget_bias": bias, "hidden": 2}).model
        both = model.lstm.bias_ih_l0.numpy() + model.lstm.bias_hh_l0.numpy()
        assert both[2:4].tolist() == [bias, bias]


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
