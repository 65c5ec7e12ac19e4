"""What a stop looks like, as text and as plain values."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.debug.columns import size_of
from micrornn.debug.places import Places
from micrornn.debug.timeline import BACKWARD, Timeline

MOST = 6  # numbers of an array that are shown along each axis


_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def short_path(file: str) -> str:
    """A file as seen from here, or from where the package is."""
    for folder in (os.getcwd(), _HOME):
        if file.startswith(folder + os.sep):
            return file[len(folder) + 1 :]
    return file


def number(x: float) -> str:
    """A norm or an amount, short.

    >>> number(0.000123456), number(1.0), number(float("nan"))
    ('0.000123', '1', 'nan')
    """
    return f"{x:.3g}"


def sized(x: Any) -> str:
    """A gradient in a word: its norm, or what it is instead of one.

    >>> sized(np.zeros(3)), sized(np.array([1.0, float("nan")])), sized(np.array([3.0, 4.0]))
    ('exactly 0', 'NaN', '5')
    """
    if x is None:
        return "nothing"
    size = size_of(x)
    if math.isnan(size) or np.isnan(dense(x)).any():
        return "NaN"
    if math.isinf(size):
        return "inf"
    return number(size) if size else "exactly 0"


def few(words: list[str]) -> str:
    """Some words in a row; of very many the first and the last, and how many there are.

    >>> few([f"h[{t}]" for t in range(1, 21)])
    'h[1], h[2], h[3], ..., h[20] (20 total)'
    """
    if len(words) > MOST:
        words = [*words[:3], "...", f"{words[-1]} ({len(words)} total)"]
    return ", ".join(words)


def made(node: Tensor, places: Places) -> str:
    """How a node was made: ``h[3] = tanh(add[3])``."""
    if node.primitive is None:
        return f"{places.label(node)}, a leaf"
    call = f"{node.primitive.name}({few([places.label(x) for x in node.inputs])})"
    return f"{places.label(node)} = {call}" if node.name else call


def whereabouts(node: Tensor) -> str:
    """Step and scope: ``t=3 in rnn.0``."""
    words = [] if node.step is None else [f"t={node.step}"]
    if node.scope:
        words.append(f"in {node.scope}")
    return " ".join(words) or "outside all steps and scopes"


def recomputed(node: Tensor, places: Places) -> str:
    """What is said of a node that a checkpoint did not keep: ``, recomputed``, or how many times."""
    times = places.rec.recomputed.get(node.number, 0)
    return f", recomputed {times} times" if times > 1 else ", recomputed" if times else ""


def turn_lines(line: Timeline, places: Places, position: int) -> list[str]:
    """The stop before a turn, in two lines."""
    word = "pullback" if line.direction == BACKWARD else "node"
    if position >= len(line):
        return [f"the {line.direction} pass is over: all {len(line)} {word}s are done"]
    node = line.nodes[position]
    head = f"{word} {position + 1} of {len(line)}: {made(node, places)}  {whereabouts(node)}"
    head += recomputed(node, places)
    if line.direction != BACKWARD:
        return [head, f"  value: norm {sized(line.amounts[position])}, shape {node.shape}"]
    sends = [
        f"{sized(c)} to {places.label(x)}"
        for x, c in zip(node.inputs, line.sent[position])
        if c is not None
    ]
    arrived = f"  gradient: norm {sized(line.amounts[position])}, shape {node.shape}"
    return [head, f"{arrived}; sends {few(sends)}"]


def turn_data(line: Timeline, places: Places, position: int) -> dict[str, Any]:
    """The same as plain values."""
    found: dict[str, Any] = {
        "direction": line.direction,
        "position": position,
        "of": len(line),
        "over": position >= len(line),
    }
    if position >= len(line):
        return found
    node = line.nodes[position]
    found["node"] = node_data(node, places)
    key = "gradient" if line.direction == BACKWARD else "value"
    found[key] = {"norm": plain(size_of(line.amounts[position])), "shape": list(node.shape)}
    if line.direction == BACKWARD:
        found["sends"] = [
            {"to": places.label(x), "norm": plain(size_of(c))}
            for x, c in zip(node.inputs, line.sent[position])
            if c is not None
        ]
    return found


def node_data(node: Tensor, places: Places) -> dict[str, Any]:
    """A node as plain values."""
    return {
        "number": places.number(node),
        "label": places.label(node),
        "op": node.primitive.name if node.primitive else None,
        "step": node.step,
        "scope": node.scope,
        "source": list(node.source) if node.source else None,
        "recomputed": places.rec.recomputed.get(node.number, 0),
    }


def plain(x: Any) -> Any:
    """A value as JSON can hold it; what is not finite becomes a word.

    >>> plain(np.array([1.0, float("inf")])), plain(float("nan"))
    ([1.0, 'inf'], 'nan')
    """
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(value) for value in x]
    if isinstance(x, np.ndarray):
        return plain(x.tolist())
    if isinstance(x, np.generic):
        return plain(x.item())
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return x


def shown(x: Any) -> list[str]:
    """A value of any kind as lines of text; a large array is abridged, and says so."""
    x = dense(x)
    if isinstance(x, list):
        found = []
        for i, item in enumerate(x):
            head, *rest = shown(item)
            found += [f"[{i}] {head}", *(f"    {line}" for line in rest)]
        return found or ["nothing"]
    if x is None:
        return ["nothing"]
    if isinstance(x, np.ndarray) and x.ndim:
        text = np.array2string(x, precision=4, threshold=64, edgeitems=MOST // 2, separator=", ")
        return [f"shape {x.shape}, norm {sized(x)}", *text.splitlines()]
    if isinstance(x, (float, np.floating, np.ndarray)):
        return [f"{float(x):.6g}"]
    return [str(x)]
