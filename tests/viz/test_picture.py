"""The picture of cells: its numbers are the recording's, and in its SVG nothing is crossed or covered."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from sheets import faults, words

import micrornn as mr
import viz
from micrornn.flow import credit
from micrornn.flow.series import layers, series
from micrornn.messages import percent
from micrornn.recording import Recording, load_recording
from micrornn.tasks import TASKS
from micrornn.tasks.network import CELLS
from micrornn.tasks.source import recorded, resolve
from viz.labels import subscript
from viz.metrics import text_width
from viz.picture import Look, comparison, gates, picture, rolled, title
from viz.picture.frames import frames, remark
from viz.picture.numbers import digits, short, tiny
from viz.picture.outputs import expected, target_of
from viz.picture.story import LOSS, OUTPUT, STATE
from viz.picture.tell import tell
from viz.style import number

EVERY = [
    (t.name, c) for t in TASKS.values() for c in (CELLS if "cell" in t.options(True) else ("",))
]


@pytest.mark.parametrize(("task", "cell"), EVERY)
def test_nothing_is_crossed_covered_or_too_small(task: str, cell: str) -> None:
    run = recorded(task, {"cell": cell} if cell else {})
    if not layers(run.recording):
        return  # no time, so no cells
    for theme in ("light", "dark") if cell in ("", "rnn") else ("light",):
        assert faults(picture(run.recording, run.title, Look(theme=theme)), theme) == []


@pytest.mark.parametrize("options", [
    {"layers": 3}, {"bidirectional": True, "cell": "lstm"}, {"steps": 11}, {"steps": 40}, {"steps": 1},
])  # fmt: skip
@pytest.mark.parametrize("aspect", ["16:9", "4:3", "page", "free"])
def test_other_shapes(options: dict[str, object], aspect: str) -> None:
    run = recorded("hello", options)
    svg = picture(run.recording, run.title, Look(aspect=aspect))
    assert faults(svg) == []
    root = ET.fromstring(svg)
    ratio = float(root.get("width", "0")) / float(root.get("height", "1"))
    if aspect == "16:9" and options.get("layers", 1) == 1 and not options.get("bidirectional"):
        assert ratio == pytest.approx(16 / 9)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("options", [{}, {"layers": 2}, {"steps": 9}, {"steps": 1}])
def test_gates_are_not_crossed_and_have_their_numbers(cell: str, options: dict[str, int]) -> None:
    rec = recorded("hello", {"cell": cell, **options}).recording
    for theme in ("light", "dark") if not options else ("light",):
        svg = gates(rec, "hello", Look(theme=theme))
        assert svg is not None and faults(svg, theme) == []
    story = tell(rec, gates=True)
    norms = credit(rec, series(rec, "c" if cell == "lstm" else "h")).norms[-1]
    for norm in norms[-min(4, len(norms)) :]:
        assert number(norm) in svg
    for box in story.boxes:  # what the gates of a cell sent to a state is what arrived there
        if box.kind == STATE and "h" in box.nodes and cell == "lstm" and (box.norm or 0) > 0:
            sent = story.joint.get((id(box), box.layer, box.step + 1))
            if sent is not None and "layers" not in options:
                assert sent == pytest.approx(box.norm)


def test_a_path_among_gates_goes_over_their_rails() -> None:
    rec = recorded("hello", {"cell": "lstm"}).recording
    svg = gates(rec, ends=("L3", "x1"))
    assert svg is not None and faults(svg) == []
    story = tell(rec, rec.losses[2], gates=True)
    path = story.toward(story.box("x1"))
    rails = {step for box, _, step in path.joint if path.joint[box, "lstm.0", step]}
    assert rails == {1, 2, 3} and len(path.joint) < len(story.joint)
    assert svg.count("<polygon") > 20


def test_what_has_no_way_among_gates_is_not_drawn_as_gates() -> None:
    for task, options in (("reverse", {"attention": "dot"}), ("hello", {"cell": "rnn"})):
        assert gates(recorded(task, options).recording) is None
    both = recorded("tagging", {}).recording  # bidirectional: every gate as a box with a frame
    assert viz.render(both, detail="gate").count("update gate") > 8  # type: ignore[arg-type]
    rec = recorded("hello", {"cell": "lstm", "steps": 9}).recording
    assert gates(rec, whole=True) is None and gates(rec) is not None


@pytest.mark.parametrize("task", ["hello", "translate", "tagging", "vanishing", "video"])
def test_the_rolled_picture_has_each_layer_once_with_its_factor(task: str) -> None:
    rec = recorded(task).recording
    svg = rolled(rec, task)
    assert faults(svg) == []
    story = tell(rec)
    for layer in story.layers:
        assert svg.count('class="state"') == len(story.layers)
        chain = [box.norm for box in story.chain(layer) if box.norm]
        ratio = (chain[0] / chain[-1]) ** (1 / (len(chain) - 1))
        assert f"×{short(ratio)} per step back" in svg
    cell = str(viz.render(rec, format="txt", detail="cell"))
    assert str(viz.render(rec, format="txt", detail="layer")) != cell


@pytest.mark.parametrize(("kind", "cell"), [("additive", "gru"), ("dot", "lstm")])
def test_attention_is_a_map_above_what_it_looks_at(kind: str, cell: str) -> None:
    rec = recorded("reverse", {"attention": kind, "cell": cell}).recording
    svg = picture(rec, "reverse")
    assert faults(svg) == []
    weights = [rec.value(node) for node in rec.nodes if node.name == "attention"]
    root = ET.fromstring(svg)
    percents = [w for w in words(root) if re.fullmatch(r"\d+%", w.text)]
    for row in weights:
        for weight in np.ravel(row):
            assert any(w.text == f"{weight:.0%}" for w in percents)
    story = tell(rec)
    far = story.chain(story.layers[0])[1]
    assert f"{100 * story.across[id(far)]:.2g}% of the gradient of the last loss at step 1" in svg
    last = tell(recorded("reverse", {"attention": "none"}).recording)
    assert last.across == {} and "attention: where" not in picture(rec, window=(5, 7))


@pytest.mark.parametrize("network", [mr.nn.LSTM, mr.nn.GRU, mr.nn.RNN])
def test_a_network_of_nn_with_one_loss_of_all_steps(network: type[mr.nn.Module]) -> None:
    out, _ = network(3, 4)(mr.tensor(np.linspace(-1, 1, 15).reshape(5, 3)))
    svg = str(viz.render(mr.sum(out * out)))
    assert faults(svg) == []
    assert "The loss reaches all 5 steps directly: step " in svg


def test_of_two_directions_the_title_names_the_one_that_is_meant() -> None:
    story = tell(recorded("ctc").recording)
    (forward,), (backward,) = story.rows()
    apart = {}
    for layer in (forward, backward):
        norms = [box.norm or 0.0 for box in story.chain(layer) if box.kind == STATE]
        apart[layer] = max(norms) / min(norms)
    assert apart[forward] > apart[backward]
    much = short(apart[forward])
    assert title(story) == f"In the forward layer, step 1 gets {much} times the gradient of step 8"


def test_the_full_legend_explains_every_look() -> None:
    rec = recorded("hello", {}).recording
    looks = ("detached", "NaN", "exactly zero", "no path")
    auto, full, none = (picture(rec, look=Look(legend=name)) for name in ("auto", "full", "none"))
    assert all(f">{look}" in full or f"{look}" in full for look in looks) and faults(full) == []
    legend = auto[auto.index(">gradient norm<") :]
    assert not any(look in legend for look in looks) and ">forward<" in legend
    assert ">gradient norm<" not in none


def test_rows_say_which_layer_they_are_and_which_way_time_runs() -> None:
    for options, names in (
        ({"layers": 2}, ("layer 1", "layer 2")),
        ({"bidirectional": True}, ("forward layer →", "backward layer ←")),
        ({"bidirectional": True, "steps": 12}, ("forward layer →", "backward layer ←")),
        ({"bidirectional": True, "layers": 2}, ("forward layer 2 →", "backward layer 1 ←")),
        ({}, ("state", "p(target)", "loss", "input")),
    ):
        svg = picture(recorded("hello", options).recording)
        assert all(f">{name}<" in svg for name in names) and faults(svg) == []


def test_gates_are_named_and_losses_say_what_the_target_got() -> None:
    rec = recorded("hello", {"cell": "lstm"}).recording
    svg = gates(rec, targets={1: "e"})
    assert svg is not None
    story = tell(rec)
    chances = [target_of(rec, box) for box in story.boxes if box.kind == LOSS]
    outputs = [target_of(rec, box) for box in story.boxes if box.kind == OUTPUT]
    assert chances == outputs and all(p is not None and 0 < p < 1 for p in chances)
    said = (f">‘e’ {percent(chances[0] or 0)}<", f">p {percent(chances[3] or 0)}<")
    names = (">loss, p(target)<", ">cell state<", ">hidden state<", ">gates<")
    assert all(text in svg for text in (*said, *names))
    assert "f: forget gate, i: input gate, g: candidate, o: output gate" in svg
    assert "z: update gate, n: candidate" in str(
        gates(recorded("hello", {"cell": "gru"}).recording)
    )


@pytest.mark.parametrize("task", ["qa", "sentiment", "speakers", "rows", "recall"])
def test_one_answer_at_the_end_is_named_with_its_probability(task: str) -> None:
    unrolled = resolve(task, {})
    (label,) = unrolled.labels
    rec = recorded(task).recording
    (output,) = (box for box in tell(rec).boxes if box.kind == OUTPUT)
    p = target_of(rec, output)
    assert p is not None and rec.losses[-1].item() == pytest.approx(-np.log(p))
    svg = picture(rec, targets={output.step: label})
    assert f">‘{label}’<" in svg and f">{percent(p)}<" in svg and faults(svg) == []


def test_a_forecast_stands_above_what_it_should_be() -> None:
    rec = recorded("weather").recording
    svg = picture(rec)
    outputs = [box for box in tell(rec).boxes if box.kind == OUTPUT]
    for box, loss in zip(outputs, rec.losses, strict=True):
        y, target = float(rec.value(box.nodes[""]).item()), expected(rec, box)
        assert target is not None and (y - target) ** 2 == pytest.approx(loss.item())
        assert f">target {digits(target, 3)}<" in svg and f">y {digits(y, 3)}<" in svg
    (none, *_) = (box for box in tell(recorded("hello").recording).boxes if box.kind == OUTPUT)
    assert expected(recorded("hello").recording, none) is None


def test_without_time_the_title_compares_weights_and_the_loss_has_no_frame() -> None:
    unrolled = resolve("image", {})
    svg = str(viz.render(unrolled.loss, title=unrolled.title))
    unrolled.loss.backward()
    first, last = (
        np.linalg.norm(p.grad)
        for name, p in unrolled.model.named_parameters()
        if name.endswith("weight")
    )
    assert f">conv.W gets {percent(first / last)} of the gradient of readout.W<" in svg
    assert 'class="step"' not in svg and ">weights<" in svg
    bar = ">bar: a use"
    assert bar not in svg and bar in str(viz.render(resolve("hello", {}).loss, detail="op"))


def test_small_numbers_are_written_as_powers_of_ten_everywhere() -> None:
    for detail in ("auto", "layer"):
        svg = str(viz.render(recorded("saturated").recording, detail=detail))
        shown = re.findall(r"<text [^>]*>([^<]*)</text>", svg)
        assert any(re.fullmatch(r"×\d\.\d·10⁻⁵( per step back)?", text) for text in shown)
        assert not any(re.search(r"\de-\d", text) for text in shown)


def test_of_operations_the_title_is_one_finding() -> None:
    loss = resolve("detached", {}).loss
    svg = str(viz.render(loss, detail="op"))
    (lost,) = set(re.findall(r">A gradient of norm ([\d.]+) is lost where h₁₀ is detached<", svg))
    assert f"lost {lost}<" in svg
    hello = resolve("hello", {"steps": 2}).loss
    svg = str(viz.render(hello, detail="op"))
    states = [n for n in mr.Graph(hello) if n.name == "h" and n.inputs]
    with_grad = mr.grad(hello, states)
    one, two = (float(np.linalg.norm(g)) for g in with_grad)
    said = f"h₁ gets {percent(one / two)} of the gradient of h₂: {number(one)} beside {number(two)}"
    assert f">{said}<" in svg


def test_a_layer_picture_says_which_loss_it_follows() -> None:
    rec = recorded("hello").recording
    for ends, step in (((None, None), 4), (("L3", None), 3)):
        svg = rolled(rec, ends=ends)
        value = digits(rec.losses[step - 1].item(), 3)
        assert f">4 steps · L{subscript(step)} {value} is followed<" in svg and faults(svg) == []


def test_a_space_that_is_a_target_leaves_a_mark() -> None:
    svg = picture(recorded("hello").recording, targets={1: " ", 2: "e"})
    assert ">‘␣’<" in svg and ">‘e’<" in svg


def test_numbers_side_by_side_are_as_precise() -> None:
    for cell in ("rnn", "lstm"):
        factors = re.findall(r">×([^<]+)<", picture(recorded("hello", {"cell": cell}).recording))
        assert len(factors) == 4 and all(re.fullmatch(r"0\.\d\d", text) for text in factors), (
            factors
        )


@pytest.mark.parametrize(("font_size", "width"), [(16.25, 1280), (12.5, 960), (12.5, 1920)])
def test_other_sizes_of_text_and_sheet(font_size: float, width: int) -> None:
    look = Look(font_size=font_size, width=width)
    for task, options in (("translate", {}), ("hello", {"cell": "lstm"}), ("tagging", {})):
        run = recorded(task, options)
        for draw in (gates, rolled, picture):
            svg = draw(run.recording, run.title, look)  # type: ignore[operator]
            assert svg is None or faults(svg) == []


@pytest.mark.parametrize(
    "option", [{"theme": "neon"}, {"aspect": "3:2"}, {"legend": "all"}], ids=lambda o: next(iter(o))
)
@pytest.mark.parametrize("detail", ["auto", "layer", "cell", "gate", "op"])
def test_an_unknown_style_is_refused_at_every_level(option: dict[str, str], detail: str) -> None:
    rec = recorded("hello").recording
    for format in ("svg", "gif", "txt") if detail == "auto" else ("svg",):
        with pytest.raises(ValueError, match=f"{next(iter(option))} '.*'; choose one of "):
            viz.render(rec, detail=detail, format=format, **option)  # type: ignore[arg-type]


def test_a_broken_picture_is_found() -> None:
    """Each check can fail."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">'
    for body, complaint in (
        ('<text x="90" y="50" font-size="14" fill="#000000">word</text>', "leaves the sheet"),
        ('<text x="10" y="50" font-size="8" fill="#000000">word</text>', "has 8.0 pixels"),
        ('<text x="10" y="50" font-size="14" fill="#dddddd">word</text>', "in #dddddd"),
        ('<text x="10" y="50" font-size="14" fill="#000000">a</text>' * 2, "on 'a'"),
        (
            '<text x="10" y="50" font-size="14" fill="#000000">word</text>'
            '<line x1="0" y1="45" x2="90" y2="45" stroke-width="2"/>',
            "crossed",
        ),
        (
            '<text x="10" y="50" font-size="14" fill="#000000">word</text>'
            '<rect x="20" y="20" width="60" height="60"/>',
            "cut by a box",
        ),
    ):
        assert any(complaint in fault for fault in faults(f"{head}{body}</svg>")), complaint


