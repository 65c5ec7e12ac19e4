"""The style of a picture: theme, aspect, width, legend and font size."""

from __future__ import annotations

from dataclasses import dataclass, fields

from viz.picture.theme import THEMES, Theme

ASPECTS = {"16:9": 16 / 9, "4:3": 4 / 3, "page": 1.25, "free": 0.0}
LEGENDS = ("auto", "none", "full")
WIDTH, FONT_SIZE = 1280.0, 12.5


@dataclass(frozen=True)
class Look:
    """The style of a picture.

    Attributes:
        theme: one of `THEMES`.
        aspect: one of `ASPECTS`.
        width: of the sheet, in pixels.
        legend: auto (what occurs), none, or full (every look).
        font_size: of the smallest text, in pixels.

    Raises:
        ValueError: the theme, the aspect or the legend is unknown.

    >>> Look(theme="dark").colors.paper
    '#11161d'
    >>> Look(aspect="3:2")
    Traceback (most recent call last):
    ValueError: aspect '3:2'; choose one of 16:9, 4:3, page, free
    """

    theme: str = "light"
    aspect: str = "16:9"
    width: float = WIDTH
    legend: str = "auto"
    font_size: float = FONT_SIZE

    def __post_init__(self) -> None:
        for name, words in (("theme", THEMES), ("aspect", ASPECTS), ("legend", LEGENDS)):
            word = getattr(self, name)
            if word not in tuple(words):
                raise ValueError(f"{name} {word!r}; choose one of {', '.join(words)}")

    @property
    def colors(self) -> Theme:
        """The theme itself."""
        return THEMES[self.theme]

    @property
    def size(self) -> float:
        """Of all text, relative to the usual one."""
        return self.font_size / FONT_SIZE

    def height(self, least: float, free: float = 0.0) -> float:
        """The height of the sheet: what the aspect asks for, or ``free`` where it asks for nothing."""
        ratio = ASPECTS[self.aspect]
        return max(self.width / ratio if ratio else free, least)

    def refuse(self, what: str) -> None:
        """Refuse a style for what is drawn without one.

        Raises:
            ValueError: this is not the default; names what differs.
        """
        names = [f.name for f in fields(self) if getattr(self, f.name) != f.default]
        if names:
            which = " or ".join(names).replace("_", " ")
            out = "leave it out" if len(names) == 1 else "leave them out"
            raise ValueError(
                f"{what} has no {which}; {out}, or draw cells as svg, png, gif, webp or apng"
            )


DEFAULT = Look()
