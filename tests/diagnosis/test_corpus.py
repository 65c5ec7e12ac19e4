"""The diagnosis finds mistakes that people make, and leaves sound programs alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from diagnosis import report
from diagnosis.corpus import FAULTY, HEALTHY, Case

from micrornn.diagnose import VERDICTS

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
