"""Every error of the command: exit code 2, one line on stderr, nothing on stdout, nothing written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Drawn = list[dict[str, Any]]

RENDER = [
    (
        "",
        "the argument 'SOURCE' is missing, as in: micrornn render hello (see micrornn render -h)",
    ),
    ("helo", "micrornn: no source 'helo'; did you mean 'hello'? (your own: FILE.py:NAME)"),
    (
        "hello again",
        "micrornn render: got unexpected extra argument (again) (see micrornn render -h",
    ),
    (
        "hello --cel rnn",
        "micrornn render: no option --cel; did you mean '--cell'? (see micrornn",
    ),
    ("hello --cell lsmt", "--cell: no 'lsmt'; did you mean 'lstm'? (see micrornn render -h"),
    ("hello --cell transformer", "no 'transformer'; choose from rnn, lstm, gru, irnn"),
    ("hello --loss first", "--loss: no 'first'; choose from last, all"),
    ("hello --detail gates", "--detail: no 'gates'; did you mean 'gate'?"),
    ("hello --rankdir RL", "--rankdir: no 'RL'; "),
    ("hello -T sgv", "-T/--format: no 'sgv'; did you mean 'svg'?"),
    ("hello -T", "requires an argument"),
    ("hello --steps 0", "--steps: '0' is out of range; give an integer from 1 to 1,000,000"),
    ("hello --steps many", "--steps: 'many' is not an integer; give an integer from 1"),
    ("hello --hidden -1", "--hidden: '-1' is out of range; give an integer from 1"),
    ("hello --layers 0", "--layers: '0' is out of range; give an integer from 1"),
    ("hello --seed -1", "--seed: '-1' is out of range; give an integer from 0 up"),
    ("hello --csv p.csv", "hello has no option --csv; options: --text, --encoding, --cell"),
    ("stocks --text a", "stocks has no option --text; options: --csv, --column"),
    (
        "net.py:loss --cell rnn",
        "net.py:loss does not take --cell: its network is made in net.py",
    ),
    (
        "hello --text aaa",
        'the text "aaa" has one distinct character; there is nothing to predict',
    ),
    ("hello --text @none.txt", "no file none.txt; give a text file"),
    ("stocks --csv none.csv", "no file none.csv; give a CSV file"),
    ("stocks --csv p.csv --column c", "no column 'c' in p.csv; columns: 'day', 'close'"),
    (
        "stocks --csv p.csv --column day",
        "p.csv, line 2: column 'day' is 'Mon', which is not a number",
    ),
    (
        "stocks --csv p.csv --column close",
        "p.csv, line 4: column 'close' is 'nan', which is not fin",
    ),
    ("stocks --column close", "--column close needs a file; give --csv FILE as well"),
    ("stocks --steps 65", "steps=65, but there are 65 closing prices: enough for 64 steps"),
    ("hello --window 3", "'3' is not a window; give the first and last step, for example 3:8"),
    ("hello --window 2:9", "window 2:9 is out of range; the steps are 1 to 4"),
    ("hello --window 3:2", "window 3:2 ends before it begins; write 2:3"),
    ("net.py:cut --window 1:2", "net.py:cut has no time steps, so it has no window of steps"),
    ("none.py:loss", "no file none.py; give FILE.py:NAME"),
    ("net.py", "net.py has no NAME; give net.py:NAME, where NAME is one of loss, cut, fails"),
    ("net.py:los", "net.py has no 'los'; did you mean 'loss'?"),
    ("net.py:w", "net.py:w is a tensor without a history"),
    ("net.py:mr", "net.py:mr is an object of type module; expected a tensor, or a function"),
    ("net.py:fails", "net.py, line 20, in fails: ValueError: add (y = a + b)"),
    ("syntax.py:loss", "syntax.py, line 1: SyntaxError: "),
    (
        "hello -o a.jpg",
        "a.jpg: no format 'jpg'; did you mean 'png'? (or name the format with -T)",
    ),
    (
        "hello -o a",
        "a: the name has no extension; choose from svg, png, gif, webp, apng, dot, txt",
    ),
    ("hello -o none/a.svg", "none/a.svg: no folder none; make it first"),
    ("hello -o .", ". is a folder; name a file in it"),
    ("hello -o net.py/a.svg", "net.py/a.svg: no folder net.py; make it first"),
]


@pytest.fixture
def files(folder: Path) -> None:
    (folder / "p.csv").write_text("day,close\nMon,1\nTue,2\nWed,nan\n", encoding="utf-8")
    (folder / "syntax.py").write_text("loss = = 3\n", encoding="utf-8")


def only_complaint(result: Result) -> str:
    """The one line of an error, after checking that it is one."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("micrornn")
    return line


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("arguments", "complaint"), RENDER)
def test_what_render_refuses(
    run: Run, drawn: Drawn, folder: Path, arguments: str, complaint: str
) -> None:
    before = sorted(folder.iterdir())
    assert complaint in only_complaint(run("render", *arguments.split()))
    assert drawn == [] and sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            "rendr hello",
            "micrornn: no command 'rendr'; did you mean 'render'? (see micrornn -h",
        ),
        (
            "foo",
            "micrornn: no command 'foo'; choose from render, view, gallery, flow, diagnose, why",
        ),
        ("hello", "micrornn: hello is a source, not a command; try micrornn render hello"),
        ("net.py:loss", "net.py:loss is a source, not a command; try micrornn render net.py:loss"),
        ("--vers", "micrornn: no option --vers; did you mean '--version'?"),
        ("list --xyzzy", "micrornn list: no option --xyzzy (see micrornn list -h)"),
        ("list hello", "micrornn list: got unexpected extra argument (hello)"),
        ("check", "micrornn check: the argument 'SOURCE' is missing"),
        ("check hello --eps 0", "--eps: '0' is out of range; give a number above 0"),
        ("check net.py:fails", "net.py, line 20, in fails: ValueError"),
        ("check net.py:w", "net.py:w is a tensor without a history"),
    ],
)
def test_what_the_others_refuse(run: Run, arguments: str, complaint: str) -> None:
    assert complaint in only_complaint(run(*arguments.split()))


