"""The built-in tasks that are sound are not accused, and those that fail are diagnosed."""

from __future__ import annotations

import pytest

from micrornn.diagnose import diagnose
from micrornn.flow.failures import FAILURES
from micrornn.tasks import TASKS
from micrornn.tasks.source import watched


@pytest.mark.parametrize("name", [name for name in TASKS if name not in FAILURES])
def test_a_sound_task_is_not_accused(name: str) -> None:
    found = diagnose(watched(name))
    assert [p.name for p in found.problems if p.sure != "possible"] == [], str(found)
