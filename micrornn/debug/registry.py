"""What a command is, and how one is found by what was typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.state import State


@dataclass(frozen=True)
class Effect:
    """Something that a command wants done outside: a file written, a picture drawn.

    Attributes:
        kind: save, render, export, page, write (the text in ``data``), source or tutorial.
        path: the file.
        data: what else is needed, as plain values.
    """

    kind: str
    path: str
    data: Any = None


@dataclass
class Outcome:
    """What a command came to.

    Attributes:
        state: the new state; None for the old one.
        lines: the answer as text.
        data: the answer as plain values, for JSON.
        kind: "stop" where the cursor was moved, else "answer".
        effects: what the terminal, editor or script is asked to do, in this order.
        leave: whether to leave the debugger.
    """

    state: State | None = None
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    kind: str = "answer"
    effects: tuple[Effect, ...] = ()
    leave: bool = False

    @property
    def text(self) -> str:
        """The answer in one piece."""
        return "\n".join(self.lines)


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Several answers as one: all lines and effects, and otherwise the last one."""
    last = outcomes[-1]
    last.lines = [line for one in outcomes for line in one.lines]
    last.effects = tuple(effect for one in outcomes for effect in one.effects)
    last.leave = any(one.leave for one in outcomes)
    return last


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
# What pdb and gdb have and this debugger has not, and what to type here instead.
ELSEWHERE = {
    "interact": "print evaluates expressions; see help expressions",
    "retval": "print sent shows what this pullback sends",
    "rv": "print sent shows what this pullback sends",
    "end": "it closes the commands of a breakpoint, which commands N begins",
    "silent": "it stands first among the commands of a breakpoint, which commands N begins",
    "shell": "leave with quit, or use another terminal",
    "call": "print evaluates expressions; see help expressions",
    "x": "print evaluates an expression (print 1/0), print NAME.value[0, :4] shows part of an array",
    "thread": "a backward pass has one thread",
    "attach": "start with micrornn debug SOURCE, or mr.debug(loss) in the program",
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
        raise DebuggerError(f"there is no command {word!r} here: {ELSEWHERE[word]}")
    begun = sorted({NAMES[name] for name in NAMES if name.startswith(word)})
    if len(begun) == 1:
        return COMMANDS[begun[0]]
    if begun:
        raise DebuggerError(f"{brief(word)} may be {', '.join(begun)}; write more of it")
    close = get_close_matches(word[:40], [name for name in NAMES if len(name) > 2], 2)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise DebuggerError(f"there is no command {brief(word)}{hint} (help lists them all)")
