"""From ``hello`` or ``net.py:loss`` to an unrolled network, and every way in which that can fail."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from micrornn.core.graph import Graph
from micrornn.tasks import TASKS
from micrornn.tasks.source import recorded, resolve
from micrornn.tasks.unrolled import Unrolled
from micrornn.tasks.userfile import SourceError, UserFile, needed_arguments

NET = '''
"""A loop written by hand."""
import dataclasses
import math
from functools import partial

import micrornn as mr
import helper
from helper import imported
from micrornn.tasks import Unrolled

print("on the way")
w = mr.Value(0.5, "w")
_hidden = w * 2.0
constant = mr.tensor(1.0) * 2.0
numbers = [1, 2]
nothing = None


@dataclasses.dataclass
class Settings:
    steps: int = 3


def loss(steps=Settings().steps):
    print("still on the way")
    h, total = mr.tensor(1.0), 0.0
    for t in range(1, steps + 1):
        with mr.scope(t=t):
            h = w * h
            each = h * h
            each.name = "loss"
            total = total + each
    return total


def of(steps):
    return loss(steps)


def fails():
    return helper.fail(w)


def ends():
    raise SystemExit(3)


def returns_none():
    pass


def whole():
    return Unrolled("my own title", loss(2))


tensor = loss(2)
unrolled = whole()
part = partial(loss, 4)

if __name__ == "__main__":
    raise AssertionError("a source is not a program")
'''
HELPER = """
def fail(w):
    raise ValueError("too much\\n  of everything")


def imported():
    return None
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A user's file and a module beside it; its name is also that of a library module."""
    (tmp_path / "helper.py").write_text(HELPER, encoding="utf-8")
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield "net.py"
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refused(source: str, **options: object) -> str:
    with pytest.raises(SourceError) as error:
        resolve(source, options)
    message = str(error.value)
    assert "\n" not in message
    return message


# ---------------------------------------------------------------------------------- what will do


@pytest.mark.parametrize(
    ("name", "title", "steps"),
    [
        ("loss", "net.py:loss", 3),
        ("tensor", "net.py:tensor", 2),
        ("part", "net.py:part", 4),
        ("whole", "my own title", 2),
        ("unrolled", "my own title", 2),
    ],
)
def test_what_a_file_may_give(net: str, name: str, title: str, steps: int) -> None:
    unrolled = resolve(f"{net}:{name}")
    assert unrolled.title == title
    assert unrolled.steps == list(range(1, steps + 1))
    if not isinstance(unrolled, Unrolled) or name in ("loss", "tensor"):
        assert [loss.step for loss in unrolled.losses] == list(range(1, steps + 1))


def test_a_private_name_is_ones_own_choice(net: str) -> None:
    assert resolve(f"{net}:_hidden").loss.item() == 1.0


def test_what_a_file_prints_goes_to_stderr(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    resolve(f"{net}:loss")
    out, err = capsys.readouterr()
    assert out == "" and err == "on the way\n" + "still on the way\n" * 3


def test_a_file_may_be_named_like_a_module_in_use(net: str, tmp_path: Path) -> None:
    (tmp_path / "pathlib.py").write_text(NET, encoding="utf-8")
    assert resolve("pathlib.py:loss").steps == [1, 2, 3]
    assert sys.modules["pathlib"].Path is Path


def test_a_path_may_hold_colons_and_folders(net: str, tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    for file in ("net.py", "helper.py"):
        (tmp_path / "a:b" / file).write_text((tmp_path / file).read_text("utf-8"), "utf-8")
    assert resolve("a:b/net.py:tensor").steps == [1, 2]


def test_a_text_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "word.txt").write_text("abc", encoding="utf-8")
    assert resolve("hello", {"text": f"@{tmp_path / 'word.txt'}"}).inputs == ["a", "b"]
    with pytest.raises(FileNotFoundError, match=r"no file none\.txt"):
        resolve("hello", {"text": "@none.txt"})


# ------------------------------------------------------------------------------- what will not do


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("helo", "no source 'helo'; did you mean 'hello'? (your own: FILE.py:NAME)"),
        ("qqq", f"no source 'qqq'; choose from {', '.join(TASKS)} (your own"),
        ("", "no source ''; choose from hello"),
        (":loss", "no source ':loss'"),
        ("net.py:", "net.py: has no NAME; give net.py:NAME, where NAME is one of loss, "),
        ("net.py", "net.py has no NAME; give net.py:NAME, where NAME is one of loss, fails"),
        ("none.py:loss", "no file none.py; give FILE.py:NAME"),
        ("none.py", "no file none.py; give FILE.py:NAME"),
        ("net.txt:loss", "net.txt is not a Python file; give FILE.py:NAME"),
        ("folder.py:loss", "folder.py is a folder; give FILE.py:NAME"),
        ("net.py:los", "net.py has no 'los'; did you mean 'loss'?"),
        (
            "net.py:qqq",
            "net.py has no 'qqq'; give net.py:NAME, where NAME is one of loss, fails, ends",
        ),
        ("net.py:__name__", "net.py has no '__name__'"),
        (
            "net.py:numbers",
            "net.py:numbers is an object of type list; expected a tensor, or a function without",
        ),
        ("net.py:nothing", "net.py:nothing is None; expected a tensor"),
        ("net.py:math", "net.py:math is an object of type module; expected"),
        ("net.py:returns_none", "net.py:returns_none() returned None; expected a tensor"),
        ("net.py:Settings", "net.py:Settings() returned an object of type Settings; expected"),
        (
            "net.py:of",
            "net.py:of needs the arguments steps, but it is called without any; give them defaults",
        ),
        ("net.py:w", "net.py:w is a tensor without a history (leaf 'w' #"),
        ("net.py:constant", "net.py:constant is a tensor without a history (mul #"),
        ("net.py:fails", "net.py, line 42, in fails: ValueError: too much of everything"),
        ("net.py:ends", "net.py, line 46, in ends: the file exits (code 3)"),
    ],
)
def test_what_is_wrong_is_said(net: str, tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "folder.py").mkdir()
    assert complaint in refused(source)


