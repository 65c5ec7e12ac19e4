"""What a command is, and how one is found by what was typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.state import State


@dataclass(frozen=True)
class Effect:
    """Something that a command wants done outside: a file written, a picture drawn.

    Attributes:
        kind: save, render or export.
        path: the file.
    """

    kind: str
    path: str


@dataclass
class Outcome:
    """What a command came to.

    Attributes:
        state: the new state; None for the old one.
        lines: the answer as text.
        data: the answer as plain values, for JSON.
        kind: "stop" where the cursor was moved, else "answer".
        effect: what the terminal, editor or script is asked to do.
        leave: whether to leave the debugger.
    """

    state: State | None = None
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    kind: str = "answer"
    effect: Effect | None = None
    leave: bool = False

    @property
    def text(self) -> str:
        """The answer in one piece."""
        return "\n".join(self.lines)


Handler = Callable[[Cursor, str], Outcome]


class Command(NamedTuple):
    """A command of the debugger.

    Attributes:
        name: in full.
        aliases: other ways to write it.
        group: move, stop, look, change or other.
        usage: how it is written.
        example: one that works.
        takes: what is completed behind it: nodes, stops, expressions, commands, files, ...
        run: does it.
    """

    name: str
    aliases: tuple[str, ...]
    group: str
    usage: str
    example: str
    takes: str
    run: Handler

    @property
    def explanation(self) -> str:
        """What it does, as its function says."""
        return (self.run.__doc__ or "").strip()


COMMANDS: dict[str, Command] = {}
# What pdb and gdb have and this debugger has not, with what does the same here.
ELSEWHERE = {
    **{
        "up": "info node shows what was computed from a node",
        "down": "print NAME shows a node's inputs",
    },
    **{"ll": "list 1 20 shows the first turns", "longlist": "list 1 20 shows the first turns"},
    **{"a": "info params lists the parameters", "args": "info params lists the parameters"},
    **{
        "alias": "give several commands in one line with ;;",
        "commands": "use display for what to show at a stop",
    },
    **{"source": "start with micrornn debug SOURCE -x FILE", "apropos": "help lists all commands"},
    **{
        "interact": "print evaluates expressions; see help expressions",
        "frame": "goto NAME moves the cursor",
    },
    **{},
}
NAMES: dict[str, str] = {}  # every name and alias -> the name


def command(
    name: str, *aliases: str, group: str, usage: str = "", example: str = "", takes: str = ""
) -> Callable[[Handler], Handler]:
    """Declare a command; its explanation is the function's docstring."""

    def keep(run: Handler) -> Handler:
        made = Command(name, aliases, group, usage or name, example or usage or name, takes, run)
        COMMANDS[name] = made
        for one in (name, *aliases):
            NAMES[one] = name
        return run

    return keep


def find(word: str) -> Command:
    """The command of that name, alias, or unmistakable beginning.

    Raises:
        DebuggerError: there is none; says which may have been meant.

    >>> from micrornn.debug import commands
    >>> find("conti").name, find("rs").name
    ('continue', 'reverse-step')
    >>> find("setp")
    Traceback (most recent call last):
    micrornn.debug.errors.DebuggerError: there is no command 'setp'; did you mean 'set' or 'step'? ...
    """
    if word in NAMES:
        return COMMANDS[NAMES[word]]
    if word in ELSEWHERE:
        raise DebuggerError(f"there is no command {word!r} here; {ELSEWHERE[word]}")
    begun = sorted({NAMES[name] for name in NAMES if name.startswith(word)})
    if len(begun) == 1:
        return COMMANDS[begun[0]]
    if begun:
        raise DebuggerError(f"{word!r} may be {', '.join(begun)}; write more of it")
    close = get_close_matches(word, [name for name in NAMES if len(name) > 2], 2)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise DebuggerError(f"there is no command {word!r}{hint} (help lists them all)")
