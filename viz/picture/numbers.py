"""Numbers as pictures say them: factors in two digits, powers of ten written out."""

from __future__ import annotations

import math

from viz.metrics import text_width
from viz.style import number


def times(ratio: float) -> str:
    """A factor above one.

    >>> times(12000.0), times(3.46), times(3.64e6), times(5.6e14)
    ('12,000-fold', '3.5-fold', '3.6 million-fold', '5.6·10¹⁴-fold')
    """
    rounded = float(f"{ratio:.2g}")
    if rounded < 1e6:
        return f"{rounded:,.0f}-fold" if rounded >= 10 else f"{rounded:g}-fold"
    if rounded < 1e12:
        unit, name = (1e6, "million") if rounded < 1e9 else (1e9, "billion")
        return f"{rounded / unit:,.3g} {name}-fold"
    return f"{power(short(ratio))}-fold"


def power(text: str) -> str:
    """A number with its power of ten as it is written by hand.

    >>> power("1.58e-12"), power("1e-9"), power("0.5"), power("-2e7")
    ('1.58·10⁻¹²', '10⁻⁹', '0.5', '-2·10⁷')
    """
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    high = exponent.translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    return f"10{high}" if mantissa == "1" else f"{mantissa}·10{high}"


def hop(ratio: float) -> str:
    """What one step does to a gradient.

    >>> hop(0.6), hop(1.71e-5)
    ('×0.60', '×1.7·10⁻⁵')
    """
    return f"×{power(short(ratio))}"


def digits(x: float, count: int) -> str:
    """A number in so many digits, with its zeros, so that neighbors are as precise; a whole one without.

    >>> digits(0.6, 2), digits(0.2, 3), digits(2.0, 2), digits(1.9968, 3), digits(3e-7, 2)
    ('0.60', '0.200', '2', '2.00', '3e-7')
    """
    text = number(float(f"{x:.{count}g}"))
    if not math.isfinite(x) or x == int(x) or "e" in text:
        return text
    whole, _, rest = text.partition(".")
    lacking = count - len((whole + rest).lstrip("-0"))
    return f"{whole}.{rest}{'0' * lacking}" if lacking > 0 else text


def short(x: float) -> str:
    """A factor in two digits.

    >>> short(0.4104), short(0.6), short(12.3), short(3e-7)
    ('0.41', '0.60', '12', '3e-7')
    """
    return digits(x, 2)


def tiny(x: float) -> str:
    """A number in one digit, where there is room for no more.

    >>> tiny(0.000123), tiny(0.5)
    ('1e-4', '0.5')
    """
    text = number(float(f"{x:.1g}"))
    return text if len(text) <= 5 else f"{x:.0e}".replace("e-0", "e-").replace("e+0", "e")


def fitting(x: float, room: float, size: float) -> str:
    """A number in as many digits as there is room for; "" if not even one has.

    >>> fitting(1.234e-7, 80, 12.5), fitting(1.234e-7, 30, 12.5)
    ('1.23·10⁻⁷', '10⁻⁷')
    >>> fitting(0.001234, 60, 12.5), fitting(0.001234, 40, 12.5), fitting(0.001234, 10, 12.5)
    ('0.00123', '0.001', '')
    """
    few = (digits(x, 3), short(x), tiny(x))
    texts = (*map(power, few), *few)
    return next((text for text in texts if text_width(text, size) <= room), "")
