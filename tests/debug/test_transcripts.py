"""A transcript for every command: what is answered, stored and reviewed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import COMMANDS
from micrornn.debug.session import Session
from micrornn.recording import Recording
from viz.terminal.line import LineDebugger

#: For each command, the run it is shown on, and the lines; a line that is refused is part of it.
SCRIPTS: dict[str, tuple[str, list[str]]] = {
    "step": ("loop", ["step", "step 3", "step x", "", "step 100", "step"]),
    "reverse-step": ("loop", ["step 5", "rs", "", "rs 100", "rs"]),
    "next": ("loop", ["next", "next", "next 2", "n 50"]),
    "reverse-next": ("loop", ["goto h[2]", "rn", "rn", "rn 9"]),
    "finish": ("lstm", ["until sigmoid", "finish", "finish cell", "finish layer", "finish up"]),
    "reverse-finish": ("lstm", ["goto h[2]", "rf", "rf layer"]),
    "until": ("loop", ["until t=2", "until norm < 0.1", "until tanh", "until t=4", "until t=9"]),
    "reverse-until": ("loop", ["goto end", "ru t=3", "ru tanh", "ru nan"]),
    "continue": ("loop", ["break h[2]", "continue", "c", "c"]),
    "reverse-continue": ("loop", ["break tanh", "goto end", "rc", "rc", "delete", "rc"]),
    "goto": (
        "loop",
        ["goto 3", "goto h[1]", "goto end", "goto 99", "goto w", "goto", "goto start"],
    ),
    "run": ("loop", ["goto 9", "break tanh", "run", "delete", "run"]),
    "restart": ("loop", ["goto 9", "restart"]),
    "direction": (
        "loop",
        ["goto h[2]", "direction forward", "n", "direction", "dir up", "dir back"],
    ),
    "break": (
        "lstm",
        [
            *(
                "break sigmoid",
                "break t=2",
                "break lstm.0/forget",
                "break forget gate",
                "break c[1]",
            ),
            *("break W_hh", "break #30", "break nan", "break norm < 1e-2", "break vanish 0.01"),
            *(
                "break explode 1",
                "break tanh if t = 2 and sign != mixed",
                "break if zero",
                "break c",
            ),
            *("break t=9", "break sigmod", "break norm < big", "break nrom < 1", "break tanh < 1"),
            *("break vanish -1", "break net.py:3", "break norm <", "break norm < 1 and", "break"),
        ],
    ),
    "tbreak": (
        "loop",
        ["tbreak tanh", "c", "c", "info breakpoints", "tbreak tanh 2", "run", "tb tanh x 2"],
    ),
    "watch": ("loop", ["watch w.grad", "c", "c", "rc", "rc", "watch h[0].grad", "watch"]),
    "condition": (
        "loop",
        ["break tanh", "condition 1 t < 3", "c", "condition 1", "info b", "condition 7 t < 3"],
    ),
    "ignore": ("loop", ["break tanh", "ignore 1 2", "c", "info b", "ignore 1"]),
    "enable": ("loop", ["break tanh", "disable 1", "enable 1", "c", "enable 4"]),
    "disable": ("loop", ["break tanh", "break t=1", "disable", "info b", "c"]),
    "delete": ("loop", ["break tanh", "break t=1", "delete 1", "delete 1", "delete", "delete"]),
    "where": ("lstm", ["until sigmoid", "where", "goto end", "where"]),
    "list": ("loop", ["step 4", "list", "list 10", "list 2,4", "list 90", "list up"]),
    "print": (
        "rnn",
        [
            *("goto h[3]", "print h[3]", "print h[3].grad", "print W_hh.grad[0, :2]", "print #3"),
            *("print grad", "print value.max", "print sent", "print sent[0][1]", "print h[2].grad"),
            *("print norm(h[3].grad) / norm(h[4].grad)", "print -2 * (1 + 0.5)", "print node.op"),
            *("print rnn.0/h[2].value[0]", "print h3.t", "print W_hh[0]", "print h[3].gard"),
            *(
                "print h[99]",
                "print hh",
                "print h[3].grad[7]",
                "print sin(1)",
                "print 1 +",
                "print",
            ),
            *(
                "print h[3].source + 1",
                "print h[3].grad + W_hh",
                "print sent[5]",
                "print $",
                "goto end",
            ),
            *("print grad", "print x[1].grad", "print W_hh.grad.norm", "print __class__"),
        ],
    ),
    "display": (
        "loop",
        ["display w.grad", "display h[1].grad", "n", "c", "display", "display 1 +"],
    ),
    "undisplay": ("loop", ["display w.grad", "undisplay 3", "undisplay 1", "step", "undisplay"]),
    "info": (
        "lstm",
        [
            *(
                "goto c[2]",
                "info",
                "info params",
                "info gates",
                "info steps",
                "info losses",
                "info node",
            ),
            *(
                "info node c[1]",
                "info breakpoints",
                "info displays",
                "info ops",
                "info scopes",
                "info x",
            ),
        ],
    ),
    "history": ("loop", ["step", "break tanh", "c", "history", "history 2", "history x"]),
    "contrib": ("rnn", ["goto h[3]", "contrib W_hh", "contrib h[2]", "contrib x[1]", "contrib"]),
    "ledger": ("lstm", ["ledger W_hh", "ledger c[1]", "ledger"]),
    "why": ("loop", ["why h[1]", "why w", "why h[0]", "why h[7]", "why"]),
    "path": (
        "loop",
        ["path h[1]", "path L3 h1", "path loss[2] w", "path L1 h[3]", "path L9 h1", "path"],
    ),
    "jacobian": (
        "rnn",
        ["jacobian h[3]", "goto h[2]", "jacobian", "jacobian h[0]", "jacobian W_hh"],
    ),
    "check": (
        "rnn",
        ["goto h[3]", "check", "check h[1]", "step", "check", "check W_hh", "goto end", "check"],
    ),
    "set": (
        "loop",
        [
            *(
                "set grad h[2] = 0",
                "goto h[2]",
                "print grad",
                "set grad h[4] = 1",
                "set grad w = 1",
            ),
            *("set grad h[0] = 1", "set grad h[1] = h[2].grad * 2", "set h", "set grad h[1] = abc"),
        ],
    ),
    "scale": (
        "loop",
        ["scale grad h[3] by 10", "goto h[3]", "scale h[2] 2", "scale h[2]", "branches"],
    ),
    "clip": ("rnn", ["clip grad h[3] to 0.1", "goto h[3]", "clip grad h[2] to -1", "clip"]),
    "branches": ("loop", ["branches", "set grad h[2] = 0", "branches"]),
    "switch": (
        "loop",
        ["set grad h[2] = 0", "goto h[1]", "switch main", "print grad", "switch other", "switch"],
    ),
    "diff": (
        "rnn",
        ["diff", "set grad h[3] = 0", "diff", "diff main", "switch main", "diff", "diff x"],
    ),
    "save": ("loop", ["save run.mrn", "save run.txt", "save"]),
    "render": ("loop", ["render now.svg", "render now.bmp", "render"]),
    "page": ("loop", ["page now.html", "goto h[2]", "page now.html", "page now.svg", "page"]),
    "export": (
        "loop",
        [
            *("export turns.csv", "export turns", "export", "goto h[2]", "export pytest"),
            *("export pytest test_w.py w", "export pytest 3 4", "export pytest q"),
        ],
    ),
    "up": (
        "rnn",
        [
            *("goto h[3]", "up", "up", "down", "down", "frame", "up loss[3]", "up h[1]", "up 99"),
            *("up", "print grad.norm", "step", "frame", "up x y"),
        ],
    ),
    "down": (
        "rnn",
        ["goto h[3]", "down", "down", "down W_hh", "down", "up", "frame 0", "down 99", "down -1"],
    ),
    "frame": (
        "loop",
        ["goto h[2]", "frame", "down", "frame", "frame 0", "frame 3", "goto end", "frame"],
    ),
    "args": ("rnn", ["goto h[3]", "args", "down", "a", "goto end", "a"]),
    "longlist": ("loop", ["goto h[3]", "ll", "goto end", "ll"]),
    "whatis": (
        "rnn",
        ["whatis h[3]", "whatis W_hh.value[0]", "whatis value.max", "whatis", "whatis q"],
    ),
    "alias": (
        "loop",
        [
            *("alias", "alias both step %1 ;; print %2.value", "both 2 h1", "alias both", "alias"),
            *("alias loop loop", "loop", "alias x", "alias alias step", "alias %1 step"),
        ],
    ),
    "unalias": ("loop", ["alias s2 step 2", "s2", "unalias s2", "s2", "unalias s2", "unalias"]),
    "dprintf": (
        "loop",
        [
            *("dprintf tanh, step {t}: norm {norm}, {h[2].grad} {what}", "continue", "rc"),
            *("dprintf", "dprintf tanh", "dprintf nothing, {t}"),
        ],
    ),
    "commands": (
        "loop",
        [
            *("break tanh", "commands 1", "silent", "print node.grad.norm", "continue", "end", "c"),
            *(
                "goto start",
                "commands 1 print nothing ;; continue",
                "c",
                "commands 1",
                "end",
                "run",
            ),
            *("commands 7", "commands x", "end", "silent"),
        ],
    ),
    "source": ("loop", ["source", "source checks.txt"]),
    "apropos": ("loop", ["apropos watch", "apropos zebra", "apropos"]),
    "help": ("loop", ["help", "help break", "help s", "help expressions", "help setp"]),
    "tutorial": ("loop", ["help tutorial"]),
    "quit": ("loop", ["quit", "stpe", "re", "# a remark", "q"]),
}


def test_every_command_has_a_transcript() -> None:
    assert sorted(SCRIPTS) == sorted(COMMANDS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_transcript(
    name: str,
    recorded: Callable[[str], Recording],
    told: Callable[[Session, Sequence[str]], str],
    golden: Callable[[str, str], None],
) -> None:
    run, commands = SCRIPTS[name]
    golden(f"debug/{name}.txt", told(Session(recorded(run)), commands))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example_that_works(
    name: str, recorded: Callable[[str], Recording]
) -> None:
    one = COMMANDS[name]
    assert one.explanation, "it has no docstring"
    session = Session(recorded("rnn"))
    for line in (
        "goto h[3]",
        "break tanh",
        "display grad",
        "set grad h[2] = 0",
        "switch main",
        "alias pg where",
    ):
        session.execute(line)
    session.execute(f"help {name}")
    if name == "reverse-until":
        session.execute("goto end")
    session.execute(one.example)


def test_no_answer_is_wider_than_80_columns_or_the_terminal(
    recorded: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in (80, 50):
        monkeypatch.setenv("COLUMNS", str(width))
        for run, commands in SCRIPTS.values():
            out = io.StringIO()
            debugger = LineDebugger(Session(recorded(run), "a run"), out)
            debugger.greet(True)
            for command in commands:
                with suppress(DebuggerError):
                    outcome = debugger.session.execute(command)
                    debugger.answer(command, outcome)
            wide = [line for line in out.getvalue().splitlines() if len(line) > width]
            assert wide == []
