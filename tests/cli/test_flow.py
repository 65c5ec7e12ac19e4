"""`micrornn flow`, and with it `record`: what each option does, and what is written where."""

from __future__ import annotations

import csv
import json
import subprocess
import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import viz.plots
from micrornn import flow
from micrornn.recording import load_recording, record
from micrornn.tasks.source import resolve

Run = Callable[..., Result]


def test_text_without_a_file(run: Run) -> None:
    result = run("flow", "hello", "--view", "credit")
    rec = record(resolve("hello").loss)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == viz.plots.read("credit", rec).text()


@pytest.mark.parametrize(
    ("options", "view"),
    [
        ("", "all"),
        ("--of h", "credit"),
        ("--of c --cell lstm", "credit"),
        ("--of x", "credit"),
        ("--of W_hh", "ledger"),
        ("--of readout.weight", "ledger"),
        ("--over losses", "ledger"),
        ("--view paths --of h", "paths"),
        ("--view jacobian", "jacobian"),
        ("--view gates --cell gru", "gates"),
    ],
)
def test_the_view_that_is_meant(run: Run, options: str, view: str) -> None:
    result = run("flow", "hello", "--json", *options.split())
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["view"] == view


def test_several_cells_are_compared(run: Run, folder: Path) -> None:
    result = run("flow", "hello", "--cell", "RNN,lstm,gru,lstm", "--view", "credit", "--json")
    answer = json.loads(result.stdout)
    assert list(answer["runs"]) == ["rnn", "lstm", "gru"]
    for cell in answer["runs"]:
        own = flow.credit(record(resolve("hello", {"cell": cell}).loss))
        assert answer["runs"][cell]["norms"][3] == own.norms[3].tolist()
    result = run("flow", "hello", "--cell", "rnn,lstm,gru", "--view", "credit", "-o", "a.svg")
    assert result.stdout == ""
    assert result.stderr == (
        "wrote a.svg: gradient of loss[4] reaching h[0]: rnn 0.0233, lstm 0.0154, gru 0.0455\n"
    )
    words = " ".join(xml.fromstring((folder / "a.svg").read_text("utf-8")).itertext())
    assert all(cell in words for cell in ("rnn", "lstm", "gru"))


def test_remarks_are_made_once(run: Run) -> None:
    result = run("flow", "hello", "--cell", "rnn,gru", "--steps", "6", "--view", "ledger")
    assert result.stderr == 'the text "hello" has 4 steps; repeated to fill 6\n'
    assert run("flow", "hello", "--steps", "6", "--view", "ledger", "-q").stderr == ""


@pytest.mark.parametrize(
    ("format", "start"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("txt", b"grad"), ("json", b"{")],
)
def test_formats(run: Run, folder: Path, format: str, start: bytes) -> None:
    result = run("flow", "hello", "--view", "ledger", "-o", f"a.{format.upper()}")
    assert result.exit_code == 0, result.stderr
    content = (folder / f"a.{format.upper()}").read_bytes()
    assert content.startswith(start)
    again = run("flow", "hello", "--view", "ledger", "-T", format)
    assert again.stdout_bytes == content, "the same command gives the same bytes"


def test_csv(run: Run, folder: Path) -> None:
    assert run("flow", "hello", "--cell", "rnn,lstm", "-o", "a.csv", "-q").stderr == ""
    rows = list(csv.DictReader((folder / "a.csv").read_text("utf-8").splitlines()))
    assert {row["view"] for row in rows} == {"credit", "ledger", "jacobian", "paths", "gates"}
    book = flow.ledger(record(resolve("hello").loss), "weight_hh_l0")
    shares = [
        float(row["value"])
        for row in rows
        if (row["view"], row["run"], row["quantity"]) == ("ledger", "rnn", "share")
    ]
    assert shares == book.shares.tolist()


def test_csv_of_nan_is_an_empty_field(run: Run) -> None:
    rows = list(csv.DictReader(run("flow", "nan", "--of", "h", "-T", "csv").stdout.splitlines()))
    assert "" in {row["value"] for row in rows}


def test_a_recording_is_a_source(run: Run, folder: Path) -> None:
    options = ("stocks", "--cell", "lstm", "--steps", "6", "--loss", "all")
    result = run("record", *options, "-o", "run.mrn")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("wrote run.mrn: recording of ")
    assert run("flow", "run.mrn").stdout == run("flow", *options).stdout
    (folder / "other.zip").write_bytes((folder / "run.mrn").read_bytes())
    assert run("flow", "other.zip").stdout == run("flow", "run.mrn").stdout
    first = (folder / "run.mrn").read_bytes()
    assert run("record", *options, "-o", "run.mrn", "-q").stderr == ""
    assert (folder / "run.mrn").read_bytes() == first


