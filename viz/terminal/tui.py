"""The full screen: the same session and the same commands, with everything in view."""

from __future__ import annotations

from typing import Any, ClassVar

from micrornn.debug.alarm import alarm
from micrornn.debug.commands.look import failed_here
from micrornn.debug.complete import completions
from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.messages import printable, printable_lines
from micrornn.recording import Recording, RecordingError
from viz.commands.console import wrapped
from viz.terminal import strip
from viz.terminal.effects import perform
from viz.terminal.lesson import Lesson
from viz.terminal.paint import painted
from viz.terminal.reader import history_file

MISSING = (
    "the full screen needs Textual; install it with: pip install 'micrornn[tui]'. Without it there is "
    "the line debugger: micrornn debug SOURCE"
)

try:
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.binding import Binding, BindingType
    from textual.containers import Horizontal, Vertical
    from textual.widgets import Input

    from viz.terminal import heat
    from viz.terminal.panes import CommandLine, Pane
except ImportError as error:
    raise RuntimeError(MISSING) from error

KEYS = {
    **{"f10": "next", "f11": "step", "f5": "continue", "f8": "finish"},
    **{"f6": "reverse-step", "f7": "reverse-next", "f9": "reverse-continue"},
}
HINT = "F11 step  F10 next  F5 continue  F6 F7 F9 back  F2 panes  Esc scroll, y copies  ^D leaves"
SIDE = (
    "source",
    "credit",
    "stops",
)  # the panes on the right; one at a time where there is little room
TALL = 36  # rows from which on all of them are shown
LARGEST_MAP = 40_000  # losses times steps of a credit map that is worked out while someone waits


