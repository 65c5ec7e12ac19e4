"""What is said of an unrolled network: its steps, its summary, windows on it, remarks in it."""

from __future__ import annotations

import pytest

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.tasks import task
from micrornn.tasks.unrolled import Unrolled, label_inputs, parse_window


def loop(*steps: int, width: int | None = None) -> Unrolled:
    w = Tensor(0.5 if width is None else [0.5] * width, True, "w")
    h = w * 2.0
    for t in steps:
        with scope(t=t):
            h = h * w
    return Unrolled("a loop", h)


@pytest.mark.parametrize(
    ("unrolled", "steps", "summary"),
    [
        (loop(1, 2, 3), [1, 2, 3], "6 nodes, steps 1 to 3, loss 0.125"),
        (loop(2), [2], "4 nodes, step 2, loss 0.5"),
        (loop(), [], "3 nodes, loss 1"),
        (loop(0, 1), [1], "5 nodes, step 1, loss 0.25"),
        (loop(1, width=3), [1], "4 nodes, step 1, result of shape (3,)"),
        (loop(*range(1, 2001)), list(range(1, 2001)), "2,003 nodes, steps 1 to 2000, loss 0"),
    ],
)
def test_steps_and_summaries(unrolled: Unrolled, steps: list[int], summary: str) -> None:
    assert unrolled.steps == steps
    assert unrolled.summary() == summary


@pytest.mark.parametrize(
    ("text", "steps"), [("2:3", (2, 3)), (":2", (1, 2)), ("3:", (3, 4)), ("1:4", (1, 4))]
)
def test_windows(text: str, steps: tuple[int, int]) -> None:
    assert loop(1, 2, 3, 4).window(*parse_window(text)) == steps


@pytest.mark.parametrize("text", ["", "3", ":", "a:b", "1:2:3", "-1:2", "1.5:2", "1:" + "9" * 5000])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match="is not a window; give the first and last step"):
        parse_window(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("3:2", "3:2 ends before it begins; write 2:3"),
        ("0:2", "0:2 is out of range; the steps are 1 to 4"),
        ("2:5", "2:5 is out of range; the steps are 1 to 4"),
        ("40:48", "40:48 is out of range"),
    ],
)
def test_windows_outside(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        loop(1, 2, 3, 4).window(*parse_window(text))


def test_no_window_without_steps() -> None:
    with pytest.raises(ValueError, match="a loop has no time steps, so it has no window of steps"):
        loop().window(1, 2)


def test_inputs_get_their_remarks() -> None:
    whole = Tensor([1.0, 2.0], True, "x")
    total = whole.sum()
    for t in (1, 2):
        with scope(t=t):
            x = whole[t - 1]
            x.name = "x"
            total = total + x
    label_inputs(total, ["one", "two"])
    names = [node.name for node in Unrolled("", total).graph if node.name]
    assert names == ["x", "x one", "x two"], "the whole sequence has no step, so no remark"


@pytest.mark.parametrize(
    ("steps", "reads"),
    [
        (1, "reads today 172.5, predicts tomorrow 167.54"),
        (2, "reads yesterday 172.54 and today 172.5, predicts tomorrow 167.54"),
        (3, "reads 3 prices, 2 days ago 184.87 to today 172.5, predicts tomorrow 167.54"),
    ],
)
def test_titles_of_stocks(steps: int, reads: str) -> None:
    assert task("stocks").unrolled({"steps": steps}).title == f"stocks: a tanh RNN {reads}"
