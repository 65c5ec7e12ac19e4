"""The diagnosis finds mistakes that people make, and leaves sound programs alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnosis import report
from diagnosis.corpus import FAULTY, HEALTHY, Case

import micrornn as mr
from micrornn.diagnose import VERDICTS, diagnose
from micrornn.flow.why import why

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: case.name)
def test_the_mistake_is_among_the_first_two_findings(case: Case) -> None:
    assert set(case.verdicts) <= set(VERDICTS)
    assert report.found(case), str(report.diagnosed(case))


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: case.name)
def test_a_sound_program_is_not_accused(case: Case) -> None:
    assert report.accused(case) == [], str(report.diagnosed(case))


def test_every_verdict_has_a_place_on_its_page() -> None:
    assert PAGE.read_text(encoding="utf-8") == report.page()


def _used_at_each_step(signs: list[float]) -> Any:
    """A weight of which each step's loss takes a share, with a sign of its own."""
    w = mr.tensor([0.5, -0.3, 0.8], requires_grad=True, name="w")
    x = np.random.default_rng(0).normal(size=3)
    total = mr.tensor(0.0)
    for t, sign in enumerate(signs, 1):
        with mr.scope(t=t):
            out = (w * x).sum()
            total = total + out * sign
    return total


@pytest.mark.parametrize(
    ("signs", "verdict", "name"),
    [
        ([1.0, -1.0, 2.0, -1.9999], "cancelled", "contributions cancel"),
        ([0.0, 0.0, 0.0, 1.0], "arrived from few uses", "few uses"),
        ([1.0, 1.0, 1.0, 1.0], "arrived in full", ""),
    ],
)
def test_the_diagnosis_says_of_a_weight_what_why_says(
    signs: list[float], verdict: str, name: str
) -> None:
    rec = mr.record(lambda: _used_at_each_step(signs))
    assert why(rec, "w").verdict == verdict
    found = [p for p in diagnose(rec).problems if p.name in ("contributions cancel", "few uses")]
    assert [p.name for p in found] == ([name] if name else [])
    assert all(p.because is not None and p.because.verdict == verdict for p in found)