class Screen(App[None]):
    """One session on the whole screen.

    Below is the command line, which takes whatever the line debugger takes; Enter on an empty line repeats,
    Tab completes, up and down go through the history, Ctrl-D leaves. Escape goes to the panes, where keys
    scroll and y copies. A click on a step, a pullback or a source line goes there, or sets a breakpoint.
    """

    CSS = """
    Screen { layout: vertical; }
    Pane { scrollbar-size: 0 1; border-top: solid $panel; border-title-color: $text-muted; }
    Pane:focus { border-top: solid $accent; }
    Pane Static { width: auto; }
    #strip { height: 3; border: none; background: $panel; }
    #middle { height: 1fr; }
    #left { width: 3fr; }
    #right { width: 2fr; margin-left: 1; }
    #turns, #source, #credit { height: 1fr; }
    #values { height: auto; max-height: 50%; }
    #stops { height: auto; min-height: 3; max-height: 8; }
    .alone #stops { height: 1fr; max-height: 100%; }
    #answer { height: 6; }
    #command { height: 1; border: none; padding: 0; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"command('{words}')", words) for key, words in KEYS.items()),
        Binding("f2", "next_pane", "panes"),
        Binding("tab", "complete", "complete", priority=True),
        Binding("escape", "leave_line", "scroll"),
        Binding("ctrl+y", "copy_pane", "copy"),
        Binding("ctrl+d", "quit", "leave", priority=True),
        Binding("ctrl+c", "clear", "clear the line", priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.main = session
        self.lesson: Lesson | None = None
        lines = [session.summary(), *alarm(session)]
        lines += failed_here(session) if session.failure is not None else []
        self.answer = "\n".join([*lines, HINT])
        self.side = 0

    @property
    def session(self) -> Session:
        """What is debugged: the user's run, or that of the tutorial."""
        return self.main if self.lesson is None else self.lesson.session

    def compose(self) -> ComposeResult:
        """The parts of the screen."""
        yield Pane("strip")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield Pane("turns", "pullbacks")
                yield Pane("values", "value, gradient")
            with Vertical(id="right"):
                yield Pane("source", "source")
                yield Pane("credit", "credit map")
                yield Pane("stops", "breakpoints, displays")
        yield Pane("answer")
        yield CommandLine(
            history_file("debug-lines"),
            id="command",
            placeholder="a command; help lists them",
            compact=True,
        )

    def on_mount(self) -> None:
        """Begin with the cursor in the command line."""
        self.query_one(Input).focus()
        self.call_after_refresh(self.redraw)

    def on_resize(self) -> None:
        """Make use of the room there is, once the parts have taken theirs."""
        self.set_timer(0.05, self.show_all)

    # -- showing -----------------------------------------------------------------------------------

    def arrange(self) -> None:
        """Which panes stand on the right, and how much room the answer has."""
        all_of_them = self.size.height >= TALL
        self.query_one("#right").set_class(not all_of_them, "alone")
        for i, name in enumerate(SIDE):
            self.query_one(f"#{name}").display = all_of_them or i == self.side
        lines = self._answer_lines()
        most = (
            max(self.size.height - 8, 5)
            if len(lines) > self.size.height // 2
            else self.size.height // 2
        )
        self.query_one("#answer").styles.height = min(max(len(lines) + 1, 6), most)

    def _answer_lines(self) -> list[str]:
        width = max(self.size.width - 2, 20)
        return wrapped(printable_lines(self.answer), width).rstrip("\n").splitlines()

    def redraw(self) -> None:
        """Show the present state."""
        session = self.session
        width = max(self.size.width, 20)
        self._pane("strip").show(Text("\n".join(strip.strip(session, width)), no_wrap=True))
        turns, here = strip.turns(session)
        self._pane("turns").show(_lines(turns), here)
        source, line = strip.source(session)
        self._pane("source").show(_lines(source), line)
        self._pane("stops").show(_lines(strip.stops(session)))
        self._pane("values").show(self._values())
        if self._pane("credit").display:
            self._pane("credit").show(self._credit())
        self._pane("answer").show(Text.from_ansi(painted("\n".join(self._answer_lines()))))

    def _pane(self, name: str) -> Pane:
        return self.query_one(f"#{name}", Pane)

    def _values(self) -> Text:
        session, room = self.session, self._pane("values").size.width
        text = _lines(strip.facts(session))
        for title, value in strip.values(session):
            text.append("\n").append(heat.array(title, value, room))
        return text

    def _credit(self) -> Text:
        """The credit map; worked out once for each run and step."""
        session = self.session
        line, position = session.line, session.state.position
        step = line.nodes[position].step if position < len(line) else None
        return _credit_map(session.recording, step)

    # -- doing -------------------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A command was given."""
        event.input.value = ""
        self.query_one(CommandLine).keep(event.value)
        self.carry_out(event.value)

    def action_command(self, words: str) -> None:
        """A key stands for a command."""
        self.carry_out(words)

    def carry_out(self, words: str) -> None:
        """Do a command and show what came of it."""
        lesson = self.lesson
        if lesson is not None:
            if words.strip() in ("q", "quit", "exit"):
                self.lesson, self.answer = None, "back in your own run"
                self.show_all()
                return
            words = words.strip() or lesson.page.command
        try:
            outcome = self.session.execute(words)
            for effect in outcome.effects:
                if effect.kind == "tutorial":
                    self.lesson = Lesson()
                    outcome.lines = [self.lesson.page.text]
                else:
                    outcome.lines += perform(self.session, effect)
        except DebuggerError as error:
            self.answer = str(error)
        else:
            if outcome.leave:
                self.exit()
                return
            self.answer = outcome.text
            if lesson is not None and words == lesson.page.command:
                lesson.turn_page()
                self.answer += f"\n\n{lesson.page.text}"
        if self.lesson is not None:
            self.answer += f"\n{self.lesson.hint}"
        self.show_all()

    def show_all(self) -> None:
        """Show the answer and the new state."""
        self.arrange()
        self.call_after_refresh(self.redraw)

    def on_pane_pressed(self, event: Pane.Pressed) -> None:
        """A click: on a step or a pullback goes there, on a source line sets a breakpoint."""
        name = event.pane.id
        found: object = None
        if name == "strip":
            found = strip.turn_at(self.session, event.column, max(self.size.width, 20))
        elif name == "turns":
            found = strip.turn_in(self.session, event.row)
        elif name == "source":
            found = strip.place_in(self.session, event.row)
        if found is not None:
            self.carry_out(f"break {found}" if name == "source" else f"goto {found}")

    def action_next_pane(self) -> None:
        """Show the next of the panes on the right."""
        self.side = (self.side + 1) % len(SIDE)
        self.show_all()

    def action_leave_line(self) -> None:
        """From the command line to the panes, which scroll; from one of these back to the command line."""
        there = self.query_one(Input)
        (self._pane("answer") if there.has_focus else there).focus()

    def action_scroll_answer(self, pages: int) -> None:
        """Scroll the answer, from the command line."""
        pane = self._pane("answer")
        pane.scroll_relative(y=pages * max(pane.size.height - 1, 1), animate=False)

    def action_copy_pane(self) -> None:
        """Copy the pane that keys go to, or else the answer."""
        pane = self.focused if isinstance(self.focused, Pane) else self._pane("answer")
        text = self.answer if pane.id == "answer" else pane.text.plain
        self.copy_to_clipboard(text)
        lines = len(text.splitlines())
        self.notify(f"copied {lines} line{'s' if lines != 1 else ''}", timeout=2)

    def action_complete(self) -> None:
        """Complete the word before the cursor as far as it is certain, or show what it may be."""
        field = self.query_one(Input)
        if not field.has_focus:
            self.screen.focus_next()
            return
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
            self.show_all()

    def action_clear(self) -> None:
        """Empty the command line."""
        self.query_one(Input).value = ""


def _lines(lines: list[str]) -> Text:
    text = Text.from_ansi(painted("\n".join(printable(one) for one in lines)))
    text.no_wrap = True
    return text


_MAPS: dict[int, Any] = {}  # by identity of the recording, of which the last is kept


def _credit_map(rec: Recording, step: int | None) -> Text:
    from micrornn.flow.credit import credit

    if len(rec.losses) * max(len(rec.steps), 1) > LARGEST_MAP:
        return Text(
            f"{len(rec.losses):,} losses over {len(rec.steps):,} steps: see micrornn flow --view credit"
        )
    if _MAPS.get(0) is not rec:
        try:
            _MAPS.update({0: rec, 1: credit(rec)})
        except RecordingError as error:
            _MAPS.update({0: rec, 1: str(error)})
    found = _MAPS[1]
    return Text(found) if isinstance(found, str) else heat.credit(found, step)


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
