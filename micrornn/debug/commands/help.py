"""Help, and the way out."""

from __future__ import annotations

import inspect

from micrornn.debug.cursor import Cursor
from micrornn.debug.registry import COMMANDS, Command, Effect, Outcome, command, find

GROUPS = {
    "move": "moving (each with its mirror: rs rn rf ru rc)",
    "stop": "stopping",
    "look": "looking",
    "change": "what if",
    "other": "other",
}

# The modules in the order in which help lists their commands, whichever was imported first.
MODULES = ("move", "stop", "look", "frame", "info", "flow", "change", "help", "out", "script")

EXPRESSIONS = """\
Conditions, for break, tbreak, until, condition and watch:
  norm < 1e-6            the gradient that arrived: norm, max (largest element),
                         sign (+ - ± 0)
  share > 0.1            the share of a parameter's gradient that this one sends
  t >= 3   op = tanh   scope = lstm.0   name = h
  nan   inf   zero       what the gradient holds
  recomputed             a checkpoint did not keep the node
  and  or  not  ( )      t = 3 and not (norm < 1e-3 or op = add)

Values, for print and display:
  h[3]  W_hh  #12        a node: by name and step, by name, by number
  lstm.0/h[3]  'a b'     behind its scope; in quotes when there are blanks
  node grad value sent   of the node whose turn it is
  .grad .value .sent     of any node; then [0, :4] for a part
  .norm .max .min .mean .sum .abs .shape .sign .op .scope .t .source
  norm(x)  + - * /       arithmetic; write blanks around /"""

PITCH = """\
The program you are stepping through is the backward pass: from the loss back to the weights.
  step (s) sends one gradient on, rs takes it back; next (n) goes to the next time step.
  break norm < 1e-6, then continue (c): stops where the gradient has become small. why h[1] says why.
  tutorial walks you through a vanishing gradient; help lists all commands; quit (q) leaves."""


@command(
    "help", "h", "?", group="other", usage="help [COMMAND]", example="help break", takes="commands"
)
def help(cursor: Cursor, text: str) -> Outcome:
    """List the commands, or explain one; help expressions explains conditions and values."""
    if not text:
        lines = []
        for group, title in GROUPS.items():
            found = sorted((one for one in COMMANDS.values() if one.group == group), key=_rank)
            names = [_short(one) for one in found]
            lines += [f"{title}:", *_wrapped(names)]
        lines.append(
            "help COMMAND explains one; help expressions: conditions and values. A blank line repeats."
        )
        return Outcome(lines=lines)
    if text.startswith("expr"):
        return Outcome(lines=EXPRESSIONS.splitlines())
    one = find(text)
    body = flowing(inspect.cleandoc(one.explanation))
    lines = [one.usage, *("  " + line if line else "" for line in body)]
    if one.aliases:
        lines.append(f"  short: {', '.join(one.aliases)}")
    lines.append(f"  example: {one.example}")
    return Outcome(
        lines=lines, data={"command": one.name, "usage": one.usage, "example": one.example}
    )


def flowing(text: str) -> list[str]:
    """Paragraphs as one line each, for whoever prints them to wrap; what stands in columns stays.

    >>> flowing("one\\ntwo\\n\\na  b\\nc  d")
    ['one two', '', 'a  b', 'c  d']
    """
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        own = paragraph.splitlines()
        lines += ["", *(own if "  " in paragraph.strip() else [" ".join(own)])]
    return lines[1:]


def _rank(one: Command) -> int:
    return MODULES.index(one.run.__module__.rpartition(".")[2])


def _short(one: Command) -> str:
    short = min(one.aliases, key=len, default="")
    return f"{one.name} ({short})" if short and len(short) < 3 else one.name


def _wrapped(words: list[str]) -> list[str]:
    lines = [" "]
    for word in words:
        if len(lines[-1]) + len(word) > 76:
            lines.append(" ")
        lines[-1] += f" {word}"
    return lines


@command("quit", "q", "exit", group="other", example="quit")
def quit(cursor: Cursor, text: str) -> Outcome:
    """Leave the debugger."""
    return Outcome(leave=True)


@command("tutorial", group="other", example="tutorial")
def tutorial(cursor: Cursor, text: str) -> Outcome:
    """Walk through a vanishing gradient, command by command, on a small run of its own."""
    return Outcome(effects=(Effect("tutorial", ""),))
