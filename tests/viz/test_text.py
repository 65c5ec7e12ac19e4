"""The picture as text: fits a terminal, and says the numbers that the graph has."""

from __future__ import annotations

import numpy as np
import pytest
from nets import KINDS, OTHERS, truncated, unrolled

import micrornn as mr
import viz
from viz.gradients import Flow
from viz.style import Scale
from viz.text.plain import bar, columns, cut, short, spark, wrapped


def row(text: str, label: str) -> list[str]:
    """The words of the first line with that label, without it."""
    line = next(line for line in text.splitlines() if line.strip().startswith(label))
    return line.strip()[len(label) :].split()


# ---------------------------------------------------------------------------------------- the page


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("kind", KINDS)
def test_lines_fit_80_columns(kind: str, detail: str) -> None:
    for net in ({}, {"steps": 30}, {"layers": 2, "both_ways": True}, {"gates": "stacked"}):
        text = viz.render(unrolled(kind, **net), detail=detail, format="txt", title="title " * 30)
        assert max(map(columns, text.splitlines())) <= 80
        assert text.endswith("\n") and not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize("detail", viz.DETAILS)
@pytest.mark.parametrize("name", OTHERS)
def test_lines_of_other_graphs_fit_80_columns(name: str, detail: str) -> None:
    text = viz.render(OTHERS[name](), detail=detail, format="txt")
    assert max(map(columns, text.splitlines())) <= 80


def test_hostile_names_stay_within_the_page() -> None:
    name = "a\n\x1b[31m" + "日本" * 60
    w = mr.Value(2.0, name)
    for t in (1, 2):
        with mr.scope(name, t=t):
            w = w * mr.tensor(1.5, name=f"x {name}")
    text = viz.render(w, format="txt", title=name)
    assert max(map(columns, text.splitlines())) <= 80
    assert "\x1b" not in text and "a\\n" in text


def test_no_colour_and_no_control_characters() -> None:
    text = viz.render(unrolled("lstm"), format="txt")
    assert all(c == "\n" or c.isprintable() for c in text)


# --------------------------------------------------------------------------------------- the strip


@pytest.mark.parametrize("kind", KINDS)
def test_the_strip_has_the_norms_of_the_states_their_gradients_and_the_losses(kind: str) -> None:
    loss = unrolled(kind, steps=4)
    graph = mr.Graph(loss)
    hs = [h.retain_grad() for h in graph.named("h") if h.inputs]
    loss.backward()
    text = viz.render(loss, format="txt", detail="cell")
    sizes = [word for word in row(text, "|h|") if word != "→"]
    assert np.allclose([float(s) for s in sizes], [np.linalg.norm(h.data) for h in hs], rtol=0.01)
    back = [word for word in row(text, "|dL/dh|") if word != "←"]
    assert np.allclose([float(s) for s in back], [np.linalg.norm(h.grad) for h in hs], rtol=0.01)
    losses = [node.item() for node in graph.named("loss") if node.step is not None]
    assert np.allclose([float(s) for s in row(text, "loss")], losses, rtol=0.01)


def test_arrows_run_with_time_and_the_gradient_against_it() -> None:
    text = viz.render(unrolled("rnn", both_ways=True), format="txt", detail="cell")
    ahead, behind = (part.splitlines() for part in text.split("rnn.0.reverse")[:2])
    assert row("\n".join(ahead), "|h|").count("→") == 3
    assert row("\n".join(ahead), "|dL/dh|").count("←") == 3
    assert row("\n".join(behind), "|h|").count("←") == 3
    assert row("\n".join(behind), "|dL/dh|").count("→") == 3


def test_where_the_tape_is_cut_it_says_so_and_what_is_lost() -> None:
    loss = truncated(steps=4, cut=3)
    text = viz.render(loss, format="txt")
    assert row(text, "|h|").count("→") == 3
    assert [word for word in row(text, "|dL/dh|") if word in "←✂"] == ["←", "✂", "←"]
    whole = truncated(steps=4, cut=0)
    h2, h2_cut = (mr.Graph(out).named("h")[2].retain_grad() for out in (whole, loss))
    whole.backward()
    loss.backward()
    lost = f"{np.linalg.norm(h2.grad - h2_cut.grad):.3g}"
    words = (
        f"✂ h of t = 2 is detached on its way to t = 3: a gradient of norm {lost} is lost there."
    )
    assert words in " ".join(text.split())
    assert f"✂{lost}" in text.split("Norm of the gradient")[1]
    unseen = viz.render(loss, format="txt", gradients=False)
    assert "✂ h of t = 2 is detached on its way to t = 3." in " ".join(unseen.split())


