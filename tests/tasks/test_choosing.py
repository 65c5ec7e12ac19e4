"""The data to choose by are neither trained on nor measured on."""

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

    def watched(self: Any, batch: Any, *others: Any, **options: Any) -> Any:
        columns = np.asarray(batch) if pictures else np.swapaxes(np.asarray(batch), 0, 1)
        seen.update(column.tobytes().rstrip(b"\0") for column in columns)  # without padding
        return forward(self, batch, *others, **options)

    with monkeypatch.context() as patch, no_grad():
        patch.setattr(reader, "forward", watched)
        run()
    return seen


REAL = ("image", "rows", "caption", "speakers", "tagging", "ecg")
DRAWN = ("adding", "copy", "recall", "reverse", "qa", "video", "sentiment", "ctc")


@pytest.mark.parametrize("name", [*REAL, *DRAWN])
def test_what_is_chosen_by_is_not_what_is_reported(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = task(name).problem({})
    assert problem.validate is not None

    def train() -> None:
        for _ in range(60 if name in REAL else 5):
            problem.objective(problem.feed.next(), None)

    trained, chosen, measured = (
        sequences_read(problem.model, run, monkeypatch)
        for run in (train, problem.validate, problem.measures)
    )
    assert trained and chosen and measured
    by_chance = 0.0 if name in REAL else 0.2  # of a few words, the same may be drawn twice
    for one, other in ((chosen, measured), (chosen, trained), (measured, trained)):
        assert len(one & other) <= by_chance * len(one)
