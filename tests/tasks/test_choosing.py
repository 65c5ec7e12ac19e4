"""The data to choose by are neither trained on nor measured on, in the tasks of real data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from micrornn.core.context import no_grad
from micrornn.tasks import task
from micrornn.tasks.caption import Captioner


def sequences_read(
    model: Any, run: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> set[bytes]:
    """Every sequence of a batch that a model reads while something runs: columns of its first argument."""
    seen: set[bytes] = set()
    pictures = isinstance(
        model, Captioner
    )  # its letters say little: what is told apart are the pictures
    reader = type(model.features if pictures else model)
    forward = reader.forward

    def watched(self: Any, batch: Any, *others: Any) -> Any:
        columns = np.asarray(batch) if pictures else np.swapaxes(np.asarray(batch), 0, 1)
        seen.update(column.tobytes().rstrip(b"\0") for column in columns)  # without padding
        return forward(self, batch, *others)

    with monkeypatch.context() as patch, no_grad():
        patch.setattr(reader, "forward", watched)
        run()
    return seen


@pytest.mark.parametrize("name", ["image", "rows", "caption", "speakers", "tagging", "ecg"])
def test_what_is_chosen_by_is_not_what_is_reported(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = task(name).problem({})
    assert problem.validate is not None

    def train() -> None:
        for _ in range(60):
            problem.objective(problem.feed.next(), None)

    trained, chosen, measured = (
        sequences_read(problem.model, run, monkeypatch)
        for run in (train, problem.validate, problem.measures)
    )
    assert trained and chosen and measured
    assert not chosen & measured and not chosen & trained and not trained & measured