def test_chosen_paths_are_listed_alone() -> None:
    text = viz.render(unrolled("rnn"), format="txt", ends=("L4", "h2"))
    assert "Only what lies on the chosen paths is listed." in text
    table = text.split("rnn.0\n")[2].split("\n\n")[0]
    assert row(table, "hₜ tanh")[0] == "3" and len(row(table, "hₜ tanh")) == 4
    assert "W_ih" not in table
    assert "chosen paths" not in viz.render(unrolled("rnn"), format="txt")


def test_a_slope_of_zero_stops_the_arrows() -> None:
    w = mr.Value(0.5, "w")
    h = mr.Value(1.0)
    losses = []
    for t in (1, 2, 3):
        with mr.scope("cell", t=t):
            h = w * (mr.relu(h * -1.0) if t == 3 else h)  # relu's slope is 0 there
            h.name = "h"
        losses.append(h)
    text = viz.render(losses[0] + losses[1] + losses[2], format="txt", detail="cell")
    assert row(text, "h ").count("→") == 2
    assert row(text, "|dL/dh|") == ["1.5", "←", "1", "1"]


def test_inputs_show_what_is_read() -> None:
    h = mr.tensor([0.0, 0.0])
    for t, letter in enumerate("hi", 1):
        with mr.scope(t=t):
            h = h + mr.Value(1.0, "w") * mr.tensor(float(t), name="x")
            h = h + mr.tensor([1.0, 2.0], name=f"c {letter!r}")
            h = mr.tanh(h + mr.tensor([1.0, 2.0], name="z"))
    text = viz.render(mr.sum(h), format="txt")
    assert row(text, "x ") == ["1", "2"]
    assert row(text, "c ") == ["'h'", "'i'"]
    assert row(text, "z ") == ["shape", "2", "shape", "2"]


def test_a_long_sequence_is_seen_at_a_glance_and_then_in_full() -> None:
    text = viz.render(unrolled("rnn", steps=40), format="txt", detail="cell")
    marks = text.split("rnn.0 |dL/dh|\n")[1].splitlines()[0]
    assert len(marks.strip()) == 40
    heads = [
        w for line in text.splitlines() if line.strip().startswith("t = ") for w in line.split()
    ]
    strip = [int(word) for word in heads if word.isdigit()]
    assert [t for t in range(1, 41) if t not in strip] == []


def test_a_window_says_what_it_hides_and_how_to_see_it() -> None:
    text = viz.render(unrolled("rnn", steps=9), format="txt", window=(3, 5))
    said = " ".join(text.split())
    assert "steps 3 to 5; not shown: 2 before and 4 after" in said
    assert "window=(1, 9)" in said and "--window 1:9" in said
    assert "t = 3 t = 4 t = 5" in said and "t = 6" not in said
    assert "not shown" not in viz.render(unrolled("rnn", steps=9), format="txt", window=(1, 9))


# -------------------------------------------------------------------------------------- the tables


@pytest.mark.parametrize("kind", KINDS)
def test_every_unit_of_every_step_has_its_cell(kind: str) -> None:
    loss = unrolled(kind, steps=3)
    text = viz.render(loss, format="txt")
    table = text.split("t = 3\n")[2].split("\n\n")[0]
    cells = [line for line in table.splitlines() if line.startswith("  ") and len(line.split()) > 3]
    steps = [node for node in mr.Graph(loss) if node.step in (1, 2, 3)]
    folded = [n for n in steps if n.is_leaf and not n.name]
    assert len(cells) * 3 == len(steps) - len(folded)


def test_rows_are_shared_only_by_what_is_the_same() -> None:
    w = mr.tensor(np.ones(3), requires_grad=True, name="w")
    losses = []
    for t in (1, 2, 3):
        with mr.scope("cell", t=t):
            x = mr.tensor(np.ones((2, 3)) if t == 2 else np.ones(3), name="x")
            losses.append(mr.sum(w * x))
    text = viz.render(losses[0] + losses[1] + losses[2], format="txt")
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("×")]
    assert [(words[:3], len(words)) for words in rows] == [
        (["×", "w", "3"], 3 + 4),  # steps 1 and 3, each with its sign
        (["×", "w", "2×3"], 3 + 2),
    ]


def test_without_backward_the_values_are_listed() -> None:
    text = viz.render(unrolled("rnn", steps=2), format="txt", gradients=False)
    assert "Backward has not run" in text
    assert "|dL/dh|" not in text and "gradient norm" not in text
    assert row(text, "hₜ tanh")[1:] == [word for word in row(text, "|h|") if word != "→"]


