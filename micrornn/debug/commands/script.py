"""Commands about commands: aliases, the commands of a breakpoint, files of commands, and a search."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.registry import COMMANDS, NAMES, Effect, Outcome, command
from micrornn.debug.state import State

MOST = 100  # commands of one breakpoint


@command("alias", group="other", usage="alias [NAME [LINE]]", example="alias pg print %1.grad.norm")
def alias(cursor: Cursor, text: str) -> Outcome:
    """Give a line a name of its own; %1, %2 stand for the words behind the name, %* for all of them.

    The line may hold several commands with ;; between them. Without arguments, list the aliases.
    """
    known = dict(cursor.state.aliases)
    name, _, line = text.partition(" ")
    if not text:
        lines = [f"{one} = {meant}" for one, meant in known.items()]
        return Outcome(lines=lines or ["no aliases yet; for example: alias pg print %1.grad.norm"])
    if not line.strip():
        if name not in known:
            raise DebuggerError(f"there is no alias {brief(name)}; write alias NAME LINE")
        return Outcome(lines=[f"{name} = {known[name]}"])
    if name in ("alias", "unalias") or not re.fullmatch(r"[A-Za-z_][\w-]*", name):
        raise DebuggerError(f"{brief(name)} cannot be an alias; choose a word of letters")
    known[name] = line.strip()
    return Outcome(
        replace(cursor.state, aliases=tuple(known.items())), [f"{name} = {line.strip()}"]
    )


@command("unalias", group="other", usage="unalias NAME", example="unalias pg")
def unalias(cursor: Cursor, text: str) -> Outcome:
    """Forget an alias."""
    known = dict(cursor.state.aliases)
    if text not in known:
        have = ", ".join(known) or "none yet"
        raise DebuggerError(f"there is no alias {brief(text)}; there are: {have}")
    del known[text]
    return Outcome(
        replace(cursor.state, aliases=tuple(known.items())), [f"no longer an alias: {text}"]
    )


def expanded(text: str, aliases: Mapping[str, str]) -> str:
    """A line with the aliases it begins with written out; each is used once, so that none goes on for ever.

    >>> expanded("pg h[1]", {"pg": "p %1.grad.norm", "p": "print"})
    'p h[1].grad.norm'
    >>> expanded("both 1 2", {"both": "step %1 ;; list %2"})
    'step 1 ;; list 2'
    """
    words = text.split()
    if not words or words[0] not in aliases:
        return text
    line, given = aliases[words[0]], words[1:]
    if "%" not in line:
        return " ".join([line, *given])
    line = line.replace("%*", " ".join(given))
    found = re.sub(r"%([1-9])", lambda m: " ".join(given[int(m[1]) - 1 : int(m[1])]), line)
    return found.strip()


@command("commands", group="stop", usage="commands [N] [LINE]", example="commands 1")
def commands(cursor: Cursor, text: str) -> Outcome:
    """Carry out commands at every stop of breakpoint N, or of the last one; type them, then end.

    silent, as the first, prints nothing of the stop itself. A move among them (continue) is the last that is
    carried out. In one line, of the last one: commands print grad.norm ;; continue
    """
    word = text.partition(" ")[0]
    if not text or word == "silent" or word in dict(cursor.state.aliases) or word in NAMES:
        if not cursor.state.stops:
            raise DebuggerError("commands for which breakpoint? None is set yet; write break tanh")
        text = f"{cursor.state.stops[-1].number} {text}"
    number, _, rest = text.partition(" ")
    if not re.fullmatch(r"\d{1,9}", number):
        raise DebuggerError(
            f"{brief(number)} is neither a breakpoint's number nor a command; write commands 1"
        )
    one = cursor.state.stop(int(number))
    if rest.strip():
        lines = tuple(
            part.strip() for part in rest.split(";;") if part.strip() and part.strip() != "end"
        )
        new = cursor.state.with_stop(replace(one, commands=lines))
        return Outcome(new, [f"at breakpoint {one.number}: {' ;; '.join(lines) or 'nothing'}"])
    new = replace(cursor.state.with_stop(replace(one, commands=())), collecting=one.number)
    return Outcome(new, [f"type the commands for breakpoint {one.number}, one a line, then end"])


def collect(cursor: Cursor, text: str) -> Outcome:
    """Keep one line for the breakpoint whose commands are being typed; ``end`` is the last."""
    state = cursor.state
    one = state.stop(state.collecting)
    if text in ("end", "EOF") or len(one.commands) >= MOST:
        many = len(one.commands)
        words = f"{many} command{'s' if many != 1 else ''} at breakpoint {one.number}"
        return Outcome(replace(state, collecting=0), [words])
    if not text:
        return Outcome()
    return Outcome(state.with_stop(replace(one, commands=(*one.commands, text))))


def commands_of(before: State, outcome: Outcome) -> list[str]:
    """The commands of the breakpoints that a move stopped at; the state before has the temporary ones."""
    reasons = outcome.data.get("reasons") or () if outcome.kind == "stop" else ()
    numbers = [one.get("breakpoint", one.get("watch")) for one in reasons]
    return [line for one in before.stops if one.number in numbers for line in one.commands]


@command("source", group="other", usage="source FILE", example="source checks.txt", takes="files")
def source(cursor: Cursor, text: str) -> Outcome:
    """Carry out the commands in a file; the first that is refused ends it."""
    path = text.strip().strip("'\"")
    if not path:
        raise DebuggerError("which file of commands? For example: source checks.txt")
    return Outcome(effects=(Effect("source", path),))


@command("apropos", group="other", usage="apropos WORD", example="apropos norm")
def apropos(cursor: Cursor, text: str) -> Outcome:
    """List the commands whose explanation holds a word."""
    if not text:
        raise DebuggerError("about what? For example: apropos norm")
    word = text.lower()
    lines = []
    for one in COMMANDS.values():
        if word in f"{one.name} {' '.join(one.aliases)} {one.usage} {one.explanation}".lower():
            lines.append(f"{one.name:16} {one.explanation.splitlines()[0]}")
    return Outcome(lines=lines or [f"no command is about {brief(text)}; help lists them all"])
