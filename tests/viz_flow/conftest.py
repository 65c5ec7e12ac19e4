"""Runs that the tests of the figures share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from micrornn.recording import Recording, record
from micrornn.tasks.source import resolve

Recorded = Callable[..., Recording]


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    """``recorded("hello", cell="lstm")``: the recording of a source, made once."""
    made: dict[Any, Recording] = {}

    def get(source: str, **options: Any) -> Recording:
        key = source, tuple(sorted(options.items()))
        if key not in made:
            made[key] = record(lambda: resolve(source, options).loss)
        return made[key]

    return get


@pytest.fixture
def cells(recorded: Recorded) -> dict[str, Recording]:
    """The three cells on the same text."""
    return {cell: recorded("hello", cell=cell) for cell in ("rnn", "lstm", "gru")}