# -- the numbers are the recording's ------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_norms_and_title_are_those_of_the_credit_map(cell: str) -> None:
    rec = recorded("hello", {"cell": cell}).recording
    of = "c" if cell == "lstm" else "h"
    nodes = series(rec, of)
    expected = credit(rec, nodes).norms[-1]
    story = tell(rec)
    found = [box.norms[of] for box in story.chain(story.layers[-1])]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    svg = picture(rec)
    for norm in expected:
        assert number(norm) in svg
    share = expected[1] / expected[-1]
    assert f"reaches step 1 with {100 * share:.2g}%" in title(story)


def test_ribbons_into_a_box_add_up_to_its_norm_at_most() -> None:
    rec = recorded("translate", {"attention": "dot"}).recording
    story = tell(rec)
    for box in story.boxes:
        for name, norm in box.norms.items():
            parts = [
                r.norm for r in story.ribbons if r.source is box and r.state == name and r.norm
            ]
            if box.kind == STATE and parts and name == "h" and "c" not in box.nodes:
                assert norm is not None and norm <= sum(parts) * (1 + 1e-9)


def test_one_loss_alone_and_one_way() -> None:
    rec = recorded("hello", {}).recording
    l3 = picture(rec, ends=("L3", None))
    row = credit(rec, series(rec, "h")).norms[2]
    assert number(row[1]) in l3 and "The loss of step 3" in l3
    to_x1 = picture(rec, ends=("L4", "x1"))
    assert to_x1.count("<polygon") < picture(rec).count("<polygon")
    with pytest.raises(ValueError, match="no place 'q9'"):
        picture(rec, ends=("q9", None))
    with pytest.raises(ValueError, match="begins at a loss"):
        picture(rec, ends=("h2", None))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("vanishing", "reaches step 1 with"),
        ("exploding", "grows"),
        ("detached", "reaches 1 of 10 steps: the state is detached before step 10"),
        ("nan", "NaN"),
    ],
)
def test_the_title_is_the_finding(name: str, says: str) -> None:
    assert says in title(tell(recorded(name).recording))


