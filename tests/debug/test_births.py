"""A loss that is NaN: the opening says so, and `break nan` goes to where it was born, forward or backward."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

import micrornn as mr
from micrornn.debug.alarm import alarm
from micrornn.debug.session import Session
from micrornn.recording import Recording, load_recording, record
from viz.terminal.line import LineDebugger


def born_forward(given: float = 0.0) -> Recording:
    """h = sqrt(w h - 0.3) becomes NaN at step 2."""
    w = mr.tensor([0.5], requires_grad=True, name="w")

    def run() -> mr.Tensor:
        h = mr.tensor([1.0 + given], name="h")
        for t in (1, 2, 3):
            with mr.scope("loop", t=t):
                h = mr.sqrt(w * h - 0.3)
                h.name = "h"
        return h.sum()

    with np.errstate(all="ignore"):
        return record(run)


def born_backward() -> Recording:
    """sqrt(0): the loss is a number, its gradient none."""
    w = mr.tensor([0.0], requires_grad=True, name="w")
    with np.errstate(all="ignore"):
        return record(lambda: mr.sqrt(w * w).sum())


def test_the_opening_says_where_the_loss_became_nan(tmp_path: Path) -> None:
    rec = born_forward()
    assert alarm(Session(rec))[0] == "the loss is NaN; it was born at h[2], t=2 in loop"
    assert "test_births.py" in alarm(Session(rec))[1]
    assert "It was given sub[2]" in alarm(Session(rec))[2]
    rec.save(tmp_path / "run.mrn")
    again = alarm(Session(load_recording(tmp_path / "run.mrn")))
    assert again[0] == "the loss is NaN; it was born at h[2], t=2 in loop"
    assert alarm(Session(born_backward())) == []
    assert "h[1] was given with NaN" not in " ".join(again)
    given = alarm(Session(born_forward(float("nan"))))
    assert given[-1] == "  Forward: h was given with NaN in it."


def test_it_is_said_at_the_prompt_and_as_json() -> None:
    out = io.StringIO()
    LineDebugger(Session(born_forward()), out).greet(False)
    assert "the loss is NaN; it was born at h[2]" in out.getvalue()
    out = io.StringIO()
    LineDebugger(Session(born_forward()), out, as_json=True).greet(False)
    assert json.loads(out.getvalue())["alarm"][0].startswith("the loss is NaN")


@pytest.mark.parametrize("command", ["continue", "run", "until nan"])
def test_break_nan_goes_to_where_it_was_born_forward(command: str) -> None:
    session = Session(born_forward())
    if command != "until nan":
        found = session.execute("break nan")
        assert "1 node of the forward pass" in found.text
    found = session.execute(command)
    assert (session.state.direction, session.places.label(session.moment.node)) == (
        "forward",
        "h[2]",
    )
    assert found.kind == "stop"
    assert "this is the forward pass" in found.text
    assert "breakpoint 0" not in found.text


def test_it_goes_there_once_and_then_on_through_backward() -> None:
    session = Session(born_forward())
    for line in ("break nan", "continue", "direction backward", "goto start", "continue"):
        session.execute(line)
    assert session.state.direction == "backward"
    assert session.places.label(session.moment.node) == "h[3]"
    assert [one.hits for one in session.state.stops] == [2]
    session.execute("run")
    assert session.state.direction == "forward"
    session.execute("tbreak nan")
    session.execute("direction backward")
    session.execute("continue")
    assert [one.number for one in session.state.stops] == [1]


def test_born_in_backward_it_stays_in_backward() -> None:
    session = Session(born_backward())
    assert "forward" not in session.execute("break nan").text
    session.execute("continue")
    assert session.state.direction == "backward"
    assert session.moment.node.primitive.name == "sqrt"


def test_a_nan_made_of_infinities_is_born_too() -> None:
    x = mr.tensor([np.inf], name="x")
    with np.errstate(all="ignore"):
        rec = record(lambda: (mr.tensor([2.0], requires_grad=True) * (x - x)).sum())
    session = Session(rec)
    session.execute("break nan")
    session.execute("continue")
    assert session.state.direction == "forward"
