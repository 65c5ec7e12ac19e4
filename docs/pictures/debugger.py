"""The picture of the debugger's full screen.

``python docs/pictures/debugger.py`` writes debugger.png; it needs Textual, playwright and a Chromium.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from micrornn.debug.origin import Origin
from micrornn.debug.session import Session
from micrornn.tasks.source import recorded
from viz.terminal.effects import source_line
from viz.terminal.tui import Screen

HERE = Path(__file__).parent
OPTIONS = {"cell": "lstm"}
COMMANDS = ("break h[2]", "display h[1].grad.norm", "continue")


async def drawn() -> str:
    """The screen after some commands, as SVG."""
    run = recorded("hello", OPTIONS)
    session = Session(run.recording, run.title, source_line, Origin("hello", OPTIONS))
    app = Screen(session)
    async with app.run_test(size=(132, 38)) as pilot:
        await pilot.pause(0.3)
        for command in COMMANDS:
            app.carry_out(command)
            await pilot.pause(0.3)
        return app.export_screenshot(title="micrornn debug hello --cell lstm --tui")


def main() -> None:
    """Write the picture."""
    from playwright.sync_api import sync_playwright

    svg = asyncio.run(drawn())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "screen.svg"
        path.write_text(svg, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=os.environ.get("MICRORNN_BROWSER"))
        page = browser.new_page(viewport={"width": 1640, "height": 980})
        page.goto(path.as_uri())
        page.locator("svg").first.screenshot(path=str(HERE / "debugger.png"))
        browser.close()


if __name__ == "__main__":
    main()
