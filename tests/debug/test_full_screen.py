"""The full screen, driven by Textual's pilot, from 60x20 up; `test_in_tmux.py` looks at it in a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrornn.debug.session import Session
from micrornn.debug.tutorial import PAGES
from micrornn.recording import Recording
from viz.terminal import strip

pytest.importorskip("textual")
from viz.terminal import heat
from viz.terminal.panes import Pane
from viz.terminal.tui import KEYS, Screen

Recorded = Callable[[str], Recording]


def shown(app: Screen, part: str) -> str:
    if part == "command":
        return str(app.query_one("#command").value)  # type: ignore[attr-defined]
    return app.query_one(f"#{part}", Pane).text.plain


def drive(app: Screen, size: tuple[int, int], steps: Callable[[Any], Awaitable[None]]) -> None:
    async def go() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.1)
            await steps(pilot)

    asyncio.run(go())


async def give(pilot: Any, words: str) -> None:
    await pilot.press(*("space" if c == " " else c for c in words), "enter")
    await pilot.pause(0.1)


@pytest.fixture(autouse=True)
def own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's history."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
def test_everything_is_in_view(recorded: Recorded, size: tuple[int, int]) -> None:
    app = Screen(Session(recorded("lstm")))

    async def steps(pilot: Any) -> None:
        small = size[1] < 36
        side = ["source"] if small else ["source", "credit", "stops"]
        for part in ("strip", "turns", "values", *side, "answer", "command"):
            region = app.query_one(f"#{part}").region
            assert region.width > 0, part
            assert region.height > 0, part
            assert region.right <= size[0], part
            assert region.bottom <= size[1], part
        assert "->    1" in shown(app, "turns")
        await give(pilot, "until sigmoid")
        assert "o[3] = sigmoid" in shown(app, "turns")
        assert "gradient: shape (2,), norm 0.458" in shown(app, "values")
        assert "outputs, _ = net(" in shown(app, "source")
        if small:
            await pilot.press("f2")
            await pilot.pause(0.1)
            assert app.query_one("#credit").region.height > 3
            assert app.query_one("#source").region.height == 0
        assert "|dL/dh[k]|" in shown(app, "credit")

    drive(app, size, steps)


def test_keys_and_commands_are_those_of_the_line_debugger(recorded: Recorded) -> None:
    app = Screen(Session(recorded("loop")))

    async def steps(pilot: Any) -> None:
        await pilot.press("f11", "f11")
        assert app.session.state.position == 2
        await pilot.press("f6")
        assert app.session.state.position == 1
        await give(pilot, "break t=1")
        assert "1 break t=1 (0)" in shown(app, "stops")
        await pilot.press("f5")
        await pilot.pause(0.1)
        assert app.session.moment.node.step == 1
        assert "breakpoint 1: t=1" in shown(app, "answer")
        await give(pilot, "display w.grad")
        assert "d1 w.grad = " in shown(app, "stops")
        await give(pilot, "stpe")
        assert "did you mean 'step'" in shown(app, "answer")
        await pilot.press("p", "r", "tab")
        assert shown(app, "command") == "print"
        await pilot.press("ctrl+c")
        assert shown(app, "command") == ""
        await give(pilot, "goto end")
        assert "-> the end" in shown(app, "turns")
        await give(pilot, "q")

    drive(app, (80, 24), steps)
    assert app.return_code == 0


def test_help_is_read_whole_in_a_small_terminal(recorded: Recorded) -> None:
    app = Screen(Session(recorded("loop")))

    async def steps(pilot: Any) -> None:
        await give(pilot, "help")
        answer = app.query_one("#answer", Pane)
        lines = answer.text.plain.splitlines()
        assert lines[0].startswith("moving")
        assert lines[-1].endswith("repeats.")
        assert answer.size.height >= 14
        assert answer.scroll_offset.y == 0
        await pilot.press("pagedown", "pagedown")
        await pilot.pause(0.1)
        assert answer.scroll_offset.y + answer.size.height >= len(lines)
        await give(pilot, "step")
        assert answer.size.height <= 6

    drive(app, (80, 24), steps)


def test_the_tutorial_is_given_on_the_full_screen(recorded: Recorded) -> None:
    app = Screen(Session(recorded("loop")))
    own = app.session

    async def steps(pilot: Any) -> None:
        await give(pilot, "tutorial")
        assert "This run multiplies" in shown(app, "answer")
        assert "try: where" in shown(app, "answer")
        assert "h[50]" in shown(app, "turns")
        await give(pilot, "")
        assert "What is ahead?" in shown(app, "answer")
        await give(pilot, "step 2")  # something else: the page stays
        assert "try: list" in shown(app, "answer")
        assert "What is ahead?" not in shown(app, "answer")
        for page in PAGES[1:-1]:
            assert f"try: {page.command}" in shown(app, "answer")
            await give(pilot, "")
        assert "q leaves the tutorial" in shown(app, "answer")
        await give(pilot, "q")
        assert app.session is own
        assert "h[50]" not in shown(app, "turns")

    drive(app, (80, 24), steps)


def test_the_history_is_under_the_up_key_and_in_later_sessions(recorded: Recorded) -> None:
    async def first(pilot: Any) -> None:
        for words in ("step 2", "where", "where"):
            await give(pilot, words)
        await pilot.press("x", "up")
        assert shown(pilot.app, "command") == "where"
        await pilot.press("up")
        assert shown(pilot.app, "command") == "step 2"
        await pilot.press("up", "down", "down")
        assert shown(pilot.app, "command") == "x"

    async def second(pilot: Any) -> None:
        await pilot.press("up")
        assert shown(pilot.app, "command") == "where"

    for steps in (first, second):
        drive(Screen(Session(recorded("loop"))), (80, 24), steps)


def test_another_size_is_painted_anew(recorded: Recorded) -> None:
    app = Screen(Session(recorded("rnn")))

    async def steps(pilot: Any) -> None:
        for size in ((120, 40), (80, 24), (200, 50), (60, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.2)
            assert app.query_one("#command").region.bottom == size[1]
            assert app.query_one("#strip").region.width == size[0]
            wide = max(map(len, shown(app, "answer").splitlines()))
            assert wide <= size[0]
            assert app.query_one("#stops").display == (size[1] >= 36)

    drive(app, (80, 24), steps)


def test_the_mouse_goes_to_a_step_and_a_pullback_and_sets_a_breakpoint(recorded: Recorded) -> None:
    app = Screen(Session(recorded("loop")))

    async def steps(pilot: Any) -> None:
        await pilot.click("#strip", offset=(1, 0))  # the second of four steps
        await pilot.pause(0.1)
        assert app.session.moment.node.step == 2
        pane = app.query_one("#turns", Pane)
        row = app.session.state.position + 1 - int(pane.scroll_offset.y)
        await pilot.click("#turns", offset=(8, row + 1))  # below the title
        await pilot.pause(0.1)
        before = app.session.state.position
        assert f"->{before + 1:5}" in shown(app, "turns")
        source = app.query_one("#source", Pane)
        line = next(i for i, x in enumerate(source.text.plain.splitlines()) if x.startswith(">"))
        await pilot.click("#source", offset=(8, line - int(source.scroll_offset.y) + 1))
        await pilot.pause(0.1)
        assert app.session.state.stops, (app.answer, line, source.scroll_offset)
        assert "conftest.py" in app.session.state.stops[0].words

    drive(app, (120, 40), steps)


def test_y_copies_the_pane_with_the_keys_and_ctrl_y_the_answer(recorded: Recorded) -> None:
    app = Screen(Session(recorded("loop")))

    async def steps(pilot: Any) -> None:
        await give(pilot, "where")
        await pilot.press("ctrl+y")
        assert app.clipboard == app.answer
        await pilot.press("escape", "y")
        assert app.clipboard == app.answer
        app.query_one("#turns").focus()
        await pilot.press("y")
        assert app.clipboard == shown(app, "turns")
        await pilot.press("escape", "y")
        assert shown(app, "command") == "y"  # in the command line it is a letter

    drive(app, (120, 40), steps)


def test_blank_lines_of_the_source_are_kept(recorded: Recorded) -> None:
    session = Session(recorded("lstm"))
    session.execute("until sigmoid")
    lines, at = strip.source(session)
    assert [int(line[1:5]) for line in lines] == list(range(1, len(lines) + 1))
    assert lines[at].startswith(">")
    assert any(line[5:].strip() == "" for line in lines)


def test_an_array_is_a_heat_map_with_signs_and_zeros() -> None:
    text = heat.array("g", np.array([[1.0, -2.0, 0.0], [np.nan, 0.5, -0.5]]), 20)
    assert text.plain.splitlines() == [
        "g: shape (2, 3), norm NaN, from -2 to 1",
        "  - 0 ",
        "!   - ",
    ]
    numbers = heat.array("g", np.array([1.0, -2.0, 0.0]), 24).plain.splitlines()[1]
    assert numbers.split() == ["1", "-2", "0"]
    large = heat.array("W", np.ones((500, 3)), 80).plain
    assert "the first 200 x 3" in large
    assert len(large.splitlines()) == 201
    assert heat.array("x", np.zeros((0, 3)), 80).plain == "x: shape (0, 3), norm exactly 0"


def test_every_key_is_a_command(recorded: Recorded) -> None:
    session = Session(recorded("loop"))
    for words in KEYS.values():
        session.parse(words)


def test_the_strip_shows_what_has_come_and_what_has_not(recorded: Recorded) -> None:
    session = Session(recorded("loop"))
    bars, mark, words = strip.strip(session, 80)
    assert bars == "...."
    assert "nothing has arrived" in words
    session.execute("until h[2]")
    bars, mark, words = strip.strip(session, 80)
    assert bars[0] == "."
    assert "." not in bars[1:]
    assert mark == " ^  "
    session.execute("goto end")
    assert "." not in strip.strip(session, 80)[0]


def test_more_steps_than_columns_are_said_to_share_them() -> None:
    import micrornn as mr
    from micrornn.recording import record

    w, h = mr.Value(0.99, "w"), mr.tensor(1.0)
    for t in range(1, 1001):
        with mr.scope(t=t):
            h = w * h
    session = Session(record(h))
    bars, _, words = strip.strip(session, 80)
    assert len(bars) <= 80
    assert "13 steps a column" in words


def test_without_a_terminal_the_full_screen_says_what_to_do(recorded: Recorded) -> None:
    from viz.terminal.tui import run

    with pytest.raises(RuntimeError, match="no terminal here"):
        run(Session(recorded("loop")))