def test_an_empty_text(run: Run) -> None:
    assert "the text is empty; there is nothing" in only_complaint(
        run("render", "hello", "--text", "")
    )


def test_a_book_without_a_number_of_steps(run: Run, folder: Path) -> None:
    (folder / "book.txt").write_text("ab" * 6000, encoding="utf-8")
    complaint = only_complaint(run("render", "hello", "--text", "@book.txt"))
    assert "the text has 12,000 characters; give the number of steps" in complaint


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_a_terminal_shows_no_pictures(
    run: Run, drawn: Drawn, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import _NamedTextIOWrapper

    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    complaint = only_complaint(run("render", "hello", "-T", format))
    assert f"a terminal cannot show {format}; give a file: -o FILE.{format}" in complaint
    assert run("render", "hello").stdout == "<txt picture>\n"


# --------------------------------------------------------------- errors from behind the command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("such a\nmess."), 2, "micrornn: such a mess"),
        (RuntimeError("PDF needs Graphviz"), 2, "micrornn: PDF needs Graphviz"),
        (
            PermissionError(13, "Permission denied", "a.svg"),
            2,
            "micrornn: a.svg: permission denied",
        ),
        (OSError(28, "No space left on device"), 2, "micrornn: no space left on device"),
        (
            MemoryError(),
            2,
            "micrornn: not enough memory; use fewer steps or a smaller network",
        ),
        (RecursionError("too deep"), 2, "micrornn: too deep"),
        (ValueError(), 2, "micrornn: ValueError"),
        (
            KeyError("h"),
            70,
            "micrornn: unexpected KeyError ('h'), an error in micrornn; MICRORNN_TR",
        ),
        (KeyboardInterrupt(), 130, "micrornn: interrupted"),
    ],
)
def test_no_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    import viz

    def render(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(viz, "render", render)
    result = run("render", "hello", "-o", "a.svg")
    assert result.exit_code == code
    assert result.stderr.strip().startswith(line) and "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    if code != 130:
        monkeypatch.setenv("MICRORNN_TRACEBACK", "1")
        assert "Traceback" in run("render", "hello", "-o", "a.svg").stderr


def test_the_traceback_of_a_users_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICRORNN_TRACEBACK", "1")
    result = run("render", "net.py:fails")
    assert 'File "net.py", line 20, in fails' in result.stderr
    assert result.stderr.splitlines()[-1].startswith("micrornn: net.py, line 20")


@pytest.mark.skipif(sys.platform == "win32", reason="folders are read-only in another way there")
def test_a_folder_that_cannot_be_written(run: Run, folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o500)
    try:
        (folder / "closed" / "probe").touch()
    except PermissionError:
        complaint = only_complaint(run("render", "hello", "-o", "closed/a.svg"))
        assert "permission denied" in complaint
    else:
        pytest.skip("this user may write everywhere")


def test_a_source_that_needs_pytorch_says_how_to_get_it(run: Run, folder: Path) -> None:
    missing = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    (folder / "model.py").write_text(missing, encoding="utf-8")  # as `import torch` does
    result = run("diagnose", "model.py:loss")
    assert result.exit_code == 2
    expected = "model.py, line 1: PyTorch is not installed; pip install 'micrornn[torch]'"
    assert result.stderr == f"micrornn: {expected}\n"
