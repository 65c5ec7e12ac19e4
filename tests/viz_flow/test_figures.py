"""What the figures show is what `micrornn.flow` found; and how they say what a scale cannot show."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import viz.plots
from micrornn import flow
from micrornn.flow.gates import gates
from micrornn.flow.jacobian import jacobian_strip
from micrornn.flow.paths import paths
from micrornn.recording import Recording, RecordingError, record
from micrornn.tasks.source import resolve

Cells = dict[str, Recording]


def line(ax: Any, label: str) -> Any:
    """The points of the line with that label."""
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return np.asarray(found.get_xydata())


def title(figure: Any) -> str:
    text = " ".join(figure.get_suptitle().split())
    first = text.split(maxsplit=1)[0]
    assert not first.isalpha() or first[0].isupper(), "a title begins with a capital"
    return text[:1].lower() + text[1:]


def keys(figure: Any) -> list[str]:
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes)]
    return [text.get_text() for one in legends if one for text in one.get_texts()]


# ------------------------------------------------------------------------------------ the ledger


@pytest.mark.parametrize("over", ["copies", "losses"])
def test_ledger_norms_and_shares(recorded: Any, over: Any) -> None:
    rec = recorded("hello")
    figure = viz.plots.ledger(rec, "W_hh", over)
    own = flow.ledger(rec, "weight_hh_l0") if over == "copies" else None
    book = own or flow.ledger_by_loss(rec, "weight_hh_l0")
    above, below = figure.axes
    shown = above.lines[0].get_xydata()
    assert np.array_equal(shown[:, 0], [1, 2, 3, 4])
    assert np.array_equal(shown[:, 1][book.norms > 0], book.norms[book.norms > 0])
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in below.patches}
    assert bars == pytest.approx(dict(zip([1, 2, 3, 4], book.shares)))
    assert sum(bars.values()) == pytest.approx(1.0)
    assert title(figure) == str(book)


def test_the_zero_initial_state_is_shown_as_an_exact_zero(recorded: Any) -> None:
    figure = viz.plots.ledger(recorded("hello"), "W_hh")
    assert "exactly zero" in keys(figure)
    (hollow,) = [one for one in figure.axes[0].lines if one.get_markerfacecolor() == "white"]
    assert np.array_equal(hollow.get_xydata(), [[1, 0]])
    none = viz.plots.ledger(recorded("hello"), "readout.bias")
    assert "exactly zero" not in keys(none)


def test_ledger_bars_of_gates_add_up_to_the_share(recorded: Any) -> None:
    rec = recorded("hello", cell="lstm")
    figure = viz.plots.ledger(rec, "W_hh")
    book = flow.ledger(rec, "weight_hh_l0")
    sums = dict.fromkeys(range(1, 5), 0.0)
    for bar in figure.axes[1].patches:
        sums[round(bar.get_x() + bar.get_width() / 2)] += bar.get_height()
    assert sums == pytest.approx(dict(zip(range(1, 5), book.shares)))
    assert set(book.gates) <= set(keys(figure))


def test_several_runs_are_lines_in_one_figure(cells: Cells) -> None:
    figure = viz.plots.ledger(cells)
    for cell, rec in cells.items():
        points = line(figure.axes[0], cell)
        book = flow.ledger(rec, f"{cell}.weight_hh_l0")
        assert np.array_equal(points[1:, 1], book.norms[1:])
    assert "rnn: step 3 (46%)" in title(figure)


# -------------------------------------------------------------------------------- the credit map


def test_credit_map_cells(recorded: Any) -> None:
    rec = recorded("hello")
    figure = viz.plots.credit(rec)
    own = flow.credit(rec)
    mesh = figure.axes[0].collections[0]
    shown = np.ma.asarray(mesh.get_array()).reshape(own.norms.shape)
    known = ~np.ma.getmaskarray(shown)
    assert np.array_equal(known, own.states == 0)
    assert np.array_equal(shown[known], own.norms[known])
    assert title(figure) == "gradient of loss[4] reaching h[0]: 0.0233; h[4]: 0.333"
    assert any(k.startswith("blank: not applicable") for k in keys(figure))


def test_credit_lines_are_the_last_rows(cells: Cells) -> None:
    figure = viz.plots.credit(cells)
    for cell, rec in cells.items():
        assert np.array_equal(line(figure.axes[0], cell)[:, 1], flow.credit(rec).norms[-1])
    assert title(figure) == "gradient of loss[4] reaching h[0]: rnn 0.0233, lstm 0.0154, gru 0.0455"
    maps = [ax.get_title() for ax in figure.axes[1:4]]
    assert maps == ["rnn", "lstm", "gru"]
    limits = {(ax.collections[0].norm.vmin, ax.collections[0].norm.vmax) for ax in figure.axes[1:4]}
    assert len(limits) == 1, "one scale of colours for all"


def test_not_applicable_zero_no_path_and_nan_look_different(recorded: Any) -> None:
    from viz.plots.credit_map import NO_PATH, NOT_APPLICABLE, NOT_FINITE, ZERO, CreditView

    view = CreditView({"": recorded("hello")})
    own = view.maps[""]
    own.states[3, :4] = [ZERO, NO_PATH, NOT_FINITE, 0]
    figure = view.figure()
    ax = figure.axes[0]
    looks = {
        round(p.get_x() + p.get_width() / 2): (p.get_hatch(), p.get_edgecolor()) for p in ax.patches
    }
    assert sorted(looks) == [0, 1, 2] and len(set(looks.values())) == 3
    assert (own.states == NOT_APPLICABLE).sum() == 6, "blank: neither a cell nor a patch"
    assert {"exactly zero", "no path", "NaN or infinite"} <= set(keys(figure))


@pytest.mark.parametrize(
    ("source", "key", "words"),
    [
        ("detached", "no path", "reaching h[0]: no path"),
        ("nan", "NaN or infinite", "reaching h[0]: not finite"),
    ],
)
def test_what_a_line_cannot_show(recorded: Any, source: str, key: str, words: str) -> None:
    figure = viz.plots.credit(recorded(source))
    assert key in keys(figure)
    assert words in title(figure)


def test_inputs_are_found_though_they_carry_a_remark(recorded: Any) -> None:
    figure = viz.plots.credit(recorded("hello"), "x")
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["1", "2", "3", "4"]


# --------------------------------------------------------------------- Jacobians, gates, paths


def test_jacobian_lines_and_bound(recorded: Any) -> None:
    rec = recorded("hello")
    one, whole = viz.plots.jacobian(rec).axes
    strip = jacobian_strip(rec)
    assert strip.bound is not None
    assert np.array_equal(one.lines[0].get_ydata(), strip.sigma)
    assert np.array_equal(whole.lines[0].get_ydata(), strip.running)
    assert np.array_equal(whole.lines[1].get_ydata(), strip.bound)


def test_no_bound_is_drawn_for_gated_cells(recorded: Any) -> None:
    figure = viz.plots.jacobian(recorded("hello", cell="gru"))
    assert not any("bound" in str(one.get_label()) for one in figure.axes[1].lines)


def test_gates_values_and_gradients(recorded: Any) -> None:
    rec = recorded("hello", cell="lstm")
    figure = viz.plots.gates(rec)
    traces = gates(rec)
    axes = np.array(figure.axes).reshape(len(traces), 2)
    for (left, right), own in zip(axes, traces.values()):
        assert left.get_title("left") == own.role
        assert np.array_equal(left.lines[0].get_ydata(), own.mean)
        arrived = np.asarray(line(right, "arrived at the gate")[:, 1])
        assert np.array_equal(arrived[own.arrived > 0], own.arrived[own.arrived > 0])


def test_paths_of_each_class(recorded: Any) -> None:
    rec = recorded("hello", cell="lstm")
    figure = viz.plots.paths(rec)
    ax = figure.axes[0]
    loss = rec.losses[-1]
    for x, y in line(ax, "highway"):
        parts = paths(rec, f"c[{int(x)}]", loss)
        assert y == parts.norms[parts.classes.index("highway")]
    assert "step k of c" in ax.get_xlabel()
    assert "step k of h" in viz.plots.paths(rec, "h").axes[0].get_xlabel()


def test_what_is_left_out_of_many_steps_is_said(recorded: Any) -> None:
    figure = viz.plots.paths(recorded("hello", steps=60))
    assert figure.axes[0].get_xlabel() == "step k of h (every 3rd)"


# ------------------------------------------------------------------------------------- the rest


def test_overview_shows_the_others(recorded: Any, cells: Cells) -> None:
    for runs in (recorded("hello"), cells):
        figure = viz.plots.overview(runs)
        *pairs, gates = figure.subfigs
        titles = [title(part) for pair in pairs for part in pair.subfigs]
        assert titles[1].startswith("gradient of") and len(titles) == 4
        assert "gate" in title(gates) or "state" in title(gates)


def test_overview_says_what_it_cannot_show() -> None:
    import micrornn as mr

    w = mr.Value(0.5, "w")
    answer = viz.plots.read("all", record(w * w))
    assert "no gates: " in answer.text() and "missing" in answer.as_dict()


def test_a_figure_touches_no_state_of_matplotlib(recorded: Any) -> None:
    import sys

    with mpl.rc_context({"font.size": 17.0, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        viz.plots.read("ledger", recorded("hello")).file("svg")
        assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not mpl._pylab_helpers.Gcf.figs  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("view", "format"),
    [*((view, "svg") for view in viz.plots.VIEWS), *(("credit", f) for f in viz.plots.FORMATS)],
)
def test_the_same_figure_gives_the_same_bytes(recorded: Any, view: str, format: str) -> None:
    first = viz.plots.read(view, recorded("hello", cell="gru")).file(format)
    # The same run made anew, from the beginning.
    again = record(lambda: resolve("hello", {"cell": "gru"}).loss)
    assert viz.plots.read(view, again).file(format) == first
    assert first[:5] in (b"<?xml", b"\x89PNG\r", b"%PDF-")


def test_svg_is_text_that_can_be_read(recorded: Any) -> None:
    import xml.etree.ElementTree as xml

    picture = viz.plots.read("ledger", recorded("hello")).file("svg").decode()
    words = " ".join(xml.fromstring(picture).itertext())
    assert "signed share" in words and "46% of it from step 3" in words


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda rec: viz.plots.read("map", rec),
            "there is no view 'map'; there are ledger, credit",
        ),
        (lambda rec: viz.plots.ledger(rec, "W_hx_l9"), "there is no parameter 'W_hx_l9' in this"),
        (lambda rec: viz.plots.ledger(rec, over="steps"), "goes over 'copies' or over 'losses'"),
        (lambda rec: viz.plots.credit(rec, "q"), "nothing named 'q' over time"),
        (lambda rec: viz.plots.read("gates", rec, "h"), "so it takes no of='h'"),
        (lambda rec: viz.plots.read("credit", rec, None, "losses"), "only a ledger goes over"),
        (lambda rec: viz.plots.credit({}), "no recordings were given"),
        (
            lambda rec: viz.plots.read("ledger", rec).file("gif"),
            "format 'gif'; a plot is written as",
        ),
    ],
)
def test_errors(recorded: Any, call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        call(recorded("hello"))


def test_what_is_no_recording(recorded: Any) -> None:
    with pytest.raises(TypeError, match=r"not of Unrolled; use mr\.record"):
        viz.plots.credit(resolve("hello"))  # type: ignore[arg-type]
    with pytest.raises(RecordingError, match="backward has not run"):
        empty = recorded("hello")
        viz.plots.ledger(type(empty)([empty.passes[0].out]))
