"""What one asks of the page: what if, paths, find, levels of detail, other losses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paged import written

from micrornn.debug.session import Session
from micrornn.flow import heaviest_paths
from micrornn.tasks.source import recorded

EDITS = {
    "zero": ("h", 3, "zero", "", "set grad h[3] = 0"),
    "scale": ("c", 3, "scale", "-1.5", "scale grad c[3] by -1.5"),
    "clip": ("h", 4, "clip", "0.05", "clip grad h[4] to 0.05"),
}
SUB = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def box(page: Any, label: str) -> Any:
    return page.locator("g.box", has=page.locator("text.name", has_text=label.translate(SUB))).first


def find(page: Any, text: str) -> None:
    page.keyboard.press("/")
    page.get_by_label("Find a box").fill(text)
    page.keyboard.press("Enter")


def gradient(page: Any, label: str) -> Any:
    """All digits of a gradient in the panel; by Find, so that the box is pinned whatever was before."""
    find(page, label)
    shown = page.locator(".numbers", has_text=f"{label.translate(SUB)}, gradient").last
    return np.array(shown.locator("div > span").evaluate_all("all => all.map(x => +x.title)"))


@pytest.mark.parametrize("name", EDITS)
def test_a_what_if_is_the_debugger_s(opened: Any, hello: Path, name: str) -> None:
    state, step, verb, amount, command = EDITS[name]
    page = opened(hello, "#level=gate&of=all")
    before = gradient(page, "h1")
    find(page, f"{state}{step}")
    page.get_by_label("Change").select_option(verb)
    if amount:
        page.get_by_label("Amount").fill(amount)
    page.get_by_role("button", name="Apply").click()
    assert command in page.get_by_label("What if").inner_text()
    session = Session(recorded("hello", {"cell": "lstm"}).recording)
    session.execute(f"goto {state}[{step}]")
    assert "branch1" in session.execute(command).text
    line = session.line
    for place in ("h1", "c1", "c2", "h2", f"{state}{step}"):
        node = session.rec.node(f"{place[0]}[{place[1]}]")
        wanted = line.amounts[line.turn_of(node, 0)]
        np.testing.assert_allclose(gradient(page, place), wanted, rtol=1e-4, atol=1e-9)
    assert not np.allclose(gradient(page, "h1"), before)
    page.wait_for_timeout(400)  # the address is written when one pauses
    again = opened(hello, page.evaluate("window.location.hash"))
    np.testing.assert_array_equal(gradient(again, "h1"), gradient(page, "h1"))
    page.get_by_role("button", name="Undo").click()
    np.testing.assert_array_equal(gradient(page, "h1"), before)


def test_a_what_if_of_an_operation_is_the_debugger_s_too(opened: Any, hello: Path) -> None:
    page = opened(hello, "#level=op&of=all")
    before = gradient(page, "h1")
    find(page, "+ in candidate 3")
    page.get_by_role("button", name="Apply").click()
    command = page.get_by_label("What if").locator("pre").inner_text()
    session = Session(recorded("hello", {"cell": "lstm"}).recording)
    assert "branch1" in session.execute(command).text
    node = session.rec.node("h[1]")
    wanted = session.line.amounts[session.line.turn_of(node, 0)]
    np.testing.assert_allclose(gradient(page, "h1"), wanted, rtol=1e-4, atol=1e-9)
    assert not np.allclose(before, wanted)


def test_an_amount_that_is_no_number_changes_nothing(opened: Any, hello: Path) -> None:
    page = opened(hello)
    page.locator("g.box.state").nth(1).click()
    page.get_by_label("Change").select_option("clip")
    page.get_by_label("Amount").fill("-1")
    page.get_by_role("button", name="Apply").click()
    assert page.locator(".edits").count() == 0


def test_paths_between_two_pins_are_flow_s(opened: Any, hello: Path) -> None:
    rec = recorded("hello", {"cell": "lstm"}).recording
    page = opened(hello)
    page.locator("g.box.loss").nth(3).click()
    page.locator("g.box.initial").first.click()
    panel = page.get_by_label("Paths", exact=True)
    for name, lists in zip("ch", panel.locator("ol.paths").all()):
        own = heaviest_paths(rec, f"{name}[0]", loss=rec.losses[-1])
        shares = [float(text.rstrip("%")) for text in lists.locator(".sum").all_inner_texts()]
        wanted = [100 * path.share for path in own.paths] + [100 * own.rest_share]
        assert shares == pytest.approx(wanted, abs=0.06)
        assert sum(shares) == pytest.approx(100, abs=0.5)
    first = panel.locator("ol.paths li").first
    first.hover()
    assert page.locator("svg.traced g.box.on").count() >= 5
    page.keyboard.press("Escape")
    assert panel.count() == 0 and page.locator("g.pinned").count() == 1


def test_find_goes_to_a_box(opened: Any, tmp_path: Path) -> None:
    page = opened(written(tmp_path, "long", ("hello", {"cell": "lstm", "steps": 40})))
    page.keyboard.press("/")
    page.get_by_label("Find a box").fill("h 31")
    assert "h₃₁" in page.locator(".find li").first.inner_text()
    page.keyboard.press("Enter")
    assert "step 31" in page.locator("output").inner_text()
    place = page.locator("g.pinned").bounding_box()
    assert place is not None and 0 < place["x"] < 1280
    page.keyboard.press("/")
    page.get_by_label("Find a box").fill("nothing like it")
    assert "0 found" in page.locator(".find").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".find").count() == 0


def test_levels_of_detail_by_control_key_and_wheel(opened: Any, hello: Path) -> None:
    page = opened(hello)
    pressed = page.locator(".levels button[aria-pressed=true]")
    for level, boxes in {"layer": 4, "gate": 38, "op": 100, "cell": 17}.items():
        page.get_by_role("button", name=level, exact=True).click()
        assert pressed.inner_text() == level and page.locator("g.box").count() == boxes
    page.get_by_role("button", name="scalar", exact=True).click()
    rec = recorded("hello", {"cell": "lstm"}).recording
    texts = box(page, "c0").locator("text.strong").all_text_contents()
    shown = [float(x.replace("−", "-")) for x in texts]
    own = gradient(page, "c0")
    assert shown == pytest.approx(own, rel=6e-3) and len(shown) == rec.node("c[0]").size
    page.get_by_role("button", name="cell", exact=True).click()
    page.keyboard.press("+")
    assert pressed.inner_text() == "gate"
    page.locator(".scroll").hover()
    page.keyboard.down("Control")
    seen = set()
    for _ in range(90):
        page.mouse.wheel(0, 120)
        page.wait_for_timeout(10)
        seen.add(pressed.inner_text())
    for _ in range(90):
        page.mouse.wheel(0, -120)
        page.wait_for_timeout(10)
        seen.add(pressed.inner_text())
    page.keyboard.up("Control")
    assert seen == {"layer", "cell", "gate", "op", "scalar"} and pressed.inner_text() == "scalar"


def test_the_credit_map_follows_a_loss(opened: Any, hello: Path) -> None:
    page = opened(hello)
    cells = page.locator("g.cells")  # four losses, five states
    size = cells.bounding_box()
    cells.click(position={"x": size["width"] * 1.5 / 5, "y": size["height"] * 1.5 / 4})
    assert page.get_by_label("Whose gradient").input_value() == "2"
    assert "L2 alone" in page.locator(".subtitle").inner_text()
    assert page.locator("g.box.loss").nth(3).get_attribute("aria-label").endswith("no gradient yet")
    page.get_by_label("Whose gradient").select_option("all")
    rec = recorded("hello", {"cell": "lstm"}).recording
    np.testing.assert_allclose(
        gradient(page, "h1"), np.ravel(rec.gradient(rec.node("h[1]"))), rtol=1e-5
    )


def test_pointing_at_the_credit_map_lights_the_path(opened: Any, hello: Path) -> None:
    page = opened(hello)
    cells = page.locator("g.cells")
    size = cells.bounding_box()
    cells.hover(
        position={"x": size["width"] * 2.5 / 5, "y": size["height"] * 3.5 / 4}
    )  # L4, step 2
    assert "L4 at step 2" in page.get_by_label("Credit map").inner_text()
    lit = page.locator("svg.traced g.box.on")
    assert sorted(lit.evaluate_all("all => all.map(x => x.classList[1])")) == [
        *("loss", "output", "state", "state", "state")
    ]
    page.mouse.move(0, 0)
    assert page.locator("svg.traced").count() == 0


def test_two_fingers_zoom_on_a_phone(opened: Any, hello: Path) -> None:
    page = opened(hello, viewport={"width": 390, "height": 844}, has_touch=True)
    session = page.context.new_cdp_session(page)
    graph = page.locator(".scroll").bounding_box()
    x, y = graph["x"] + graph["width"] / 2, graph["y"] + 150

    def touch(kind: str, apart: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(30)

    touch("touchStart", 30)
    for apart in range(35, 120, 5):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    assert page.locator(".levels button[aria-pressed=true]").inner_text() in (
        "gate",
        "op",
        "scalar",
    )


def test_dragging_over_the_strip_selects_steps(opened: Any, hello: Path) -> None:
    page = opened(hello)
    strip = page.locator("svg.strip").bounding_box()
    page.mouse.move(strip["x"] + strip["width"] * 0.3, strip["y"] + 10)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] * 0.5, strip["y"] + 10, steps=3)
    page.mouse.up()
    ledger = page.get_by_label("Weight ledger")
    assert "steps 1 to 2" in ledger.inner_text()
    share = ledger.locator(".weight", has_text="weight_hh_l0").locator(".sum").inner_text()
    from micrornn.flow import ledger as of_weight

    own = of_weight(recorded("hello", {"cell": "lstm"}).recording, "lstm.weight_hh_l0")
    wanted = sum(s for t, s in zip(own.steps, own.shares) if t in (1, 2))
    assert float(share.rstrip("%")) == pytest.approx(100 * wanted, abs=0.6)
    page.keyboard.press("Escape")
    assert "steps 1 to 2" not in ledger.inner_text()


def test_boxes_are_reached_and_pinned_by_keyboard(opened: Any, hello: Path) -> None:
    page = opened(hello)
    page.locator("g.box").nth(2).focus()
    assert "Point at a box" not in page.get_by_label("Details").inner_text()
    position = page.get_by_label("Position").input_value()
    page.keyboard.press("Space")
    assert page.locator("g.pinned").count() == 1
    assert page.get_by_label("Position").input_value() == position, "Space pinned, and did not play"


def test_a_watched_training_has_a_scrubber_of_iterations(opened: Any, tmp_path: Path) -> None:
    import micrornn as mr
    from micrornn import nn, optim
    from micrornn.recording import load_recording
    from micrornn.training import Watch
    from viz.commands.runs import iterations_of
    from viz.page.player import player

    x = mr.tensor(np.linspace(-1, 1, 6).reshape(6, 1, 1))
    rng = np.random.default_rng(0)
    rnn, head = nn.RNN(1, 3, rng=rng), nn.Linear(3, 1, rng=rng)
    optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.3)
    watch = Watch(tmp_path / "run", every=5, keep=9)
    for _ in range(16):
        with watch:
            optimizer.zero_grad()
            nn.functional.mse_loss(head(rnn(x)[0][-1]), mr.tensor([[0.5]])).backward()
            optimizer.step()
    runs = iterations_of(str(tmp_path / "run"))
    assert list(runs) == [1, 6, 11, 16]
    path = tmp_path / "training.html"
    path.write_text(player({"": runs}, "a training"), encoding="utf-8")
    page = opened(path)
    slider = page.get_by_label("Iteration", exact=True)
    titles = {page.locator("h1").inner_text()}
    for iteration in (11, 6, 1):
        page.keyboard.press("PageUp")
        titles.add(page.locator("h1").inner_text())
        assert slider.get_attribute("aria-valuetext") == f"iteration {iteration}"
        rec = load_recording(tmp_path / "run" / f"run-{iteration:08}.mrn")
        node = rec.node("h[2]")
        np.testing.assert_allclose(
            gradient(page, "h2"), np.ravel(rec.gradient(node)), rtol=1e-4, atol=1e-12
        )
    assert len(titles) > 1


def test_iterations_with_sequences_of_other_lengths(opened: Any, tmp_path: Path) -> None:
    from viz.page.player import player

    runs = {n: recorded("hello", {"cell": "lstm", "steps": n}).recording for n in (3, 9)}
    path = tmp_path / "lengths.html"
    path.write_text(player({"": runs}), encoding="utf-8")
    page = opened(path)
    page.get_by_label("Whose gradient").select_option("8")
    for place in ("h9", "h3"):
        find(page, place)
        page.get_by_role("button", name="Apply").click()
    page.locator("g.box.loss").last.click()
    page.keyboard.press("PageUp")
    assert page.locator("h1").inner_text().endswith("step 3 (as recorded)")
    assert page.locator("g.box.loss").count() == 3
    page.keyboard.press("PageDown")
    assert page.locator("h1").inner_text().endswith("step 9 (as recorded)")


def test_pins_of_gates_survive_every_level(opened: Any, hello: Path) -> None:
    page = opened(hello, "#level=gate")
    box(page, "f3").click()
    box(page, "g2").click()
    for level in ("cell", "layer", "op", "scalar", "gate"):
        page.get_by_role("button", name=level, exact=True).click()
        assert "Paths from f₃ to g₂" in page.get_by_label("Paths", exact=True).inner_text()
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("button", name="cell", exact=True).click()
    assert "f₃ set to zero" in page.locator(".subtitle").inner_text()


def test_pictures_are_saved(opened: Any, hello: Path, tmp_path: Path) -> None:
    from PIL import Image

    page = opened(hello)
    shown = page.locator("svg.graph")
    with page.expect_download() as svg:
        page.get_by_label("Save as SVG").click()
    svg.value.save_as(tmp_path / "a.svg")
    assert "<style" in (tmp_path / "a.svg").read_text("utf-8")
    with page.expect_download() as png:
        page.get_by_label("Save as PNG").click()
    png.value.save_as(tmp_path / "a.png")
    image = Image.open(tmp_path / "a.png").convert("RGB")
    assert image.width == 2 * int(shown.get_attribute("width"))
    colors = image.getcolors(1 << 20)
    assert colors is not None and len(colors) > 20 and max(colors)[1] == (255, 255, 255)


def carried_with(
    rec: Any, edited: int, factor: float, seeds: dict[int, Any], wanted: list[Any]
) -> Any:
    """Rows of gradients at the wanted nodes, one for each seed, where one node's gradient is scaled."""
    from micrornn.flow.rows import sweep

    def turn(node: Any, rows: Any) -> Any:
        return rows._replace(values=rows.values * factor) if node.number == edited else rows

    return sweep(rec.nodes, seeds, [node.number for node in wanted], turn=turn)


