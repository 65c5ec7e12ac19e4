"""The classic failures as sources: small runs, each going wrong in one way, to be asked why."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from micrornn.flow.failures import FAILURES
from micrornn.tasks.unrolled import Unrolled


def builder(name: str) -> Callable[..., Unrolled]:
    """The function that runs a failure forward, over as many steps as are wanted.

    >>> build = builder("vanishing")
    >>> build(steps=10).loss.item() == 0.5**10
    True
    """
    make = FAILURES[name]

    def build(steps: int = inspect.signature(make).parameters["steps"].default) -> Unrolled:
        if steps < 1:
            raise ValueError(f"steps={steps} was given; give at least 1")
        with np.errstate(all="ignore"):
            failure = make(steps=steps)
        return Unrolled(f"{name}: {failure.story}", failure.loss, failure.losses)

    return build
