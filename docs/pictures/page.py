"""The picture and the animation of the page: backward is played, then one gradient is set to zero.

``python docs/pictures/page.py`` writes page.png and page.gif; it needs the environment of the tests and a
Chromium.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrornn.tasks.source import recorded
from viz.page.player import player

if TYPE_CHECKING:
    from PIL import Image

HERE = Path(__file__).parent
SIZE = {"width": 1400, "height": 640}
COLORS = 64
ZERO = "h2"  # whose gradient is set to zero at the end


def frame(page: Any) -> Image.Image:
    """What is seen now."""
    from PIL import Image

    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def frames(page: Any) -> tuple[list[Image.Image], list[int]]:
    """Backward pullback by pullback, then the what-if; and how many milliseconds each is shown."""
    found, times = [], []

    def shoot(milliseconds: int) -> None:
        found.append(frame(page))
        times.append(milliseconds)

    page.keyboard.press("Home")
    last = int(page.get_by_label("Position").get_attribute("max"))
    for position in range(last + 1):
        shoot(220 if position < last else 1500)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("/")
    page.get_by_label("Find a box").fill(ZERO)
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    shoot(1200)
    page.get_by_role("button", name="Apply").click()
    shoot(3500)
    return found, times


def main() -> None:
    """Write both files."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    run = recorded("hello", {"cell": "lstm"})
    browser_path = os.environ.get("MICRORNN_BROWSER") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "run.html"
        path.write_text(player({"": run.recording}, run.title), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(path.as_uri())
        page.wait_for_selector("svg.graph")
        images, times = frames(page)
        page.set_viewport_size({"width": 1440, "height": 1000})
        page.get_by_role("button", name="Undo").click()
        page.mouse.move(0, 0)
        page.screenshot(path=HERE / "page.png")
        browser.close()
    palette = images[-3].quantize(COLORS, dither=Image.Dither.NONE)
    still = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    still[0].save(HERE / "page.gif", save_all=True, append_images=still[1:], duration=times, loop=0)


if __name__ == "__main__":
    main()
