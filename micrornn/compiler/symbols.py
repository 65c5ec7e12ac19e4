"""Symbols: names and formulas as one writes them on paper, in plain characters or in LaTeX."""

from __future__ import annotations

import re

HOLE = "\0"  # around what is put into a formula
VARIABLE = re.compile(r"(?<![A-Za-z\0])[xabW](?![A-Za-z])")
PRIMES = 3
SUPERSCRIPTS = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾")
SUBSCRIPTS = str.maketrans("0123456789+-t", "₀₁₂₃₄₅₆₇₈₉₊₋ₜ")


class Symbols:
    """How names are written.

    Args:
        latex: in LaTeX.
    """

    def __init__(self, latex: bool) -> None:
        self.latex = latex

    def plain(self, name: str) -> str:
        """A name of the graph."""
        word = re.match(r"[\w ]*\w", name)
        text = {"loss": "L"}.get(word[0], word[0]) if word else "x"
        if len(text) == 1 or not self.latex:
            return text
        return f"\\mathrm{{{text}}}".replace("_", r"\_")

    def weight(self, name: str) -> str:
        """weight_hh_l0 is W_hh, as on paper."""
        *_, last = name.split(".")
        found = re.fullmatch(r"(weight|bias)(?:_([a-z]+))?(?:_l(\d+))?(_reverse)?", last)
        if not found:
            return self.plain(last)
        letter = "W" if found[1] == "weight" else "b"
        under = found[2] or "".join(name.split(".")[-2:-1])[:1]
        under += f",{int(found[3]) + 1}" if found[3] not in (None, "0") else ""
        under += "'" if found[4] else ""
        if self.latex:
            return f"{letter}_{{{under}}}" if under else letter
        return f"{letter}_{under}" if under else letter

    def mark(self, times: int) -> str:
        """What tells apart names that are the same: primes, or from four on their number.

        >>> Symbols(latex=False).mark(2), Symbols(latex=False).mark(12)
        ("''", '⁽¹²⁾')
        """
        if times <= PRIMES:
            return "'" * times
        return f"^{{({times})}}" if self.latex else f"({times})".translate(SUPERSCRIPTS)

    def gradient(self, name: str) -> str:
        """The gradient of the loss by what has this name."""
        if not self.latex:
            return f"∂{name}"
        return f"\\partial {name}" if "_" in name else f"\\bar{{{name}}}"

    def at(self, name: str, time: str) -> str:
        """A name at a time."""
        if self.latex:
            return f"{name}_{{{time}}}" if "_" not in name else f"({name})_{{{time}}}"
        return name + (time.translate(SUBSCRIPTS) if len(name) <= 6 else f"[{time}]")


def in_latex(text: str) -> str:
    """A formula in plain characters as LaTeX."""
    for plain, written in LATEX:
        text = re.sub(plain, written, text)
    return text


LATEX = (
    (r"(?<![\\A-Za-z])(tanh|ln|sin|cos|max|min)(?![A-Za-z])", r"\\\1 "),
    (r"(?<![\\A-Za-z])(softmax|sign|where|holds|else|condition)(?![A-Za-z])", r"\\mathrm{\1}"),
    (r" \* ", r" \\odot "),
    (r" @ ", " "),
    (r"ᵀ", r"^\\top"),
    (r"e\^(-?(?:\([^()]*\)|[^\s()]+))", r"e^{\1}"),
    (r"Σ", r"\\sum"),
    (r"√", r"\\sqrt"),
)
