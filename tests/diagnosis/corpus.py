"""The corpus: small programs as people write them, each with at most one mistake, and what should be said.

A program is a function without arguments that computes a loss or trains. The line (or lines) at which its
mistake can be seen ends in ``# here``; all lines of its statement count.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
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
        lines = _marked(program)
        FAULTY.append(Case(program, verdicts, lines))
        return program

    return declare


def healthy(program: Program) -> Program:
    HEALTHY.append(Case(program, ()))
    return program


def _marked(program: Program) -> set[int]:
    """The lines of the statements that are marked."""
    code, first = inspect.getsourcelines(program)
    marks = {i for i, line in enumerate(code, 1) if line.rstrip().endswith("# here")}
    inner = ast.walk(ast.parse(textwrap.dedent("".join(code))))
    spans = [(n.lineno, n.end_lineno or n.lineno) for n in inner if isinstance(n, ast.stmt)]
    found: set[int] = set()
    for mark in marks:
        a, b = min((s for s in spans if s[0] <= mark <= s[1]), key=lambda s: s[1] - s[0])
        found |= set(range(first + a - 1, first + b))
    return found
