"""The built-in sources: what they read, what they are asked for, and that their numbers are right."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from well_formed import verify

from micrornn.check import gradcheck
from micrornn.tasks import SOURCES, hello, stocks
from micrornn.tasks.checking import replayed
from micrornn.tasks.network import CELLS, LOSSES, Network, losses_of

# ------------------------------------------------------------------------------------- every one


@pytest.mark.parametrize("name", SOURCES)
def test_the_options_are_the_arguments_of_build(name: str) -> None:
    """What `micrornn list` shows as defaults is what one gets without options."""
    source = SOURCES[name]
    by_default, spelt_out = source.load()(), source.load()(**source.options())
    verify(by_default.graph)
    assert by_default.title and by_default.summary() == spelt_out.summary()
    assert by_default.steps


@pytest.mark.parametrize("name", ["hello", "stocks"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_network_can_be_unrolled(
    name: str, cell: str, layers: int, bidirectional: bool
) -> None:
    for loss in LOSSES:
        unrolled = SOURCES[name].load()(
            cell=cell, layers=layers, bidirectional=bidirectional, hidden=2, steps=3, loss=loss
        )
        verify(unrolled.graph)
        assert unrolled.steps == [1, 2, 3]
        assert len(unrolled.inputs) == len(unrolled.labels) == len(unrolled.predictions) == 3
        expected = [1, 2, 3] if loss == "all" else [3]
        assert [one.step for one in unrolled.losses] == expected
        assert unrolled.loss.item() == pytest.approx(sum(one.item() for one in unrolled.losses))
        ways = 2 * layers if bidirectional else layers
        scopes = {scope.split("/")[0] for scope in unrolled.graph.scopes if scope.startswith(cell)}
        # With the last loss alone, nothing of what reads backwards past the last step is needed.
        assert len(scopes) >= (ways if loss == "all" else layers)
        assert ("bidirectional" in unrolled.title) == bidirectional


@pytest.mark.parametrize("name", ["hello", "stocks"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_is_right(name: str, cell: str) -> None:
    check = replayed(SOURCES[name].load()(cell=cell, hidden=2, loss="all").graph)
    assert gradcheck(check.f, check.inputs) < 1e-7


@pytest.mark.parametrize("name", ["hello", "stocks"])
def test_the_seed_decides(name: str) -> None:
    build = SOURCES[name].load()
    one, same, other = (build(seed=seed).loss.item() for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("name", ["hello", "stocks"])
def test_gates_are_told_apart(name: str) -> None:
    scopes = SOURCES[name].load()(cell="lstm").graph.scopes
    gates = ("input gate", "forget gate", "candidate", "output gate")
    assert {f"lstm.0/{gate}" for gate in gates} <= set(scopes)


@pytest.mark.parametrize("name", ["hello", "stocks"])
@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"cell": "transformer"}, "no cell 'transformer'; give one of rnn, lstm, gru"),
        ({"loss": "first"}, "the loss of 'first' steps is not known; give one of last, all"),
        ({"steps": 0}, "steps=0 was given; give at least 1"),
        ({"hidden": 0}, "hidden_size=0; give an integer from 1 up"),
        ({"layers": 0}, "num_layers=0; give an integer from 1 up"),
    ],
)
def test_options_out_of_range(name: str, option: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        SOURCES[name].load()(**option)


# ----------------------------------------------------------------------------------------- hello


def test_hello_is_the_table_of_the_lecture() -> None:
    unrolled = hello.build()
    pairs = list(zip(unrolled.inputs, unrolled.labels))
    assert pairs == [("h", "e"), ("e", "l"), ("l", "l"), ("l", "o")]
    inputs = [node for node in unrolled.graph if node.name and node.name.startswith("x ")]
    assert [node.name for node in inputs] == ["x 'h'", "x 'e'", "x 'l'", "x 'l'"]
    assert [node.step for node in inputs] == [1, 2, 3, 4]
    assert np.array_equal([node.numpy() for node in inputs], np.eye(4)[[0, 1, 2, 2]])
    assert unrolled.model is not None
    sizes = {name: tensor.shape for name, tensor in unrolled.model.named_parameters()}
    assert sizes["rnn.weight_hh_l0"] == (8, 8) and sizes["readout.weight"] == (4, 8)


def test_the_losses_of_hello_by_hand() -> None:
    """The whole forward pass once more, in five lines of NumPy."""
    unrolled = hello.build(seed=3)
    assert unrolled.model is not None
    w = {name: tensor.numpy() for name, tensor in unrolled.model.named_parameters()}
    h, losses = np.zeros(8), []
    for read, asked in ((0, 1), (1, 2), (2, 2), (2, 3)):
        h = w["rnn.weight_ih_l0"][:, read] + w["rnn.bias_ih_l0"] + w["rnn.weight_hh_l0"] @ h
        h = np.tanh(h + w["rnn.bias_hh_l0"])
        y = w["readout.weight"] @ h + w["readout.bias"]
        losses.append(np.log(np.exp(y).sum()) - y[asked])
    assert [loss.item() for loss in unrolled.losses] == pytest.approx(losses, rel=1e-12)
    assert unrolled.loss.item() == pytest.approx(sum(losses), rel=1e-12)


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
    unrolled = hello.build(steps=steps)
    assert "".join(unrolled.inputs) == read and "".join(unrolled.labels) == asked
    assert bool(unrolled.remarks) == remarked


def test_what_is_said_of_a_text() -> None:
    assert hello.build("ab", steps=3).remarks == [
        'the text "ab" has 1 step; it is repeated to fill 3'
    ]
    assert hello.build(loss="last").title.endswith(
        'reads "hell", and is asked for "o", the next one'
    )


def test_a_cut_text_keeps_its_vocabulary() -> None:
    """So that its weights, and its first losses, are those of the whole text."""
    cut, whole = hello.build(steps=2), hello.build()
    assert [loss.item() for loss in cut.losses] == [loss.item() for loss in whole.losses[:2]]


def test_any_text_will_do() -> None:
    unrolled = hello.build(text="ab\n🙂 'b'")
    assert unrolled.title == (
        """hello: a tanh RNN reads "ab\\n🙂 'b", and is asked for "b\\n🙂 'b'\""""
    )
    assert unrolled.graph.at(3)[0].name == "x '\\n'"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the text is empty, so there is nothing to predict; give one"),
        ("a", 'every character of the text "a" is the same, so there is nothing to predict'),
        ("aaaa", 'every character of the text "aaaa" is the same'),
    ],
)
def test_a_text_of_one_character_teaches_nothing(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        hello.build(text=text, steps=3)


def test_a_book_is_not_unrolled_by_accident() -> None:
    book = "ab" * hello.MOST_STEPS
    with pytest.raises(ValueError, match=r"has 20,000 characters; say how many .* --steps 50"):
        hello.build(text=book)
    assert len(hello.build(text=book, steps=3).inputs) == 3


# ---------------------------------------------------------------------------------------- stocks


def test_stocks_are_yesterday_today_and_tomorrow() -> None:
    unrolled = stocks.build()
    assert unrolled.inputs == ["yesterday 172.54", "today 172.5"]
    assert unrolled.labels == ["today 172.5", "tomorrow 167.54"]
    assert [loss.step for loss in unrolled.losses] == [2]
    assert unrolled.steps == [1, 2]


def test_the_loss_of_stocks_by_hand() -> None:
    unrolled = stocks.build(loss="all", seed=5)
    assert unrolled.model is not None
    w = {name: tensor.item() for name, tensor in unrolled.model.named_parameters()}
    low, high = min(stocks.PRICES[:-1]), max(stocks.PRICES[:-1])
    x = [(price - low) / (high - low) for price in stocks.PRICES[-3:]]
    h, losses = 0.0, []
    for t in (0, 1):
        h = math.tanh(
            w["rnn.weight_ih_l0"] * x[t] + w["rnn.bias_ih_l0"]
            + w["rnn.weight_hh_l0"] * h + w["rnn.bias_hh_l0"]
        )  # fmt: skip
        losses.append((w["readout.weight"] * h + w["readout.bias"] - x[t + 1]) ** 2)
    assert [loss.item() for loss in unrolled.losses] == pytest.approx(losses, rel=1e-12)


def test_tomorrow_has_no_part_in_the_scaling(tmp_path: Path) -> None:
    inputs = []
    for tomorrow in (3, 1000):
        (tmp_path / "p.csv").write_text(f"price\n1\n2\n{tomorrow}\n", encoding="utf-8")
        graph = stocks.build(csv=str(tmp_path / "p.csv")).graph
        inputs.append([n.item() for n in graph if n.name and n.name.startswith("x ")])
    assert inputs == [[0.0, 1.0], [0.0, 1.0]]


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("day,price\n1,5\n2,6\n3,7\n4,9.5\n", encoding="utf-8")
    unrolled = stocks.build(csv=str(path), column="price", steps=3, loss="all")
    assert unrolled.inputs == ["2 days ago 5", "yesterday 6", "today 7"]
    assert unrolled.labels == ["yesterday 6", "today 7", "tomorrow 9.5"]
    assert stocks.build(csv=str(path), column="price", steps=1).inputs == ["today 7"]
    with pytest.raises(ValueError, match=r"p\.csv has 4 prices, enough for 3 steps .*, not for 4"):
        stocks.build(csv=str(path), column="price", steps=4)


def test_more_steps_than_prices() -> None:
    assert len(stocks.build(steps=64).inputs) == 64
    with pytest.raises(ValueError, match="the built-in series has 65 prices, enough for 64 steps"):
        stocks.build(steps=65)


def test_a_column_without_a_file() -> None:
    with pytest.raises(ValueError, match="column 'close' of which file"):
        stocks.build(column="close")


# -------------------------------------------------------------------------- what they have in common


def test_networks_are_told_in_words() -> None:
    def words(cell: str, layers: int = 1, bidirectional: bool = False) -> str:
        network = Network(cell, 1, 1, hidden=1, layers=layers, bidirectional=bidirectional)
        return network.in_words()

    assert words("rnn") == "a tanh RNN"
    assert words("lstm") == "an LSTM"
    assert words("gru", layers=2) == "a GRU of 2 layers"
    assert words("lstm", layers=3, bidirectional=True) == "a bidirectional LSTM of 3 layers"


def test_the_last_loss_is_made_at_the_last_step() -> None:
    outputs = hello.build().predictions
    (last,), total = losses_of(outputs, [0, 0, 0, 0], lambda y, _: y.sum(), "last")
    assert (last.step, last.scope, last.name) == (4, "loss", "loss") and total is last
