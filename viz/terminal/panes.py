"""The parts that the full screen is made of: panes that scroll and can be copied, and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.message import Message
from textual.widgets import Input, Static


class Pane(ScrollableContainer, can_focus=True):
    """A part of the screen with a title. Arrows, page keys and the wheel scroll it; y copies it.

    Attributes:
        text: what it shows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "app.copy_pane", "copy")]

    class Pressed(Message):
        """A line of the pane was clicked: which, from 0, and which column."""

        def __init__(self, pane: Pane, row: int, column: int) -> None:
            super().__init__()
            self.pane, self.row, self.column = pane, row, column

    def __init__(self, name: str, title: str = "") -> None:
        super().__init__(id=name)
        self.border_title = title
        self.text = Text()

    def compose(self) -> ComposeResult:
        """What scrolls."""
        yield Static(markup=False)

    def show(self, text: Text, line: int | None = None) -> None:
        """Show a text, from its beginning or around a line."""
        self.text = text
        self.query_one(Static).update(text)
        top = 0 if line is None else max(line - self.size.height // 2, 0)
        self.scroll_to(y=top, animate=False)

    def on_click(self, event: events.Click) -> None:
        """Say where it was clicked."""
        region, scrolled = self.content_region, self.scroll_offset
        row = event.screen_y - region.y + round(scrolled.y)
        column = event.screen_x - region.x + round(scrolled.x)
        if event.screen_y >= region.y:  # not the title
            self.post_message(self.Pressed(self, row, column))


class CommandLine(Input):
    """A command line with a history: up and down go through it, also through that of earlier sessions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "older", "older", show=False),
        Binding("down", "newer", "newer", show=False),
        *(
            Binding(key, f"app.scroll_answer({n})", show=False)
            for key, n in (("pageup", -1), ("pagedown", 1))
        ),
    ]

    def __init__(self, file: Path | None, **options: Any) -> None:
        super().__init__(**options)
        self._file = file
        self._lines: list[str] = []
        if file is not None and file.exists():
            self._lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        self._at = len(self._lines)
        self._typed = ""

    def keep(self, line: str) -> None:
        """Add a line to the history."""
        if line.strip() and self._lines[-1:] != [line]:
            self._lines.append(line)
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
        self._at = len(self._lines)

    def action_older(self) -> None:
        """The line before, in the history."""
        if self._at == len(self._lines):
            self._typed = self.value
        self._go(-1)

    def action_newer(self) -> None:
        """The line after; behind the last is what was being typed."""
        self._go(1)

    def _go(self, by: int) -> None:
        self._at = min(max(self._at + by, 0), len(self._lines))
        self.value = self._lines[self._at] if self._at < len(self._lines) else self._typed
        self.cursor_position = len(self.value)
