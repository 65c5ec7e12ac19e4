"""The line debugger: through a real pseudo-terminal, in scripts, as JSON, and where there is no terminal."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import micrornn as mr
from micrornn.debug.capture import capture
from micrornn.debug.commands import move
from micrornn.debug.complete import completions
from micrornn.debug.errors import DebuggerError
from micrornn.debug.session import Session
from micrornn.recording import Recording, load_recording, record
from viz.terminal.line import LineDebugger, ScriptError

ROOT = Path(__file__).resolve().parent.parent.parent
START = "import cli; cli.main(prog_name='micrornn')"

NET = """
import numpy as np
import micrornn as mr

w = mr.Value(0.5, "w")

def loss():
    h = mr.tensor(1.0, name="h")
    for t in range(1, 4):
        with mr.scope(t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    return h

def training():
    x = mr.Value(3.0, "x")
    for i in range(5):
        with mr.scope(t=i + 1):
            y = mr.log(x - float(i))
        y.backward()

def fine():
    return None
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run("hello", "--batch")`` runs the command as a program of its own."""

    def start(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder)}
        program = [sys.executable, "-c", START, "debug", *arguments]
        return subprocess.run(
            program,
            cwd=folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return start


# ------------------------------------------------------------------------------------- a terminal


@pytest.fixture(params=["prompt_toolkit", "readline"])
def terminal(request: pytest.FixtureRequest, folder: Path) -> Iterator[Callable[..., object]]:
    """``terminal("hello")`` starts the command in a pseudo-terminal, with either library for lines."""
    pexpect = pytest.importorskip("pexpect")
    if request.param == "prompt_toolkit":
        pytest.importorskip("prompt_toolkit")
    started = []

    def start(*arguments: str, **environment: str) -> object:
        hidden = (
            "" if request.param == "prompt_toolkit" else "sys.modules['prompt_toolkit'] = None; "
        )
        program = ["-c", f"import sys; {hidden}{START}", "debug", *arguments]
        settings = {
            **os.environ,
            **{"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder), "TERM": "xterm"},
            **{"PROMPT_TOOLKIT_NO_CPR": "1"},
            **environment,
        }
        settings.pop("NO_COLOR", None) if "NO_COLOR" not in environment else None
        child = pexpect.spawn(
            sys.executable,
            program,
            cwd=folder,
            env=settings,
            encoding="utf-8",
            timeout=300,  # only a program that hangs takes as long
            dimensions=(40, 160),
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def answer(child: Any, line: str, prompt: str = r"\(debug\)") -> None:
    """Type a line once the prompt is there: what is typed earlier, Ctrl-C and readline may discard."""
    child.expect(prompt)
    child.sendline(line)


def test_a_new_user_in_a_terminal(terminal: Callable[..., Any]) -> None:
    child = terminal("hello", NO_COLOR="1")
    child.expect("the backward pass: from the loss back")  # the orientation
    child.expect("pullback 1 of 26")
    answer(child, "step")
    child.expect("pullback 2 of 26")
    answer(child, "")  # repeats
    child.expect("pullback 3 of 26")
    answer(child, "setp")
    child.expect("did you mean 'set' or 'step'")
    child.expect(r"\(debug\)")
    child.sendcontrol("c")  # drops the line, stays
    answer(child, "rc")
    child.expect("the beginning of the backward pass")
    child.expect(r"\(debug\)")
    child.send("rest\t")
    child.expect("restart")
    child.send("\r")
    child.expect("pullback 1 of 26")
    answer(child, "tutorial")
    child.expect("try: where")
    answer(child, "", prompt=r"\(tutorial\)")
    child.expect("step 50")
    answer(child, "q", prompt=r"\(tutorial\)")
    child.expect(r"\(debug\)")
    child.sendcontrol("d")
    child.expect_exact(__import__("pexpect").EOF)
    child.wait()
    assert child.exitstatus == 0
    again = terminal("hello", NO_COLOR="1")
    again.expect("pullback 1 of 26")
    assert "from the loss back to the weights" not in again.before
    answer(again, "q")
    again.expect_exact(__import__("pexpect").EOF)


def test_a_terminal_is_coloured_unless_told_not_to(terminal: Callable[..., object]) -> None:
    child = terminal("hello", "-ex", "break tanh", "-ex", "continue", "--batch")
    child.expect_exact(__import__("pexpect").EOF)
    assert "\x1b[33mbreakpoint 1\x1b[0m" in child.before
    plain = terminal("hello", "-ex", "break tanh", "-ex", "continue", "--batch", NO_COLOR="1")
    plain.expect_exact(__import__("pexpect").EOF)
    assert "breakpoint 1: tanh" in plain.before
    assert "\x1b[3" not in plain.before


# ---------------------------------------------------------------------------------------- scripts


def test_scripts_commands_and_pipes_say_the_same(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    (folder / "commands").write_text(
        "# to the first step\nbreak t=1\n\ncontinue\n", encoding="utf-8"
    )
    by_file = run("net.py:loss", "-x", "commands", "--batch")
    by_option = run("net.py:loss", "-ex", "break t=1", "-ex", "continue", "--batch")
    by_pipe = run("net.py:loss", stdin="break t=1\ncontinue\n")
    assert by_file.returncode == by_option.returncode == by_pipe.returncode == 0, by_file.stderr
    assert by_file.stdout == by_option.stdout == by_pipe.stdout
    assert "breakpoint 1: t=1" in by_file.stdout


def test_json_is_one_object_for_each_answer(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run(
        "net.py:loss", "--json", "-ex", "watch w.grad", "-ex", "c", "-ex", "print w", "--batch"
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["kind"] for one in found] == ["stop", "answer", "stop", "answer"]
    assert found[2]["reasons"][0]["contributor"] == "mul[3]"
    assert found[2]["node"]["source"][0].endswith("net.py")
    assert found[3]["data"]["value"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["helo"], "no source 'helo'; did you mean 'hello'?"),
        (["net.py:lose"], "net.py has no 'lose'"),
        (["net.py:w"], "a tensor without a history"),
        (["gone.mrn"], "no file gone.mrn; give a recording"),
        (["net.mrn"], "net.mrn"),
        (["hello", "-x", "gone"], "no file gone; give a file of debugger commands"),
        (
            ["hello", "-ex", "stpe", "--batch"],
            "-ex: stpe: there is no command 'stpe'; did you mean 'step'?",
        ),
        (["hello", "-ex", "save no/where.mrn", "--batch"], "no folder no; make it first"),
        (["hello", "--port", "1"], "--port needs --dap"),
        (["hello", "--cell", "lsmt"], "'lsmt'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    run: Callable[..., subprocess.CompletedProcess[str]],
    folder: Path,
    arguments: list[str],
    complaint: str,
) -> None:
    (folder / "net.mrn").write_text("no recording", encoding="utf-8")
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_broken_script_names_its_line(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    (folder / "commands").write_text("step\nbreak nowhere\nstep\n", encoding="utf-8")
    done = run("hello", "-x", "commands", "--batch")
    assert done.returncode == 2
    assert "commands, line 2: break nowhere: nothing in this run is called 'nowhere'" in done.stderr
    assert done.stdout.count("(debug) step") == 1


def test_what_is_saved_can_be_opened_and_shown(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    words = ["set grad h[2] = 0", "goto h[2]", "save cut.mrn", "render now.svg", "export turns.csv"]
    done = run(
        "net.py:loss",
        *(x for word in words for x in ("-ex", word)),
        "-ex",
        "export turns.json",
        "--batch",
    )
    assert done.returncode == 0, done.stderr
    assert load_recording(folder / "cut.mrn").gradient("h[2]") == 0
    assert "before pullback 3 of 6" in (folder / "now.svg").read_text(encoding="utf-8")
    rows = (folder / "turns.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 7
    assert len(json.loads((folder / "turns.json").read_text(encoding="utf-8"))) == 6
    again = run("cut.mrn", "-ex", "goto h[2]", "-ex", "where", "--batch")
    assert "gradient: norm exactly 0" in again.stdout
    assert "net.py:11: h = mr.tanh(w * h)" in again.stdout


# ----------------------------------------------------------------------------------- from programs


def test_a_failing_training_is_stopped_where_it_fails_and_the_step_is_kept(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    done = run("net.py:training", "--post-mortem", "--batch", "-ex", "where")
    assert done.returncode == 1, done.stderr
    assert "saved the failed step in net-failed.mrn" in done.stderr
    assert "log(sub[4])  t=4" in done.stdout
    assert "y = mr.log(x - float(i))" in done.stdout
    rec = load_recording(folder / "net-failed.mrn")
    assert rec.nodes[-1].step == 4
    assert run("net.py:fine", "--post-mortem").stderr == "net.py:fine: nothing failed\n"


def test_without_a_terminal_one_is_told_what_to_do(session: Session) -> None:
    with pytest.raises(RuntimeError, match=r"micrornn debug FILE\.py:NAME"):
        mr.debug(mr.tanh(mr.Value(0.5)))
    with pytest.raises(RuntimeError, match="no terminal here"), mr.debugging():
        mr.tanh(mr.Value(0.5)).backward()
    with pytest.raises(RuntimeError, match="no terminal here"), mr.debugging(stop_on="nan"):
        mr.Value(0.0) / 0.0
    with mr.debugging(stop_on="nan"):
        mr.tanh(mr.Value(0.5)).backward()
    with pytest.raises(ValueError, match="stop_on"), mr.debugging(stop_on="inf"):
        pass


def test_a_program_that_opens_the_debugger_reads_commands_from_a_pipe(folder: Path) -> None:
    program = "import micrornn as mr; mr.debug(mr.tanh(mr.Value(0.5, 'w') * 2.0)); print('after')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        **{"cwd": folder, "env": environment, "input": "step\nup\nq\n"},
        **{"capture_output": True, "text": True, "timeout": 60},
    )
    assert "frame #4 tanh(mul)" in done.stdout, done.stderr
    assert done.stdout.endswith("after\n")


def test_a_long_training_is_not_kept_whole() -> None:
    w = mr.Value(1.0, "w")
    with capture(trap=True, keep_all=False) as caught:
        for _ in range(50):
            mr.tanh(w * 2.0).backward()
        mr.sqrt(w * 0.0).backward()
    assert caught.error is not None
    assert len(caught.made) == 1
    assert [p.node.primitive.name for p in caught.stream if p.node.primitive] == ["sqrt"]
    assert Session(caught.recording()).line.columns.op.tolist() == ["sqrt"]


# ------------------------------------------------------------------------------------- the window


def test_an_interrupt_stops_a_command_and_nothing_else(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    debugger = LineDebugger(session, out)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(move, "travel", interrupted)
    assert debugger.do("continue") is False
    assert "interrupted" in out.getvalue()
    monkeypatch.undo()
    debugger.do("step")
    assert session.state.position == 1


def test_an_interrupt_between_two_commands_drops_the_line_only(session: Session) -> None:
    class Impatient:
        interactive = True
        lines = iter(["step", KeyboardInterrupt, "step", EOFError])

        def read(self, prompt: str) -> str:
            line = next(self.lines)
            if isinstance(line, str):
                return line
            raise line

    LineDebugger(session, io.StringIO()).interact(Impatient())
    assert session.state.position == 2


def test_the_tutorial_is_played_through_where_nobody_answers(
    session: Session, golden: Callable[[str, str], None]
) -> None:
    out = io.StringIO()
    LineDebugger(session, out).do("tutorial")
    text = re.sub(
        r"\s*\(?\S*failures\.py:\d+(\)|: .*)", "", out.getvalue()
    )  # wherever the checkout is
    golden("debug/the tutorial.txt", text)


def test_a_refused_line_of_a_script_is_an_error(session: Session) -> None:
    with pytest.raises(ScriptError, match="-ex: goto 99"):
        LineDebugger(session, io.StringIO()).run_script([("-ex", "goto 99")])


def test_completion_knows_commands_names_steps_scopes_and_branches(
    recorded: Callable[[str], Recording],
) -> None:
    session = Session(recorded("lstm"))
    assert "continue" in completions(session, "con")
    assert "h[3].grad" in completions(session, "print h[")
    assert completions(session, "break t=") == ["t=1", "t=2", "t=3"]
    assert "lstm.0/forget gate" in completions(session, "b lstm")
    assert "sigmoid" in completions(session, "until s")
    assert completions(session, "switch m") == ["main"]
    assert completions(session, "info pa") == ["params"]
    assert completions(session, "nonsense x") == []


def test_an_engine_graph_without_a_way_back_is_refused() -> None:
    with pytest.raises((DebuggerError, ValueError)):
        record(mr.tensor(1.0) * 2.0)
