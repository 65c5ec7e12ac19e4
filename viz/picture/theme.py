"""The look of a picture: one theme for each use, and the scale on which a gradient fades.

The scale is sequential and reads the same for color-blind eyes: pale to dark on white, dim to bright on dark,
light gray to black in print. A gradient that vanishes fades into the paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from viz.style import between

Color = str


@dataclass(frozen=True)
class Theme:
    """The colors of a picture.

    Attributes:
        paper, ink: the background, and text.
        muted: text of less weight, still 4.5:1 on the paper.
        line: forward edges and rules.
        fill: of boxes; ``data`` of inputs.
        scale: the colors of a gradient, from the smallest to the largest.
    """

    name: str
    paper: Color
    ink: Color
    muted: Color
    line: Color
    fill: Color
    data: Color
    scale: tuple[Color, ...]
    alarm: Color = "#c2410c"


THEMES = {
    theme.name: theme
    for theme in (
        Theme(
            *("light", "#ffffff", "#1b2430", "#5b6673", "#c3cad3", "#ffffff", "#f3f5f8"),
            (
                "#ffeda0",
                "#fed976",
                "#feb24c",
                "#fd8d3c",
                "#fc4e2a",
                "#e31a1c",
                "#b10026",
                "#800026",
            ),
        ),
        Theme(
            *("dark", "#11161d", "#eef2f6", "#a3aebb", "#4a5563", "#11161d", "#1d2530"),
            (
                "#4a2418",
                "#6d2a1a",
                "#96341c",
                "#c4471f",
                "#e8702f",
                "#f79c4c",
                "#fcc873",
                "#fff3b8",
            ),
            alarm="#ff8a5c",
        ),
        Theme(
            *("print", "#ffffff", "#000000", "#4d4d4d", "#bdbdbd", "#ffffff", "#f2f2f2"),
            (
                "#d9d9d9",
                "#c2c2c2",
                "#a6a6a6",
                "#8a8a8a",
                "#6b6b6b",
                "#4a4a4a",
                "#262626",
                "#000000",
            ),
            alarm="#000000",
        ),
    )
}
WIDEST, THINNEST = 12.0, 1.6  # pixels of a ribbon, at the ends of the scale


@dataclass(frozen=True)
class Scale:
    """From the norm of a gradient to a color and a width, on a logarithmic scale.

    Attributes:
        low, high: the decimal logarithms at the ends.
    """

    low: float
    high: float
    theme: Theme

    @classmethod
    def over(cls, norms: Iterable[float], theme: Theme) -> Scale:
        """The scale that spans these norms, at least a decade and a half.

        >>> scale = Scale.over([0.02, 1.0, 0.0], THEMES["light"])
        >>> round(scale.low, 1), scale.high
        (-1.7, 0.0)
        """
        logs = [math.log10(n) for n in norms if 0.0 < n < math.inf]
        high = math.ceil(max(logs, default=0.0) * 10) / 10
        low = math.floor(min(logs, default=-1.5) * 10) / 10
        return cls(min(low, high - 1.5), high, theme)

    def part(self, norm: float) -> float:
        """Where a norm lies, from 0 to 1; in hundredths, so that rounding moves no color."""
        if not 0.0 < norm < math.inf:
            return 1.0 if norm == math.inf else 0.0
        part = (math.log10(norm) - self.low) / (self.high - self.low)
        return round(min(max(part, 0.0), 1.0), 2)

    def color(self, norm: float) -> Color:
        """The color of a norm."""
        return self.at(self.part(norm))

    def at(self, part: float) -> Color:
        """The color at a part of the scale."""
        return between(self.theme.scale, part)

    def width(self, norm: float) -> float:
        """The width of a ribbon in pixels."""
        return round(THINNEST + (WIDEST - THINNEST) * self.part(norm), 1)

    def ticks(self) -> list[float]:
        """A few round numbers along the scale, both ends of the range among them as far as they are round."""
        span = self.high - self.low
        every = max(1, math.ceil(span / 5))
        digits = (1, 2, 5) if span < 2 else (1,)
        exponents = range(math.floor(self.low), math.ceil(self.high) + 1)
        found = [d * 10.0**e for e in exponents if e % every == 0 for d in digits]
        found = [t for t in found if t and self.low - 1e-9 <= math.log10(t) <= self.high + 1e-9]
        return found if len(found) <= 6 else found[:: math.ceil(len(found) / 6)]


def luminance(color: Color) -> float:
    """The relative luminance of a color, as WCAG 2.1 defines it."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: Color, b: Color) -> float:
    """The contrast of two colors, from 1 to 21.

    >>> round(contrast("#ffffff", "#000000"))
    21
    """
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
