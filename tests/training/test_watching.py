"""Watching a training: what is noted, what is kept, and what it says afterwards."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import cli
import micrornn as mr
from micrornn import nn, optim
from micrornn.data.feeds import Stream
from micrornn.flow import read_trend
from micrornn.recording import RecordingError, load_recording
from micrornn.training import Trainer, Watch, by_step


def trained(folder: Path, iterations: int, lr: float = 0.01, **options: Any) -> Watch:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3, 2)), rng.normal(size=3)
    rnn, head = nn.LSTM(2, 4, rng=0), nn.Linear(4, 1, rng=1)
    optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=lr)
    watch = Watch(folder, **options)
    for _ in range(iterations):
        with np.errstate(all="ignore"), watch:
            optimizer.zero_grad()
            nn.functional.mse_loss(head(rnn(x)[0][-1])[:, 0], y).backward()
            optimizer.step()
    return watch


def test_every_nth_step_is_noted_and_the_last_ones_kept(tmp_path: Path) -> None:
    watch = trained(tmp_path, 41, every=10, keep=2)
    lines = watch.lines()
    assert [line["iteration"] for line in lines] == [1, 11, 21, 31, 41]
    assert lines[0]["layers"]["lstm.0"]["steps"] == [1, 2, 3, 4, 5, 6]
    assert set(lines[0]["gates"]["lstm.0"]) >= {"forget gate", "input gate"}
    assert "update" not in lines[0]["weights"]["weight_hh_l0"]
    assert lines[1]["weights"]["weight_hh_l0"]["update"] > 0
    kept = sorted(path.name for path in tmp_path.glob("*.mrn"))
    assert kept == ["run-00000031.mrn", "run-00000041.mrn"]
    assert load_recording(tmp_path / kept[-1]).passes
    again = trained(tmp_path, 1, every=10)
    assert again.lines()[-1]["iteration"] == 51  # it goes on


def test_the_trend(tmp_path: Path) -> None:
    trained(tmp_path, 21, every=10)
    trend = read_trend(tmp_path)
    assert trend.norms.shape == (6, 3) and trend.iterations == [1, 11, 21]
    assert "in iteration 1; at the end" in trend.finding
    result = CliRunner().invoke(cli.main, ["flow", "--trend", str(tmp_path), "--json"])
    assert result.exit_code == 0 and '"finding"' in result.stdout
    picture = tmp_path / "trend.svg"
    assert (
        CliRunner()
        .invoke(cli.main, ["flow", "--trend", str(tmp_path), "-o", str(picture)])
        .exit_code
        == 0
    )
    assert picture.stat().st_size > 1000
    with pytest.raises(RecordingError, match="no layer 'gru'"):
        read_trend(tmp_path, "gru")


def test_a_loss_that_is_not_finite_stops_it_and_keeps_the_recordings(tmp_path: Path) -> None:
    watch = trained(tmp_path, 60, lr=1e6, every=2, keep=2)
    assert watch.broken and not math.isfinite(watch.lines()[-1]["loss"])
    assert len(watch.lines()) < 30
    assert "The loss is" in read_trend(tmp_path).finding


def test_what_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every=0"):
        Watch(tmp_path, every=0)
    with pytest.raises(RecordingError, match="holds no watch of a training"):
        read_trend(tmp_path / "nothing")
    with pytest.raises(ZeroDivisionError), Watch(tmp_path):
        raise ZeroDivisionError


def noted(watch: Watch, scales: list[float]) -> None:
    """Steps whose loss is the mean of scaled, squared states."""
    rnn, x = nn.RNN(1, 2, rng=0), np.ones((4, 1, 1))
    for scale in scales:
        with np.errstate(all="ignore"), watch:
            loss = (rnn(mr.tensor(x))[0] ** 2.0).mean() * scale
            watch.note(loss)
            loss.backward()


def test_nan_between_two_recorded_steps_saves_the_last_ones(tmp_path: Path) -> None:
    watch = Watch(tmp_path, every=100, keep=2)
    noted(watch, [1.0, 2.0, 3.0, math.nan, 1.0])
    names = sorted(path.name for path in tmp_path.glob("broke-*"))
    assert names == ["broke-00000003.mrn", "broke-00000004.mrn"]
    before, at = (load_recording(tmp_path / name) for name in names)
    assert math.isfinite(before.passes[0].out.item()) and math.isnan(at.passes[0].out.item())
    assert [line["iteration"] for line in watch.lines()] == [1, 4] and watch.broken
    assert "The loss is nan in iteration 4" in read_trend(tmp_path).finding


def test_a_jump_is_saved_once_and_the_watch_goes_on(tmp_path: Path) -> None:
    watch = Watch(tmp_path, every=7, keep=1)
    noted(watch, [1.0] * 7 + [11.0, 12.0] + [1.0] * 6)  # the jump is in a recorded step
    assert [path.name for path in tmp_path.glob("broke-*")] == ["broke-00000008.mrn"]
    assert [line["iteration"] for line in watch.lines()] == [1, 8, 15]
    # What was saved meanwhile is no part of the recording that ran.
    assert len(load_recording(tmp_path / "run-00000015.mrn").passes) == 1
    saved = load_recording(tmp_path / "broke-00000008.mrn")
    assert saved.passes[0].out.item() == watch.lines()[1]["loss"]


def test_a_trainer_takes_it_as_a_callback(tmp_path: Path) -> None:
    wave = np.sin(np.arange(41.0))[:, np.newaxis]
    model, watch = nn.RNN(1, 1, rng=0), Watch(tmp_path, every=2)
    feed, optimizer = Stream(wave[:-1], wave[1:], steps=10), optim.SGD(model.parameters(), lr=0.01)
    objective = by_step(model, nn.functional.mse_loss)
    reports = Trainer(model, optimizer, feed, objective, callbacks=[watch]).run(3)
    assert [(line["iteration"], line["loss"]) for line in watch.lines()] == [
        (1, reports[0].loss),
        (3, reports[2].loss),
    ]


class Tool:
    """Takes figures as TensorBoard does."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []

    def add_scalar(self, name: str, value: float, step: int) -> None:
        assert math.isfinite(value)
        self.given.append((name, step))


class Run:
    """Takes figures as Weights & Biases does."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []

    def log(self, figures: dict[str, float], step: int) -> None:
        self.given += [(name, step) for name in figures]


@pytest.mark.parametrize("to", [Tool(), Run()], ids=["add_scalar", "log"])
def test_other_tools_get_a_few_figures(tmp_path: Path, to: Any) -> None:
    trained(tmp_path, 3, every=2, to=to)
    first = ["first step to last", "gradient norm", "saturated gates"]
    second = [*first[:2], "largest update to weight", first[2]]
    expected = [(name, 1) for name in first] + [(name, 3) for name in second]
    assert to.given == [(f"micrornn/{name}", step) for name, step in expected]
    with pytest.raises(ValueError, match="none of the methods add_scalar, log_metrics and log"):
        Watch(tmp_path, to=3)