def test_ledger_and_credit_map_follow_a_change(opened: Any, hello: Path) -> None:
    from micrornn.flow import credit
    from micrornn.flow.pieces import one
    from micrornn.flow.rows import sweep

    rec = recorded("hello", {"cell": "lstm"}).recording
    page = opened(hello, "#level=gate")
    ledger = page.get_by_label("Weight ledger")

    def bars(weight: str) -> list[tuple[float, float]]:
        own = ledger.locator(".weight", has_text=weight).locator(".bar")
        titles = own.evaluate_all("all => all.map(x => x.title)")
        return [
            (float(t.split("norm ")[1].split(",")[0]), float(t.split()[-1].rstrip("%")))
            for t in titles
        ]

    def change(factor: float) -> None:
        find(page, "h3")
        page.get_by_label("Change").select_option("scale")
        page.get_by_label("Amount").fill(str(factor))
        page.get_by_role("button", name="Apply").click()

    weight = "lstm.weight_hh_l0"
    before = bars(weight)
    change(1.0)  # computed by the page, and nothing is changed
    assert bars(weight) == before
    change(-2.0)
    assert "with the changes" in ledger.inner_text()
    h3, parameter = rec.node("h[3]"), rec.node(weight)
    # What a step sends: the gradient at that step's gates alone, which the change has altered.
    total = rec.passes[0].out
    parts = {}
    for t in (1, 2, 3, 4):
        own = [
            n
            for n in rec.nodes
            if n.step == t and any(x.name and x.name.startswith(weight) for x in n.inputs)
        ]
        arrived = carried_with(rec, h3.number, -2.0, {total.number: one(1.0)}, own)
        seeds = {n.number: arrived[n.number] for n in own if n.number in arrived}
        inside = [n for n in rec.nodes if n.number in seeds or n.step is None]
        parts[t] = sweep(inside, seeds, [parameter.number])[parameter.number].values[0]
    whole = sum(parts.values())
    for (size, share), part in zip(bars(weight), parts.values(), strict=True):
        assert size == pytest.approx(np.linalg.norm(part), rel=6e-3, abs=1e-9)
        assert share == pytest.approx(100 * (part * whole).sum() / (whole**2).sum(), abs=0.06)
    assert bars(weight) != before
    cells = page.locator("g.cells")
    box = cells.bounding_box()
    cells.hover(position={"x": box["width"] * 1.5 / 5, "y": box["height"] * 3.5 / 4})  # L4, h1
    shown = page.get_by_label("Credit map").locator(".note").inner_text()
    nodes, loss = [rec.node("h[1]")], rec.losses[3]
    arrived = carried_with(rec, h3.number, -2.0, {loss.number: one(1.0)}, nodes)
    wanted = np.linalg.norm(arrived[nodes[0].number].values[0])
    assert float(shown.split("norm ")[1]) == pytest.approx(wanted, rel=6e-3)
    assert wanted != pytest.approx(credit(rec, nodes).norms[3, 0], rel=1e-2)
    page.get_by_role("button", name="Undo").click()
    assert bars(weight) == before