def test_a_recording_knows_the_lines_of_ones_own_file(run: Run, folder: Path) -> None:
    assert run("record", "net.py:loss", "-o", "run.mrn").exit_code == 0
    sources = {node.source for node in load_recording("run.mrn").nodes}
    assert ("net.py", 11) in sources, sources


def test_a_source_that_trains_is_recorded_once(run: Run, folder: Path) -> None:
    (folder / "train.py").write_text(
        "import micrornn as mr\nw = mr.Value(1.0, 'w')\n\n\ndef run():\n    for _ in range(3):\n"
        "        h = w\n        for t in (1, 2):\n            with mr.scope(t=t):\n"
        "                h = w * h\n                h.name = 'h'\n        h.backward()\n    return h\n",
        encoding="utf-8",
    )
    assert run("record", "train.py:run", "-o", "run.mrn").exit_code == 0
    rec = load_recording("run.mrn")
    assert len(rec.passes) == 1 and rec.gradient("w") == 3.0


def test_the_main_job_as_a_program(process: Callable[..., subprocess.Popen[bytes]]) -> None:
    started = process("flow", "hello", "--of", "W_hh", env={"NO_COLOR": "1"})
    out, err = started.communicate(timeout=120)
    assert (started.returncode, err) == (0, b"")
    assert out.startswith(b"gradient of rnn.weight_hh_l0 (over weight copies): norm 0.851")
    assert b"\x1b" not in out


def test_the_terminal_gets_no_picture(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import _NamedTextIOWrapper

    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    result = run("flow", "hello", "-T", "png")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a terminal cannot show png; give a file: -o FILE.png" in result.stderr


ERRORS = [
    (
        "flow",
        "the argument 'SOURCE' is missing, as in: micrornn flow hello (see micrornn flow -h)",
    ),
    ("flow helo", "no source 'helo'; did you mean 'hello'?"),
    ("flow hello --cell rnn,lsmt", "no 'lsmt'; did you mean 'lstm'? (see micrornn flow -h"),
    ("flow hello --cell rnn,", "no ''; choose from rnn, lstm, gru"),
    ("flow hello --view map", "--view: no 'map'; choose from ledger"),
    ("flow hello --of W_zz", "there is no parameter 'W_zz' in this recording; there are: rnn."),
    ("flow hello --view credit --of q", "nothing named 'q' over time; there are: "),
    ("flow hello --of c", "nothing named 'c' over time; there are: "),
    ("flow hello --view gates --of h", "so it takes no of='h'"),
    ("flow hello --view credit --over losses", "only a ledger goes over copies or losses"),
    ("flow hello -o a.gif", "a.gif: no format 'gif'; choose from svg, png, pdf, txt"),
    ("flow hello -o none/a.svg", "none/a.svg: no folder none; make it first"),
    ("flow hello --json -T svg", "--json and -T svg exclude each other; give one"),
    ("flow none.mrn", "no file none.mrn; give a recording"),
    ("flow bad.mrn", "bad.mrn cannot be read as a recording: it is not a zip file"),
    ("flow bad.mrn --cell gru", "bad.mrn does not take --cell: it is a recording of a run"),
    ("flow net.py:fails", "net.py, line 20, in fails: ValueError"),
    ("record hello", "micrornn record: the option '-o' / '--output' is missing"),
    ("record hello -o run.zip", "run.zip: a recording ends in .mrn; give -o run.zip.mrn"),
    ("record hello -o none/a.mrn", "none/a.mrn: no folder none; make it first"),
    ("diagnose none.mrn", "no file none.mrn; give a recording"),
    (
        "why hello",
        "micrornn why: the argument 'TARGET' is missing, as in: micrornn why hello 'h[1]'",
    ),
    ("why hello q[1]", "no node 'q[1]' in this recording. Give a name, with the step in brackets"),
    ("diff hello", "micrornn diff: the argument 'B' is missing"),
    ("diff hello none.mrn", "no file none.mrn; give a recording"),
    ("diff hello hello --rtol -1", "--rtol: '-1' is out of range; give a number from 0 up"),
    ("render hello --from L3", "--from L3 needs --to in a picture of operations"),
    ("render hello --to h0", "--to needs --from: a path has two ends"),
    ("render hello --from L9 --to h0", "there is no 'L9' in this picture"),
]


@pytest.mark.parametrize(("line", "message"), ERRORS)
def test_errors(run: Run, folder: Path, line: str, message: str) -> None:
    (folder / "bad.mrn").write_text("nothing", encoding="utf-8")
    before = sorted(folder.iterdir())
    result = run(*line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert [path for path in sorted(folder.iterdir()) if path.name != "__pycache__"] == before
