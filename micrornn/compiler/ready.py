"""Ready: the program of one run of a function, and how it is noticed that it no longer holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.compiler.again import again
from micrornn.compiler.arrange import arrange
from micrornn.compiler.fixed import Fixed, fixed_in
from micrornn.compiler.lift import lift
from micrornn.compiler.lower import lower
from micrornn.compiler.program import Program, Row, Value
from micrornn.compiler.results import content, numbered, placed
from micrornn.compiler.reverse import reverse
from micrornn.compiler.roll import roll
from micrornn.compiler.rows import as_rows
from micrornn.compiler.simplify import simplify
from micrornn.compiler.sums import gather
from micrornn.compiler.trace import Trace, values_behind
from micrornn.compiler.traced import CompileError
from micrornn.compiler.write import Written
from micrornn.core.backward import as_gradient
from micrornn.core.tensor import Tensor

LONGEST = 5_000  # calls outside of loops, from which on a program is not worth its length


class CannotRoll(CompileError):
    """A function whose steps are not alike: it stays eager."""


@dataclass
class Ready:
    """A program that can be run."""

    run: Callable[..., Any]
    text: str
    parameters: list[Tensor]
    gradients: list[Tensor]  # those that the program gives gradients of, in order
    results: Any  # the result of the function, with a `Place` for each tensor
    draws: list[Any]
    guards: list[
        tuple[int, Any, bytes]
    ]  # which output and which rows of it, and what they have to be
    seen: bytes  # the data that it was traced with
    held: list[Any]  # arguments that are known by their identity
    fixed: list[tuple[Tensor, Any]]  # tensors that were constants of the program, with their values
    constants: list[Fixed]  # the numbers that it was written with
    checked: bool = False  # whether it was compared on other data as well

    def own(self, outputs: Any) -> zip[tuple[Tensor, Any]]:
        """The parameters, with their gradients among the outputs."""
        return zip(self.gradients, outputs[len(outputs) - len(self.gradients) :])


def program_of(
    trace: Trace, result: Any, given: list[Any], held: list[Any], backend: str = "numpy"
) -> Ready:
    """The program of one run of a function.

    Raises:
        CannotRoll: it would be too long.
    """
    program, results, tensors, operations = forward_of(trace, result)
    constants = fixed_in(program)
    straight = sum(isinstance(b, Value) for b in program.blocks)
    if straight > LONGEST:
        raise CannotRoll(
            f"{straight} of its {operations} operations are not alike from step to step, so they do not "
            "become a loop; a step that is always computed in the same way would"
        )
    found = program.outputs["wanted"]
    whole: dict[Any, int] = {}
    found_at = []
    for reference in found:
        rolled = isinstance(reference, Row) and reference.of.loop is not None
        of = reference.of if rolled else reference
        found_at.append((whole.setdefault(of, len(whole)), reference.start if rolled else None))
    outputs: dict[Any, Any] = {i: of for of, i in whole.items()}
    loss = found[0]
    program = reverse(Program(program.blocks, {**outputs, "loss": loss}), loss)
    program.outputs.pop("loss")
    program = arrange(again(simplify(lift(simplify(lower(program))))))
    written = Written(program, backend == "numba")
    guards: dict[tuple[int, bool], tuple[list[Any], list[Any]]] = {}
    for (output, row), (_, answer) in zip(found_at[tensors:], trace.guards):
        rows, answers = guards.setdefault((output, row is None), ([], []))
        rows.append(row)
        answers.append(answer)
    return Ready(
        written.function(),
        written.text,
        written.parameters,
        [key for key in program.outputs if isinstance(key, Tensor)],
        placed(results, found_at),
        [draw.leaf for draw in trace.draws],
        [_guard(output, *asked) for (output, _), asked in guards.items()],
        content(given),
        held,
        [],
        constants,
    )


def forward_of(trace: Trace, result: Any) -> tuple[Program, Any, int, int]:
    """A run's forward program, its result with places for tensors, and how many tensors and operations."""
    tensors: list[Tensor] = []
    results = numbered(result, tensors)
    asked = [origin for origin, _ in trace.guards]
    values, found = values_behind([*tensors, *asked])
    program = gather(roll(*as_rows(values, {"wanted": found})))
    return program, results, len(tensors), len(values)


def _guard(output: int, rows: list[Any], answers: list[Any]) -> tuple[int, Any, bytes]:
    if rows[0] is None:
        return output, None, answers[0].tobytes()
    return output, np.array(rows), np.array(answers).tobytes()


def is_current(ready: Ready) -> bool:
    """Whether the tensors around a program are what they were: those that learn, and those that do not."""
    learning = all(p.requires_grad for p in ready.parameters)
    return learning and all(x._value is v and not x.requires_grad for x, v in ready.fixed)


def holds(ready: Ready, outputs: Any) -> bool:
    """Whether the function would ask its data the same and be answered the same."""
    for output, rows, answers in ready.guards:
        value = np.asarray(outputs[output])
        if (value if rows is None else value[rows]).tobytes() != answers:
            return False
    return True


def add(ready: Ready, outputs: Any) -> None:
    """Add a program's gradients to those of the parameters."""
    for node, g in ready.own(outputs):
        g = as_gradient(g, node)
        node.grad = g if node.grad is None else node.grad + g
