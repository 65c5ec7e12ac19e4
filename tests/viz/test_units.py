"""The small parts of a picture: names, numbers, colours, the width of text, the summary of a gradient."""

from __future__ import annotations

import math
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import micrornn as mr
from viz.gradients import Flow, flows_of
from viz.labels import node_label, subscript, value_words, weight_label
from viz.metrics import _WIDTHS, fitted, text_width
from viz.png import font_files
from viz.style import _CATEGORIES, Scale, category, cividis, in_words, ink_on, number

# ---------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("weight_ih_l0", "W_ih"),
        ("weight_hh_l2", "W_hh₂"),
        ("bias_ih_l11", "b_ih₁₁"),
        ("weight_hh_l0_reverse", "W_hh←"),
        ("weight_hh_l1_reverse", "W_hh₁←"),
        ("encoder.rnn.weight_ih_l0", "W_ih"),
        ("weight_ih", "W_ih"),
        ("cell.bias_hh", "b_hh"),
        ("weight_ih_l0[reset gate]", "W_ir"),
        ("bias_hh_l1[update gate]", "b_hz₁"),
        ("weight_ih_l0[candidate]", "W_in"),
        ("decoder.cells.0.weight_ih[update gate]", "W_iz"),
        ("out.weight", "out.W"),
        ("decoder.embedding.weight", "embedding.W"),
        ("features.0.bias", "features.0.b"),
        ("decoder.attention.query_weight", "query_weight"),
        ("a_long_name." * 4 + "weight_ih_l0[reset gate]", "W_ir"),
        ("bias", "b"),
        ("my_weights", "my_weights"),
        ("U", "U"),
    ],
)
def test_weights_have_the_names_of_formulas(name: str, label: str) -> None:
    assert weight_label(name) == label


def test_the_candidate_of_an_lstm_is_g() -> None:
    assert weight_label("weight_hh_l0[candidate]", lstm=True) == "W_hg"


def test_subscripts() -> None:
    assert (subscript(0), subscript(120), subscript(-1)) == ("₀", "₁₂₀", "₋₁")


def test_what_stands_in_a_box() -> None:
    with mr.scope(t=3):
        h = mr.tanh(mr.Value(0.5))
        assert node_label(h) == "tanh"
        h.name = "h"
        assert node_label(h) == "h₃ tanh"
        x = mr.tensor([1.0], name="x 'e'")
        assert node_label(x) == "x₃ 'e'"
        x.name = "x 'a remark of too many words'"
        assert node_label(x) == "x₃ 'a remark of too ma…"
        loss = h * 1.0
        loss.name = "loss"
        assert node_label(loss) == "L₃ 0.462"
    assert node_label(mr.Value(0.125)) == "0.125"


def test_values_in_words() -> None:
    assert value_words(mr.Value(0.5)) == "value 0.5"
    assert value_words(mr.tensor([[1.0, -2.0]])).startswith("1×2, values -2 to 1")
    assert value_words(mr.tensor(np.zeros((0, 3)))) == "0×3, empty"


# -------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-0.5, "-0.5"),
        (0.00012345, "0.000123"),
        (0.000012345, "1.23e-5"),
        (1234.5, "1.23e3"),
        (1e-300, "1e-300"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_have_three_digits(x: float, text: str) -> None:
    assert number(x) == text


# -------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize(
    ("g", "state", "norm", "sign"),
    [
        (2.0, "value", 2.0, "+"),
        (-2.0, "value", 2.0, "-"),
        (0.0, "zero", 0.0, ""),
        (math.nan, "nan", 0.0, ""),
        (-math.inf, "value", math.inf, "-"),
        (np.array([3.0, -4.0]), "value", 5.0, "±"),
        (np.array([0.0, -4.0]), "value", 4.0, "-"),
        (np.array([[0.0, 0.0]]), "zero", 0.0, ""),
        (np.array([0.0, math.nan]), "nan", 0.0, ""),
        (np.array([-math.inf, math.inf]), "value", math.inf, "±"),
        (np.zeros((0, 3)), "zero", 0.0, ""),
        (np.full(4, 1e-300), "value", 2e-300, "+"),
        (np.full(4, -1e300), "value", 2e300, "-"),
        (np.full(4, 3e-38, np.float32), "value", 6e-38, "+"),
        (np.full(4, 1e38, np.float32), "value", 2e38, "+"),
        (np.full(4, 5e-324), "value", 1e-323, "+"),
    ],
)
def test_the_summary_of_a_gradient(g: object, state: str, norm: float, sign: str) -> None:
    flow = Flow.of(g)
    assert (flow.state, flow.sign) == (state, sign)
    assert math.isclose(flow.norm, norm, rel_tol=1e-6)


def test_an_outer_product_is_summed_up_as_if_it_were_written_out() -> None:
    rng = np.random.default_rng(0)
    for signs in ((1, 1), (1, -1), (-1, -1), (0, 1), (None, 1), (None, None)):
        left, right = (
            rng.normal(size=5) if sign is None else sign * rng.uniform(1, 2, 5) for sign in signs
        )
        w = mr.tensor(np.ones((5, 5)), requires_grad=True, name="w")
        loss = mr.sum(mr.matmul(w, mr.tensor(right)) * mr.tensor(left))
        flow = flows_of(mr.Graph(loss)).at(w)
        whole = Flow.of(np.outer(left, right))
        assert (flow.state, flow.sign) == (whole.state, whole.sign)
        assert flow.norm == pytest.approx(whole.norm)


