"""The first number of a student's pass that differs from the graph's, in order of computation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.grade.called import GradeError
from micrornn.grade.problem import GATES, Numbers
from micrornn.messages import percent

Array = np.ndarray[Any, Any]
Difference = tuple[str, int | None, Array, Array]  # name, step, found, expected
CLOSE: Any = {"rtol": 1e-7, "atol": 1e-9}


def by_step(name: str, given: Any, steps: int) -> list[Array]:
    """A list by step with index t, from one with or without an entry for t = 0.

    Raises:
        GradeError: it has another length.
    """
    values = [np.asarray(v, dtype=float) for v in given if v is not None or len(given) == steps]
    if len(values) == steps + 1:
        return values
    if len(values) == steps:
        return [np.zeros(0), *values]
    raise GradeError(f"{name} has {len(values)} entries; give one for each of the {steps} steps")


def forward_difference(numbers: Numbers, found: dict[str, Any]) -> Difference | None:
    """The first number of the forward pass that differs: step by step, gates before states before y."""
    steps, cell = numbers.problem.steps, numbers.problem.cell
    order = [*GATES[cell], *(["c"] if cell == "lstm" else []), "h", "y"]
    given = {name: by_step(name, found[name], steps) for name in order if name in found}
    if not given:
        raise GradeError(
            f"forward returned {', '.join(map(repr, found))}; return h, a list by step"
        )
    for t in range(1, steps + 1):
        for name, values in given.items():
            expected = numbers.states[name][t]
            if not same(values[t], expected):
                return name, t, values[t], expected
    if "loss" in found and not same(
        np.asarray(found["loss"], dtype=float), np.asarray(numbers.loss)
    ):
        return "loss", None, np.asarray(found["loss"], dtype=float), np.asarray(numbers.loss)
    return None


def backward_differences(numbers: Numbers, found: dict[str, Any]) -> Iterator[Difference]:
    """What differs, in the order of computation: from the last step to the first, then the sums."""
    steps = numbers.problem.steps
    lists = {"dy": numbers.dy, "dh": numbers.dh, "dc": numbers.dc, "delta": numbers.delta}
    given = {name: by_step(name, found[name], steps) for name in lists if name in found}
    for t in range(steps, 0, -1):
        for name, values in given.items():
            if not same(values[t], lists[name][t]):
                yield name, t, values[t], lists[name][t]
    for name, expected in reversed(numbers.grads.items()):
        if name in found:
            value = np.asarray(found[name], dtype=float)
            if not same(value, expected):
                yield f"dL/d{name}", None, value, expected


def same(a: Array, b: Array) -> bool:
    """Whether two arrays have one shape and the same numbers, but for rounding."""
    return a.shape == b.shape and bool(np.allclose(a, b, **CLOSE))


def in_words(part: str, difference: Difference) -> dict[str, Any]:
    """The first difference in a sentence, and as data."""
    name, step, found, expected = difference
    shown = {"dy": "dL/dy", "dh": "dL/dh", "dc": "dL/dc", "delta": "delta = dL/da"}.get(name, name)
    where = f"{shown} at step {step}" if step is not None else shown
    data = {"part": part, "name": name, "step": step}
    if found.shape != expected.shape:
        text = f"{part}: {where} has shape {found.shape}; the graph's has {expected.shape}."
        return {"first": text, "where": data}
    norm = float(np.linalg.norm(expected))
    off = float(np.linalg.norm(found - expected))
    amount = f"{percent(off / norm)} of its norm" if norm else f"{off:.3g}"
    text = f"{part}: {where} differs from the graph's by {amount}."
    if norm and not found.any():
        text = f"{part}: {where} is zero; the graph's has norm {norm:.3g}."
    return {"first": text, "where": {**data, "off": off, "norm": norm}}
