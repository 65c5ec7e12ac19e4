"""The page in a real browser: played, asked, linked, and silent towards the network."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paged import data_of, written

from micrornn.flow import credit
from micrornn.tasks.source import recorded
from viz.page.player import player


def graph(page: Any) -> str:
    return str(page.locator("svg.graph").inner_html())


def test_playing_forward_and_back_gives_the_same_document(opened: Any, hello: Path) -> None:
    page = opened(hello)
    last = int(page.get_by_label("Position").get_attribute("max"))
    end = graph(page)
    seen = [end]
    for _ in range(last):
        page.keyboard.press("ArrowLeft")
        seen.append(graph(page))
    assert len(set(seen)) > last / 2
    for before in reversed(seen[:-1]):
        page.keyboard.press("ArrowRight")
        assert graph(page) == before
    assert page.get_by_label("Position").input_value() == str(last)


def test_keys_and_controls(opened: Any, hello: Path) -> None:
    page = opened(hello)
    place = page.get_by_label("Position")
    last = int(place.get_attribute("max"))
    page.keyboard.press("Home")
    assert place.input_value() == "0" and page.locator("g.flow").count() == 0
    page.keyboard.press("Shift+ArrowRight")
    assert "forward, step 2" in page.locator("output").inner_text()
    page.get_by_label("Last", exact=True).click()
    assert place.input_value() == str(last)
    page.keyboard.press("?")
    assert page.locator("dl.help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("dl.help").count() == 0
    page.get_by_label("Speed").select_option("10")
    page.get_by_label("First", exact=True).click()
    page.get_by_label("Play", exact=True).last.click()
    from playwright.sync_api import expect

    expect(place).to_have_value(str(last), timeout=20_000)


def test_numbers_are_those_of_the_recording(opened: Any, hello: Path) -> None:
    [data] = data_of(hello)["frames"]
    rec = recorded("hello", {"cell": "lstm"}).recording
    for box in data["boxes"]:
        if box["kind"] == "state":
            node = rec.find("c", box["step"], exact=True)[-1]
            k = box["names"].index("c")
            own = credit(rec, [node]).norms[-1, 0]  # of the last loss alone
            assert np.linalg.norm(box["gradients"][k]) == pytest.approx(box["norms"][k], rel=1e-3)
            assert box["norms"][k] == pytest.approx(own, rel=1e-3)
    for weight in data["ledger"]:
        assert sum(weight["shares"]) == pytest.approx(1.0, abs=1e-4)
    page = opened(hello)
    page.locator("g.box.state").nth(1).click()
    assert "shape" not in page.get_by_label("Details").inner_text()
    assert re.search(r"from .*: .* × .* = ", page.get_by_label("Details").inner_text())


def test_a_link_restores_position_and_pin(opened: Any, hello: Path) -> None:
    page = opened(hello)
    page.keyboard.press("Home")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.locator("g.box.state").nth(2).click()
    page.wait_for_timeout(400)  # the address is written when one pauses
    address = page.evaluate("window.location.hash")
    assert "p=6" in address and "pin=0." in address
    page.mouse.move(0, 0)  # what is pointed at is no part of the address
    again = opened(hello, address)
    assert graph(again) == graph(page)
    assert again.locator("g.pinned").count() == 1


def test_two_runs_keep_one_clock(opened: Any, tmp_path: Path) -> None:
    path = written(tmp_path, "both", ("hello", {}), ("hello", {"cell": "gru"}))
    page = opened(path)
    assert page.locator("svg.graph").count() == 2
    page.keyboard.press("Home")
    assert page.locator("g.flow").count() == 0
    page.keyboard.press("End")
    assert page.locator("svg.graph").nth(0).locator("g.flow").count() > 0
    assert page.locator("svg.graph").nth(1).locator("g.flow").count() > 0


def undecided(results: Any) -> list[Any]:
    """What axe could not decide, but for text in SVG, of which it cannot tell the background."""
    return [
        found
        for found in results["incomplete"]
        if not all(node["html"].startswith("<text") for node in found["nodes"])
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Any, hello: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(hello, color_scheme=scheme)
    page.locator("g.box.state").nth(1).click()
    page.keyboard.press("?")
    results = axe.Axe().run(page).response
    found = results["violations"] + undecided(results)
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found] == []


def test_a_phone(opened: Any, hello: Path) -> None:
    page = opened(hello, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button = page.get_by_label("Play", exact=True).last.bounding_box()
    assert button["y"] > 600 and button["height"] >= 40


def test_long_runs_draw_what_is_in_sight(opened: Any, tmp_path: Path) -> None:
    path = written(tmp_path, "long", ("vanishing", {"steps": 2000}))
    page = opened(path)
    assert page.locator("g.box").count() < 60
    page.keyboard.press("ArrowLeft")
    assert path.stat().st_size < 800_000


def test_nan_is_not_no_path(opened: Any, tmp_path: Path) -> None:
    page = opened(written(tmp_path, "nan", ("nan", {})))
    assert page.locator("g.flow").count() > 0
    assert "NaN" in page.locator("g.box.state").last.text_content()


def test_hostile_names_are_only_text(opened: Any, tmp_path: Path) -> None:
    import micrornn as mr
    from micrornn.recording import record

    w = mr.Value(0.5, "</script><script>alert(1)</script>")
    h = mr.tensor(1.0, name="h")
    for t in (1, 2, 3):
        with mr.scope("<img src=x onerror=alert(1)>", t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    path = tmp_path / "hostile.html"
    path.write_text(player({"<b>": record(h)}, "</title>"), encoding="utf-8")
    page = opened(path)
    assert page.locator("img").count() == 0
    assert "</script><script>" in page.locator(".weight").first.inner_text()


def test_without_javascript_there_is_the_picture(opened: Any, browser: Any, hello: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(hello.as_uri())
    assert page.locator(".still svg").first.is_visible()
    context.close()


def test_a_browser_that_cannot_unpack_shows_the_picture(browser: Any, hello: Path) -> None:
    context = browser.new_context()
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto(hello.as_uri())
    assert page.locator(".still svg").first.is_visible()
    assert "too old" in page.locator("#app").inner_text()
    context.close()


def test_a_page_is_small(tmp_path: Path) -> None:
    run = ("hello", {"cell": "lstm", "steps": 50, "hidden": 8})
    assert written(tmp_path, "fifty", run).stat().st_size < 450_000
    assert files("viz.page").joinpath("player.js").stat().st_size <= 120_000


MEDIA = [{"forced_colors": "active"}, {"reduced_motion": "reduce"}, {"color_scheme": "dark"}]


@pytest.mark.parametrize("media", MEDIA, ids=lambda media: next(iter(media)))
def test_gradients_are_seen_under_every_preference(
    opened: Any, hello: Path, media: dict[str, str]
) -> None:
    page = opened(hello, **media)
    strokes = page.locator("g.flow path[stroke]").evaluate_all(
        "all => all.map(x => getComputedStyle(x).stroke)"
    )
    assert len(set(strokes)) > 4, "a gradient that fades has many colors"
    running = page.evaluate(
        "document.getAnimations().filter(x => x.playState === 'running').length"
    )
    assert running == 0, "nothing moves but what one plays"
    pressed = page.locator(".levels button").evaluate_all(
        "all => all.map(x => getComputedStyle(x).backgroundColor)"
    )
    assert pressed.count(pressed[1]) == 1, "the level that is on looks different"


def test_print_shows_the_picture_and_no_buttons(opened: Any, hello: Path) -> None:
    page = opened(hello)
    page.emulate_media(media="print")
    assert page.locator("svg.graph").is_visible()
    assert not page.locator(".controls").is_visible()


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768), (390, 844)])
def test_large_text_and_small_screens_need_no_sideways_scrolling(
    opened: Any, hello: Path, size: tuple[int, int]
) -> None:
    page = opened(hello, viewport={"width": size[0], "height": size[1]})
    page.locator("g.box.state").first.dispatch_event("click")
    heights = "all => all.map(x => parseFloat(getComputedStyle(x).fontSize))"
    texts = page.locator("h1, h2, .panel p, .panel td, .label, output, button")
    before = texts.evaluate_all(heights)
    page.evaluate("document.documentElement.style.fontSize = '200%'")  # as the browser's setting
    assert texts.evaluate_all(heights) == pytest.approx([2 * x for x in before])
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("size", [(1024, 768), (390, 844)])
def test_the_details_leave_the_box_in_sight(
    opened: Any, hello: Path, size: tuple[int, int]
) -> None:
    page = opened(hello, "#level=gate&pin=0.1", viewport={"width": size[0], "height": size[1]})
    panel = page.locator("aside").bounding_box()
    title = page.locator("h1").bounding_box()
    assert panel["y"] >= title["y"] + title["height"] or panel["x"] >= title["x"] + title["width"]


def test_names_from_right_to_left_keep_to_their_boxes(opened: Any, tmp_path: Path) -> None:
    import micrornn as mr
    from micrornn.recording import record

    w, h = mr.Value(0.5, "משקל"), mr.tensor(1.0, name="h")
    for t in (1, 2, 3):
        with mr.scope("שכבה", t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    path = tmp_path / "hebrew.html"
    path.write_text(player({"": record(h)}, "רשת"), encoding="utf-8")
    page = opened(path)
    page.locator("g.box.state").first.click()
    assert "שכבה" in page.get_by_label("Details").inner_text()
    outside = page.evaluate("""() => [...document.querySelectorAll('g.box')].filter(box => {
        const frame = box.querySelector('.frame').getBoundingClientRect();
        return [...box.querySelectorAll('text.name, text.number')].some(text => {
            const r = text.getBoundingClientRect();
            return r.left < frame.left - 2 || r.right > frame.right + 2;
        });
    }).length""")
    assert outside == 0
    assert "משקל" in page.get_by_label("Weight ledger").inner_text()


def test_memory_does_not_grow_while_one_scrubs(opened: Any, hello: Path) -> None:
    page = opened(hello)
    session = page.context.new_cdp_session(page)
    scrub = """async () => {
        const slider = document.querySelector('[aria-label=Position]');
        for (let i = 0; i < 500; i++) {
            slider.value = i * 7 % (Number(slider.max) + 1);
            slider.dispatchEvent(new Event('input', {bubbles: true}));
            if (i % 5 === 0) await new Promise(requestAnimationFrame);
        }
    }"""

    def nodes() -> tuple[float, float]:
        page.evaluate(scrub)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        return found["Nodes"], found["JSHeapUsedSize"]

    first, second = nodes(), nodes()
    assert second[0] < 1.1 * first[0] and second[1] < 1.2 * first[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("level", ["layer", "gate", "op", "scalar"])
def test_axe_finds_nothing_at_any_level(opened: Any, hello: Path, level: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    address = f"#level={level}&pin=0.2&to=0.8&if=0.3.-1.scale.0.5"
    page = opened(hello, address, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    results = axe.Axe().run(page).response
    found = results["violations"] + undecided(results)
    page.keyboard.press("/")
    page.get_by_label("Find a box").fill("h")
    found += axe.Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:160]) for v in found] == []


def test_the_equations_are_explain_s_and_mark_what_gets_its_gradient(
    opened: Any, hello: Path
) -> None:
    from micrornn.compiler.explain import explain

    out = recorded("hello", {"cell": "lstm"}).recording.passes[0].out
    wanted = [line.split() for line in explain(out, "pseudocode").splitlines() if "=" in line]
    page = opened(hello, "#level=gate")
    panel = page.get_by_label("Equations")
    lines = [
        line.replace("for t", " for t").split() for line in panel.locator("p").all_inner_texts()
    ]
    assert lines == wanted
    page.locator("g.box.gate").nth(1).hover()  # f₁
    assert set(panel.locator("mark").all_inner_texts()) == {"fₜ"}
    assert page.locator(".equation mark").all_inner_texts() == ["f"]
    page.mouse.move(0, 0)
    page.keyboard.press("Home")
    assert panel.locator("mark").count() == 0, "forward, no gradient has come yet"
    page.keyboard.press("End")
    assert "hₜ₋₁" in panel.locator("mark").all_inner_texts()  # h₀ is the last


def test_a_run_without_equations_has_none(opened: Any, tmp_path: Path) -> None:
    from viz.page.equations import equations

    runs = recorded("hello", {}).recording
    assert equations(runs, "latex").startswith(r"\begin{align*}")
    runs.passes = []
    assert equations(runs, "latex") == ""
