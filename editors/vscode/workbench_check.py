"""The extension in a workbench: code-server in Chromium, played as a person plays it.

    npm install --prefix DIR code-server@4.100.3          # Node 20
    pip install playwright                                # Chromium: MICRORNN_BROWSER, or on the path
    npm ci && npm run package                             # in editors/vscode
    python editors/vscode/workbench_check.py DIR [--picture FILE.png]

Uses the Python it is run with for the adapter, so micrornn has to be importable there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).resolve().parent
LIMIT = 30_000  # milliseconds
NET = """import micrornn as mr

w = mr.Value(0.5, "w")


def loss():
    h = mr.tensor(1.0, name="h")
    for t in range(1, 4):
        with mr.scope("cell", t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    return h
"""
SETTINGS = {
    "micrornn.python": sys.executable,
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "editor.minimap.enabled": False,
}
# The worker of code-server takes the place of the one that webviews need when a profile is new.
NO_WORKER = """if (globalThis.isSecureContext && location.protocol === "http:") {
  const workers = navigator.serviceWorker, register = workers.register.bind(workers);
  workers.register = (script, ...rest) =>
    String(script).includes("_static/out/browser") ? new Promise(() => {}) : register(script, ...rest);
}"""


@contextmanager
def server(installed: Path, folder: Path) -> Iterator[str]:
    """code-server with the packaged extension, on a free port."""
    program = ["node", str(installed / "node_modules/code-server/out/node/entry.js")]
    data = folder / "data"
    (data / "User").mkdir(parents=True)
    (data / "User/settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    program += ["--user-data-dir", str(data), "--extensions-dir", str(folder / "extensions")]
    environment = {**os.environ, "HOME": str(folder)}
    package = HERE / "micrornn.vsix"
    subprocess.run(
        [*program, "--install-extension", str(package)], check=True, env=environment, timeout=120
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["--auth", "none", "--bind-addr", address, "--disable-telemetry"]
    running = subprocess.Popen(
        [*program, *options, "--disable-update-check"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield f"http://{address}"
    finally:
        running.terminate()
        running.wait(20)


class Workbench:
    """What a person does and sees."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.stack = page.locator(".debug-call-stack .monaco-list-row")
        self.standing = page.locator(".pane-header", has_text="Call Stack")
        self.variables = page.locator(".debug-variables .monaco-list-row")
        self.console = page.locator(".repl-tree")
        self.trouble = page.locator(".notification-list-item .codicon-error")

    def command(self, title: str) -> None:
        self.page.keyboard.press("F1")
        self.page.locator(".quick-input-widget input:visible").fill(f">{title}")
        self.page.locator(".quick-input-list .monaco-list-row", has_text=title).first.click()

    def source(self, text: str) -> Any:
        return self.page.locator(".editor-instance .view-line", has_text=text).first

    def press(self, label: str) -> None:
        self.page.locator(f".debug-toolbar .action-label[aria-label^='{label}']").click()

    def stands_at(self, pullback: int, name: str) -> None:
        expect(self.stack.first).to_contain_text(name)
        expect(self.standing).to_contain_text(f"pullback {pullback} of 6")

    def type(self, text: str) -> None:
        self.page.locator(".repl-input-wrapper .view-lines").click()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Escape")  # the completions
        self.page.keyboard.press("Enter")


def play(page: Any, picture: Path | None) -> None:
    """A breakpoint, forward, back, another gradient, the console, a hover, restart, and the page."""
    bench = Workbench(page)
    page.locator(".explorer-folders-view .monaco-list-row", has_text="net.py").dblclick()
    expect(page.locator(".editor-actions .codicon-debug-alt").first).to_be_visible()
    dot = page.locator(".glyph-margin-widgets .codicon-debug-breakpoint")
    for _ in range(10):  # until the workbench knows that Python files take breakpoints
        bench.source("tanh").click()
        page.keyboard.press("F9")
        page.wait_for_timeout(1500)
        if dot.count():
            break
    bench.command("micrornn: Debug gradients of this file")
    bench.stands_at(1, "h[3] = tanh(mul[3])")
    expect(bench.console).to_contain_text("help lists the commands")
    bench.press("Continue")
    bench.stands_at(2, "mul(w, h[2])")
    bench.press("Step Into")
    bench.stands_at(3, "h[2] = tanh(mul[2])")
    bench.press("Step Back")
    bench.stands_at(2, "mul(w, h[2])")
    bench.press("Step Over")
    bench.stands_at(3, "h[2] = tanh(mul[2])")

    bench.variables.filter(has_text="gradient").first.dblclick()
    page.locator(".debug-variables input").press("Control+a")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(bench.variables.filter(has_text="sent to mul[2]")).to_contain_text("4.74")
    bench.type("w.grad")
    expect(bench.console).to_contain_text("w.grad = 0.224132")
    if picture:
        page.mouse.move(700, 480)
        page.wait_for_timeout(500)
        page.screenshot(path=picture)
    bench.type("step")
    bench.stands_at(4, "mul(w, h[1])")
    bench.source("range").get_by_text("range").last.hover()  # no node: nothing to show
    page.wait_for_timeout(1500)
    expect(bench.trouble).to_have_count(0)
    bench.press("Restart")
    bench.stands_at(1, "h[3] = tanh(mul[3])")

    bench.source("tanh").click()
    bench.command("micrornn: Play the backward pass of this file")
    panel = page.frame_locator("iframe.webview.ready").frame_locator("#active-frame")
    expect(panel.locator("#app svg.graph").first).to_be_visible()
    bench.press("Stop")
    expect(page.locator(".debug-toolbar")).to_be_hidden()
    expect(bench.trouble).to_have_count(0)


def main() -> None:
    """Run the check, and leave a picture where it fails."""
    parser = argparse.ArgumentParser(description="Play the extension in code-server.")
    parser.add_argument("installed", type=Path, help="where npm installed code-server")
    parser.add_argument("--picture", type=Path, help="write a screenshot of the debugger here")
    given = parser.parse_args()
    expect.set_options(timeout=LIMIT)
    browser = os.environ.get("MICRORNN_BROWSER") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "project").mkdir()
        (folder / "project/net.py").write_text(NET, encoding="utf-8")
        with server(given.installed, folder) as address:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(LIMIT)
            page.add_init_script(NO_WORKER)
            until = time.monotonic() + LIMIT / 1000
            while True:
                try:
                    page.goto(f"{address}/?folder={folder / 'project'}")
                    break
                except Exception:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.5)
            try:
                play(page, given.picture)
            except BaseException:
                page.screenshot(path="workbench-failed.png")
                print("the workbench as it stood: workbench-failed.png", file=sys.stderr)
                raise
            finally:
                chromium.close()
    print("workbench: all is well")


if __name__ == "__main__":
    main()
