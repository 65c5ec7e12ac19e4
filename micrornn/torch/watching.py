"""Watching a training in PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from micrornn.torch.record import recording
from micrornn.training import watching


class Watch(watching.Watch):
    """`micrornn.training.Watch` for a model in PyTorch: ``with watch:`` around each training step.

    PyTorch frees a graph after backward: where ``note(loss)`` sees a loss that is NaN or jumps, the ``keep``
    steps from there on are recorded and saved.

    Args, raises: as there; a recording whose gradients are not PyTorch's raises as `recording` does.
    """

    def __init__(self, folder: str | Path, every: int = 100, keep: int = 3, to: Any = None) -> None:
        super().__init__(folder, every, keep, recording, to)
