"""The built-in tasks as they are drawn: what they read and predict, and that their numbers are right."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from well_formed import verify

from micrornn.check import gradcheck
from micrornn.data.stocks import closing_prices
from micrornn.tasks import TASKS, hello, task
from micrornn.tasks.checking import rerun
from micrornn.tasks.hello import LOSSES
from micrornn.tasks.network import CELLS, Network
from micrornn.tasks.unrolled import Unrolled


def unrolled(name: str, **options: Any) -> Unrolled:
    return task(name).unrolled(options)


# ------------------------------------------------------------------------------------- every one


@pytest.mark.parametrize("name", TASKS)
def test_the_defaults_are_what_one_gets_without_options(name: str) -> None:
    """What `micrornn list` shows."""
    by_default, spelled_out = unrolled(name), unrolled(name, **TASKS[name].options(view=True))
    verify(by_default.graph)
    assert by_default.title.startswith(f"{name}: ")
    assert by_default.summary() == spelled_out.summary()
    assert by_default.steps


@pytest.mark.parametrize("name", ["hello", "stocks"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_network_can_be_unrolled(
    name: str, cell: str, layers: int, bidirectional: bool
) -> None:
    for loss in LOSSES:
        sizes = {"layers": layers, "bidirectional": bidirectional, "hidden": 2, "steps": 3}
        drawn = unrolled(name, cell=cell, loss=loss, **sizes)
        verify(drawn.graph)
        assert drawn.steps == [1, 2, 3]
        assert len(drawn.inputs) == len(drawn.labels) == 3
        expected = [1, 2, 3] if loss == "all" else [3]
        assert [one.step for one in drawn.losses] == expected
        total = sum(one.item() for one in drawn.losses)
        mean = name == "stocks" and loss == "all"
        assert drawn.loss.item() == pytest.approx(total / 3 if mean else total)
        ways = 2 * layers if bidirectional else layers
        scopes = {scope.split("/")[0] for scope in drawn.graph.scopes if scope.startswith(cell)}
        # With the last loss alone, nothing of what reads backwards past the last step is needed.
        assert len(scopes) >= (ways if loss == "all" else layers)
        assert ("bidirectional" in drawn.title) == bidirectional


@pytest.mark.parametrize("name", ["hello", "stocks"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_is_right(name: str, cell: str) -> None:
    check = rerun(unrolled(name, cell=cell, hidden=2, loss="all").graph)
    assert gradcheck(check.f, check.inputs) < 1e-7


@pytest.mark.parametrize("name", ["hello", "stocks"])
def test_the_seed_decides(name: str) -> None:
    one, same, other = (unrolled(name, seed=seed).loss.item() for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("name", ["hello", "stocks"])
def test_gates_are_told_apart(name: str) -> None:
    scopes = unrolled(name, cell="lstm").graph.scopes
    gates = ("input gate", "forget gate", "candidate", "output gate")
    assert {f"lstm.0/{gate}" for gate in gates} <= set(scopes)


@pytest.mark.parametrize("name", ["hello", "stocks"])
@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"cell": "transformer"}, "no cell 'transformer'; choose from rnn, lstm, gru"),
        ({"loss": "first"}, "loss='first'; choose from last, all"),
        ({"steps": 0}, "steps=0; give at least 1"),
        ({"hidden": 0}, "hidden_size=0; give an integer from 1 up"),
        ({"layers": 0}, "num_layers=0; give an integer from 1 up"),
    ],
)
def test_options_out_of_range(name: str, option: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        unrolled(name, **option)


# ----------------------------------------------------------------------------------------- hello


def test_hello_is_the_table_of_the_lecture() -> None:
    drawn = unrolled("hello")
    pairs = list(zip(drawn.inputs, drawn.labels))
    assert pairs == [("h", "e"), ("e", "l"), ("l", "l"), ("l", "o")]
    inputs = [node for node in drawn.graph if node.name and node.name.startswith("x ")]
    assert [node.name for node in inputs] == ["x 'h'", "x 'e'", "x 'l'", "x 'l'"]
    assert [node.step for node in inputs] == [1, 2, 3, 4]
    assert np.array_equal([node.numpy() for node in inputs], np.eye(4)[[0, 1, 2, 2]])
    assert drawn.model is not None
    sizes = {name: tensor.shape for name, tensor in drawn.model.named_parameters()}
    assert sizes["rnn.weight_hh_l0"] == (8, 8) and sizes["readout.weight"] == (4, 8)


def test_the_losses_of_hello_by_hand() -> None:
    """The whole forward pass once more, in five lines of NumPy."""
    drawn = unrolled("hello", seed=3)
    assert drawn.model is not None
    w = {name: tensor.numpy() for name, tensor in drawn.model.named_parameters()}
    h, losses = np.zeros(8), []
    for read, asked in ((0, 1), (1, 2), (2, 2), (2, 3)):
        h = w["rnn.weight_ih_l0"][:, read] + w["rnn.bias_ih_l0"] + w["rnn.weight_hh_l0"] @ h
        h = np.tanh(h + w["rnn.bias_hh_l0"])
        y = w["readout.weight"] @ h + w["readout.bias"]
        losses.append(np.log(np.exp(y).sum()) - y[asked])
    assert [loss.item() for loss in drawn.losses] == pytest.approx(losses, rel=1e-12)
    assert drawn.loss.item() == pytest.approx(sum(losses), rel=1e-12)


@pytest.mark.parametrize(
    ("steps", "read", "asked", "remarked"),
    [
        (None, "hell", "ello", False),
        (1, "h", "e", False),
        (4, "hell", "ello", False),
        (5, "hello", "elloh", True),
        (9, "hellohell", "ellohello", True),
        (10, "hellohello", "ellohelloh", True),
    ],
)
def test_a_text_is_cut_or_repeated(
    steps: int | None, read: str, asked: str, remarked: bool
) -> None:
    drawn = unrolled("hello", steps=steps)
    assert "".join(drawn.inputs) == read and "".join(drawn.labels) == asked
    assert bool(drawn.remarks) == remarked


def test_what_is_said_of_a_text() -> None:
    assert unrolled("hello", text="ab", steps=3).remarks == [
        'the text "ab" has 1 step; repeated to fill 3'
    ]
    assert unrolled("hello", loss="last").title.endswith('reads "hell", predicts "o" at the end')


def test_a_cut_text_keeps_its_vocabulary() -> None:
    """So that its weights, and its first losses, are those of the whole text."""
    cut, whole = unrolled("hello", steps=2), unrolled("hello")
    assert [loss.item() for loss in cut.losses] == [loss.item() for loss in whole.losses[:2]]


def test_any_text_will_do() -> None:
    drawn = unrolled("hello", text="ab\n🙂 'b'")
    title = """hello: a tanh RNN reads "ab\\n🙂 'b", predicts "b\\n🙂 'b'\""""
    assert drawn.title == title
    assert drawn.graph.at(3)[0].name == "x '\\n'"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the text is empty; there is nothing to predict, so give a text"),
        ("a", 'the text "a" has one distinct character; there is nothing to predict'),
        ("aaaa", 'the text "aaaa" has one distinct character'),
    ],
)
def test_a_text_of_one_character_teaches_nothing(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        unrolled("hello", text=text, steps=3)


def test_a_book_is_not_unrolled_by_accident() -> None:
    book = "ab" * hello.MOST_STEPS
    with pytest.raises(ValueError, match=r"has 20,000 characters; give the number .* --steps 50"):
        unrolled("hello", text=book)
    assert len(unrolled("hello", text=book, steps=3).inputs) == 3


# ---------------------------------------------------------------------------------------- stocks


def test_stocks_are_yesterday_today_and_tomorrow() -> None:
    drawn = unrolled("stocks")
    assert drawn.inputs == ["yesterday 172.54", "today 172.5"]
    assert drawn.labels == ["today 172.5", "tomorrow 167.54"]
    assert [loss.step for loss in drawn.losses] == [2]
    assert drawn.steps == [1, 2]


def test_the_loss_of_stocks_by_hand() -> None:
    """The change to the next price, in units of the deviation of changes; scaled by the first prices."""
    drawn = unrolled("stocks", loss="all", seed=5)
    assert drawn.model is not None
    w = {name: tensor.item() for name, tensor in drawn.model.named_parameters()}
    prices = closing_prices()
    known = prices[:46]
    scaled = (prices - known.mean()) / known.std()
    x, unit = scaled[-3:], np.diff(scaled)[:45].std()
    h, losses = 0.0, []
    for t in (0, 1):
        h = math.tanh(
            w["rnn.weight_ih_l0"] * x[t] + w["rnn.bias_ih_l0"]
            + w["rnn.weight_hh_l0"] * h + w["rnn.bias_hh_l0"]
        )  # fmt: skip
        change = (x[t + 1] - x[t]) / unit
        losses.append((w["readout.weight"] * h + w["readout.bias"] - change) ** 2)
    assert [loss.item() for loss in drawn.losses] == pytest.approx(losses, rel=1e-12)


def test_tomorrow_has_no_part_in_the_scaling(tmp_path: Path) -> None:
    inputs = []
    for tomorrow in (3, 1000):
        rows = "".join(f"{price}\n" for price in [*range(1, 10), tomorrow])
        (tmp_path / "p.csv").write_text(f"price\n{rows}", encoding="utf-8")
        graph = unrolled("stocks", csv=str(tmp_path / "p.csv")).graph
        inputs.append([n.item() for n in graph if n.name and n.name.startswith("x ")])
    assert inputs[0] == inputs[1]


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("day,price\n0,4\n1,5\n2,6\n3,7\n4,9.5\n", encoding="utf-8")
    options: dict[str, Any] = {"csv": str(path), "column": "price"}
    drawn = unrolled("stocks", **options, steps=3, loss="all")
    assert drawn.inputs == ["2 days ago 5", "yesterday 6", "today 7"]
    assert drawn.labels == ["yesterday 6", "today 7", "tomorrow 9.5"]
    assert unrolled("stocks", **options, steps=1).inputs == ["today 7"]
    with pytest.raises(ValueError, match=r"steps=5, but there are 5 values of .*: enough for 4 st"):
        unrolled("stocks", **options, steps=5)


def test_more_steps_than_prices() -> None:
    assert len(unrolled("stocks", steps=64).inputs) == 64
    with pytest.raises(
        ValueError, match="steps=65, but there are 65 closing prices: enough for 64"
    ):
        unrolled("stocks", steps=65)


def test_training_reads_fewer_steps_of_a_short_series_and_says_so() -> None:
    problem = task("stocks").problem({"steps": 60, "batch": 3})
    assert len(problem.feed.next()) == 45
    reduced = "steps 60 and batch 3 reduced to 45 and 1"
    assert problem.remarks == [f"the series has 45 values to train on: {reduced}"]
    assert task("stocks").problem({}).remarks == []


def test_a_column_without_a_file() -> None:
    with pytest.raises(ValueError, match="--column close needs a file; give --csv FILE as well"):
        unrolled("stocks", column="close")


# -------------------------------------------------------------------------- what they have in common


def test_networks_are_told_in_words() -> None:
    def words(cell: str, layers: int = 1, bidirectional: bool = False) -> str:
        return str(Network(cell, 1, 1, hidden=1, layers=layers, bidirectional=bidirectional))

    assert words("rnn") == "a tanh RNN"
    assert words("lstm") == "an LSTM"
    assert words("gru", layers=2) == "a GRU with 2 layers"
    assert words("lstm", layers=3, bidirectional=True) == "a bidirectional LSTM with 3 layers"


@pytest.mark.parametrize("name", ["hello", "stocks"])
def test_the_last_loss_is_made_at_the_last_step(name: str) -> None:
    drawn = unrolled(name, loss="last", steps=4)
    (last,) = drawn.losses
    assert (last.step, last.scope, last.name) == (4, "loss", "loss") and drawn.loss is last