def test_the_jacobian_strip_is_flow_s_and_linked(opened: Any, hello: Path) -> None:
    from micrornn.flow.jacobian import jacobian_strip

    own = jacobian_strip(recorded("hello", {"cell": "lstm"}).recording)
    page = opened(hello)
    panel = page.get_by_label("Jacobians")
    strip = panel.locator("svg")
    size = strip.bounding_box()
    strip.hover(position={"x": size["width"] * 2.5 / 4, "y": 20})  # step 3
    sigma, running = re.findall(r"×([\d.]+)", panel.locator(".note").inner_text())
    assert float(sigma) == pytest.approx(own.sigma[2], rel=6e-3)
    assert float(running) == pytest.approx(own.running[2], rel=6e-3)
    assert page.locator("svg.graph rect.column").count() == 1
    assert page.locator(".bar.on").count() == 6, "the same step of every weight"
    strip.hover(position={"x": size["width"] * 0.3, "y": 20})
    page.mouse.down()
    page.mouse.move(size["x"] + size["width"] * 0.9, size["y"] + 20, steps=3)
    page.mouse.up()
    assert "steps 2 to 4" in page.get_by_label("Weight ledger").inner_text()
    page.mouse.move(0, 0)
    product = float(panel.locator(".note").inner_text().split("×")[1].split(",")[0])
    assert product == pytest.approx(np.prod(own.sigma[1:]), rel=6e-3)


