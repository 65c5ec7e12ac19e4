"""``micrornn view``: one run, several on one clock, and the iterations of a watched training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from click.testing import Result
from paged import all_data

Run = Callable[..., Result]


def test_runs_beside_each_other_share_a_scale(run: Run, folder: Path) -> None:
    assert run("record", "hello", "--steps", "6", "-o", "short.mrn", "-q").exit_code == 0
    result = run(
        "view", "short.mrn", "--beside", "hello", "--beside", "hello", "-o", "p.html", "--no-open"
    )
    assert result.exit_code == 0, result.stderr
    runs = [own["frames"][0] for own in all_data(folder / "p.html")]
    assert [len(own["steps"]) for own in runs] == [6, 4, 4]
    assert [own["subtitle"] for own in runs] == ["short.mrn", "hello", "hello (3)"]
    assert len({(own["low"], own["high"]) for own in runs}) == 1


def test_a_source_that_is_not_there_is_refused_beside_too(run: Run, folder: Path) -> None:
    result = run("view", "hello", "--beside", "helo", "-o", "p.html", "--no-open")
    assert result.exit_code == 2 and "did you mean 'hello'?" in result.stderr
    assert not (folder / "p.html").exists()


def test_a_folder_of_a_watch_and_one_without(run: Run, folder: Path) -> None:
    import micrornn as mr
    from micrornn.training import Watch

    (folder / "empty").mkdir()
    result = run("view", "empty", "-o", "p.html", "--no-open")
    assert result.exit_code == 2 and "Watch(folder, keep=20)" in result.stderr
    w, watch = mr.Value(0.9, "w"), Watch(folder / "run", every=2, keep=5)
    for _ in range(5):
        with watch:
            h = mr.tensor(np.ones(2), name="h")
            for t in (1, 2, 3):
                with mr.scope(t=t):
                    h = mr.tanh(w * h)
                    h.name = "h"
            mr.sum(h).backward()
    result = run("view", "run", "-o", "p.html", "--no-open")
    assert result.exit_code == 0, result.stderr
    assert all_data(folder / "p.html")[0]["iterations"] == [1, 3, 5]
    result = run("view", "run", "--cell", "lstm", "-o", "q.html", "--no-open")
    assert result.exit_code == 2 and "output options only" in result.stderr
