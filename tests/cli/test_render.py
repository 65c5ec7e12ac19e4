"""`micrornn render`: what each option does, what is written where, and what is said about it."""

from __future__ import annotations

import inspect
import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import cli
import viz
from micrornn.tasks.network import CELLS
from micrornn.tasks.unrolled import Unrolled
from viz.commands.render import render

Run = Callable[..., Result]
Drawn = list[dict[str, Any]]


def test_the_defaults_are_those_of_the_library() -> None:
    defaults = {p.name: p.default for p in inspect.signature(viz.render).parameters.values()}
    drawn = {option.name: option.default for option in render.params}
    for name in ("detail", "gradients", "rankdir"):
        assert drawn[name] == defaults[name]


# ---------------------------------------------------------------------------------- where it goes


def test_without_a_file_the_picture_is_text_on_stdout(run: Run, drawn: Drawn) -> None:
    result = run("render", "hello")
    assert result.exit_code == 0
    assert result.stdout == "<txt picture>\n"
    assert result.stderr == "hello: 37 nodes, steps 1 to 4, loss 5.8307\n"
    assert drawn[0]["path"] is None


def test_a_file_tells_its_format(run: Run, drawn: Drawn, folder: Path) -> None:
    for format in viz.FORMATS:
        result = run("render", "hello", "-o", f"a.{format.upper()}")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == (f"wrote a.{format.upper()}: 37 nodes, steps 1 to 4, loss 5.8307\n")
        assert (folder / f"a.{format.upper()}").read_text("utf-8") == f"<{format} picture>\n"


def test_a_named_format_goes_first(run: Run, drawn: Drawn, folder: Path) -> None:
    assert run("render", "hello", "-T", "PNG", "-o", "a.svg").exit_code == 0
    assert run("render", "hello", "--format", "dot", "--output", "b").exit_code == 0
    assert [call["format"] for call in drawn] == ["png", "dot"]
    assert (folder / "b").exists()


@pytest.mark.parametrize("where", [(), ("-o", "-")])
@pytest.mark.parametrize("format", viz.FORMATS)
def test_any_format_goes_to_stdout(
    run: Run, drawn: Drawn, format: str, where: tuple[str, ...]
) -> None:
    result = run("render", "hello", "-T", format, *where)
    assert result.exit_code == 0
    assert result.stdout_bytes == f"<{format} picture>\n".encode()


@pytest.mark.parametrize("where", [("-o", "a.svg"), ()])
def test_quiet_says_nothing(run: Run, drawn: Drawn, where: tuple[str, ...]) -> None:
    assert run("render", "hello", "--steps", "9", "-q", *where).stderr == ""


