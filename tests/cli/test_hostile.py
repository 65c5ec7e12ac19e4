"""What comes from outside does not upset the command: odd names and files, closed streams, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from micrornn.recording import load_recording
from micrornn.training.checkpoint import read_checkpoint

Run = Callable[..., Result]
Process = Callable[..., "subprocess.Popen[bytes]"]

ODD = "na\x1b]0;title\x07me\x9b31m\u202e\0"
NET = f"""
import micrornn as mr

w = mr.Value(0.5, {ODD!r} + "w")


def loss():
    h = mr.tensor(1.0, name={ODD!r})
    for t in range(1, 4):
        with mr.scope({ODD!r}, t=t):
            h = mr.tanh(w * h)
            h.name = {ODD!r}
    return h


def fails():
    raise ValueError({ODD!r})
"""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture(autouse=True)
def odd(folder: Path) -> None:
    (folder / "odd.py").write_text(NET, encoding="utf-8")


@pytest.fixture
def odd_recording(run: Run) -> str:
    assert run("record", "odd.py:loss", "-o", "odd.mrn").exit_code == 0
    return "odd.mrn"


COMMANDS = [
    *("render {}", "flow {}", "flow {} --json", "flow {} --of " + "na", "diagnose {}"),
    *("diagnose {} --json", "why {} x", "diff {} {}", "diff {} hello", "record {} -o again.mrn"),
    *("debug {} --batch -ex where -ex next -ex info -ex list", "debug {} --batch --json -ex next"),
    *("debug {} --batch -ex stpe\x1b[31m", "render {} --from q --to h0", "render {} -T dot"),
    *("render {} -T svg", "render {} -T html"),
]


@pytest.mark.parametrize("source", ["odd.py:loss", "odd.mrn"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_control_character_of_a_name_is_printed(
    run: Run, odd_recording: str, command: str, source: str
) -> None:
    result = run(*command.format(*[source] * 2).split(" "))
    assert result.exit_code in (0, 1, 2), result.stderr
    printed = result.stdout + result.stderr
    assert printed and not CONTROL.search(printed), CONTROL.findall(printed)
    if "--json" in command and result.exit_code == 0:
        lines = result.stdout.splitlines() if "debug" in command else [result.stdout]
        assert all(json.loads(line) for line in lines)


@pytest.mark.parametrize(
    "words",
    [
        ("render", "odd.py:fails"),
        ("render", ODD[:-1]),
        (ODD[:-1],),
        ("render", "hello", "--cell", ODD),
        ("render", "hello", "--text", ODD[:2] * 2, "--steps", "1"),
        ("render", "hello", f"--{ODD}"),
        ("render", "stocks", "--csv", "odd.csv", "--column", "x"),
        ("render", "stocks", "--csv", "odd.csv", "--column", ODD),
        ("train", "translate", "--pairs", ODD),
        ("train", "hello", "--log", f"{ODD[:-1]}.csv", "--iterations", "1"),
        ("evaluate", ODD[:-1]),
        ("why", "hello", ODD),
    ],
)
def test_no_control_character_of_a_message_is_printed(
    run: Run, folder: Path, words: tuple[str, ...]
) -> None:
    (folder / "odd.csv").write_text(f"{ODD},b\n1,2\nx{ODD},2\n", encoding="utf-8")
    result = run(*words)
    printed = result.stdout + result.stderr
    assert printed and not CONTROL.search(printed), CONTROL.findall(printed)
    assert "Traceback" not in printed and result.exit_code in (0, 2)


def test_a_generated_text_is_data_in_a_pipe_and_harmless_in_a_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import _NamedTextIOWrapper

    words = [
        "--text",
        "a\x1ba\x1ba\x1b\n" * 20,
        "--hidden",
        "2",
        "--steps",
        "3",
        "--iterations",
        "2",
    ]
    assert run("train", "text", *words, "--checkpoint", "t.npz", "-q").exit_code == 0
    assert "\x1b" in run("generate", "t.npz").stdout
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    shown = run("generate", "t.npz").stdout
    assert "\x1b" not in shown and "\\x1b" in shown and "\n" in shown.rstrip("\n")


def test_a_long_name_takes_no_longer(run: Run, folder: Path) -> None:
    """Wrapping was cubic: 20,000 characters would not end today."""
    long = NET.replace(repr(ODD), repr("n" * 20_000))
    (folder / "long.py").write_text(long, encoding="utf-8")
    for command in ("render", "flow", "diagnose"):
        assert run(command, "long.py:loss").exit_code == 0


# ------------------------------------------------------------------------------------------ files


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no such devices here")
@pytest.mark.parametrize(
    "arguments",
    [
        *("evaluate {}", "decode {}", "generate {}", "train hello --resume --checkpoint {}"),
        *("train hello --checkpoint {}", "render hello --text @{}", "render stocks --csv {}"),
        *("train translate --pairs {}", "debug hello -x {} --batch", "flow {}", "diff {} hello"),
    ],
)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full"])
def test_a_device_is_not_read_to_its_end(run: Run, arguments: str, device: str) -> None:
    result = run(*arguments.format(device).split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert device in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device here")
def test_a_full_disk_is_named(run: Run) -> None:
    result = run("render", "hello", "-T", "svg", "-o", "/dev/full")
    assert result.stderr == "micrornn: /dev/full: no space left on device\n"


def test_a_checkpoint_that_would_fill_the_memory_is_refused(run: Run, folder: Path) -> None:
    """192 MiB of zeros in less than one; that it is refused at once, the memory of the process tells."""
    header = np.lib.format.header_data_from_array_1_0(np.zeros(0))
    header["shape"] = (3 * 2**23,)
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("meta.npy", "w") as member:
            np.lib.format.write_array(member, np.array("{}"))
        with file.open("a0.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, header)
            for _ in range(12):
                member.write(bytes(2**24))
    assert (folder / "bomb.npz").stat().st_size < 2**20
    result = run("evaluate", "bomb.npz")
    assert result.exit_code == 2
    assert "bomb.npz is damaged (it takes 192 MiB in memory" in result.stderr


def test_standard_input_is_a_file(process: Process, run: Run, folder: Path) -> None:
    (folder / "prices.csv").write_text("day,close\n1,5\n2,6\n3,7\n", encoding="utf-8")
    (folder / "script").write_text("next\n", encoding="utf-8")
    (folder / "word.txt").write_text("abc", encoding="utf-8")
    assert run("record", "hello", "-o", "run.mrn").exit_code == 0
    begin = "train hello --iterations 2 --checkpoint h.npz -q"
    assert run(*begin.split()).exit_code == 0
    for command, file in (
        ("render stocks --csv {} --column close", "prices.csv"),
        ("render hello --text {}", "word.txt"),
        ("flow {}", "run.mrn"),
        ("diff {} hello", "run.mrn"),
        ("evaluate {}", "h.npz"),
        ("debug hello --batch -x {}", "script"),
    ):
        direct = run(*command.format(file).split())
        with (folder / file).open("rb") as stream:
            out, err = process(*command.format("-").split(), stdin=stream).communicate(timeout=60)
        assert direct.exit_code == 0, direct.stderr
        assert out.decode() == direct.stdout, err.decode()


def test_a_checkpoint_cannot_refer_to_standard_input(run: Run) -> None:
    result = run("train", "text", "--text", "-", "--checkpoint", "t.npz")
    assert result.exit_code == 2
    assert "--text -: a checkpoint refers to its data by file name" in result.stderr


# --------------------------------------------------------------------------------------- streams


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("debug hello <&-", "stdin is closed, so no commands can be read"),
        ("debug hello --dap <&-", "stdin is closed"),
        ("debug hello --batch >&-", "stdout is closed, so the debugger cannot answer"),
        ("render hello --text - <&-", "standard input is closed; give a text file"),
        ("flow - <&-", "standard input is closed; give a recording"),
        ("render hello >&-", "stdout is closed, so the result cannot be printed"),
        ("list >&-", "stdout is closed"),
    ],
)
def test_a_closed_stream_is_said_in_one_line(folder: Path, command: str, complaint: str) -> None:
    ended = shell(folder, command)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("micrornn: ") and complaint in line


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    "command",
    ["render hello <&-", "render hello 2>&-", "debug hello -ex next <&-", "check odd.py:loss <&-"],
)
def test_a_closed_stream_that_is_not_needed_does_not_matter(folder: Path, command: str) -> None:
    assert shell(folder, command).returncode == 0


def shell(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    program = f'"{sys.executable}" -c "import cli; cli.main(prog_name=\'micrornn\')" {command}'
    settings = {**os.environ, "PYTHONPATH": str(root), **environment}
    return subprocess.run(
        program,
        shell=True,
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "render odd.py:loss",
        "flow hello --cell lstm",
        "why hello 'h[1]'",
        "debug hello --cell lstm --batch -ex where -ex 'info gates' -ex 'why h[1]' -ex 'path h[0]' -ex list",
        "train hello --text hü🙂hü --iterations 1",
        "list",
    ],
)
def test_any_encoding_will_do(folder: Path, command: str) -> None:
    ended = shell(folder, command, PYTHONIOENCODING="ascii")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


# --------------------------------------------------------------------------------------- signals

TRAINING = "train text --text book.txt --hidden 8 --iterations 100000 --checkpoint net.npz -q"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way there")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_training_that_is_told_to_end_saves(process: Process, folder: Path, name: str) -> None:
    (folder / "book.txt").write_text("to be, or not to be. " * 60, encoding="utf-8")
    number = getattr(signal, name)
    with process(*TRAINING.split(), "--log", "net.csv") as training:
        wait_for(lambda: Path("net.csv").exists() and Path("net.csv").read_text().count("\n") > 3)
        training.send_signal(number)
        _, stderr = training.communicate(timeout=60)
    assert training.returncode == 128 + number
    told = re.search(r"interrupted after iteration (\d+), saved in net\.npz", stderr.decode())
    assert told is not None, stderr.decode()
    assert read_checkpoint("net.npz")["trainer"]["iteration"] == int(told[1])
    assert Path("net.csv").read_text().count("\n") == int(told[1]) + 1


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until another process has come so far."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it has not come so far in a minute")


def test_ctrl_c_while_the_command_is_still_loading_is_no_traceback(folder: Path) -> None:
    program = (
        "import builtins, sys\n"
        "find = builtins.__import__\n"
        "def press(name, *rest):\n"
        "    if name == 'click': raise KeyboardInterrupt\n"
        "    return find(name, *rest)\n"
        "builtins.__import__ = press\n"
        "import cli\n"
    )
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


# ------------------------------------------------------------------------------ programs of users


def test_what_a_program_does_to_its_process_does_not_reach_the_result(
    process: Process, folder: Path
) -> None:
    (folder / "wild.py").write_text(
        "import os\nimport micrornn as mr\n\n\ndef loss():\n    os.write(1, b'loud')\n"
        "    os.system('echo loud')\n    os.chdir('/')\n    return mr.Value(2.0, 'w') * 2.0\n",
        encoding="utf-8",
    )
    out, err = process("flow", "wild.py:loss", "--json").communicate(timeout=60)
    assert json.loads(out)["source"] == "wild.py:loss", err.decode()
    out, err = process("record", "wild.py:loss", "-o", "wild.mrn", "-q").communicate(timeout=60)
    assert (out, "loud" in err.decode()) == (b"", True)
    assert load_recording(folder / "wild.mrn").gradient("w") == 2.0


@pytest.mark.parametrize("command", ["render", "flow", "check", "diagnose", "record", "debug"])
@pytest.mark.parametrize("line", ["with mr.scope(t='one'): y = w * w", "y = w * w; y.name = 5"])
def test_a_mark_of_the_wrong_type_is_the_programs_mistake(
    run: Run, folder: Path, command: str, line: str
) -> None:
    (folder / "marks.py").write_text(
        f"import micrornn as mr\n\n\ndef loss():\n    w = mr.Value(0.5, 'w')\n    {line}\n    return y\n",
        encoding="utf-8",
    )
    more: dict[str, Any] = {"record": ["-o", "a.mrn"], "debug": ["--batch"]}
    result = run(command, "marks.py:loss", *more.get(command, ()))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "marks.py" in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("format", ["svg", "html", "txt", "dot"])
@pytest.mark.parametrize("steps", [1020, 1060, 1100])  # down to 1e-307, to 1e-319, and to 0
def test_gradients_below_the_smallest_number_are_drawn(run: Run, steps: int, format: str) -> None:
    result = run("render", "vanishing", "--steps", str(steps), "--detail", "op", "-T", format)
    assert result.exit_code == 0, result.stderr
    assert ("underflowed to zero" in result.stdout) == (steps == 1100)
