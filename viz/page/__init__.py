"""A sheet as one HTML file that asks for no other: the SVG, and what follows the pointer and the keys.

Without JavaScript it is the picture with the browser's own tooltips, and a text description below it.
"""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

from micrornn.messages import printable
from viz.shapes import Sheet
from viz.svg import write as write_svg
from viz.text import write as write_text

_PLACE = re.compile(r"<!-- (\w+) -->")


def write(sheet: Sheet, title: str = "") -> str:
    """The sheet as a page that stands alone.

    >>> import micrornn as mr
    >>> import viz
    >>> page = viz.render(mr.Value(2.0, "a") * 3.0, format="html", title="a < b")
    >>> page.splitlines()[0], "<title>a &lt; b</title>" in page, "http:" in page.replace("http://www.w3", "")
    ('<!doctype html>', True, False)
    """
    folder = files(__name__)
    parts = {
        "title": escape(printable(title or "computation graph")),
        "style": folder.joinpath("page.css").read_text(encoding="utf-8"),
        "script": folder.joinpath("page.js").read_text(encoding="utf-8"),
        "picture": write_svg(sheet, title),
        "words": escape(write_text(sheet, title)),
    }
    template = folder.joinpath("page.html").read_text(encoding="utf-8")
    return _PLACE.sub(lambda found: parts[found[1]], template)
