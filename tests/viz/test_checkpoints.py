"""What checkpoints kept and computed again is marked in every picture, and only where it happened."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sheets import faults

import micrornn as mr
import viz
from micrornn import nn
from micrornn.recording.observe import recalled
from viz.picture import gates, picture
from viz.picture.checkpoints import Checkpoints
from viz.picture.tell import tell

SERIES = np.random.default_rng(0).normal(size=(40, 1, 2))


def loss(plan: object, steps: int = 6, layer: type[nn.Module] = nn.LSTM) -> mr.Tensor:
    last = layer(2, 3, rng=0, checkpoint=plan)(SERIES[:steps])[1]
    return mr.sum(last[0] if isinstance(last, tuple) else last)


def marks_of(svg: str) -> list[str]:
    return re.findall(r">([■↻][■↻\d]*)</text>", svg)


def test_a_cell_says_whether_its_state_was_kept_and_its_step_computed_again() -> None:
    rec = mr.record(loss("sqrt"))
    svg = picture(rec)
    assert marks_of(svg) == ["↻", "↻", "■↻", "■", "■", "■"] and faults(svg) == []
    assert (
        "■ value kept · ↻ computed again" in svg
        and f"{len(rec.recomputed)} of {len(rec.nodes)} nodes" in svg
    )
    assert "value kept; the rest of the step computed again in backward" in svg


def test_one_slot_computes_the_first_step_again_before_every_other() -> None:
    marks = marks_of(picture(mr.record(loss(1))))
    assert marks == ["↻5", "↻4", "↻3", "↻2", "■↻", "■"]
    assert "3 times" in picture(mr.record(loss(1)))


def test_gates_are_marked_one_by_one() -> None:
    svg = gates(mr.record(loss("sqrt", 4)))
    assert svg is not None and faults(svg) == []
    marks = marks_of(svg)
    assert marks.count("↻") == 2 + 4 * 2 and set(marks) == {"■", "↻"}


def test_the_strip_of_a_long_sequence_marks_the_states_that_were_kept() -> None:
    rec = mr.record(loss("sqrt", 40, nn.RNN))
    svg, marks = picture(rec), Checkpoints(rec)
    kept = [box for box in tell(rec).chain("rnn.0") if marks.kept(box)]
    assert len(kept) == 1 + 5 + 6 and f"■ {len(kept)} of 41 states kept" in svg
    assert svg.count('width="4" height="4"') == len(kept) and faults(svg) == []


@pytest.mark.parametrize("format", ["svg", "dot", "txt"])
def test_pictures_of_operations_mark_what_was_computed_again(format: str) -> None:
    out = loss("sqrt", 4, nn.RNN)
    drawn = str(viz.render(out, format=format, detail="op"))
    again = mr.record(loss("sqrt", 4, nn.RNN)).recomputed
    if format == "svg":
        assert drawn.count(">↻</text>") == len(again) and "↻ computed again" in drawn
        assert drawn.count("computed again in backward, in") == len(again)
    elif format == "dot":
        assert drawn.count('xlabel="↻"') == len(again)
    else:
        assert "not kept, but computed again in backward" in drawn and "↻: computed again" in drawn
        assert len(re.findall(r"↻-?\d", drawn)) == len(again) + 1  # the state that was not kept


def test_a_tree_marks_them_too() -> None:
    w = mr.Value(0.5, "w")
    text = str(viz.render(mr.checkpoint(lambda: mr.tanh(w * 2.0) * w), format="txt"))
    assert re.search(r"tanh ↻ +0\.762", text) and "↻ computed again" in " ".join(text.split())


def test_a_run_without_checkpoints_has_no_mark_anywhere() -> None:
    out = loss(None)
    for format in ("svg", "dot", "txt"):
        for detail in ("op", "cell", "gate", "layer"):
            drawn = str(viz.render(out, format=format, detail=detail))
            assert not re.search(r"↻|■ |\bagain\b", drawn)


def test_a_tensor_is_drawn_whole_with_what_its_checkpoints_forgot() -> None:
    for plan in ("sqrt", 1, 3):
        drawn = viz.render(loss(plan))
        text = re.sub(r">[■↻][■↻\d]*<|■ value kept.*?<|[^>]*computed again.*?<", "><", str(drawn))
        whole = re.sub(r">[■↻][■↻\d]*<", "><", str(viz.render(loss(None))))
        assert len(re.findall("<rect", text)) == len(re.findall("<rect", whole))
        assert "stands for" not in str(drawn)
    graph, again = recalled(mr.Graph(loss("sqrt")))
    rec = mr.record(loss("sqrt"))
    recorded = [rec.recomputed.get(node.number, 0) for node in rec.nodes]
    assert [again.get(node.number, 0) for node in graph][-len(recorded) :] == recorded