def test_the_details_follow_the_play(opened: Any, hello: Path) -> None:
    page = opened(hello, "#level=op")
    details = page.get_by_label("Details")
    page.keyboard.press("Home")
    page.wait_for_timeout(200)  # it is shown when one pauses
    assert "Point at a box" in details.inner_text()
    seen = set()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
        seen.add(details.locator("h2").inner_text())
    assert any("h₄" in title for title in seen) and len(seen) > 5
    assert details.locator(".arithmetic h3").count() == 1
    assert page.locator("g.pinned").count() == 0


def test_what_a_checkpoint_computed_again_is_marked(opened: Any, tmp_path: Path) -> None:
    import micrornn as mr
    from viz.page.player import page as page_of

    w, h = mr.Value(0.5, "w"), mr.tensor(1.0, name="h", requires_grad=True)

    def part(h: Any, steps: tuple[int, ...]) -> Any:
        for t in steps:
            with mr.scope("loop", t=t):
                h = mr.tanh(w * h)
                h.name = "h"
        return h

    h = mr.checkpoint(part, h, (1, 2))
    page_of(mr.record(part(h, (3,))), tmp_path / "kept.html")
    page = opened(tmp_path / "kept.html")
    marked = page.locator("g.box", has=page.locator("text.mark"))
    assert "h₁" in marked.first.text_content() and "h₃" not in " ".join(marked.all_text_contents())
    box(page, "h1").click()
    assert "Computed 2 times" in page.get_by_label("Details").inner_text()
    assert "computed again in backward" in page.locator(".legend").inner_text()
