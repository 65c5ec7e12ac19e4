"""A recording shows its overview in a notebook; the functions are where a user looks for them."""

from __future__ import annotations

from typing import Any

import micrornn as mr
import viz
import viz.plots
from micrornn.recording import record


def test_a_recording_shows_its_overview(recorded: Any) -> None:
    rec = recorded("hello")
    shown = rec._repr_mimebundle_()
    assert set(shown) == {"text/plain", "image/svg+xml", "text/html"}
    assert shown["text/html"].startswith("<iframe sandbox=") and 'srcdoc="' in shown["text/html"]
    assert shown["text/plain"].startswith(str(rec))
    assert "-- jacobian ---" in shown["text/plain"]
    assert shown["image/svg+xml"] == viz.render(rec)
    assert "The last loss reaches step 1 with" in shown["image/svg+xml"]


def test_only_what_is_asked_for(recorded: Any) -> None:
    rec = recorded("hello")
    assert list(rec._repr_mimebundle_(include=["text/plain"])) == ["text/plain"]
    assert list(rec._repr_mimebundle_(exclude=["text/plain"])) == ["image/svg+xml", "text/html"]


def test_where_there_is_nothing_over_time(recorded: Any) -> None:
    out = mr.Value(0.5, "w") * 2.0
    rec = record(out)
    empty = type(rec)([out])
    assert empty._repr_mimebundle_() == {"text/plain": repr(empty)}


def test_viz_has_them_all(recorded: Any) -> None:
    rec = recorded("hello")
    for draw in (viz.ledger, viz.credit, viz.jacobian, viz.gates, viz.paths, viz.overview):
        assert draw is getattr(viz.plots, draw.__name__)
        assert draw(rec).axes
    assert viz.ledger(rec, "weight_hh_l0").axes
