"""Pages for the tests, and what Python wrote into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from micrornn.tasks.source import recorded
from viz.page.player import player, unpacked


def written(folder: Path, name: str, *runs: tuple[str, dict[str, Any]]) -> Path:
    recordings = {f"run {i}": recorded(*run).recording for i, run in enumerate(runs)}
    path = folder / f"{name}.html"
    path.write_text(player(recordings, name), encoding="utf-8")
    return path


def all_data(path: Path) -> Any:
    """What Python wrote into a page about its runs."""
    return unpacked(path.read_text("utf-8"))


def data_of(path: Path) -> Any:
    """The same of the first run."""
    return all_data(path)[0]
