"""What the tests of training share."""

from __future__ import annotations

import pytest
from trained import Make, trainer


@pytest.fixture
def make() -> Make:
    """``make(clip_norm=1.0)``: a trainer of a small GRU on a sine wave, always the same."""
    return trainer