def test_live_and_loaded_are_the_same_picture(tmp_path: Path) -> None:
    rec = recorded("hello", {"cell": "lstm"}).recording
    rec.save(tmp_path / "run.mrn")
    assert picture(load_recording(tmp_path / "run.mrn")) == picture(rec)


def test_without_states_over_time_the_operations_are_drawn() -> None:
    w = mr.Value(0.5, "w")
    assert viz.render((w * 2.0).tanh(), detail="auto") == viz.render((w * 2.0).tanh(), detail="op")
    with pytest.raises(ValueError, match="states over time"):
        viz.render((w * 2.0).tanh(), format="gif")


# -- more than one ------------------------------------------------------------------------------------


def compared() -> dict[str, Recording]:
    return {
        cell: recorded("hello", {"cell": cell, "steps": 20}).recording for cell in ("rnn", "lstm")
    }


def test_a_comparison_names_who_keeps_more_and_by_how_much() -> None:
    svg = comparison(compared())
    shares = {}
    for cell, rec in compared().items():
        norms = credit(rec, series(rec, "c" if cell == "lstm" else "h")).norms[-1]
        shares[cell] = norms[1] / norms[-1]
    ratio = float(f"{shares['lstm'] / shares['rnn']:.2g}")
    assert f"After 19 steps the lstm keeps {ratio:,.0f} times as much gradient as the rnn" in svg
    assert faults(svg) == []


