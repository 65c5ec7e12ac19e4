"""The command as a program of its own: pipes that break, Ctrl-C, encodings, colours, the shell."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Process = Callable[..., "subprocess.Popen[bytes]"]

SLOW = """
import time
print("begun")
time.sleep(60)
"""


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode() if out else "", err.decode() if err else ""


def test_the_main_job(process: Process, folder: Path) -> None:
    code, out, err = finish(process("render", "hello", "-o", "hello.svg"))
    assert (code, out, err) == (0, "", "wrote hello.svg: 37 nodes, steps 1 to 4, loss 5.8307\n")
    assert (folder / "hello.svg").read_bytes().startswith(b"<")


def test_an_error(process: Process) -> None:
    code, out, err = finish(process("render", "helo"))
    assert (code, out) == (2, "")
    assert err == ("micrornn: no source 'helo'; did you mean 'hello'? (your own: FILE.py:NAME)\n")


def test_no_graphviz_no_pdf(process: Process, folder: Path) -> None:
    before = sorted(folder.iterdir())
    code, out, err = finish(process("render", "hello", "-o", "a.pdf", env={"PATH": str(folder)}))
    assert (code, out) == (2, "")
    assert "Graphviz" in err and len(err.splitlines()) == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("arguments", [("render", "hello", "-T", "svg", "-q"), ("list",), ("-h",)])
def test_a_broken_pipe_is_no_error_to_speak_of(
    process: Process, arguments: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        code, _, err = finish(process(*arguments, stdout=writing))
    finally:
        os.close(writing)
    assert code == 1 and err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are sent in another way there")
def test_ctrl_c(process: Process, folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW, encoding="utf-8")
    before = sorted(folder.iterdir())
    started = process("render", "slow.py:loss", "-o", "slow.svg", env={"PYTHONUNBUFFERED": "1"})
    assert started.stderr is not None and started.stderr.readline() == b"begun\n"
    time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    code, out, err = finish(started)
    assert (code, out, err.strip()) == (130, "", "micrornn: interrupted")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_pipe_is_utf_8_whatever_the_locale(process: Process, encoding: str) -> None:
    settings = {"PYTHONIOENCODING": encoding}
    code, out, err = finish(process("render", "hello", "--text", "hü🙂", "-T", "svg", env=settings))
    assert code == 0, err
    assert "hü" in out and "🙂" in out


def test_messages_survive_any_locale(process: Process) -> None:
    settings = {"PYTHONIOENCODING": "ascii"}
    code, _, err = finish(process("render", "hello", "--text", "üü", env=settings))
    assert code == 2 and "has one distinct character" in err and "Traceback" not in err


def test_no_colour_codes(process: Process) -> None:
    for arguments in (["render", "-h"], ["list"], ["render", "helo"]):
        _, out, err = finish(process(*arguments, env={"NO_COLOR": "1"}))
        assert "\x1b" not in out + err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(process: Process, shell: str) -> None:
    if shell == "bash" and not shutil.which("bash"):
        pytest.skip("click asks bash for its version")
    code, out, _ = finish(process(env={"_MICRORNN_COMPLETE": f"{shell}_source"}))
    assert code == 0 and "_MICRORNN_COMPLETE" in out
