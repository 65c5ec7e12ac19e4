"""Long sequences, and networks side by side: each state is a bead, and the ribbon between two fades.

One row for each network, all on one scale, so that the far ends can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from micrornn.messages import percent
from viz.labels import subscript
from viz.metrics import fitted, text_width
from viz.pen import Pen
from viz.picture.finding import ends, title
from viz.picture.legend import LEFT, wedge
from viz.picture.look import DEFAULT, Look
from viz.picture.numbers import hop, power, short, times
from viz.picture.story import INITIAL, STATE, Box, Story
from viz.picture.theme import Scale, Theme
from viz.style import FONT, number

RIGHT, TOP, BOTTOM = 56.0, 128.0, 112.0
_NAME = 150.0  # room for the names of networks
_LABELS = 6  # states of a row that have a number
_NARROWEST = 5.4  # pixels of a step; below, steps are merged
_PIECE = 4.0  # pixels of a merged piece


def row_of(story: Story) -> list[Box]:
    """The states of the row in which the gradient reaches furthest, in the order of time."""
    near, far = ends(story)
    if near is None or far is None:
        layer = story.layers[-1]
        return [b for b in story.chain(layer) if b.kind == STATE]
    rows = next(row for row in story.rows() if near.layer in row)
    found = [b for layer in rows for b in story.chain(layer)]
    initial = [
        b for b in found if b.kind == INITIAL and b.layer == far.layer and b.norm is not None
    ]
    return sorted([*initial[:1], *(b for b in found if b.kind == STATE)], key=lambda b: b.step)


def heading(stories: Mapping[str, Story]) -> str:
    """The title: of one network its finding, of several how far apart they are at the far end.

    The far end is compared as a share of what arrived at the near end.
    """
    if len(stories) == 1:
        return title(next(iter(stories.values())))
    shares: dict[str, float] = {}
    steps = set()
    for name, story in stories.items():
        near, far = ends(story)
        if near is not None and far is not None and near.norm and far.norm is not None:
            shares[name] = far.norm / near.norm
            steps.add(near.step - far.step)
    if len(shares) < 2 or not max(shares.values()):
        return "No gradient reaches the far end"
    best, worst = max(shares, key=lambda n: shares[n]), min(shares, key=lambda n: shares[n])
    span = max(steps)
    if not shares[worst]:
        return f"After {span} steps the {best} keeps some gradient and the {worst} exactly none"
    ratio = shares[best] / shares[worst]
    if ratio < 1.2:
        return f"After {span} steps all keep about the same share of the gradient"
    if ratio < 2:
        return f"After {span} steps the {best} keeps {short(ratio)} times as much gradient as the {worst}"
    return f"After {span} steps the {best} keeps {_times(ratio)} as much gradient as the {worst}"


def _left(story: Story) -> str:
    """The share that the heading compares, in words."""
    near, far = ends(story)
    if near is None or far is None or not near.norm or far.norm is None or near is far:
        return ""
    step = subscript(near.step)
    share = far.norm / near.norm
    known_as = percent(share) if share > 0.01 else power(short(share))
    if not share:
        known_as = "exactly none"
    return f"{known_as} of the gradient of {near.main}{step} is left at {far.main}{subscript(far.step)}"


def _times(ratio: float) -> str:
    return times(ratio).replace("-fold", " times")


def draw(
    stories: Mapping[str, Story],
    look: Look = DEFAULT,
    subtitle: str = "",
) -> str:
    """The picture as SVG.

    Args:
        stories: by the name of the network; "" if there is one.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> from viz.picture.tell import tell
    >>> draw({"": tell(record(FAILURES["vanishing"](30).loss))}).startswith("<svg")
    True
    """
    pen, theme, width, size = Pen(), look.colors, look.width, look.size
    rows = {name: row_of(story) for name, story in stories.items()}
    norms = [b.norm for row in rows.values() for b in row if b.norm is not None]
    scale = Scale.over(norms, theme)
    height = look.height(TOP + BOTTOM + 110.0 * len(rows), free=TOP + BOTTOM + 150.0 * len(rows))
    head = heading(stories)
    pen.open(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        font_family=FONT,
        role="img",
    )
    pen.text_element("title", head)
    pen.text_element("desc", subtitle)
    pen.add("rect", width=width, height=height, fill=theme.paper)
    large = 25.0
    while text_width(head, large * size) * 1.1 > width - LEFT - RIGHT and large > 16:
        large -= 1
    head = fitted(head, large * size * 1.1, width - LEFT - RIGHT)
    pen.text(head, LEFT, 50, None, large * size, "bold", theme.ink)
    shown = fitted(subtitle, 15 * size, width - LEFT - RIGHT)
    pen.text(shown, LEFT, 78, None, 15 * size, None, theme.muted)
    named = any(rows)
    left = LEFT + (_NAME if named and len(rows) > 1 else 20)
    each = (height - TOP - BOTTOM) / len(rows)
    for i, (name, own) in enumerate(rows.items()):
        y = TOP + each * (i + 0.5)
        if len(rows) > 1:
            pen.text(
                fitted(name, 17 * size, _NAME - 20), LEFT, y + 6, None, 17 * size, "bold", theme.ink
            )
        words = _left(stories[name]) if len(rows) > 1 else ""
        row(pen, own, stories[name], scale, theme, (left, width - RIGHT - 92), y, size, words)
    y = height - BOTTOM + 14
    pen.add("line", x1=left, y1=y, x2=width - RIGHT - 92, y2=y, stroke=theme.line, stroke_width=1.2)
    pen.arrow((left, y), (width - RIGHT - 86, y), 9.0, theme.line)
    pen.text("time", width - RIGHT - 76, y + 4, None, 12.5 * size, None, theme.muted)
    if look.legend != "none":
        wedge(
            *(pen, scale, theme, height - 44, size),
            right=width if look.legend == "full" else None,
            forward=look.legend == "full",
            note="number under a state: its gradient norm",
            end=width - RIGHT,
        )
    pen.close("svg")
    return pen.document()


def places(row: list[Box], left: float, right: float) -> dict[int, float]:
    """Where each step of a row stands between left and right."""
    first, last = row[0].step, row[-1].step
    return {b.step: left + (right - left) * (b.step - first) / max(1, last - first) for b in row}


def row(
    pen: Pen,
    line: list[Box],
    story: Story,
    scale: Scale,
    theme: Theme,
    span: tuple[float, float],
    y: float,
    size: float = 1.0,
    words: str = "",
    show: Callable[[str, int], bool] = lambda stage, step: True,
) -> None:
    """One row of beads between two places on the sheet, and the loss at its end.

    Where a step has too little room for a bead, several are drawn as one piece, so that the size of the
    picture is bounded by the width of the sheet; the row says so. ``show`` is that of `Drawing`.
    """
    if not line:
        return
    left, right = span
    x = places(line, left, right)
    pitch = (right - left) / max(1, len(line) - 1)
    radius = min(9.5, pitch * 0.3) if pitch >= _NARROWEST else 0.0
    count = math.ceil((len(line) - 1) * _PIECE / (right - left)) if not radius else 1
    if count > 1:
        remark = f"each {_PIECE:g} pixels are {count:,} steps, drawn with their largest gradient"
        words = f"{words} · {remark}" if words else remark
    for a, b, norm in _pieces(line, count, show):
        color, wide = (
            (theme.line, 1.2) if not norm else (scale.color(norm), 1.4 * scale.width(norm))
        )
        if norm is not None and norm != norm:
            color, wide = theme.alarm, 4.0
        dash = "2 4" if norm is None else None
        pen.add(
            *("line",),
            x1=x[a],
            y1=y,
            x2=x[b] + (0.6 if norm else 0.0),  # no seam to the next
            y2=y,
            stroke=color,
            stroke_width=wide,
            stroke_dasharray=dash,
        )
    if radius:
        for box in line:
            if not show("forward", box.step):
                continue
            norm = box.norm if show("backward", box.step) else None
            color = theme.line if not norm else scale.color(norm)
            if norm is not None and norm != norm:
                color = theme.alarm
            pen.open("g")
            tip = "no path" if norm is None else f"gradient norm {number(norm)}"
            pen.text_element("title", f"step {box.step}: {tip}")
            pen.add(
                *("circle",),
                cx=x[box.step],
                cy=y,
                r=radius,
                fill=theme.fill,
                stroke=color,
                stroke_width=min(2.6, radius * 0.5),
            )
            pen.close("g")
    labeled = _labeled(line)
    for box in labeled:
        name = box.main
        pen.text(
            f"{name}{subscript(box.step)}",
            x[box.step],
            y - 24,
            "middle",
            13 * size,
            None,
            theme.muted,
        )
        if not show("backward", box.step):
            continue
        known_as = "no path" if box.norm is None else power(number(box.norm))
        # The number of the first state stays inside the margin.
        middle = max(x[box.step], LEFT + text_width(known_as, 13 * size) * 0.55)
        pen.text(known_as, middle, y + 34, "middle", 13 * size, "bold", theme.ink)
    known = [b.norm for b in line if b.norm]
    if len(known) > 2 and known[-1] and known[0]:
        mean = (known[0] / known[-1]) ** (1 / (len(known) - 1))
        if mean == mean:
            words = (f"{words} · " if words else "") + f"{hop(mean)} per step"
    if words:
        pen.text(words, left, y + 58, None, 13 * size, None, theme.muted)
    if story.loss is not None:
        end = x.get(story.loss.step, right)
        norm = story.loss.norm or 1.0
        color, wide = scale.color(norm), 1.25 * scale.width(norm)
        pen.add("line", x1=end + radius, y1=y, x2=end + 36, y2=y, stroke=color, stroke_width=wide)
        pen.add(
            *("rect",),
            x=end + 34,
            y=y - 19,
            width=58,
            height=38,
            rx=8,
            fill=theme.fill,
            stroke=color,
            stroke_width=2.6,
        )
        step = next(iter(story.loss.nodes.values())).step
        word = "L" if step is None else f"L{subscript(step)}"
        pen.text(word, end + 63, y + 5, "middle", 15 * size, "bold", theme.ink)


def _pieces(
    line: list[Box], count: int, show: Callable[[str, int], bool]
) -> Iterator[tuple[int, int, float | None]]:
    """From and to which step each piece of a row goes, and the largest norm in it, or NaN."""
    for i in range(0, len(line) - 1, count):
        piece = line[i : i + count]
        last = line[min(i + count, len(line) - 1)]
        if not show("forward", last.step):
            return
        norms = [b.norm for b in piece if b.norm is not None and show("backward", b.step)]
        nan = any(norm != norm for norm in norms)
        yield piece[0].step, last.step, math.nan if nan else max(norms, default=None)


def _labeled(row: list[Box]) -> list[Box]:
    """The first, the last, and a few between, at equal distances from the last.

    >>> [box.step for box in _labeled([Box(STATE, "", t, {}) for t in range(13)])]
    [0, 3, 6, 9, 12]
    >>> [box.step for box in _labeled([Box(STATE, "", t, {}) for t in range(12)])]
    [0, 2, 5, 8, 11]
    >>> [box.step for box in _labeled([Box(STATE, "", t, {}) for t in range(1, 11)])]
    [1, 4, 6, 8, 10]
    """
    last = len(row) - 1
    every = max(1, -(-last // (_LABELS - 1)))
    places = list(range(last, -1, -every))
    if places[-1] * 2 > every:
        places.append(0)
    places[-1] = 0  # the first, where the next one stands close to it
    return [row[i] for i in reversed(places)]
