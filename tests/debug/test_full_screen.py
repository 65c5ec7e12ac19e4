"""The full screen, driven by Textual's pilot, from 80x24 up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from micrornn.debug.session import Session
from micrornn.recording import Recording
from viz.terminal import strip

pytest.importorskip("textual")
from viz.terminal.tui import KEYS, Screen

Recorded = Callable[[str], Recording]


def shown(app: Screen, part: str) -> str:
    return str(app.query_one(f"#{part}").render())


def drive(app: Screen, size: tuple[int, int], steps: Callable[[Any], Awaitable[None]]) -> None:
    async def go() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(pilot)

    asyncio.run(go())


async def give(pilot: Any, words: str) -> None:
    await pilot.press(*("space" if c == " " else c for c in words), "enter")
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_everything_is_in_view(recorded: Recorded, size: tuple[int, int]) -> None:
    app = Screen(Session(recorded("lstm")))

    async def steps(pilot: Any) -> None:
        for part in ("strip", "cell", "values", "source", "stops", "answer", "command"):
            region = app.query_one(f"#{part}").region
            assert region.width > 0, part
            assert region.height > 0, part
            assert region.right <= size[0], part
            assert region.bottom <= size[1], part
        assert "->    1" in shown(app, "cell")
        assert all(len(one) <= size[0] for one in shown(app, "cell").splitlines())
        await give(pilot, "until sigmoid")
        assert "o[3] = sigmoid" in shown(app, "cell")
        assert "gradient: shape (2,), norm 0.458" in shown(app, "values")
        assert "outputs, _ = net(" in shown(app, "source")

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
        await pilot.pause()
        assert app.session.moment.node.step == 1
        assert "breakpoint 1: t=1" in shown(app, "answer")
        await give(pilot, "display w.grad")
        assert "d1 w.grad = " in shown(app, "stops")
        await give(pilot, "stpe")
        assert "did you mean 'step'" in shown(app, "answer")
        await give(pilot, "help")
        assert "help COMMAND explains one" in shown(app, "answer")
        await pilot.press("p", "r", "tab")
        assert app.query_one("#command").value == "print"  # type: ignore[attr-defined]
        await pilot.press("ctrl+c")
        assert app.query_one("#command").value == ""  # type: ignore[attr-defined]
        await give(pilot, "tutorial")
        assert "micrornn debug hello" in shown(app, "answer")
        await give(pilot, "goto end")
        assert "-> the end" in shown(app, "cell")
        await give(pilot, "q")

    drive(app, (80, 24), steps)
    assert app.return_code == 0


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