def test_an_outer_product_with_infinity_is_no_number_or_infinite_but_never_silent() -> None:
    for left, right in ((np.inf, 0.0), (np.inf, 1.0), (np.nan, 1.0)):
        w = mr.tensor(np.ones((2, 2)), requires_grad=True)
        with np.errstate(all="ignore"):
            loss = mr.sum(mr.matmul(w, mr.tensor([right, right])) * mr.tensor([left, left]))
            flow = flows_of(mr.Graph(loss)).at(w)
            whole = Flow.of(np.outer([left, left], [right, right]))
        assert flow == whole


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (Flow.of(-0.5), "gradient norm 0.5, negative"),
        (Flow.of(np.array([1.0, -1.0])), "gradient norm 1.41"),
        (Flow("none"), "backward has not run"),
        (Flow("absent"), "no path to the loss"),
        (Flow("zero"), "gradient exactly zero"),
        (Flow("underflow"), "gradient underflowed to zero"),
        (Flow("nan"), "gradient is NaN"),
        (Flow("constant"), "needs no gradient"),
    ],
)
def test_a_gradient_in_words(flow: Flow, words: str) -> None:
    assert in_words(flow) == words


# --------------------------------------------------------------------------------------- colours


def test_the_scale_spans_what_it_is_given_and_rises() -> None:
    norms = [1e-7, 3e-4, 0.2, 12.0]
    scale = Scale.over([*norms, 0.0, math.inf])
    assert scale.low <= -7 and scale.high >= math.log10(12)
    parts = [scale.part(norm) for norm in norms]
    widths = [scale.width(norm) for norm in norms]
    assert parts == sorted(parts) and widths == sorted(widths)
    assert all(0 <= part <= 1 for part in parts) and all(2 <= width <= 7 for width in widths)
    assert scale.part(1e-99) == 0.0 and scale.part(math.inf) == 1.0


def test_equal_norms_get_a_scale_around_them() -> None:
    scale = Scale.over([0.5, 0.5])
    assert scale.high - scale.low >= 1
    assert 0.3 < scale.part(0.5) < 0.7
    assert Scale.over([]) == Scale.over([0.0]) == Scale(-1.0, 0.0)


@pytest.mark.parametrize(
    "scale", [Scale(-2.3, 0.4), Scale(-0.5, 0.5), Scale(-200, 3), Scale(4, 9.5)]
)
def test_ticks_are_few_round_numbers_on_the_scale(scale: Scale) -> None:
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 9
    assert all(0 <= (math.log10(t) - scale.low) / (scale.high - scale.low) <= 1 for t in ticks)
    assert all(round(t / 10 ** math.floor(math.log10(t) + 1e-9), 6) in (1, 2, 5) for t in ticks)


def test_cividis_is_matplotlibs() -> None:
    colormaps = pytest.importorskip("matplotlib").colormaps
    for part in np.linspace(0, 1, 41):
        ours = [int(cividis(float(part))[k : k + 2], 16) for k in (1, 3, 5)]
        theirs = [round(255 * c) for c in colormaps["cividis"](float(part))[:3]]
        assert max(abs(a - b) for a, b in zip(ours, theirs)) <= 8  # of 255: ours are between tenths


def test_colours_grow_lighter_with_the_norm() -> None:
    def light(color: str) -> float:
        red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    lights = [light(cividis(k / 100)) for k in range(101)]
    assert all(a <= b + 0.6 for a, b in pairwise(lights))
    assert {ink_on(cividis(0.0)), ink_on(cividis(1.0))} == {"#ffffff", "#222222"}


def test_each_gate_has_a_colour_of_its_own_and_strangers_keep_theirs() -> None:
    lstm = [category(name)[0] for name in ("input gate", "forget gate", "candidate", "output gate")]
    gru = [category(name)[0] for name in ("reset gate", "update gate", "candidate")]
    assert len(set(lstm)) == 4 and len(set(gru)) == 3
    assert category("my gate") == category("my gate")
    assert "my gate" not in _CATEGORIES


# ----------------------------------------------------------------------------------------- widths


def test_text_is_as_wide_as_the_font_makes_it() -> None:
    assert find_spec("matplotlib") is not None
    from matplotlib.ft2font import FT2Font, LoadFlags

    font = FT2Font(font_files()[0])
    font.set_size(2048, 72)
    for character in _WIDTHS:
        glyph = font.load_char(ord(character), flags=LoadFlags.NO_SCALE)
        assert text_width(character, 2048) == glyph.horiAdvance, character


@pytest.mark.parametrize(
    "text", ["tanh", "forget gate", "W_hh₁←", "L₁₂ 1.23e-5", "h₃, c₃", "x 'é'"]
)
def test_lines_are_as_wide_as_matplotlib_draws_them(text: str) -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    prop = FontProperties(fname=font_files()[0], size=40)
    width, _, _ = TextToPath().get_text_width_height_descent(text, prop, ismath=False)
    assert text_width(text, 40) == pytest.approx(width, rel=0.02)


def test_what_the_font_table_does_not_know_gets_room_enough() -> None:
    assert text_width("漢", 12) >= text_width("M", 12) * 0.95
    assert text_width("", 12) == 0.0


def test_text_is_cut_to_fit() -> None:
    for width in range(20, 120, 7):
        text = fitted("a very long name of a weight", 11, width)
        assert text_width(text, 11) <= width
        assert text.endswith("…")
    assert fitted("short", 11, 100) == "short"


def test_the_font_comes_with_matplotlib() -> None:
    assert Path(font_files()[0]).name == "DejaVuSans.ttf"