def test_frames_share_one_geometry_and_end_with_the_finding() -> None:
    rec = recorded("hello", {}).recording
    every = list(frames(rec, "hello"))
    assert [f.stage for f in every] == [*["forward"] * 4, "loss", *["backward"] * 5, "end"]
    boxes = [set(re.findall(r'<rect x="[^"]+" y="[^"]+" width="[^"]+"', f.svg)) for f in every]
    assert boxes[0] < boxes[4] <= boxes[-1]
    assert every[-1].head == title(tell(rec))
    for frame in every:
        assert faults(frame.svg) == []


def test_of_a_long_sequence_some_steps_have_a_frame() -> None:
    rec = recorded("hello", {"steps": 120}).recording
    every = [frame.svg for frame in frames(rec, "hello")]
    assert len(every) < 60 and remark(rec).startswith("one frame every 6 steps; each of the last 7")
    assert len(set(every)) == len(every)  # each shows something that the one before does not
    assert remark(recorded("hello", {}).recording) == ""


@pytest.mark.parametrize("format", ["gif", "webp", "apng"])
def test_an_animation_is_small_and_repeats(tmp_path: Path, format: str) -> None:
    from PIL import Image

    content = viz.render(recorded("hello", {}).recording, tmp_path / f"a.{format}")
    assert isinstance(content, bytes) and len(content) < 1_000_000
    image = Image.open(io.BytesIO(content))
    assert image.n_frames == 11 and image.info["loop"] == 0  # type: ignore[attr-defined]


