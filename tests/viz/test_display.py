"""What a notebook is given: text always, pictures of what has a history, and viz only when asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from nets import unrolled

import micrornn as mr
from viz.notebook import MOST_NODES, mimebundle


def bundle(thing: Any, **options: Any) -> dict[str, str]:
    """What IPython gets."""
    found: dict[str, str] = thing._repr_mimebundle_(**options)
    return found


def test_a_tensor_with_a_history_is_text_and_picture() -> None:
    loss = unrolled("rnn")
    shown = bundle(loss)
    assert set(shown) == {"text/plain", "image/svg+xml", "text/html"}
    assert shown["text/plain"] == repr(loss)
    assert shown["image/svg+xml"].startswith("<svg")
    assert shown["image/svg+xml"] in shown["text/html"]


def test_data_and_parameters_are_text_only() -> None:
    for leaf in (mr.tensor([1.0, 2.0]), mr.Value(1.0), mr.tensor(np.zeros((3, 3)))):
        assert bundle(leaf) == {"text/plain": repr(leaf)}


def test_a_graph_is_the_picture_in_text() -> None:
    shown = bundle(mr.Graph(unrolled("gru")))
    assert "|dL/dh|" in shown["text/plain"]
    assert shown["image/svg+xml"].startswith("<svg")


def test_a_value_that_has_no_backward_is_shown_without() -> None:
    shown = bundle(mr.tensor([1.0, 2.0], requires_grad=True) * 2.0)
    assert "backward has not run" in shown["image/svg+xml"]


def test_only_what_is_asked_for_is_made() -> None:
    loss = unrolled("rnn")
    assert set(bundle(loss, include={"text/plain", "image/png"})) == {"text/plain"}
    assert set(bundle(loss, exclude={"text/html"})) == {"text/plain", "image/svg+xml"}
    assert mimebundle(loss, include=[]) == {}


def test_two_pictures_can_share_a_page() -> None:
    html = bundle(unrolled("rnn"))["text/html"]
    assert " id=" not in html and "<style" not in html and "<script" not in html


def test_a_very_large_graph_is_text_that_says_how_to_draw_it() -> None:
    y = mr.Value(0.1)
    for _ in range(MOST_NODES):
        y = mr.tanh(y)
    for thing in (y, mr.Graph(y)):
        shown = bundle(thing)
        assert set(shown) == {"text/plain"}
        assert "2,001 nodes" in shown["text/plain"] and "viz.render(" in shown["text/plain"]
    loss = unrolled("lstm", steps=100)
    assert "window=(1, 10)" in bundle(loss)["text/plain"]
    assert set(bundle(mr.Graph(y.inputs[0]))) > {"text/plain"}  # one node fewer


def test_a_middling_graph_is_drawn_in_less_detail() -> None:
    a = mr.Value(1.0, "a")
    for _ in range(400):
        a = a * 1.0
    assert "at the level of gate" in bundle(a)["image/svg+xml"]
    assert "at the level of op" in bundle(mr.tanh(mr.Value(1.0)))["image/svg+xml"]


def test_a_network_over_time_is_the_picture_with_its_finding() -> None:
    assert "The forget gates pass" in bundle(unrolled("lstm"))["image/svg+xml"]
    assert "all 40 steps" in bundle(unrolled("lstm", steps=40))["image/svg+xml"]


def test_nothing_of_viz_is_loaded_before_a_picture_is_asked_for() -> None:
    program = (
        "import sys, micrornn as mr\n"
        "y = mr.tanh(mr.Value(1.0))\n"
        "assert 'viz' not in sys.modules\n"
        "y._repr_mimebundle_()\n"
        "assert 'viz' in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