def test_the_names_offered_are_those_that_would_do(net: str) -> None:
    offered = refused("net.py").split("is one of ")[1].split(", ")
    assert "imported" not in offered and "of" not in offered and "numbers" not in offered
    assert {"loss", "tensor", "whole", "unrolled"} <= set(offered)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("x = 1\nif x\n", "bad.py, line 2: SyntaxError: expected ':'$"),
        ("  x = 1\n", "bad.py, line 1: IndentationError: unexpected indent"),
        ("import nowhere_at_all\n", "bad.py, line 1: ModuleNotFoundError: No module named 'now"),
        ("def f():\n    return 1 / 0\n\nx = f()\n", "bad.py, line 2, in f: ZeroDivisionError"),
        (
            "import sys\nsys.exit('done')\n",
            r"bad.py, line 2: the file exits \(code done\)",
        ),
        ("raise ValueError\n", "bad.py, line 1: ValueError"),
        (b"x = '\xff'\n", "bad.py(, line 1)?: SyntaxError: .*utf-8.*"),
        (b"x = 1\0\n", "bad.py: (SyntaxError|ValueError): source code .* null bytes$"),
        (
            "import micrornn as mr\nx = 3\n",
            "bad.py has no 'loss'; define a tensor there, or a func",
        ),
        ("", "bad.py has no 'loss'; define a tensor there"),
    ],
)
def test_files_that_fail(net: str, tmp_path: Path, content: str | bytes, complaint: str) -> None:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / "bad.py").write_bytes(data)
    assert re.match(complaint, refused("bad.py:loss"))


def test_modules_are_not_offered(net: str) -> None:
    assert "did you mean" not in refused("net.py:mathh")


def test_the_cause_is_kept_for_a_traceback(net: str) -> None:
    with pytest.raises(SourceError) as error:
        resolve("net.py:fails")
    assert isinstance(error.value.__cause__, ValueError)


