"""The map of the course as SVG: a root, its branches to both sides, and leaves that are links."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from micrornn.course.ideas import IDEAS, Idea
from viz.metrics import text_width
from viz.pen import Pen, coordinate
from viz.picture.theme import THEMES, Theme
from viz.plots.canvas import RUNS
from viz.style import FONT

Branch = tuple[str, tuple[Idea, ...], str]  # its name, its leaves, its color

WIDTH, HEIGHT = 1280.0, 720.0
_ROOT = (WIDTH / 2, 396.0)
_BRANCH, _LEAF = 185.0, 300.0  # how far they are from the root, to the side
_ROW, _GAP = 45.0, 14.0  # the height of a leaf, and what stands between two branches
_BADGE = 11.0  # the radius of a lesson's number
_COLORS = (*(color for color, _, _ in RUNS), "#7a6a00")


def draw(link: Callable[[Idea], str], theme: Theme = THEMES["light"]) -> str:
    """The map as an SVG document.

    Args:
        link: the address that a leaf leads to.
        theme: the colors.

    >>> picture = draw(lambda idea: f"{idea.lesson.name}.md#{idea.section}")
    >>> picture.count("<a "), 'href="04-bptt-by-hand.md#the-recursion"' in picture
    (21, True)
    """
    pen = Pen()
    count = sum(map(len, IDEAS.values()))
    title = f"Recurrent networks in {count} ideas, each with its lesson and a command that shows it"
    pen.open(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=HEIGHT,
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(HEIGHT)}",
        role="img",
        font_family=FONT,
        fill=theme.ink,
    )
    pen.text_element("title", title)
    pen.text_element("desc", _in_words())
    pen.add("rect", width=WIDTH, height=HEIGHT, fill=theme.paper)
    pen.text(title, 40, 52, size=22, weight="bold")
    about = "The number is that of the lesson: micrornn course 6 prints lesson 6."
    pen.text(about, 40, 78, size=13, fill=theme.muted)
    branches = [(name, ideas, color) for (name, ideas), color in zip(IDEAS.items(), _COLORS)]
    _side(pen, branches[:3], 1, link, theme)
    _side(pen, branches[3:], -1, link, theme)
    x, y = _ROOT
    pen.add("rect", x=x - 62, y=y - 27, width=124.0, height=54.0, rx=27, fill=theme.ink)
    pen.text("RNN", x, y + 8, anchor="middle", size=22, weight="bold", fill=theme.paper)
    pen.close("svg")
    return pen.document()


def _side(
    pen: Pen, branches: Iterable[Branch], way: int, link: Callable[[Idea], str], theme: Theme
) -> None:
    """The branches of one side (way 1: to the right), from top to bottom."""
    branches = list(branches)
    rows = sum(len(ideas) for _, ideas, _ in branches)
    y = _ROOT[1] - (rows * _ROW + (len(branches) - 1) * _GAP) / 2
    for name, ideas, color in branches:
        middle = y + len(ideas) * _ROW / 2
        x = _ROOT[0] + way * _BRANCH
        _curve(pen, (_ROOT[0] + way * 40, _ROOT[1]), (x, middle), color, 4.0)
        for i, idea in enumerate(ideas):
            place = (_ROOT[0] + way * _LEAF, y + (i + 0.5) * _ROW)
            _curve(pen, (x, middle), (place[0] - way * _BADGE, place[1]), color, 1.8)
            _leaf(pen, idea, place, way, color, link(idea), theme)
        half = text_width(name, 15) * 0.56 + 12  # bold text is wider
        box = {"x": x - half, "y": middle - 15, "width": 2 * half, "height": 30.0}
        pen.add("rect", **box, rx=15, fill=theme.paper, stroke=color, stroke_width=2.5)
        pen.text(name, x, middle + 5.5, anchor="middle", size=15, weight="bold")
        y += len(ideas) * _ROW + _GAP


def _leaf(
    pen: Pen,
    idea: Idea,
    place: tuple[float, float],
    way: int,
    color: str,
    address: str,
    theme: Theme,
) -> None:
    x, y = place
    beside, anchor = x + way * (_BADGE + 8), "start" if way > 0 else "end"
    pen.open("a", href=address)
    pen.text_element("title", f"{idea.text}: lesson {idea.number}, {idea.lesson.title}")
    pen.add("circle", cx=x, cy=y, r=_BADGE, fill=theme.paper, stroke=color, stroke_width=1.8)
    pen.text(str(idea.number), x, y + 4.2, anchor="middle", size=12, weight="bold")
    pen.text(idea.text, beside, y - 2, anchor=anchor, size=14.5)
    pen.text(idea.command, beside, y + 14, anchor=anchor, size=12, fill=theme.muted)
    pen.close("a")


def _curve(
    pen: Pen, start: tuple[float, float], end: tuple[float, float], color: str, width: float
) -> None:
    (x0, y0), (x1, y1) = start, end
    c, bend = coordinate, (x1 - x0) / 2
    way = f"M{c(x0)} {c(y0)}C{c(x0 + bend)} {c(y0)} {c(x1 - bend)} {c(y1)} {c(x1)} {c(y1)}"
    pen.add("path", d=way, fill="none", stroke=color, stroke_width=width, stroke_linecap="round")


def _in_words() -> str:
    """The map for those who do not see it."""
    branches = (
        f"{name}: {', '.join(f'{idea.text} (lesson {idea.number})' for idea in ideas)}"
        for name, ideas in IDEAS.items()
    )
    return ". ".join(branches) + "."
