"""The one place for colours, widths and how a gradient looks.

Magnitude is the color (sequential, which reads the same for color-blind eyes) and the width of a gradient
edge, both of log10 of the norm; sign is a dash and a "+" or "-". Categories have the Okabe-Ito palette.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from viz.gradients import Flow

# Every tenth of matplotlib's cividis.
_CIVIDIS = (
    *("#00224e", "#083370", "#35456c", "#4f576c", "#666970", "#7d7c78"),
    *("#948e77", "#aea371", "#c8b866", "#e5cf52", "#fee838"),
)

# From where a gradient has vanished to where it is largest (ColorBrewer's YlOrRd): it fades into white.
FADE = (
    *("#ffeda0", "#fed976", "#feb24c", "#fd8d3c"),
    *("#fc4e2a", "#e31a1c", "#b10026", "#800026"),
)

INK = "#222222"
PAPER = "#ffffff"
FAINT = "0.15"  # the opacity of what is on none of the chosen paths
FORWARD = "#a4adb8"  # forward edges, thin
FRAME = "#cfd5dc"  # frames of steps
ABSENT = "#b8b8b8"  # no gradient: grey hatch
ALARM = "#d55e00"  # NaN
KEPT, AGAIN = "■", "↻"  # what a checkpoint kept, and what it computed again in backward
FONT = "DejaVu Sans, Verdana, sans-serif"

# Okabe & Ito's palette, and a pale tint of each for fills.
_PALETTE = {
    "orange": ("#e69f00", "#fdf1d8"),
    "sky": ("#56b4e9", "#dff0fb"),
    "green": ("#009e73", "#dcf3ec"),
    "yellow": ("#d9c800", "#fcf9d6"),
    "blue": ("#0072b2", "#dbeaf4"),
    "vermillion": ("#d55e00", "#fae5d8"),
    "purple": ("#cc79a7", "#f7e7f0"),
    "grey": ("#777777", "#eeeeee"),
}

_CATEGORIES = {
    **{"forget gate": "vermillion", "input gate": "green", "candidate": "purple"},
    **{"output gate": "blue", "reset gate": "vermillion", "update gate": "blue"},
    **{"state": "sky", "cell": "orange", "loss": "vermillion", "input": "grey", "data": "grey"},
}
_OTHERS = ("green", "purple", "blue", "orange", "vermillion", "sky", "yellow")


def category(name: str) -> tuple[str, str]:
    """The line colour and the pale fill of a category; an unknown name gets one of its own.

    >>> category("forget gate")
    ('#d55e00', '#fae5d8')
    """
    known = _CATEGORIES.get(name)
    return _PALETTE[known or _OTHERS[sum(name.encode()) % len(_OTHERS)]]


@dataclass(frozen=True)
class Scale:
    """From the norm of a gradient to colour and width, by its decimal logarithm.

    Attributes:
        low, high: the exponents at the two ends of the scale, tenths with high - low at least 1.
    """

    low: float
    high: float

    @classmethod
    def over(cls, norms: Iterable[float]) -> Scale:
        """The scale that spans these norms (those that are neither zero nor infinite).

        >>> Scale.over([0.002, 3.0, 0.0])
        Scale(low=-2.7, high=0.5)
        """
        logs = [math.log10(n) for n in norms if 0.0 < n < math.inf]
        if not logs:
            return cls(-1.0, 0.0)
        low, high = math.floor(min(logs) * 10) / 10, math.ceil(max(logs) * 10) / 10
        lacking = max(1.0 - (high - low), 0.0) / 2  # equal norms should look equal, not extreme
        return cls(round(low - lacking, 2), round(high + lacking, 2))

    def ticks(self) -> list[float]:
        """Round numbers along the scale: powers of ten, or 1, 2 and 5 of each where it is short."""
        span = self.high - self.low
        every = max(math.ceil(span / 6), 1)
        digits = (1, 2, 5) if span < 2.2 else (1,)
        exponents = range(math.floor(self.low), math.ceil(self.high) + 1)
        found = [d * 10.0**e for e in exponents if e % every == 0 for d in digits]
        # Below the smallest float, 4.9e-324, a power of ten is zero.
        return [t for t in found if t and self.low - 1e-9 <= math.log10(t) <= self.high + 1e-9]

    def part(self, norm: float) -> float:
        """Where a norm lies between low (0) and high (1)."""
        if norm == math.inf:
            return 1.0
        part = (math.log10(norm) - self.low) / (self.high - self.low)
        # In 100 steps, so that the last bit of a norm, which machines differ in, moves no colour.
        return round(min(max(part, 0.0), 1.0), 2)

    def color(self, norm: float) -> str:
        """The color of a norm: pale where the gradient has vanished, dark red where it is largest.

        >>> Scale(-3, 0).color(1.0)
        '#800026'
        """
        return fade(self.part(norm))

    def width(self, norm: float) -> float:
        """The width of a gradient edge in pixels, 2 to 7."""
        return round(2.0 + 5.0 * self.part(norm), 2)


def cividis(part: float) -> str:
    """The cividis color at a part between 0 (dark blue) and 1 (yellow), for maps."""
    return between(_CIVIDIS, part)


def fade(part: float) -> str:
    """The color of a gradient at a part between 0 (pale) and 1 (dark red), on white."""
    return between(FADE, part)


def between(colors: Sequence[str], part: float) -> str:
    """The color at a part of a row of colors.

    >>> between(("#000000", "#ffffff"), 0.5)
    '#808080'
    """
    place = part * (len(colors) - 1)
    i = min(int(place), len(colors) - 2)
    ends = [[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in colors[i : i + 2]]
    mixed = [round(a + (b - a) * (place - i)) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{v:02x}" for v in mixed)


def ink_on(color: str) -> str:
    """Black or white, whichever reads better on a colour (by its luminance).

    >>> ink_on("#00224e"), ink_on("#fee838")
    ('#ffffff', '#222222')
    """
    red, green, blue = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else PAPER


def number(x: float) -> str:
    """A number as pictures write it: three significant digits.

    >>> number(0.000123456), number(1.5), number(12345678.0), number(float("nan"))
    ('1.23e-4', '1.5', '1.23e7', 'NaN')
    """
    if x != x:
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    text = f"{x:.3g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text


def in_words(flow: Flow) -> str:
    """A gradient in words, for tooltips and screen readers.

    >>> in_words(Flow.of(-0.5))
    'gradient norm 0.5, negative'
    """
    if flow.state == "value":
        sign = {"+": ", positive", "-": ", negative"}.get(flow.sign, "")
        return f"gradient norm {number(flow.norm)}{sign}"
    return {
        "none": "backward has not run",
        "constant": "needs no gradient",
        "absent": "no path to the loss",
        "zero": "gradient exactly zero",
        "underflow": "gradient underflowed to zero",
        "nan": "gradient is NaN",
    }[flow.state]
