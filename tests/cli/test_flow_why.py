"""`micrornn diagnose`, `why` and `diff`: their answers and exit codes; the built-in failures; lit paths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from micrornn.diagnose import VERDICTS
from micrornn.flow.failures import FAILURES
from micrornn.recording import record
from micrornn.tasks.source import resolve

Run = Callable[..., Result]
DOCS = Path(__file__).parents[2] / "docs"

FOUND = {
    **{"vanishing": "vanishing", "exploding": "exploding", "forgetful": "forgetful"},
    **{"nan": "not finite", "detached": "detached", "saturated": "unscaled input"},
}


@pytest.mark.parametrize("source", FAILURES)
def test_each_failure_is_diagnosed(run: Run, source: str) -> None:
    result = run("diagnose", source)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"1. {FOUND[source]} " in result.stdout
    assert "   try: " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    data = json.loads(run("diagnose", source, "--json").stdout)
    assert data["problems"][0]["name"] == FOUND[source]


@pytest.mark.parametrize("source", FAILURES)
@pytest.mark.parametrize("command", ["render", "flow"])
def test_each_failure_is_a_source(run: Run, source: str, command: str) -> None:
    result = run(command, source, "--steps", "12")
    assert result.exit_code == 0, result.stderr
    assert "Warning" not in result.stderr


def test_the_power_of_the_notes(run: Run) -> None:
    data = json.loads(run("why", "vanishing", "h[0]", "--json").stdout)
    assert (data["norm"], data["verdict"]) == (0.5**50, "shrunk hop by hop")
    data = json.loads(run("why", "exploding", "h[0]", "--json").stdout)
    assert (data["norm"], data["verdict"]) == (2.0**50, "grown hop by hop")


@pytest.mark.parametrize("source", ["saturated", "vanishing"])
def test_a_finding_names_the_command_that_explains_it(run: Run, source: str) -> None:
    (problem, *_) = json.loads(run("diagnose", source, "--json").stdout)["problems"]
    assert f"\n   more: {problem['more']}\n" in run("diagnose", source).stdout
    explained = run(*problem["more"].split()[1:])
    assert (explained.exit_code, explained.stderr) == (0, "")
    assert explained.stdout.startswith(f"{problem['name']}\n   ")
    assert all(what in " ".join(explained.stdout.split()) for what in problem["advice"])


def test_every_problem_is_explained_and_has_its_section_on_the_page(run: Run) -> None:
    page = (DOCS / "diagnosis.md").read_text(encoding="utf-8")
    headings = {
        name.lower().replace(" ", "-"): name for name in re.findall("^## (.*)$", page, re.M)
    }
    assert headings == {verdict.slug: name for name, verdict in VERDICTS.items()}
    for slug, name in headings.items():
        text = run("diagnose", "--explain", slug).stdout
        assert text == run("diagnose", "--explain", name).stdout and text.startswith(name)
        assert " ".join(VERDICTS[name].why.split()) in " ".join(text.split())
        assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_problem_is_refused(run: Run) -> None:
    result = run("diagnose", "--explain", "vanishin")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--explain: no problem 'vanishin'; did you mean 'vanishing'?" in result.stderr


def test_nothing_wrong(run: Run) -> None:
    assert "\n\nNothing wrong found. Checked: " in run("diagnose", "hello").stdout


def test_diagnosis_of_a_file(run: Run, folder: Path) -> None:
    assert run("record", "detached", "-o", "run.mrn").exit_code == 0
    kept, fresh = run("diagnose", "run.mrn").stdout, run("diagnose", "detached").stdout
    assert kept.partition("1.")[2] == fresh.partition("1.")[2] != ""


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("hello h[1]", "h[1] (gradient norm 0.386): arrived in full"),
        ("hello y[4]", "arrived in full"),
        ("stocks y[1]", "y[1] (no gradient): not on a path to the loss"),
        ("detached h[1]", "h[1] (no gradient): detached here"),
        ("saturated h[1]", "h[1] (gradient norm "),
    ],
)
def test_why(run: Run, words: str, verdict: str) -> None:
    result = run("why", *words.split())
    assert (result.exit_code, result.stderr) == (0, "")
    assert verdict in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_why_names_the_line_of_ones_own_file(run: Run, folder: Path) -> None:
    (folder / "clear.py").write_text(
        "import micrornn as mr\nw = mr.Value(0.5, 'w')\n\n\ndef loss():\n"
        "    a = w * 2.0\n    return w * 1.0 + a * 0.0 + mr.Value(0.0, 'z') * (a * 0.0)\n",
        encoding="utf-8",
    )
    assert "clear.py:7" in run("why", "clear.py:loss", "z").stdout


# --------------------------------------------------------------------------------------- diff


def test_equal_runs(run: Run) -> None:
    assert run("record", "hello", "-o", "a.mrn").exit_code == 0
    result = run("diff", "a.mrn", "hello")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("equal: ")
    assert run("diff", "a.mrn", "hello", "-q").stdout == ""


def test_different_runs(run: Run) -> None:
    assert run("record", "hello", "--cell", "gru", "-o", "b.mrn").exit_code == 0
    result = run("diff", "hello", "b.mrn")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.startswith("first difference at h[1]: the values differ by up to ")
    assert "ratio" in result.stdout
    quiet = run("diff", "hello", "b.mrn", "-q")
    assert (quiet.exit_code, quiet.stdout) == (1, "")
    data = json.loads(run("diff", "hello", "b.mrn", "--json").stdout)
    assert data["equal"] is False and data["first"]["role"] == "h"


def test_differences_that_are_allowed(run: Run) -> None:
    assert run("record", "hello", "--seed", "1", "-o", "b.mrn").exit_code == 0
    assert run("diff", "hello", "b.mrn").exit_code == 1
    assert run("diff", "hello", "b.mrn", "--atol", "100").exit_code == 0


# -------------------------------------------------------------------------------- paths, lit


def test_render_lights_the_paths_between_two_places(run: Run) -> None:
    import viz

    result = run("render", "hello", "--from", "L3", "--to", "h0", "-T", "svg", "-q")
    loss = record(lambda: resolve("hello").loss).passes[0].out
    targets = dict(enumerate("ello", 1))
    look: Any = {"title": resolve("hello").title, "ends": ("L3", "h0"), "targets": targets}
    assert result.stdout_bytes == str(viz.render(loss, **look)).encode()
    assert result.stdout != run("render", "hello", "-T", "svg", "-q").stdout
