"""The full screen: the same session and the same commands, with everything in view."""

from __future__ import annotations

from typing import Any, ClassVar

from micrornn.debug.alarm import alarm
from micrornn.debug.complete import completions
from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.messages import printable
from viz.terminal import strip
from viz.terminal.effects import perform

MISSING = (
    "the full screen needs Textual; install it with: pip install 'micrornn[tui]'. Without it there is "
    "the line debugger: micrornn debug SOURCE"
)

try:
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.binding import Binding, BindingType
    from textual.containers import Horizontal, Vertical
    from textual.widgets import Input, Static
except ImportError as error:
    raise RuntimeError(MISSING) from error

KEYS = {
    **{"f10": "next", "f11": "step", "f5": "continue", "f8": "finish"},
    **{"f6": "reverse-step", "f7": "reverse-next", "f9": "reverse-continue"},
}


class Screen(App[None]):
    """One session on the whole screen.

    Below is the command line, which takes whatever the line debugger takes; Enter on an empty line repeats,
    Tab completes, Ctrl-D leaves.
    """

    CSS = """
    Screen { layout: vertical; }
    #strip { height: 3; background: $panel; }
    #middle { height: 1fr; }
    #left { width: 3fr; }
    #right { width: 2fr; border-left: solid $panel; padding-left: 1; }
    #cell { height: 1fr; overflow: hidden; }
    #values { height: 7; border-top: solid $panel; overflow: hidden; }
    #source { height: 1fr; overflow: hidden; }
    #stops { height: 6; border-top: solid $panel; overflow: hidden; }
    #answer { height: 5; border-top: solid $panel; overflow: hidden; }
    #command { height: 1; border: none; padding: 0; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"command('{words}')", words) for key, words in KEYS.items()),
        Binding("tab", "complete", "complete", priority=True),
        Binding("ctrl+d", "quit", "leave", priority=True),
        Binding("ctrl+c", "clear", "clear the line", priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.answer = (
            "\n".join([session.summary(), *alarm(session)])
            + "\nF11 step, F10 next, F6 back, F5 continue; help, quit"
        )

    def compose(self) -> ComposeResult:
        """The parts of the screen."""
        yield Static(id="strip", markup=False)
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield Static(id="cell", markup=False)
                yield Static(id="values", markup=False)
            with Vertical(id="right"):
                yield Static(id="source", markup=False)
                yield Static(id="stops", markup=False)
        yield Static(id="answer", markup=False)
        yield Input(id="command", placeholder="a command; help lists them", compact=True)

    def on_mount(self) -> None:
        """Begin with the cursor in the command line."""
        self.query_one(Input).focus()
        self.call_after_refresh(self.redraw)

    def on_resize(self) -> None:
        """Make use of the room there is."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Show the present state."""
        height = max(self.query_one("#cell").size.height, 1)
        parts = {
            "strip": strip.strip(self.session, max(self.size.width, 20)),
            "cell": strip.cell(self.session, height),
            "values": strip.values(self.session),
            "source": strip.source(self.session, max(self.query_one("#source").size.height, 1)),
            "stops": strip.stops(self.session),
            "answer": self.answer.splitlines()[-self._room("answer") :],
        }
        for name, lines in parts.items():
            # Long lines are cut, not wrapped: a table stays a table.
            room = max(self.query_one(f"#{name}").size.width, 10)
            lines = [printable(one) for one in lines]
            cut = [one if len(one) <= room else one[: room - 1] + "…" for one in lines]
            self.query_one(f"#{name}", Static).update(Text("\n".join(cut)))

    def _room(self, name: str) -> int:
        return max(self.query_one(f"#{name}").size.height, 1)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A command was given."""
        event.input.value = ""
        self.carry_out(event.value)

    def action_command(self, words: str) -> None:
        """A key stands for a command."""
        self.carry_out(words)

    def carry_out(self, words: str) -> None:
        """Do a command and show what came of it."""
        try:
            outcome = self.session.execute(words)
            for effect in outcome.effects:
                if effect.kind == "tutorial":
                    raise DebuggerError(
                        "the tutorial is given by the line debugger: micrornn debug hello"
                    )
                outcome.lines += perform(self.session, effect)
        except DebuggerError as error:
            self.answer = str(error)
        else:
            if outcome.leave:
                self.exit()
                return
            self.answer = outcome.text
            if len(outcome.lines) > self._room("answer"):
                self.grow(len(outcome.lines))
            else:
                self.query_one("#answer").styles.height = 5
        self.call_after_refresh(self.redraw)

    def grow(self, lines: int) -> None:
        """Give a long answer room, up to half of the screen."""
        self.query_one("#answer").styles.height = min(lines + 1, max(self.size.height // 2, 5))

    def action_complete(self) -> None:
        """Complete the word before the cursor as far as it is certain, or show what it may be."""
        field = self.query_one(Input)
        text = field.value[: field.cursor_position]
        found = completions(self.session, text)
        if not found:
            return
        word = text.rpartition(" ")[2]
        common = found[0]
        for one in found:
            while not one.startswith(common):
                common = common[:-1]
        field.value = text[: len(text) - len(word)] + common + field.value[field.cursor_position :]
        field.cursor_position = len(text) - len(word) + len(common)
        if len(found) > 1:
            self.answer = "  ".join(found)
            self.redraw()

    def action_clear(self) -> None:
        """Empty the command line."""
        self.query_one(Input).value = ""


def run(session: Session, **options: Any) -> None:
    """Show a session on the full screen until the user leaves.

    Raises:
        RuntimeError: there is no terminal; says what to do instead.
    """
    import sys

    from viz.terminal.reader import is_terminal
    from viz.terminal.start import INSTEAD

    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise RuntimeError(INSTEAD)
    Screen(session).run(**options)