def test_a_terminal_shows_the_picture_alone(
    run: Run, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says all that the line on stderr would say."""
    from click.testing import _NamedTextIOWrapper

    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    result = run("render", "hello")
    assert (result.stdout, result.stderr) == ("<txt picture>\n", "")
    assert run("render", "hello", "-o", "a.svg").stderr.startswith("wrote a.svg: ")


def test_a_terminal_that_lacks_a_sign_shows_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner, _NamedTextIOWrapper

    command = ["render", "hello", "-q"]
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    result = CliRunner(charset="ascii").invoke(cli.main, command)
    assert result.exit_code == 0
    assert result.stdout_bytes.isascii() and b"?" in result.stdout_bytes
    assert "→" in CliRunner().invoke(cli.main, command).stdout


def test_what_was_done_to_the_text_is_said(run: Run, drawn: Drawn) -> None:
    result = run("render", "hello", "--steps", "9")
    said = 'the text "hello" has 4 steps; repeated to fill 9'
    assert result.stderr.splitlines()[0] == said


# -------------------------------------------------------------------------------- what is drawn


def test_options_reach_the_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import micrornn.tasks.source as source

    asked: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(source, "resolve", lambda *given: asked.append(given) or 1 / 0)
    every = (
        "--cell GRU --steps 3 --hidden 5 --layers 2 --bidirectional --text abc --csv f --column c"
    )
    run("render", "hello", *every.split(), "--loss", "last", "--seed", "0")
    run("render", "stocks")
    assert asked == [
        (
            "hello",
            {
                **{"cell": "gru", "steps": 3, "hidden": 5, "layers": 2, "bidirectional": True},
                **{"text": "abc", "csv": "f", "column": "c", "loss": "last", "seed": 0},
            },
        ),
        ("stocks", {}),
    ]


def test_options_reach_the_drawing(run: Run, drawn: Drawn) -> None:
    run("render", "hello")
    every = "--detail gate --no-gradients --window 2:3 --rankdir tb"
    run("render", "hello", "--cell", "lstm", *every.split())
    look = [{k: call[k] for k in ("detail", "gradients", "window", "rankdir")} for call in drawn]
    assert look == [
        {"detail": "auto", "gradients": True, "window": None, "rankdir": "LR"},
        {"detail": "gate", "gradients": False, "window": (2, 3), "rankdir": "TB"},
    ]
    assert drawn[1]["title"] == 'hello: an LSTM reads "hell", predicts "ello"'


def test_a_file_of_ones_own(run: Run, drawn: Drawn) -> None:
    result = run("render", "net.py:loss", "--window", ":2")
    assert result.stderr == "net.py:loss: 9 nodes, steps 1 to 3, loss 0.086886\n"
    assert drawn[0]["title"] == "net.py:loss" and drawn[0]["window"] == (1, 2)


def test_a_series_of_ones_own(run: Run, drawn: Drawn, folder: Path) -> None:
    (folder / "p.csv").write_text("day,close\n1,5\n2,6\n3,7\n", encoding="utf-8")
    result = run("render", "stocks", "--csv", "p.csv", "--column", "close")
    assert result.exit_code == 0
    assert "reads yesterday 5 and today 6, predicts tomorrow 7" in drawn[0]["title"]


def test_the_graph_is_drawn_from_the_loss(run: Run, drawn: Drawn) -> None:
    run("render", "hello")
    unrolled = Unrolled("", drawn[0]["thing"])
    assert unrolled.steps == [1, 2, 3, 4] and len(unrolled.graph.named("loss")) == 5


# --------------------------------------------------------------------------------- and in earnest


@pytest.mark.parametrize("cell", CELLS)
def test_a_real_picture(run: Run, folder: Path, cell: str) -> None:
    result = run("render", "hello", "--cell", cell, "-o", "hello.svg")
    assert result.exit_code == 0, result.stderr
    picture = (folder / "hello.svg").read_text("utf-8")
    words = "".join(xml.fromstring(picture).itertext())
    assert 'reads "hell", predicts "ello"' in words
    assert {
        "rnn": "The last loss reaches step 1 with 11% of the gradient it gave step 4",
        "lstm": "The forget gates pass 57% of the gradient along the cell state at each step",
        "gru": "The update gates pass 53% of the gradient along h at each step",
    }[cell] in words
    again = run("render", "hello", "--cell", cell, "-T", "svg", "-q")
    assert again.stdout_bytes == picture.encode(), "the same command gives the same bytes"


def test_the_gallery_has_every_level_of_detail_and_shows_what_it_wrote(
    run: Run, folder: Path
) -> None:
    assert run("gallery", "out", "--task", "companies", "-q").exit_code == 0
    page = (folder / "out" / "index.html").read_text("utf-8")
    drawn = {path.name for path in (folder / "out").glob("*.svg")}
    assert drawn == {
        *(
            f"companies-{d}-{t}.svg"
            for d in ("auto", "layer", "cell", "gate")
            for t in ("light", "dark")
        ),
        "companies-op.svg",
    }
    assert all(f'src="{name}"' in page for name in drawn)
    assert 'href="companies.html">play<' in page
    played = (folder / "out" / "companies.html").read_text("utf-8")
    assert "<svg" in played and 'id="data"' in played


def test_the_gallery_draws_what_has_no_theme_once(run: Run, folder: Path) -> None:
    assert run("gallery", "out", "--task", "image", "-q").exit_code == 0
    drawn = {path.name for path in (folder / "out").glob("*.svg")}
    assert drawn == {f"image-{d}.svg" for d in ("auto", "layer", "cell", "gate", "op")}
    page = (folder / "out" / "index.html").read_text("utf-8")
    assert "(gate)</figcaption>" in page and all(f'src="{name}"' in page for name in drawn)
    assert run("gallery", "dark", "--task", "hello", "--theme", "dark", "-q").exit_code == 0
    dark = {path.name for path in (folder / "dark").glob("hello-lstm-*.svg")}
    assert dark == {
        *(f"hello-lstm-{d}-dark.svg" for d in ("auto", "layer", "cell", "gate")),
        "hello-lstm-op.svg",
    }


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--theme dark", "text has no theme; leave it out"),
        (
            "-T svg --detail op --width 900 --legend none",
            "a picture of operations has no width or legend",
        ),
        ("-T dot --font-size 20", "a picture of operations has no font size"),
        ("-T html --aspect 4:3", "a page has no aspect"),
        ("-T html --compare rnn,lstm --theme dark", "a page has no theme"),
    ],
)
def test_a_style_that_does_not_apply_is_refused(run: Run, words: str, what: str) -> None:
    result = run("render", "hello", *words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert what in result.stderr and "draw cells as svg" in result.stderr


def test_the_real_picture_in_text(run: Run) -> None:
    import viz
    from micrornn.tasks.source import resolve

    picture = run("render", "hello").stdout
    unrolled = resolve("hello")
    assert picture == viz.render(unrolled.loss, format="txt", title=unrolled.title)
    for words in ("'h'", "'e'", "'l'", "t = 4", "0.971"):
        assert words in picture


@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("svg", b"<svg "),
        ("png", b"\x89PNG\r\n"),
        ("dot", b"digraph "),
        ("txt", b"hello: a tanh RNN reads"),
        ("html", b"<!doctype html>"),
    ],
)
def test_every_format_is_what_it_is_called(
    run: Run, folder: Path, format: str, begins: bytes
) -> None:
    result = run("render", "hello", "-o", f"hello.{format}")
    assert result.exit_code == 0, result.stderr
    assert (folder / f"hello.{format}").read_bytes()[: len(begins)].lower() == begins.lower()


@pytest.mark.parametrize("detail", viz.DETAILS)
def test_every_detail_of_every_cell(run: Run, detail: str) -> None:
    sizes = set()
    for cell in CELLS:
        result = run("render", "stocks", "--cell", cell, "--detail", detail, "-T", "svg")
        assert result.exit_code == 0, result.stderr
        sizes.add(len(result.stdout))
    assert len(sizes) == len(CELLS)


def test_a_loop_that_nobody_marked(run: Run, folder: Path) -> None:
    (folder / "loop.py").write_text(
        "import numpy as np\nimport micrornn as mr\n"
        "W = mr.tensor(np.eye(3) * 0.5, requires_grad=True)\n\n\n"
        "def loss():\n    h = mr.tensor(np.ones(3))\n    for _ in range(5):\n"
        "        h = mr.tanh(W @ h)\n    return h.sum()\n",
        encoding="utf-8",
    )
    result = run("render", "loop.py:loss", "-T", "svg")
    assert "reaches step 1 with" in result.stdout and "steps inferred" in result.stdout
    assert "steps inferred from a loop of 5 iterations" in result.stderr
    for command in ("flow", "diagnose"):
        result = run(command, "loop.py:loss")
        assert result.exit_code == 0
        assert "a loop of 5 iterations at loop.py, line 9" in result.stderr


def test_a_network_with_checkpoints_is_drawn_whole_also_from_a_recording(
    run: Run, folder: Path
) -> None:
    (folder / "kept.py").write_text(
        "import numpy as np\nfrom micrornn import nn\n\n\n"
        "def loss():\n    lstm = nn.LSTM(2, 3, rng=0, checkpoint='sqrt')\n"
        "    return lstm(np.ones((6, 1, 2)))[1][0].sum()\n",
        encoding="utf-8",
    )
    drawn = run("render", "kept.py:loss", "-T", "svg")
    assert drawn.exit_code == 0 and "↻ computed again" in drawn.stdout
    assert run("record", "kept.py:loss", "-o", "kept.mrn").exit_code == 0
    saved = run("render", "-", "-T", "svg", input=(folder / "kept.mrn").read_bytes())
    assert saved.stdout.count("↻</text>") == drawn.stdout.count("↻</text>") > 2
    assert "↻" in run("render", "kept.mrn").stdout


def test_the_gallery_shows_what_is_behind_a_cut(run: Run, folder: Path) -> None:
    assert run("gallery", "out", "--task", "detached", "--theme", "light", "-q").exit_code == 0
    svg = (folder / "out" / "detached-auto-light.svg").read_text("utf-8")
    assert "reaches 1 of 10 steps" in svg
