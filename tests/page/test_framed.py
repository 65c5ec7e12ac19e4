"""The page inside another: as a widget of a notebook, and opened by the debugger."""

from __future__ import annotations

import base64
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from paged import data_of

from micrornn.debug.session import Session
from micrornn.tasks.source import recorded
from viz.page.player import page as page_of
from viz.page.player import unpacked
from viz.terminal.effects import perform

HOST = """async ([code, page, wanted]) => {
    const values = {page, height: 500, position: wanted, last: -1}, hears = [];
    window.model = {
        get: (name) => values[name],
        set: (name, value) => { values[name] = value; },
        put: (name, value) => { values[name] = value; hears.forEach((hear) => hear()); },
        save_changes: () => {}, on: (_, hear) => hears.push(hear), off: () => hears.pop(),
    };
    const widget = (await import(`data:text/javascript;base64,${code}`)).default;
    window.leave = widget.render({model, el: document.body});
}"""


def hosted(browser: Any, page: Path, position: int = -1) -> Any:
    host = browser.new_page()
    code = files("viz.page").joinpath("widget.js").read_bytes()
    host.evaluate(HOST, [base64.b64encode(code).decode(), page.read_text("utf-8"), position])
    host.wait_for_function("model.get('last') > 0 && model.get('position') >= 0")
    return host


def test_a_widget_reads_and_sets_the_position(browser: Any, hello: Path) -> None:
    host = hosted(browser, hello)
    frame = host.frames[1]
    slider = frame.get_by_label("Position")
    last = int(slider.get_attribute("max"))
    assert host.evaluate("[model.get('position'), model.get('last')]") == [last, last]
    host.evaluate("model.put('position', 5)")
    frame.wait_for_function("document.querySelector('[aria-label=Position]').value === '5'")
    frame.get_by_label("One pullback forward").click()
    host.wait_for_function("model.get('position') === 6")
    host.evaluate("window.frames[0].postMessage({micrornn: {position: 'x'}}, '*')")
    host.evaluate("window.frames[0].postMessage('nothing', '*')")
    host.wait_for_timeout(100)
    assert slider.input_value() == "6"
    host.close()


def test_a_position_that_was_set_before_the_page_was_there_is_kept(
    browser: Any, hello: Path
) -> None:
    host = hosted(browser, hello, position=3)
    slider = host.frames[1].get_by_label("Position")
    host.frames[1].wait_for_function(
        "document.querySelector('[aria-label=Position]').value === '3'"
    )
    assert slider.input_value() == "3" and host.evaluate("model.get('position')") == 3
    host.close()


def test_the_widget_of_python() -> None:
    pytest.importorskip("anywidget", reason="anywidget is not installed: an extra")
    from viz.page.widget import widget

    rec = recorded("hello", {}).recording
    page = widget(rec, height=400, title="hello")
    assert page.height == 400 and page.position == -1 and "hello" in page.page
    page.position = 4
    assert page.get_state("position") == {"position": 4}
    with pytest.raises(ValueError, match="no recording"):
        widget()


def test_without_anywidget_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from viz.page.widget import widget

    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"pip install 'micrornn\[notebook\]'"):
        widget(recorded("hello", {}).recording)


def test_the_debugger_opens_the_page_at_its_cursor(opened: Any, tmp_path: Path) -> None:
    session = Session(recorded("hello", {"cell": "lstm"}).recording)
    session.execute("goto h[2]")
    outcome = session.execute(f"page {tmp_path / 'now.html'}")
    for effect in outcome.effects:
        perform(session, effect)
    assert len(data_of(tmp_path / "now.html")["frames"]) == 1
    page = opened(tmp_path / "now.html", outcome.data["address"].partition("now.html")[2])
    assert "h₂" in page.locator("g.pinned").text_content()
    assert "step 2" in page.locator("output").inner_text()


def test_a_page_from_python(tmp_path: Path) -> None:
    rec = recorded("hello", {}).recording
    html = page_of(rec, tmp_path / "one.html", title="hello")
    assert (tmp_path / "one.html").read_text("utf-8") == html
    assert data_of(tmp_path / "one.html")["frames"][0]["subtitle"] == "hello"
    both = unpacked(page_of({"a": rec, "b": {3: rec, 7: rec}}))
    assert [run["iterations"] for run in both] == [[0], [3, 7]]
    with pytest.raises(TypeError, match=r"not Tensor; viz.page\(mr.record\(loss\)"):
        page_of(rec.losses[0])  # type: ignore[arg-type]
    with pytest.raises(OSError, match="missing"):
        page_of(rec, tmp_path / "missing" / "one.html")


def test_viz_has_it() -> None:
    code = "import viz, viz.page.player, viz.page.widget; print(viz.page is viz.page.__globals__['page'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_the_page_plays_in_a_panel_of_an_editor(browser: Any, hello: Path) -> None:
    panel = browser.new_page()
    panel.add_init_script("delete window.parent")  # as VS Code does
    panel.goto(hello.as_uri())
    panel.wait_for_selector("#app svg.graph", timeout=5000)
