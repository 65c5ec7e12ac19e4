"""Tasks as sources: the untrained network of a task, unrolled over one short sequence, to be looked at."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from micrornn.tasks.problem import TASKS
from micrornn.tasks.unrolled import Unrolled

OF_TRAINING = ("batch",)  # a picture shows one sequence; every other option changes what is drawn


def builder(name: str) -> Callable[..., Unrolled]:
    """The function that unrolls a task, with the options as its keyword arguments.

    Sequences are short and states small unless the options say otherwise, so that a picture can be read.

    >>> build = builder("recall")
    >>> build(steps=3, forget_bias=0.0).steps
    [1, 2, 3]
    """
    task = TASKS[name]
    known = task.options()
    smaller = getattr(task.library(), "DRAWN", {})
    defaults = {**known, **{key: value for key, value in smaller.items() if key in known}}

    def build(**options: Any) -> Unrolled:
        given = {**defaults, **options}
        given.update({key: 1 for key in OF_TRAINING if key in known})
        return task.make(given).unrolled()

    parameters = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=defaults[key])
        for key in known
        if key not in OF_TRAINING
    ]
    build.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return build
