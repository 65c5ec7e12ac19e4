"""Explain: backpropagation through time of one network, derived from its graph and written out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn.compiler.equations import Equations
from micrornn.compiler.lift import lift
from micrornn.compiler.lower import lower
from micrornn.compiler.program import Program, living
from micrornn.compiler.readable import Readable
from micrornn.compiler.reverse import reverse
from micrornn.compiler.roll import roll
from micrornn.compiler.rows import as_rows
from micrornn.compiler.simplify import simplify
from micrornn.compiler.sums import gather
from micrornn.compiler.trace import values_behind
from micrornn.core.backward import seed_of
from micrornn.core.tensor import Tensor

FORMS = ("numpy", "pseudocode", "latex")
CLOSE = 1e-6  # of the largest number of a gradient: nearer than that is equal


def derived(loss: Tensor) -> Program:
    """The rolled program of a loss and its backward pass, in micrornn's own operations.

    Raises:
        ValueError: the loss is no scalar, or depends on no parameter.
    """
    seed_of(loss)
    values, found = values_behind([loss])
    program = gather(roll(*as_rows(values, {"loss": found[0]})))
    return living(reverse(program, program.outputs["loss"]))


def explain(loss: Tensor, form: str = "numpy", title: str = "The loss and its gradients") -> str:
    """Forward pass, loss, the recursion backward and the gradients of one network, as text.

    Args:
        loss: a scalar, computed from parameters; the steps of its graph may be marked or not.
        form: ``"numpy"``, a module that runs; ``"pseudocode"``, formulas in plain characters; or
            ``"latex"``, the same for a document with amsmath.
        title: one line, for NumPy.

    Raises:
        ValueError: the loss is no scalar or depends on no parameter, or there is no such form.

    >>> import micrornn as mr
    >>> w, h = mr.Value(0.5, "w"), mr.tensor(1.0)
    >>> for x in (0.1, 0.2, 0.3):
    ...     h = mr.tanh(w * h + x)
    ...     h.name = "h"
    >>> print(explain(h, "pseudocode"))
    Forward
      h₀ = 1
      hₜ = tanh(w * hₜ₋₁ + xₜ)    for t = 1, ..., 3
    <BLANKLINE>
    Backward
      ∂h₄ = 1
      δₜ = ∂hₜ₊₁ * (1 - hₜ * hₜ)    for t = 3, ..., 1
      ∂hₜ = δₜ * w
    <BLANKLINE>
    Gradients
      ∂w = Σₜ (δₜ * hₜ₋₁)
    <BLANKLINE>
    """
    if form not in FORMS:
        raise ValueError(f"form={form!r}; give one of {', '.join(map(repr, FORMS))}")
    program = derived(loss)
    if form != "numpy":
        return Equations(program, form == "latex").text()
    return written(program, title).text


def written(program: Program, title: str = "") -> Readable:
    """A derived program as NumPy to be read."""
    return Readable(simplify(lift(simplify(lower(program)))), title)


def compare(loss: Tensor, function: Callable[..., Any]) -> list[str]:
    """What a backward pass written by hand has otherwise than the graph; nothing if it is right.

    Args:
        function: takes any of the arguments of the function that `explain` writes, by their names, and
            returns a dict of gradients, by the names of the parameters, or the loss and such a dict. Arrays
            over time in it, by the names that stand in the program, such as ``delta``, are compared step by
            step.

    Returns:
        One sentence for each term that differs: those with a step first, from the last step to the first.

    Raises:
        ValueError: the function takes something else, or returns no such dict.
    """
    module = written(derived(loss))
    given = dict(zip(module.arguments_by_name(), module.arguments()))
    right, inside = module.run()
    theirs = function(**_wanted(function, given))
    if isinstance(theirs, tuple) and len(theirs) == 2:
        theirs = theirs[1]
    if not isinstance(theirs, dict) or not theirs:
        raise ValueError(
            "the function returns no gradients; return a dict with any of "
            f"{', '.join([*right, *inside])}"
        )
    over_time, whole = [], []
    for name, array in theirs.items():
        if name in inside:
            over_time += _steps_that_differ(name, np.asarray(array, float), inside[name])
            continue
        full = [key for key in right if key == name or key.endswith("." + name)]
        if len(full) != 1:
            known = ", ".join([*right, *inside])
            raise ValueError(f"{name!r} is no gradient of this network; it has {known}")
        whole += _difference(full[0], np.asarray(array, float), right[full[0]])
    return over_time + whole


def _wanted(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a function takes."""
    asked = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in asked.values()):
        return given
    unknown = [
        name
        for name, p in asked.items()
        if name not in given and p.default is inspect.Parameter.empty
    ]
    if unknown:
        raise ValueError(
            f"the function takes {', '.join(unknown)}; what there is to take is {', '.join(given)}"
        )
    return {name: given[name] for name in asked if name in given}


def _steps_that_differ(name: str, ours: Any, right: Any) -> list[str]:
    if ours.shape != right.shape:
        return [f"{name} has the shape {ours.shape}, and {right.shape} in the graph's program."]
    scale = float(np.max(np.abs(right), initial=0.0)) or 1.0
    for t in reversed(range(len(right))):
        off = float(np.max(np.abs(ours[t] - right[t]), initial=0.0))
        if not off <= CLOSE * scale:
            return [f"{name}[{t}] differs first, going back: by {off:.3g}, of {scale:.3g} at most."]
    return []


def _difference(name: str, ours: Any, right: Any) -> list[str]:
    right = np.asarray(right)
    if ours.shape != right.shape:
        return [f"dL/d {name} has the shape {ours.shape}, and the parameter {right.shape}."]
    scale = float(np.linalg.norm(right)) or 1.0
    off = float(np.linalg.norm(ours - right)) / scale
    if off <= CLOSE:
        return []
    at = np.unravel_index(np.argmax(np.abs(ours - right)), right.shape) if right.ndim else ()
    place = f", most at [{', '.join(map(str, at))}]" if at else ""
    return [f"dL/d {name} differs by {off:.2g} of its norm{place}."]
