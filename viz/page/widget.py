"""The page as a widget of a notebook: its position is read and set from Python. Needs anywidget, an extra."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from micrornn.recording import Recording
from viz.page.player import player


def widget(*recordings: Recording, height: int = 760, title: str = "") -> Any:
    """The page of one or several recordings as a live widget.

    Its trait ``position`` is where the page stands, from 0 to ``last``. Set it, and the page goes there;
    ``observe`` it, and Python hears what the reader does.

    Args:
        height: of the frame, in pixels.
        title: network, data, seed.

    Raises:
        ImportError: anywidget is not installed; says how to install it.
        ValueError: no recording is given.
        RecordingError: no state has a time step.
    """
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError(
            "the widget needs anywidget; pip install 'micrornn[notebook]' "
            "(a recording shows its page in a notebook without it)"
        ) from error
    if not recordings:
        raise ValueError("no recording is given; widget(mr.record(loss))")
    several = len(recordings) > 1
    named = {f"run {i}" if several else "": rec for i, rec in enumerate(recordings, 1)}

    class Page(anywidget.AnyWidget):  # type: ignore[misc]
        """A page in a frame."""

        _esm = files(__package__).joinpath("widget.js").read_text(encoding="utf-8")
        page = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int(760).tag(sync=True)
        position = traitlets.Int(-1).tag(sync=True)  # -1: the page has not said yet
        last = traitlets.Int(-1).tag(sync=True)

    return Page(page=player(named, title), height=height)
