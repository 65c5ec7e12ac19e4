"""What is wrong with a picture, from its SVG: text that is crossed, covered, cut, too small, too pale."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

from viz.metrics import text_width
from viz.picture.theme import THEMES, contrast

SVG = "{http://www.w3.org/2000/svg}"
NINE_POINTS = 12.0  # pixels
Box = tuple[float, float, float, float]  # left, top, right, bottom


class Word(NamedTuple):
    """A text on the sheet."""

    text: str
    box: Box
    size: float
    color: str


def words(root: ET.Element) -> list[Word]:
    """Every text with its place."""
    found = []
    for e in root.iter(f"{SVG}text"):
        text, size = e.text or "", float(e.get("font-size", "16"))
        width = text_width(text, size) * (1.08 if e.get("font-weight") == "bold" else 1.0)
        x, y = float(e.get("x", "0")), float(e.get("y", "0"))
        left = x - {"middle": width / 2, "end": width}.get(e.get("text-anchor", ""), 0.0)
        box = left, y - 0.74 * size, left + width, y + 0.05 * size
        found.append(Word(text, box, size, e.get("fill", "")))
    return [word for word in found if word.text.strip()]


def strokes(root: ET.Element) -> list[tuple[list[tuple[float, float]], float]]:
    """Every line and path as points, with its width."""
    found = []
    for e in root.iter(f"{SVG}line"):
        ends = [float(e.get(name, "0")) for name in ("x1", "y1", "x2", "y2")]
        found.append(([(ends[0], ends[1]), (ends[2], ends[3])], float(e.get("stroke-width", "1"))))
    for e in root.iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", e.get("d", ""))]
        found.append((list(zip(numbers[::2], numbers[1::2])), float(e.get("stroke-width", "1"))))
    return found


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1


def crosses(points: list[tuple[float, float]], width: float, box: Box) -> bool:
    """Whether a stroke of that width passes through a box."""
    grown = box[0] - width / 2, box[1] - width / 2, box[2] + width / 2, box[3] + width / 2
    for (x1, y1), (x2, y2) in pairwise(points):
        for part in np.linspace(0, 1, max(2, int(np.hypot(x2 - x1, y2 - y1) / 3))):
            x, y = x1 + (x2 - x1) * part, y1 + (y2 - y1) * part
            if grown[0] + 1.5 < x < grown[2] - 1.5 and grown[1] + 1.5 < y < grown[3] - 1.5:
                return True
    return False


def faults(svg: str, theme: str = "light") -> list[str]:
    """What is wrong with a picture, from its SVG alone."""
    root = ET.fromstring(svg)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    texts, wrong = words(root), []
    paper = THEMES[theme].paper
    for i, word in enumerate(texts):
        left, top, right, bottom = word.box
        if left < 0 or top < 0 or right > width or bottom > height:
            wrong.append(f"{word.text!r} leaves the sheet")
        if word.size < NINE_POINTS - 0.01:
            wrong.append(f"{word.text!r} has {word.size} pixels")
        if contrast(word.color, paper) < 4.5:
            wrong.append(f"{word.text!r} in {word.color} on {paper}")
        wrong += [
            f"{word.text!r} on {o.text!r}" for o in texts[i + 1 :] if overlap(word.box, o.box)
        ]
        wrong += [
            f"{word.text!r} is crossed"
            for points, wide in strokes(root)
            if crosses(points, wide, word.box)
        ]
        for e in root.iter(f"{SVG}rect"):
            x, y, w, h = (float(e.get(name, "0")) for name in ("x", "y", "width", "height"))
            box = x, y, x + w, y + h
            inside = x <= left and right <= x + w and y <= top and bottom <= y + h
            if overlap(word.box, box) and not inside:
                wrong.append(f"{word.text!r} is cut by a box")
    return wrong
