"""The corpus: small programs as people write them, each with at most one mistake, and what should be said.

A program is a function without arguments that computes a loss or trains. The line (or lines) at which its
mistake can be seen ends in ``# here``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Program = Callable[[], Any]


@dataclass
class Case:
    """A program, the verdicts of which one has to be among the first two, and the lines."""

    program: Program
    verdicts: tuple[str, ...]
    lines: set[int] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.program.__name__


FAULTY: list[Case] = []
HEALTHY: list[Case] = []


def faulty(*verdicts: str) -> Callable[[Program], Program]:
    def declare(program: Program) -> Program:
        code, first = inspect.getsourcelines(program)
        lines = {first + i for i, line in enumerate(code) if line.rstrip().endswith("# here")}
        FAULTY.append(Case(program, verdicts, lines))
        return program

    return declare


def healthy(program: Program) -> Program:
    HEALTHY.append(Case(program, ()))
    return program