def test_ctrl_c_is_no_mistake_of_the_file(net: str, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        resolve("slow.py:loss")


def test_a_failed_file_leaves_nothing_behind(net: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("1 / 0", encoding="utf-8")
    path = list(sys.path)
    refused("bad.py:loss")
    assert "bad" not in sys.modules and sys.path == path
    (tmp_path / "pathlib.py").write_text("1 / 0", encoding="utf-8")
    refused("pathlib.py:loss")
    assert sys.modules["pathlib"].Path is Path


def test_options_that_a_source_does_not_take(net: str) -> None:
    with pytest.raises(ValueError, match="hello has no option --csv, --column; options: --text, "):
        resolve("hello", {"csv": "p.csv", "column": "a"})
    with pytest.raises(ValueError, match="stocks has no option --text; options: --csv, "):
        resolve("stocks", {"text": "a"})
    assert refused("net.py:loss", cell="lstm", steps=3) == (
        "net.py:loss does not take --cell, --steps: its network is made in net.py"
    )


def test_options_are_refused_before_a_file_runs(
    net: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused("net.py:loss", cell="lstm")
    assert capsys.readouterr().err == ""


def test_functions_without_a_signature_are_called() -> None:
    assert needed_arguments(dict) == [] and needed_arguments(lambda a, *b, c, **d: 0) == ["a", "c"]


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SourceError, match=r"no file none\.py; give FILE\.py:NAME"):
        UserFile("none.py")


# ------------------------------------------------------------- what a file does to the command


def test_a_file_that_changes_the_folder_does_not_move_the_command(net: str, tmp_path: Path) -> None:
    (tmp_path / "moves.py").write_text(
        "import os\nimport micrornn as mr\nos.chdir('/')\n\n\n"
        "def loss():\n    os.chdir('/')\n    return mr.Value(2.0, 'w') * 2.0\n",
        encoding="utf-8",
    )
    resolve("moves.py:loss")
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize(
    "way",
    [
        "os.write(1, b'loud')",
        "os.system('echo loud')",
        "print('loud', file=sys.__stdout__, flush=True)",
    ],
)
def test_what_a_file_writes_to_stdout_by_any_way_goes_to_stderr(
    net: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], way: str
) -> None:
    (tmp_path / "loud.py").write_text(
        f"import os, sys\nimport micrornn as mr\n\n\ndef loss():\n    {way}\n"
        "    return mr.Value(2.0, 'w') * 2.0\n",
        encoding="utf-8",
    )
    resolve("loud.py:loss")
    os.write(1, b"after")
    out, err = capfd.readouterr()
    assert (out, err.strip()) == ("after", "loud")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "with mr.scope(t='one'): y = w * w",
            "marks.py, line 7: the time step 'one' of a node is not an integer: mr.scope(t=1)",
        ),
        (
            "with mr.scope(t=1.5): y = w * w",
            "marks.py, line 7: the time step 1.5 of a node is not",
        ),
        (
            "with mr.scope(5): y = w * w",
            "marks.py, line 7: the scope 5 of a node is not a string: mr.scope",
        ),
        ("y = w * w; y.name = 5", "marks.py, line 7: the name 5 of a node is not a string"),
    ],
)
def test_marks_that_no_reader_takes_are_refused(
    net: str, tmp_path: Path, line: str, complaint: str
) -> None:
    """An engine that refuses them itself says so by the line, too."""
    (tmp_path / "marks.py").write_text(
        f"import micrornn as mr\n\nw = mr.Value(0.5, 'w')\n\n\ndef loss():\n    {line}\n    return y\n",
        encoding="utf-8",
    )
    with pytest.raises(SourceError) as error:
        recorded("marks.py:loss")
    message = str(error.value)
    assert complaint in message or re.match(
        r"marks\.py(, line 7, in loss: |:loss: node #)", message
    )


@pytest.mark.parametrize("line", ["y = w * w", "y, z = w * w, w * 3.0"])
def test_a_mark_that_the_engine_refuses_is_a_mistake_of_the_source(
    net: str, tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a node that the loss is not computed from."""
    make = Graph.__init__

    def strict(self: Graph, out: Any) -> None:
        make(self, out)
        if not all(isinstance(node.name, (str, type(None))) for node in self.nodes):
            raise TypeError("node #1 has the name 5; give text")

    monkeypatch.setattr(Graph, "__init__", strict)
    last = line[line.index("=") - 2]
    (tmp_path / "marks.py").write_text(
        f"import micrornn as mr\n\nw = mr.Value(0.5, 'w')\n\n\ndef loss():\n    {line}\n"
        f"    {last}.name = 5\n    return y\n",
        encoding="utf-8",
    )
    with pytest.raises(SourceError, match=r"^marks.py:loss: node #\d+ has the name 5"):
        recorded("marks.py:loss")


# ------------------------------------------------------------------------------------ recordings


def test_a_recording_is_known_by_its_ending_its_content_and_as_standard_input(
    net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded("net.py:loss").recording.save("run.mrn")
    (tmp_path / "run.zip").write_bytes((tmp_path / "run.mrn").read_bytes())
    gradients = []
    for source in ("run.mrn", "run.zip", "-"):
        with open("run.mrn", "rb") as file:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
            run = recorded(source)
        gradients.append(run.recording.gradient("w"))
        assert run.title == source
    assert len(set(gradients)) == 1
    assert refused("run.mrn", cell="gru") == (
        "run.mrn does not take --cell: it is a recording of a run"
    )


def test_a_network_of_ones_own_is_recorded_with_all_that_it_made(net: str) -> None:
    run = recorded("net.py:whole")
    assert (run.title, len(run.recording.passes)) == ("my own title", 1)
