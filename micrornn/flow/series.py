"""What all readers of gradient flow share: values over time found by name, norms, tables of text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]


def norm(x: Any) -> float:
    """The Euclidean norm of all elements, also where their squares underflow or overflow.

    >>> norm(np.array([3e-200, 4e-200]))
    5e-200
    """
    if np.ndim(x) == 0:
        return abs(float(x))
    flat = np.asarray(x, dtype=float).ravel()
    square = float(flat.dot(flat))
    if 1e-280 < square < 1e280:
        return math.sqrt(square)
    return float(norms(flat[None])[0])


def norms(rows: Any) -> Array:
    """The Euclidean norm of each row (all axes but the first), without underflow or overflow."""
    rows = np.asarray(rows, dtype=float)
    if not rows.size:
        return np.zeros(len(rows))
    flat = rows.reshape(len(rows), -1)
    squares: Array = np.einsum("ij,ij->i", flat, flat)
    if squares.min() > 1e-280 and squares.max() < 1e280:
        return np.sqrt(squares)
    flat = np.abs(flat)
    top = flat.max(axis=1)
    fine = np.isfinite(top) & (top > 0)
    scale = np.where(fine, top, 1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = flat / scale[:, None]
        size: Array = scale * np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    return size


def series(rec: Recording, name: str, scope: str | None = None) -> list[Tensor]:
    """The nodes of that name over time, one for each step: h_0, h_1, ..., h_T.

    Args:
        name: ``h``, ``c``, ``x``, or any name that nodes with steps carry.
        scope: the layer, such as ``lstm.0``; by default the newest with that name, which is the top one.

    Raises:
        RecordingError: no node with a step has this name; says which names there are.
    """
    every = [n for n in rec.find(name, exact=True) if n.step is not None]
    found = [n for n in every if scope is None or _within(n.scope, scope)]
    if not found:
        known = sorted({n.name for n in rec.nodes if n.name and n.step is not None})
        where = f" in scope {scope!r}" if scope else ""
        raise RecordingError(
            f"nothing named {name!r} over time{where}; there are: {', '.join(known) or 'no names'}. "
            "Name your states (h.name = 'h') and tag the steps (with mr.scope(t=t))"
        )
    if scope is None:
        found = [n for n in found if n.scope == found[-1].scope]
    if all(n.step for n in found):
        # An initial state that was given from outside was made before the layer's scope began.
        layer = found[-1].scope
        found += [n for n in every if n.step == 0 and _enters(rec, n, layer)][-1:]
    by_step: dict[int, Tensor] = {}
    for node in found:
        assert node.step is not None
        old = by_step.get(node.step)
        if old is None or node.number > old.number:
            by_step[node.step] = node
    return [by_step[step] for step in sorted(by_step)]


def _within(scope: str, outer: str) -> bool:
    return scope == outer or scope.startswith(outer + "/")


def _enters(rec: Recording, node: Tensor, layer: str) -> bool:
    return any(_within(user.scope, layer) for user, _ in rec.users.get(node.number, ()))


def layers(rec: Recording, name: str | None = None) -> list[str]:
    """The scopes in which that name occurs over time, oldest first: the layers.

    Without a name: where h occurs, or, if there is none, where a step hands a named value to the next.
    """
    if name is None:
        by_h = layers(rec, "h")
        return by_h or list(rec.carried)
    found = [n.scope for n in rec.find(name, exact=True) if n.step]
    return list(dict.fromkeys(found))


def label(node: Tensor) -> str:
    """A node in a word or two: ``h[3]``, ``tanh[3]``, ``weight_hh_l0``.

    >>> import micrornn as mr
    >>> with mr.scope(t=3):
    ...     label(mr.tanh(mr.Value(1.0)))
    'tanh[3]'
    """
    word = node.name or (node.primitive.name if node.primitive else f"leaf #{node.number}")
    return word if node.step is None else f"{word}[{node.step}]"


def place(node: Tensor) -> str:
    """Where a node is, for evidence: scope, step, and source line if it was recorded."""
    words = [f"in {node.scope}"] if node.scope else []
    if node.step is not None:
        words.append(f"at step {node.step}")
    if node.source:
        words.append(f"({node.source[0]}:{node.source[1]})")
    return " ".join(words)


def number(x: float | None) -> str:
    """A number for a table: short, and never rounded to zero."""
    return "-" if x is None else f"{x:.3g}"


@overload
def plain(value: dict[str, Any]) -> dict[str, Any]: ...
@overload
def plain(value: Any) -> Any: ...
def plain(value: Any) -> Any:
    """A value as JSON can hold it: arrays as lists, NaN as None, infinity as "inf" or "-inf".

    >>> plain({"a": np.array([1.0, np.nan, -np.inf]), "b": (2, None)})
    {'a': [1.0, None, '-inf'], 'b': [2, None]}
    """
    if isinstance(value, dict):
        return {key: plain(x) for key, x in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None if value != value else str(value)
    return value


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns of text, numbers to the right.

    >>> print(table(["t", "norm"], [[1, 0.5], [10, 0.25]]))
     t  norm
     1   0.5
    10  0.25
    """
    cells = [list(head)]
    cells += [[number(x) if isinstance(x, float) else str(x) for x in row] for row in rows]
    right = [all(_is_number(row[i]) for row in cells[1:]) for i in range(len(head))]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        words = [w.rjust(n) if r else w.ljust(n) for w, n, r in zip(row, widths, right)]
        lines.append("  ".join(words).rstrip())
    return "\n".join(lines)


def _is_number(text: str) -> bool:
    try:
        float(text.rstrip("%"))
    except ValueError:
        return text in ("-", "")
    return True


def spans(steps: Sequence[int]) -> str:
    """Steps in order as ranges.

    >>> spans([1, 2, 3, 7, 9, 10])
    '1 to 3, 7, 9 to 10'
    """
    runs: list[list[int]] = []
    for t in steps:
        if runs and t == runs[-1][1] + 1:
            runs[-1][1] = t
        else:
            runs.append([t, t])
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in runs)
