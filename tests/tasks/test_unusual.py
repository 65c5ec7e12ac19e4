"""What is unusual: lines of a log by their perplexity, days of a series by what was forecast of them."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrornn.data.feeds import Batch
from micrornn.data.pipe import EVENTS
from micrornn.data.text import Vocabulary
from micrornn.optim import Adam
from micrornn.tasks import anomaly, logs, task
from micrornn.tasks.generation import character_model
from micrornn.tasks.pairs import PADDING
from micrornn.tasks.problem import Problem
from micrornn.training import Trainer

LINES, INTRUSIONS = logs.generated(0)


def train(problem: Problem, iterations: int) -> Problem:
    optimizer = Adam(problem.model.parameters(), lr=problem.lr)
    Trainer(problem.model, optimizer, problem.feed, problem.objective, clip_norm=problem.clip).run(
        iterations
    )
    problem.model.eval()
    return problem


# ------------------------------------------------------------------------------------------- logs


def test_intrusions_are_among_the_kept_lines_only() -> None:
    assert (len(LINES), len(INTRUSIONS)) == (logs.LINES, logs.INTRUSIONS)
    assert min(INTRUSIONS) >= 0.8 * len(LINES)
    assert logs.generated(0)[0] == LINES != logs.generated(1)[0]
    strange = re.compile(r"' or 1=1|drop table|union|passwd|id_rsa|shadow|no greeting")
    strange = re.compile(f"{strange.pattern}|for ({'|'.join(logs.UNKNOWN)}) from")
    assert {i for i, line in enumerate(LINES) if strange.search(line)} == INTRUSIONS


def test_a_made_up_log_is_in_order_and_names_nobody() -> None:
    """Its addresses are of the three networks that RFC 5737 keeps free for documents."""
    minutes = [int(line[:2]) * 60 + int(line[3:5]) for line in LINES[:400]]
    assert minutes == sorted(minutes)
    found = {a for line in LINES for a in re.findall(r"(\d+\.\d+\.\d+)\.\d+ ?", line)}
    assert found == {"192.0.2", "198.51.100", "203.0.113"}


def test_the_intrusions_cannot_be_told_by_their_addresses() -> None:
    def addresses(which: set[int]) -> set[str]:
        return {a for i in which for a in re.findall(r"\d+\.\d+\.\d+\.\d+", LINES[i])}

    assert addresses(INTRUSIONS) <= addresses(set(range(1600)))


def test_counting_pairs_finds_about_two_thirds() -> None:
    vocabulary = Vocabulary("\n" + "".join(LINES))
    numbers = [vocabulary.encode(f"\n{line}\n") for line in LINES]
    counts = np.full((len(vocabulary), len(vocabulary)), 0.02)
    for line in numbers[:1600]:
        np.add.at(counts, (line[:-1], line[1:]), 1.0)
    counts /= counts.sum(1, keepdims=True)
    costs = [-np.log(counts[line[:-1], line[1:]]).mean() for line in numbers[1600:]]
    found = set((1600 + np.argsort(costs)[-16:]).tolist())
    assert 0.5 <= len(found & INTRUSIONS) / 16 <= 0.8


def test_the_perplexity_of_a_line_is_its_own() -> None:
    """Who else is in the batch, and how long, does not matter; a line begins with a fresh state."""
    problem = logs.problem(hidden=6)
    model: Any = problem.model
    batch = problem.feed.next()
    lengths = (batch.targets != PADDING).sum(0)
    assert len(set(lengths.tolist())) > 3
    together = logs.perplexities(model, batch)
    for b in range(4):
        row = slice(lengths[b]), slice(b, b + 1)
        own = problem.objective(
            type(batch)(batch.inputs[row], batch.targets[row]), None
        ).total.item()
        assert together[b] == pytest.approx(np.exp(own), rel=1e-12)
    whole = problem.objective(batch, None).total.item()
    assert whole == pytest.approx((np.log(together) * lengths).sum() / lengths.sum())


def test_the_mean_over_all_kept_lines_is_over_their_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached = []
    for together in (256, 7):
        monkeypatch.setattr(logs, "CHUNK", together)
        problem = logs.problem("".join(f"{'line ' * (n % 7)}{n}\n" for n in range(100)), hidden=3)
        assert problem.validate is not None
        reached.append(problem.validate())
    assert reached[0] == pytest.approx(reached[1], rel=1e-12)
    kept = [f"{'line ' * (n % 7)}{n}" for n in range(70, 80)]
    symbols = Vocabulary(problem.memory["characters"])
    losses = []
    for line in kept:
        inputs, targets = symbols.encode(f"\n{line}"), symbols.encode(f"{line}\n")
        batch = Batch(inputs[:, None], targets[:, None])
        losses += [loss.item() for loss in problem.objective(batch, None).losses]
    assert reached[0] == pytest.approx(np.mean(losses), rel=1e-12)


def test_a_strange_line_in_a_log_of_ones_own_comes_first() -> None:
    lines = [f"{n:02} user {'ab'[n % 2]} is here" for n in range(60)]
    lines[55] = "55 zyx has gone away"
    problem = task("logs").problem({"text": "\n\n".join(lines) + "\n \n", "hidden": 16, "batch": 8})
    assert problem.title == "unusual lines among the last 12 of 60 lines of a log"
    (measure,) = train(problem, 80).evaluate()
    assert measure.name.startswith("nats per held-out character") and measure.reached
    assert problem.examples is not None
    first, second = islice(problem.examples(), 2)
    assert (first.input, first.target) == (lines[55], "")
    assert float(first.prediction.split()[-1]) > 2 * float(second.prediction.split()[-1])


def test_long_lines_are_read_to_their_beginning() -> None:
    problem = logs.problem("a long line\n" * 20, steps=6, hidden=2)
    assert problem.examples is not None
    assert next(iter(problem.examples())).input == "a long"
    assert len(problem.feed.next()) == 7
    assert "first 6 characters" in problem.title


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the log has 0 lines"),
        ("\n \n\t\n", "the log has 0 lines"),
        ("one\ntwo\n", "the log has 2 lines; give at least 10 lines"),
        ("a\n" * 9 + "\n" * 9, "the log has 9 lines"),
        ("aaa\n" * 20, "the log has one distinct character"),
    ],
)
def test_a_log_that_cannot_be_learnt_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        task("logs").problem({"text": text})


def test_ten_short_lines_are_enough() -> None:
    train(logs.problem("a\nb\n" * 5, hidden=2), 2)
    with pytest.raises(ValueError, match="steps=0"):
        logs.problem(steps=0)


def test_the_model_of_a_log_can_go_on_with_a_line() -> None:
    problem = logs.problem(hidden=3)
    characters = problem.memory["characters"]
    model = character_model(len(characters), {"cell": "gru", "hidden": 3})
    model.load_state_dict(problem.model.state_dict())
    assert characters[0] == "\n"


# ---------------------------------------------------------------------------------------- anomaly


def wave(folder: Path, spike: int | None = None) -> str:
    values = np.round(np.sin(np.arange(200) / 3), 3)
    if spike is not None:
        values[spike] += 3.0
    file = folder / "wave.csv"
    file.write_text("day,height\n" + "".join(f"d{i},{v}\n" for i, v in enumerate(values)))
    return str(file)


def test_a_spike_in_a_series_of_ones_own_comes_first(tmp_path: Path) -> None:
    given = {"csv": wave(tmp_path, spike=180), "column": "height", "hidden": 8, "steps": 20}
    problem = train(task("anomaly").problem(given), 150)
    (measure,) = problem.evaluate()
    assert measure.name == "mean squared error"
    assert problem.examples is not None
    first, *others = islice(problem.examples(), 4)
    assert first.input.startswith("row 181: ") and first.target == ""
    assert len(others) == 3
    assert float(first.prediction.split()[-1]) > 2 * float(others[-1].prediction.split()[-1])


def test_a_regular_series_is_forecast_better_than_by_its_last_value(tmp_path: Path) -> None:
    problem = train(task("anomaly").problem({"csv": wave(tmp_path), "steps": 20}), 150)
    measure = problem.evaluate()[0]
    assert measure.value < float(measure.goal.split("persistence: ")[1])
    assert "ridge on the last values" in measure.goal, "a wave is a linear map of its last values"


def test_series_that_cannot_be_learnt_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--column v needs a file"):
        task("anomaly").problem({"column": "v"})
    (tmp_path / "v.csv").write_text("v\n1\n2\n")
    with pytest.raises(ValueError, match=r"2 values of .*v\.csv are too few"):
        task("anomaly").problem({"csv": str(tmp_path / "v.csv")})


def test_faults_are_not_learnt_from() -> None:
    one, two = (
        task("anomaly").problem({"seed": 0}),
        task("weather").problem({"steps": 50, "seed": 0}),
    )
    for _ in range(30):
        assert np.array_equal(one.feed.next().inputs, two.feed.next().inputs)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_faults_are_the_largest_surprises(seed: int) -> None:
    problem = task("anomaly").problem({"hidden": 8, "seed": seed})
    _, found = train(problem, 60).evaluate()
    assert found.value >= 5 / 6
    assert problem.examples is not None
    assert [row.target for row in islice(problem.examples(), 5)].count("fault") >= 4


def test_real_events_are_among_the_largest_surprises() -> None:
    problem = train(task("anomaly").problem({"data": "water"}), 150)
    error, found = problem.evaluate()
    assert error.reached and found.value >= 2 / 3
    assert problem.examples is not None
    first = list(islice(problem.examples(), 2))
    assert [row.target for row in first] == ["event", "event"]
    hours = [int(row.input.split(":")[0].removeprefix("hour ")) for row in first]
    assert all(any(a <= hour < b for a, b in EVENTS) for hour in hours)


def test_a_series_that_is_not_there() -> None:
    for name in ("weather", "anomaly"):
        with pytest.raises(ValueError, match="--data watr: no such series; did you mean 'water'"):
            task(name).problem({"data": "watr"})
        with pytest.raises(ValueError, match=r"--data water and --csv a\.csv: give one of them"):
            task(name).problem({"data": "water", "csv": "a.csv"})


def test_the_way_back_from_a_spike_is_no_spike_of_its_own() -> None:
    assert anomaly.largest(np.array([1.0, 8.0, 9.0, 7.0, 0.0, 0.0, 2.0]), 2) == [1, 6]
    assert anomaly.largest(np.array([9.0, 0.0, 3.0, 8.0]), 3) == [0, 3]
    assert anomaly.largest(np.array([]), 3) == []
