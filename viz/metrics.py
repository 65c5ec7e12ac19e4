"""How wide text is, in DejaVu Sans: measured before it is placed, the same on every machine.

The table was read once from the font that matplotlib ships (its `hmtx` table), because reading the font
costs more than drawing a picture. Units are 1/2048 of the font size.
"""

from __future__ import annotations

_BY_WIDTH = {
    358: "ⱼ",
    366: "ᵢ",
    563: "'",
    569: "ijlìíîï",
    604: "IJÌÍÎÏΙΪₜ",
    651: " ,.··‘’",
    690: "/:;\\|¦",
    693: "ίι",
    721: "f",
    739: "-\xad",
    788: "ᵀ",
    799: "()[]",
    803: "t",
    816: "ₙ",
    821: "!¡²³¹₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹",
    842: "r",
    872: "ₖ",
    942: '"',
    965: "ªº",
    1024: "*_`§¨¯°´¸–‖",
    1059: "∂",
    1061: "“”",
    1067: "s",
    1075: "z",
    1081: "₊₋⁺⁻",
    1087: "?¿",
    1107: "έε",
    1114: "ζ",
    1126: "cç",
    1141: "LΓ",
    1142: "ξ",
    1144: "ν",
    1178: "F",
    1183: "χ",
    1185: "ΰυ",
    1186: "k",
    1202: "ς",
    1207: "κ",
    1208: "◦•",
    1212: "vxyýÿγλ",
    1233: "πτ",
    1235: "PΡ",
    1239: "Þ",
    1251: "TYÝΤΥΫ",
    1253: "o«»ðòóôõöøδθο",
    1255: "aàáâãäå",
    1260: "eèéêë",
    1290: "ß",
    1294: "EÈÉÊËΕΞΣ",
    1298: "hnuñùúûüήησ",
    1300: "Sbdgpqþρ",
    1303: "$0123456789{}¢£¤¥µ¶μ",
    1305: "√",
    1307: "β",
    1343: "KΚ",
    1350: "άα",
    1351: "φψ",
    1370: "∇",
    1380: "∑",
    1401: "AVÀÁÂÃÄÅΑΔΛ",
    1403: "XZΖΧ",
    1405: "BΒ",
    1423: "R",
    1430: "CÇ",
    1499: "UÙÚÛÜ",
    1532: "NÑΝ",
    1540: "HΗΠ",
    1550: "∏",
    1565: "Ω",
    1577: "D",
    1587: "GÐ",
    1597: "&",
    1612: "OQÒÓÔÕÖØΘΟΦΨ",
    1675: "w",
    1706: "∞",
    1715: "ω",
    1716: "#+<=>^~¬±×÷≈≠≤≥−×÷→←↑↓✂⧺",
    1767: "MΜ",
    1784: "∈",
    1946: "%",
    1985: "¼½¾",
    1995: "mÆ",
    2011: "æ",
    2025: "W",
    2048: "@©®…—",
}
_WIDTHS = {c: width for width, characters in _BY_WIDTH.items() for c in characters}
_UNKNOWN = 1706  # as wide as a capital: room enough for what the table does not know

LINE_HEIGHT = 1.25  # of the font size


def text_width(text: str, size: float) -> float:
    """The width of one line of text at a font size, both in pixels.

    >>> round(text_width("tanh", 12), 1)
    27.3
    """
    return sum(_WIDTHS.get(c, _UNKNOWN) for c in text) * size / 2048


def fitted(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis to fit a width in pixels.

    >>> fitted("a very long name", 12, 60)
    'a very l…'
    """
    if text_width(text, size) <= width:
        return text
    text = text[: int(width / size * 4) + 1]  # no letter is narrower than a quarter of the size
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"