def test_an_animation_is_as_wide_as_asked() -> None:
    from PIL import Image

    rec = recorded("vanishing", {"steps": 2}).recording
    content = viz.render(rec, format="gif", width=1600, aspect="4:3")
    assert isinstance(content, bytes)
    assert Image.open(io.BytesIO(content)).size == (1200, 900)


def test_a_long_sequence_is_small_and_has_a_window() -> None:
    svg = picture(recorded("hello", {"steps": 1000, "cell": "lstm"}).recording)
    assert len(svg) < 12_000 * 1000 / 50
    assert "all 1,000 steps" in svg
    assert "each 4 pixels are 4 steps, drawn with their largest gradient" in svg
    assert svg.count("<line") < 500 and faults(svg) == []
    five = picture(recorded("hello", {"steps": 40}).recording, window=(5, 9))
    assert ">step 5<" in five and ">step 12<" not in five


def test_a_loop_outside_all_scopes_and_one_number_are_drawn() -> None:
    w, h = mr.Value(0.5, "w"), mr.tensor(1.0, name="h")
    for t in range(1, 5):
        with mr.scope(t=t):
            h = w * h
            h.name = "h"
    svg = str(viz.render(h))
    assert faults(svg) == []
    assert "reaches step 1 with" in svg


def test_a_picture_says_how_to_read_its_numbers_and_the_legend_names_what_is_drawn() -> None:
    rec = recorded("vanishing").recording
    alone, rows = str(picture(rec)), comparison({"a": rec, "b": rec})
    assert "in a state: its gradient norm" in alone and ">forward<" in alone
    assert "number under a state: its gradient norm" in rows and ">forward<" not in rows
    assert rows.count("of the gradient of h₅₀ is left at h₁") == 2


