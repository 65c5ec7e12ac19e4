"""The page: one file that asks for nothing, with the picture, the words, and a script that fits them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nets import unrolled

import micrornn as mr
import viz

#: The picture of every operation, also where states could be drawn cell by cell.
of_operations = partial(viz.render, detail="op")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "viz" / "page"
NODE = shutil.which("node")


class Elements(HTMLParser):
    """The elements of a page, and which were not closed in order."""

    VOID = ("meta", "link", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return str(of_operations(unrolled("lstm"), format="html", title="an <LSTM> & more"))


def test_the_page_is_one_file_that_asks_for_nothing(page: str) -> None:
    elements = Elements(page)
    assert elements.open == []
    for tag, attributes in elements.found:
        assert tag not in ("img", "iframe", "object", "embed", "base"), tag
        assert not {"src", "srcset", "action", "xlink:href"} & set(attributes), (tag, attributes)
        assert attributes.get("href", "data:,") == "data:,"
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(", page)
    names = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert names == {"http://www.w3.org/2000/svg"}  # the name of a namespace
    (policy,) = (a["content"] for t, a in elements.found if t == "meta" and "http-equiv" in a)
    assert policy and policy.startswith("default-src 'none'")


def test_the_page_holds_the_picture_and_the_words(page: str) -> None:
    loss = unrolled("lstm")
    assert str(of_operations(loss, title="an <LSTM> & more")) in page
    words = str(of_operations(loss, format="txt", title="an <LSTM> & more"))
    assert words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page.replace(
        "&#x27;", "'"
    ).replace("&quot;", '"')
    assert "<title>an &lt;LSTM&gt; &amp; more</title>" in page
    assert not re.search(r"<!-- \w+ -->", page)


def test_a_title_fills_one_place_only() -> None:
    loss = mr.Value(1.0, "<!-- script -->") * 2.0
    page = str(of_operations(loss, format="html", title="<!-- style -->"))
    assert page.count('"use strict";') == 1
    assert page.count("prefers-color-scheme") == 1


def test_without_a_script_nothing_is_hidden_but_the_tools(page: str) -> None:
    hidden = [a.get("id") for t, a in Elements(page).found if "hidden" in a]
    assert hidden == ["tools", "panel"]
    assert page.count("<title>") > 100  # the browser's own tooltips


def test_the_script_finds_what_it_asks_for(page: str) -> None:
    script = (PAGE / "page.js").read_text(encoding="utf-8")
    elements = Elements(page)
    ids = {a["id"] for _, a in elements.found if a.get("id")}
    assert set(re.findall(r'\$\("(\w+)"\)', script)) <= ids
    classes = {word for _, a in elements.found for word in (a.get("class") or "").split()}
    asked = set(re.findall(r"\.([a-z]+)\b", " ".join(re.findall(r'"([^"]*)"', script))))
    assert {"node", "edge", "gradient", "mark", "ledger"} <= asked & classes
    data = {name for _, a in elements.found for name in a if name.startswith("data-")}
    for name in ("node", "from", "to", "parameter", "step"):
        assert f"data-{name}" in data and re.search(
            rf"dataset\.{name}\b|\b{name}\b.*dataset", script
        )


def test_the_page_reads_well_in_the_light_and_in_the_dark() -> None:
    style = (PAGE / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{([^}]*)\}", style)
    for colors in (light, dark):
        ground, ink, quiet, card = (
            luminance(re.search(rf"--{name}: (#\w+)", colors)[1])  # type: ignore[index]
            for name in ("ground", "ink", "quiet", "card")
        )
        for front in (ink, quiet):
            for back in (ground, card):
                high, low = max(front, back), min(front, back)
                assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2, level AA
    used = set(re.findall(r"var\((--\w+)\)", style))
    assert used == set(re.findall(r"(--\w+):", light)) == set(re.findall(r"(--\w+):", dark))


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_script_is_well_formed() -> None:
    script = (PAGE / "page.js").read_text(encoding="utf-8")
    assert "</script" not in script and "<!--" not in script
    if NODE is not None:
        run = subprocess.run(
            [NODE, "--check", str(PAGE / "page.js")], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr


def test_the_parts_of_the_page_are_installed() -> None:
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    parts = {path.suffix for path in PAGE.iterdir() if path.is_file()} - {".py", ".json"}
    assert parts == {".html", ".css", ".js"}
    assert all(f"**/*{suffix}" in setup for suffix in parts)
