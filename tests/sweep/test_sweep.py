"""Sweeps: what is tried, that nothing is lost or run twice, and what is reported."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from micrornn.sweep import runner
from micrornn.sweep.cluster import Here, Pool
from micrornn.sweep.grid import Range, combinations, parse
from micrornn.sweep.records import DONE, FAILED, REFUSED, Outcome, Result, SweepError
from micrornn.sweep.report import report
from micrornn.sweep.runner import Plan
from micrornn.sweep.search import Search
from micrornn.sweep.store import Store
from micrornn.sweep.trial import Curve, Work, run
from micrornn.training.saving import CheckpointFile

SHORT = {"steps": 3, "hidden": 3, "iterations": 4}


def nothing(trial: object, outcome: object) -> None:
    """Report nothing."""


# -- what is tried ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("steps=20..80:20", [20, 40, 60, 80]),
        ("lr=0.1..0.3:0.1", [0.1, 0.2, 0.3]),
        ("forget-bias=0,1", [0, 1]),
        ("cell=gru,gru", ["gru"]),
        ("lr=1e-4..1e-1:log", Range(1e-4, 0.1, True)),
    ],
)
def test_values_of_a_setting(text: str, values: object) -> None:
    assert parse(text).values == values


@pytest.mark.parametrize(
    "text", ["cell", "cell=", "=3", "a=1,,2", "a=3..1:1", "a=x..2", "a=1..2:0", "a=0..1:log"]
)
def test_a_setting_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_a_range_needs_a_step_or_a_search() -> None:
    with pytest.raises(ValueError, match="--search tpe"):
        combinations([parse("lr=1..5")])


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="set twice"):
        combinations([parse("a=1"), parse("a=2")])


# -- one trial --------------------------------------------------------------------------------------


def test_settings_that_exclude_each_other_are_refused_and_not_a_failure() -> None:
    outcome = run(Work("recall", {"cell": "rnn", "forget_bias": 3.0}, 0))
    assert outcome.state == REFUSED and "tanh RNN" in outcome.error


def test_a_failing_function_comes_back_with_its_traceback(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("def train(lr=1):\n    raise KeyError(lr)\n")
    outcome = run(Work(f"{file}:train", {"lr": 2}, 0))
    assert outcome.state == FAILED
    assert "line 2" in outcome.error and "KeyError" in outcome.error


def test_a_function_runs_on_a_host_without_its_file(tmp_path: Path) -> None:
    code = "def train(lr=1, seed=0):\n    return {'loss': lr + seed}\n"
    outcome = run(Work(f"{tmp_path / 'nowhere' / 'net.py'}:train", {"lr": 2}, 5, code))
    assert outcome.results == [Result("loss", 7.0)]


def test_a_function_that_returns_nothing_says_what_to_return(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("def train():\n    pass\n")
    assert "return a number" in run(Work(f"{file}:train", {}, 0)).error


def test_a_trial_resumes_from_its_checkpoint_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micrornn.sweep.trial.SAVE_EVERY", 2)
    settings = {**SHORT, "iterations": 7}
    whole = run(Work("recall", settings, 3))
    checkpoint = str(tmp_path / "c" / "trial.npz")
    save = CheckpointFile.save

    def killed(self: CheckpointFile, trainer: object) -> None:
        save(self, trainer)  # type: ignore[arg-type]
        if trainer.iteration == 4:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointFile, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        run(Work("recall", settings, 3, checkpoint=checkpoint))
    monkeypatch.setattr(CheckpointFile, "save", save)
    resumed = run(Work("recall", settings, 3, checkpoint=checkpoint))
    assert resumed.results == whole.results
    assert resumed.curve == whole.curve
    assert resumed.checkpoint == checkpoint


def test_a_long_curve_keeps_few_points_and_its_mean() -> None:
    curve = Curve(most=8)
    for i in range(1, 1001):
        curve.add(i, float(i), 0.5 if i == 3 else None)
    points = curve.points()
    assert 4 <= len(points) <= 8 and points[-1][0] == 1000
    assert points[0][2] == 0.5
    gaps = {b[0] - a[0] for a, b in itertools.pairwise(points[:-1])}
    assert len(gaps) == 1


# -- the file ---------------------------------------------------------------------------------------


def test_two_sweeps_share_a_file_and_no_trial_runs_twice(tmp_path: Path) -> None:
    settings = [{"hidden": h} for h in range(1, 6)]
    one, two = Store(tmp_path / "s.db"), Store(tmp_path / "s.db")
    two.owner = f"elsewhere:{os.getpid()}"
    assert one.add("recall", settings, 2) == 10
    assert two.add("recall", settings, 2) == 0
    first, second = one.claim(6), two.claim(6)
    assert len(first) == 6 and len(second) == 4
    assert not {t.id for t in first} & {t.id for t in second}


def test_a_claim_whose_owner_is_dead_is_free_again(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead, alive = Store(tmp_path / "s.db"), Store(tmp_path / "s.db")
    dead.owner = f"{os.uname().nodename}:{child.pid}"
    alive.owner = f"{os.uname().nodename}:{os.getppid()}"
    for store in (dead, alive):
        store.add("recall", [{"hidden": 1}], 4)
    dead.claim(1)
    assert [t.seed for t in alive.claim(9)] == [1, 2, 3, 0]


def test_a_claim_on_another_machine_is_free_after_a_minute_of_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, own = Store(tmp_path / "s.db"), Store(tmp_path / "s.db")
    other.owner = "elsewhere:1"
    for store in (other, own):
        store.add("recall", [{"hidden": 1}], 1)
    assert other.claim(1) and not own.claim(1)
    now = time.time()
    monkeypatch.setattr("micrornn.sweep.store.time.time", lambda: now + 61)
    assert own.claim(1)


def test_a_sweep_runs_its_own_trials_and_leaves_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    store.add("recall", [{"hidden": 1}], 1)
    store.close()
    store = Store(tmp_path / "s.db")
    store.add("recall", [{"hidden": 2}], 1)
    assert [t.settings for t in store.claim(9)] == [{"hidden": 2}]


@pytest.mark.parametrize("content", [b"not a database at all, but text", b""])
def test_only_the_file_of_a_sweep_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    if content:
        with pytest.raises(SweepError, match="give the file of a sweep"):
            Store(path)
    else:
        Store(path).add("recall", [{}], 1)


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (a)")
    db.close()
    with pytest.raises(SweepError, match="another database"):
        Store(path)


def test_nan_comes_back_as_nan(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    store.add("recall", [{}], 1)
    (trial,) = store.claim(1)
    store.end(trial, Outcome(DONE, [Result("loss", float("nan"))], [(1, float("nan"), None)]))
    (value,) = (r.value for r in store.results("recall")[trial.id])
    assert value != value
    assert store.curves("recall")[trial.id][0][1] != store.curves("recall")[trial.id][0][1]


# -- the loop ---------------------------------------------------------------------------------------


def test_all_combinations_run_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    settings = [{**SHORT, "cell": c} for c in ("lstm", "gru")]
    store.add("recall", settings, 2)
    told: list[str] = []
    with Here() as pool:
        runner.sweep(store, Plan("recall", 2), pool, lambda t, o: told.append(o.state))
        assert told == [DONE] * 4
        runner.sweep(store, Plan("recall", 2), pool, lambda t, o: told.append(o.state))
    assert len(told) == 4
    assert store.counts() == {DONE: 4}
    found = report(store)
    assert found.names == ["cell"] and found.metrics == ["cross-entropy", "accuracy"]
    assert [len(row.figures["accuracy"].values) for row in found.rows] == [2, 2]


def test_an_interrupted_sweep_gives_its_claims_back(tmp_path: Path) -> None:
    class Interrupted(Here):
        def next(self) -> tuple[int, Outcome]:
            raise KeyboardInterrupt

    store = Store(tmp_path / "s.db")
    store.add("recall", [SHORT], 2)
    pool: Pool = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        runner.sweep(store, Plan("recall", 2), pool, nothing)
    assert store.counts() == {"waiting": 2}


def test_a_search_finds_the_better_settings_and_resumes(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("def train(x=0.0, kind='a'):\n    return (x - 2) ** 2 + (kind == 'a')\n")
    source = f"{file}:train"
    axes = [parse("x=0.0..4.0"), parse("kind=a,b")]
    store = Store(tmp_path / "s.db")
    with Here() as pool:
        runner.search(store, Plan(source), pool, Search(axes, "tpe", False), 25, nothing)
    best = report(store).best("result", maximize=False)
    assert best is not None
    assert best.settings["kind"] == "b" and abs(best.settings["x"] - 2) < 0.5
    again = Search(axes, "tpe", False, seed=1)
    known = list(runner.known_results(store, Plan(source), ["x", "kind"]))
    assert len(known) == 25
    for settings, value in known:
        again.known(settings, value)
    again.known({"x": 9.0, "kind": "b"}, 0.0)  # outside the range: not of this search
    asked = again.ask()
    assert 0 <= asked["x"] <= 4


def test_a_report_of_several_sources_asks_which(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    with pytest.raises(SweepError, match="no trials"):
        report(store)
    store.add("recall", [{}], 1)
    store.add("adding", [{}], 1)
    with pytest.raises(SweepError, match="--source"):
        report(store)
    assert report(store, "adding").source == "adding"


# -- the command, on a cluster, with things killed ---------------------------------------------------


def command(*words: str) -> list[str]:
    """The command as a program."""
    return [sys.executable, "-c", "import cli; cli.main()", "sweep", *words]


def states(path: Path) -> dict[str, int]:
    """How many trials are in each state."""
    db = sqlite3.connect(path)
    try:
        return dict(db.execute("SELECT state, count(*) FROM trial GROUP BY state").fetchall())
    finally:
        db.close()


@pytest.mark.skipif(sys.platform == "win32", reason="kills process groups")
def test_a_sweep_survives_the_kill_of_a_worker_and_of_itself(tmp_path: Path) -> None:
    """On two Dask workers: a trial kills its own worker; later everything is killed, and it goes on."""
    (tmp_path / "net.py").write_text(
        "import os, time\n"
        "def train(n=0, seed=0):\n"
        "    if n == 2 and not os.path.exists('died'):\n"
        "        open('died', 'w').close()\n"
        "        os.kill(os.getpid(), 9)\n"
        "    time.sleep(0.05)\n"
        "    return n\n"
    )
    words = command(
        *("net.py:train", "--set", "n=0..39:1", "-o", "s.db", "--workers", "2", "-q"),
    )
    first = subprocess.Popen(words, cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL)
    path = tmp_path / "s.db"
    deadline = time.monotonic() + 120
    while not (path.exists() and _done(path) >= 5):
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert states(path)[DONE] < 40
    subprocess.run(words, cwd=tmp_path, check=True, timeout=240, stderr=subprocess.DEVNULL)
    assert states(path) == {DONE: 40}
    assert (tmp_path / "died").exists()


def _done(path: Path) -> int:
    try:
        return states(path).get(DONE, 0)
    except sqlite3.Error:  # not made yet
        return 0
