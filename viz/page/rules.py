"""The local derivative of an operation as a formula, read from its own backward rule."""

from __future__ import annotations

from functools import cache
from typing import Any

from micrornn.core.primitive import Primitive

_LETTERS = {1: "x", 2: "ab"}  # of the inputs, as in the formulas of the primitives
PRODUCTS = {"matmul": ("bᵀ", "aᵀ"), "linear": ("W", "x", "1")}


@cache
def rule(p: Primitive, slot: int) -> str:
    """What backward multiplies a gradient by, in the letters of the formula; "" where it asks for more.

    >>> from micrornn.core.primitive import PRIMITIVES
    >>> [rule(PRIMITIVES[name], 0) for name in ("sigmoid", "tanh", "mul", "div", "add", "neg", "relu")]
    ['y (1 − y)', '1 − y²', 'b', '1 / b', '1', '−1', '']
    """
    if p.name in PRODUCTS:
        return PRODUCTS[p.name][slot]
    if callable(p.vjp) or p.vjp is not p.jvp or len(p.vjp) not in _LETTERS:
        return ""
    letters = [_Text(letter) for letter in _LETTERS[len(p.vjp)]]
    try:
        found = p.vjp[slot](_Text("1"), _Text("y"), *letters)
    except Exception:  # a rule that asks for more than letters: an order, a parameter
        return ""
    return found.text if isinstance(found, _Text) else ""


class _Text:
    """Writes down what is computed with it."""

    def __init__(self, text: str, binds: int = 3) -> None:
        self.text = text
        self.binds = binds  # 1: a sum, 2: a product, 3: neither

    def within(self, binds: int) -> str:
        return f"({self.text})" if self.binds < binds else self.text

    def __mul__(self, other: Any) -> _Text:
        a, b = self, _text(other)
        for one, rest in ((a, b), (b, a)):
            if one.text in ("1", "−1"):
                return rest if one.text == "1" else -rest
        if a.text == b.text and len(a.text) == 1:
            return _Text(f"{a.text}²")
        return _Text(f"{a.within(2)} {b.within(2)}", 2)

    def __truediv__(self, other: Any) -> _Text:
        return _Text(f"{self.within(2)} / {_text(other).within(3)}", 2)

    def __sub__(self, other: Any) -> _Text:
        return _Text(f"{self.text} − {_text(other).within(2)}", 1)

    def __add__(self, other: Any) -> _Text:
        return _Text(f"{self.text} + {_text(other).text}", 1)

    def __neg__(self) -> _Text:
        return _Text(f"−{self.within(2)}", 2)

    def __rmul__(self, other: Any) -> _Text:
        return _text(other) * self

    def __rsub__(self, other: Any) -> _Text:
        return _text(other) - self

    def sin(self) -> _Text:
        return _Text(f"sin({self.text})")

    def cos(self) -> _Text:
        return _Text(f"cos({self.text})")


def _text(value: Any) -> _Text:
    return value if isinstance(value, _Text) else _Text(f"{value:g}")