def test_the_ledger_adds_up_over_the_steps() -> None:
    loss = unrolled("rnn", steps=4)
    loss.backward()
    bias = next(p for p in mr.Graph(loss).parameters if p.name == "bias")
    text = viz.render(loss, format="txt", detail="cell").split("shared weights")[1]
    numbers = [float(word) for word in row(text, "b ")[1:]]
    assert numbers[0] == pytest.approx(np.linalg.norm(bias.grad), rel=0.01)
    ys = [node.retain_grad() for node in mr.Graph(loss) if node.scope == "linear"]
    loss.backward()
    assert np.allclose(numbers[1:], [np.linalg.norm(y.grad) for y in ys], rtol=0.01)


def test_a_weight_that_a_step_does_not_use_is_said_to_be_unused() -> None:
    text = viz.render(unrolled("rnn", loss="last"), format="txt").split("shared weights")[1]
    assert " ".join(row(text, "W ")).startswith("4×3")
    assert " ".join(row(text, "W ")).count("not used") == 3


def test_the_marks_of_a_long_ledger_count_every_step() -> None:
    text = viz.render(unrolled("gru", steps=70), format="txt", detail="cell")
    lines = text.split("weight_hh_l0\n")[1].splitlines()[:2]
    marks = "".join(line.split()[3] for line in lines)
    assert len(marks) == 70 and marks[0] == "0"


def test_scalars_show_each_element_and_count_the_rest() -> None:
    text = viz.render(unrolled("rnn", steps=2, hidden=10), format="txt", detail="scalar")
    assert "+ 2 more elements, not listed" in text
    assert "[7]" in text and "[8]" not in text


# ---------------------------------------------------------------------------------------- the tree


def test_a_tree_lists_every_value_with_its_gradient() -> None:
    a, b = mr.Value(2.0, "a"), mr.Value(-3.0, "b")
    c = a * b
    loss = mr.tanh(c + a)
    text = viz.render(loss, format="txt")
    loss.backward()
    assert row(text, "b ")[-3:] == ["-3", f"{b.grad:.3g}", "+"]
    assert row(text, "a ")[-3:] == ["2", f"{abs(a.grad):.3g}", "−"]
    assert "see above" in text
    depth = {line.split()[0]: len(line) - len(line.lstrip()) for line in text.splitlines()[4:]}
    assert depth["tanh"] == 0 and depth["+"] == 2 and depth["×"] == 4 and depth["b"] == 6


def test_a_deep_tree_goes_on_below() -> None:
    y = mr.Value(0.5, "x")
    for _ in range(3000):
        y = mr.tanh(y)
    text = viz.render(y, format="txt")
    lines = text.splitlines()[5:]
    assert sum("tanh" in line and "see" not in line for line in lines) == 3000
    assert text.count("see below") == len(lines) - 3001 > 100
    assert max(map(columns, lines)) <= 80


# -------------------------------------------------------------------------------------- the pieces


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        (Flow.of(-1.5), "1.5 −"),
        (Flow.of(np.array([1.0, -1.0])), "1.41"),
        (Flow("zero"), "zero"),
        (Flow("underflow"), "underflow"),
        (Flow("absent"), "no path"),
        (Flow("nan"), "NaN"),
        (Flow("constant"), "–"),
        (Flow.of(-1.23456e-123), "1.2e-123 −"),
        (Flow.of(float("inf")), "∞ +"),
    ],
)
def test_a_gradient_in_a_few_letters(flow: Flow, said: str) -> None:
    assert short(flow) == said


def test_bars_and_sparks_grow_with_the_logarithm() -> None:
    scale = Scale(-4.0, 0.0)
    flows = [Flow.of(10.0**k) for k in range(-4, 1)]
    lengths = [len(bar(flow, scale, 8)) for flow in flows]
    assert lengths == [1, 2, 4, 6, 8]
    assert [spark(flow, scale) for flow in flows] == ["▁", "▃", "▅", "▆", "█"]
    empty = [Flow(state) for state in ("zero", "underflow", "absent", "nan", "constant")]
    assert [bar(flow, scale, 8) for flow in empty] == [""] * 5
    assert len({spark(flow, scale) for flow in empty}) == 5


def test_wrapping_loses_nothing() -> None:
    text = "one two " + "x" * 25 + " three"
    for width in range(6, 40):
        lines = wrapped(text, width, indent="  ")
        assert max(map(len, lines)) <= width
        assert "".join("".join(lines).split()) == "".join(text.split())
    assert cut("日本語", 5) == "日本…"
