"""Watching a training: what is noted, what is kept, and what it says afterwards."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from micrornn import nn, optim
from micrornn.flow import read_trend
from micrornn.recording import RecordingError, load_recording
from micrornn.training import Watch


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
