"""Watching a training in PyTorch."""

from __future__ import annotations

from pathlib import Path

from micrornn.torch.record import recording
from micrornn.training import watching


class Watch(watching.Watch):
    """`micrornn.training.Watch` for a model in PyTorch: ``with watch:`` around each training step.

    Args, raises: as there; a recording whose gradients are not PyTorch's raises as `recording` does.
    """

    def __init__(self, folder: str | Path, every: int = 100, keep: int = 3) -> None:
        super().__init__(folder, every, keep, recording)