def test_the_number_of_the_first_state_stays_inside_the_margin() -> None:
    svg = comparison({"": recorded("vanishing").recording})
    (middle,) = (float(x) for x in re.findall(r'<text x="([\d.]+)"[^>]*>8\.88·10⁻¹⁶<', svg))
    assert middle - text_width("8.88·10⁻¹⁶", 13) / 2 >= 56


def test_a_picture_without_room_for_numbers_does_not_explain_them() -> None:
    rec = recorded("qa", {"cell": "lstm"}).recording
    svg = str(picture(rec, look=Look(font_size=16.25)))
    assert ">×: factor per step<" in svg and "its gradient norm" not in svg
    roomy = picture(rec)
    assert ">in a state: its gradient norm · ×: factor per step<" in roomy
    story = tell(rec)
    for box in story.chain(story.layers[0])[-3:]:
        for norm in box.norms.values():
            texts = (write(norm or 0.0) for write in (number, short, tiny))
            assert any(f">{text}<" in roomy for text in texts)


@pytest.mark.parametrize(
    ("task", "cell", "explained"), [("hello", "lstm", True), ("ctc", "gru", False)]
)
def test_the_legend_explains_factors_where_there_are_some(
    task: str, cell: str, explained: bool
) -> None:
    rec = recorded(task, {"cell": cell}).recording
    svg = str(gates(rec) or picture(rec))  # as `render` draws it
    assert ("×: factor per step<" in svg) is explained
