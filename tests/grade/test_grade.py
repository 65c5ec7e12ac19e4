"""Grading: right programs pass, and each wrong one is told what it does and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from micrornn.grade import GradeError, check, grade, grade_file
from micrornn.grade.backward import bptt
from micrornn.grade.exercise import exercise
from micrornn.grade.mistakes import CATALOG, Mistake, of_cell
from micrornn.grade.problem import CELLS, Problem, make, solve
from micrornn.tasks.userfile import SourceError

SOLUTIONS = Path(__file__).parent / "solutions"
WITH_US = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
EVERY = [(cell, mistake) for cell in CELLS for mistake in of_cell(cell)]


def test_the_catalog_is_large_and_tells_mistakes_apart() -> None:
    assert len(CATALOG) >= 45
    for cell in CELLS:
        assert len({m.name for m in of_cell(cell)}) == len(of_cell(cell)) >= 25


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", [(4, 4, 4), (3, 5, 2), (1, 1, 2)])
def test_the_recursion_without_mistakes_is_the_graph(
    cell: str, sizes: tuple[int, int, int]
) -> None:
    numbers = solve(make(cell, 3, 6, sizes))
    for name, g in bptt(numbers).items():
        np.testing.assert_allclose(g, numbers.grads[name], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(
            sum(numbers.parts[name][1:]), numbers.grads[name], rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize("cell", CELLS)
def test_the_graph_is_right_by_finite_differences(cell: str) -> None:
    numbers = solve(make(cell, 5, 3, (2, 2, 2)))
    p = numbers.problem
    for name, weight in p.weights.items():
        for place in np.ndindex(weight.shape):
            losses = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in p.weights.items()}
                moved[name][place] += sign * 1e-6
                losses.append(solve(Problem(cell, p.xs, p.targets, moved)).loss)
            slope = (losses[0] - losses[1]) / 2e-6
            assert numbers.grads[name][place] == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(("cell", "mistake"), EVERY, ids=lambda v: getattr(v, "name", v))
def test_every_mistake_is_named(cell: str, mistake: Mistake) -> None:
    runs = {n.h[1].tobytes(): n for n in _numbers(cell)}

    def student(weights: dict, xs: list, targets: list, states: dict) -> dict:  # type: ignore[type-arg]
        known = runs.get(states["h"][1].tobytes())
        if known is None or len(xs) != known.problem.steps:
            known = solve(Problem(cell, np.array(xs), np.array(targets), weights))
        return bptt(known, **mistake.twists)

    result = grade(student, cell)
    assert not result.right
    assert [m.name for m in result.mistakes] == [mistake.name]
    assert result.first.startswith("Backward")


def _numbers(cell: str) -> list:  # type: ignore[type-arg]
    from micrornn.grade.compare import PROBLEMS

    return [solve(make(cell, **settings)) for settings in PROBLEMS]


@pytest.mark.parametrize("cell", CELLS)
def test_a_right_program_passes(cell: str) -> None:
    result = grade_file(str(SOLUTIONS / f"{cell}.py"))
    assert result.right, str(result)
    check(str(SOLUTIONS / f"{cell}.py"))


#: Lines of a right program, what a student writes instead, and what is said. None of these use the twists.
PLANTED = [
    ("rnn", "dh = W_hy.T @ dy + dh_next\n        delta = dh * (1 - h[t] ** 2)",
     "delta = W_hy.T @ dy + dh_next * (1 - h[t] ** 2)", "tanh' multiplies the term of later steps only"),
    ("rnn", "dh_next = W_hh.T @ delta", "dh_next = W_hh @ delta", "W_hh is not transposed"),
    ("rnn", "np.outer(delta, h[t - 1])", "np.outer(delta, h[t])", "meets h_t"),
    ("rnn", 'grads["b"] += delta', 'grads["b"] += 2 * delta', "the bias is counted twice"),
    ("rnn", "dh_next = W_hh.T @ delta", "dh_next += W_hh.T @ delta", "piles up"),
    ("rnn", "dh_next = W_hh.T @ delta", "pass", "nothing is carried"),
    ("rnn", "+= np.outer", "= np.outer", None),
    ("rnn", "range(T, 0, -1)", "range(T, 1, -1)", "the first step contributes nothing"),
    ("rnn", "dy[targets[t - 1]] -= 1.0", "dy[targets[t - 1]] -= 0.5", None),
    ("lstm", "dc_next = dc * f[t]", "dc_next = dc", "the forget gate is missing"),
    ("lstm", "dc_next = dc * f[t]", "pass", "the gradient of c is not carried"),
    ("lstm", "np.concatenate([di, df, dg, do])", "np.concatenate([di, df, do, dg])", "in the order i f o g"),
    ("lstm", "dc * c[t - 1] * f[t]", "dc * c[t] * f[t]", "df uses c_t"),
    ("lstm", "(1 - np.tanh(c[t]) ** 2)", "(1 - c[t] ** 2)", "1 - c²"),
    ("gru", "dh * (1 - z[t]) * (1 - n[t] ** 2)", "dh * (1 - n[t] ** 2)", "1 - z is missing"),
    ("gru", "dh * z[t] + weights", "weights", "the direct way"),
    ("gru", "(h[t - 1] - n[t])", "(n[t] - h[t - 1])", "dz has the wrong sign"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "line", "instead", "says"), PLANTED)
def test_a_mistake_in_a_program_is_found(
    tmp_path: Path, cell: str, line: str, instead: str, says: str | None
) -> None:
    text = (SOLUTIONS / f"{cell}.py").read_text("utf-8")
    assert line in text
    path = tmp_path / f"{cell}.py"
    path.write_text(text.replace(line, instead), "utf-8")
    result = grade_file(str(path))
    assert not result.right
    if says is None:  # not in the catalog, but it is said where
        assert "differs" in result.first or "Backward" in result.first
    else:
        assert says in str(result), str(result)


def test_two_mistakes_at_once(tmp_path: Path) -> None:
    text = (SOLUTIONS / "rnn.py").read_text("utf-8")
    text = text.replace("W_hh.T @ delta", "W_hh @ delta").replace(
        'grads["b"] += delta', 'grads["b"] += 2 * delta'
    )
    (tmp_path / "two.py").write_text(text, "utf-8")
    names = [m.name for m in grade_file(str(tmp_path / "two.py")).mistakes]
    assert (
        len(names) == 2
        and any("transposed" in n for n in names)
        and any("twice" in n for n in names)
    )


def test_zeros_alone_are_no_proof_of_a_mistake() -> None:
    zeros = grade(lambda weights, *_: {"W_hh": np.zeros_like(weights["W_hh"])})
    assert not zeros.mistakes and "dL/dW_hh is zero" in zeros.first


def test_the_first_difference_is_by_step_and_term(tmp_path: Path) -> None:
    text = (SOLUTIONS / "rnn.py").read_text("utf-8").replace("dh_next = W_hh.T", "dh_next = W_hh")
    (tmp_path / "a.py").write_text(text, "utf-8")
    result = grade_file(str(tmp_path / "a.py"))
    assert (
        result.where["name"] == "delta" and result.where["step"] == 4
    )  # right at step 5, the last
    assert "delta = dL/da at step 4" in result.first
    assert result.also == ["It is right for T = 1, and wrong from T = 2 on."]


@pytest.mark.parametrize(
    ("line", "instead", "says"),
    [
        (' + weights["b"]', "", "the bias is missing"),
        ("np.tanh(a)", "np.maximum(a, 0)", "ReLU is used for tanh"),
        ('weights["W_hh"] @ h[-1]', 'weights["W_hh"].T @ h[-1]', "W_hh is transposed"),
        ("loss +=", "loss =", "loss differs"),
        ("h.append(np.tanh(a))", "h.append(np.tanh(a) * (1 + 1e-4))", "h at step 1 differs"),
    ],
)
def test_forward_is_read_first(tmp_path: Path, line: str, instead: str, says: str) -> None:
    text = (SOLUTIONS / "rnn.py").read_text("utf-8")
    (tmp_path / "a.py").write_text(text.replace(line, instead), "utf-8")
    result = grade_file(str(tmp_path / "a.py"))
    assert not result.right and result.first.startswith("Forward") and says in str(result)


def test_what_cannot_be_graded_says_what_to_do(tmp_path: Path) -> None:
    for text, says in (
        ("x = 1\n", "no function backward"),
        ("CELL = 'rn'\ndef backward(w, x, t, s):\n    return {}\n", "give one of rnn, lstm, gru"),
        ("def backward(w, x, t, s):\n    return 3\n", "return a dict"),
        ("def backward(w, x, t, s):\n    return {}\n", "return the gradients under"),
        ("def backward(w, x):\n    return {}\n", "it is called as backward"),
        ("def backward(w, x, t, s):\n    return {'b': 1, 'delta': [1]}\n", "give one for each"),
    ):
        (tmp_path / "a.py").write_text(text, "utf-8")
        with pytest.raises(GradeError, match=says):
            grade_file(str(tmp_path / "a.py"))


def test_a_file_that_is_not_python_is_told_what_to_give(tmp_path: Path) -> None:
    for path in (tmp_path / "none.py", "hello"):
        with pytest.raises(SourceError, match=r"give FILE\.py$"):
            grade_file(str(path))


def test_a_wrong_shape_is_said(tmp_path: Path) -> None:
    text = (SOLUTIONS / "rnn.py").read_text("utf-8")
    text = text.replace(
        "return {**grads,", 'grads["W_ih"] = grads["W_ih"][:1]\n    return {**grads,'
    )
    (tmp_path / "a.py").write_text(text, "utf-8")
    assert "has shape (1, 4)" in str(grade_file(str(tmp_path / "a.py")))


# -- the command --------------------------------------------------------------------------------------


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["grade", *words])


def test_the_command(tmp_path: Path) -> None:
    right = invoke(str(SOLUTIONS / "rnn.py"))
    assert (right.exit_code, right.stdout[:6]) == (0, "Right:")
    path = tmp_path / "rnn.py"
    text = (SOLUTIONS / "rnn.py").read_text("utf-8").replace("W_hh.T @ delta", "W_hh @ delta")
    path.write_text(text, "utf-8")
    wrong = invoke(str(path), "--solution", "--figure", str(tmp_path / "a.svg"))
    assert wrong.exit_code == 1
    assert "not transposed" in wrong.stdout and "W_hh.T @ delta" in wrong.stdout
    assert "dL/dW_hh" in (tmp_path / "a.svg").read_text("utf-8")
    data = json.loads(
        invoke("--json", str(path), str(SOLUTIONS / "lstm.py"), str(tmp_path / "no.py")).stdout
    )
    assert [entry["right"] for entry in data] == [False, True, False]
    assert data[0]["where"]["step"] == 4 and "error" in data[2]


def test_a_program_that_fails_is_told_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    text = (SOLUTIONS / "rnn.py").read_text("utf-8")
    path.write_text(text.replace("targets[t - 1]", "targets[t]"), encoding="utf-8")
    (line,) = [n for n, one in enumerate(text.splitlines(), 1) if "dy[targets[t - 1]]" in one]
    with pytest.raises(GradeError, match=f"backward failed at line {line} with IndexError"):
        grade_file(str(path))


@pytest.mark.parametrize("cell", CELLS)
def test_an_exercise_as_a_notebook(cell: str, tmp_path: Path) -> None:
    path = tmp_path / f"{cell}.ipynb"
    assert invoke("--start", str(path), "--cell", cell).exit_code == 0
    _, gap, test = json.loads(path.read_text("utf-8"))["cells"]
    empty, check_it = "".join(gap["source"]), "".join(test["source"])
    with pytest.raises(AssertionError, match="Backward"):
        exec(empty + "\n" + check_it, {})
    exec((SOLUTIONS / f"{cell}.py").read_text("utf-8") + check_it, {})
    marks = [one["metadata"]["nbgrader"] for one in (gap, test)]
    assert [(m["solution"], m["grade"], m["locked"]) for m in marks] == [
        (True, False, False),
        (False, True, True),
    ]
    before, _, after = empty.partition("        ### BEGIN SOLUTION\n")
    assert before.endswith("\n") and after.endswith("        ### END SOLUTION\n    return grads")
    refused = invoke(str(path))
    assert refused.exit_code == 2 and "run its last cell" in refused.stderr


@pytest.mark.parametrize(("wrong", "code"), [(False, 0), (True, 1)])
def test_a_class_runs_it_as_a_test(wrong: bool, code: int, tmp_path: Path) -> None:
    """As GitHub Classroom does: pytest, in the folder of the student."""
    text = (SOLUTIONS / "rnn.py").read_text("utf-8")
    (tmp_path / "bptt.py").write_text(
        text.replace("W_hh.T @", "W_hh @") if wrong else text, encoding="utf-8"
    )
    test = 'from micrornn.grade import check\n\n\ndef test_backward():\n    check("bptt.py")\n'
    (tmp_path / "test_bptt.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=WITH_US)
    assert done.returncode == code, done.stdout
    assert ("not transposed" in done.stdout) == wrong


def test_an_exercise_to_begin_with(tmp_path: Path) -> None:
    for cell in CELLS:
        path = tmp_path / f"{cell}.py"
        assert invoke("--start", str(path), "--cell", cell).exit_code == 0
        assert path.read_text("utf-8") == exercise(cell)
        assert invoke(str(path)).exit_code == 1  # it is empty, and runs
        assert invoke("--start", str(path)).exit_code == 2
    assert invoke().exit_code == 2
