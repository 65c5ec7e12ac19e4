"""Compile: a loss function is traced, rolled, reversed, lifted, checked against the engine, and then used."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np

from micrornn.compiler.agreement import compare
from micrornn.compiler.arrange import arrange
from micrornn.compiler.lift import lift
from micrornn.compiler.lower import lower
from micrornn.compiler.program import Program, Row, Value
from micrornn.compiler.results import (
    content,
    detached,
    filled,
    numbered,
    placed,
    places,
    structure,
)
from micrornn.compiler.reverse import reverse
from micrornn.compiler.roll import roll
from micrornn.compiler.rows import as_rows
from micrornn.compiler.simplify import simplify
from micrornn.compiler.sums import gather
from micrornn.compiler.surroundings import Surroundings
from micrornn.compiler.trace import Trace, values_behind
from micrornn.compiler.traced import CompileError, plain
from micrornn.compiler.write import Written
from micrornn.core.backward import as_gradient, gradients, seed_of
from micrornn.core.context import current, long_loop
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor, describe

LONGEST = 5_000  # calls outside of loops, from which on a program is not worth its length


class CannotRoll(CompileError):
    """A function whose steps are not alike: it stays eager."""


def compile(function: Callable[..., Any]) -> Compiled:
    """A loss function as one that does the same by a program: its loss, and the gradients in ``.grad``.

    The first call runs the function, writes down what it computed, rolls equal steps into loops, derives
    the backward pass, and compares loss and gradients with those of the engine. From then on only the
    program runs. Arrays among the arguments (also in lists, tuples and dictionaries) and tensors that need
    no gradient are its inputs; parameters are read anew at each call. The function is traced again for other
    shapes, after ``train()`` or ``eval()``, when a parameter is frozen or thawed, and when a tensor that it
    refers to has another value; anything else is fixed. In `no_grad` and where somebody observes the graph,
    as in a recording, the function itself runs.

    Args:
        function: returns the loss, a scalar tensor, or a tuple whose first element is the loss; the others
            are returned as values.

    Raises:
        TypeError: it is no function.
        CompileError: when called: the function branches on a computed value, changes an argument or a
            tensor around it, or the program's gradients differ from the engine's (by 1e-12, in float32 by
            1e-5, of the largest).

    >>> import numpy as np
    >>> import micrornn as mr
    >>> from micrornn import nn
    >>> rnn = nn.RNN(2, 3, rng=0)
    >>> def loss(x):
    ...     states, _ = rnn(x)
    ...     return (states * states).mean()
    >>> step = mr.compile(loss)
    >>> x = np.ones((50, 4, 2))
    >>> abs(step(x).item() - loss(x).item()) < 1e-15
    True
    >>> rnn.weight_hh_l0.grad.shape
    (3, 3)
    """
    return Compiled(function)


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
    checked: bool = False  # whether it was compared on other data as well

    def own(self, outputs: Any) -> dict[Tensor, Any]:
        """The gradients among the outputs, by parameter."""
        return dict(zip(self.gradients, outputs[len(outputs) - len(self.gradients) :]))


class Compiled:
    """A compiled loss function; see `compile`.

    Attributes:
        programs: how many programs were written.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"compile takes a function that returns a loss, not {function!r}")
        functools.update_wrapper(self, function, updated=())
        self.function = function
        self.ready: dict[Any, Ready] = {}
        self.programs = 0
        self.eager = ""  # why the function is run as it is, if it is
        self.surroundings = Surroundings(function)
        self._turn = RLock()  # a program writes into arrays of its own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result; gradients are added to ``.grad``."""
        context = current()
        if not context.recording:
            return self.function(*args, **kwargs)
        if self.eager or context.observers:  # somebody wants to see the graph
            return self._eagerly(args, kwargs)
        with self._turn:
            return self._run(args, kwargs)

    def _run(self, args: Any, kwargs: Any) -> Any:
        given: list[Any] = []
        held: list[Any] = []
        arguments = structure((args, kwargs), given, held)
        key = (arguments, *[module.training for module in self.surroundings.modules])
        ready = self.ready.get(key)
        if ready and not _current(ready):
            del self.ready[key]
            ready = None
        if ready is None or (not ready.checked and content(given) != ready.seen):
            with long_loop():
                return self._traced(key, given, held, args, kwargs)
        before = {
            id(d.generator): (d.generator, d.generator.bit_generator.state) for d in ready.draws
        }
        drawn = [draw.generator.random(draw.shape) for draw in ready.draws]
        try:
            outputs = ready.run(given, ready.parameters, drawn)
            holds = _holds(ready, outputs)
        except (ValueError, IndexError, TypeError):  # the function itself says better what is wrong
            holds = False
        if not holds:
            del self.ready[key]
            for generator, state in before.values():
                generator.bit_generator.state = state
            with long_loop():
                return self._traced(key, given, held, args, kwargs)
        add(ready, outputs)
        return filled(ready.results, outputs)

    def __repr__(self) -> str:
        written = "not called yet" if not self.programs else f"{self.programs} programs"
        name = getattr(self.function, "__name__", "function")
        return f"<compiled {name}: {'eager' if self.eager else written}>"

    def text(self) -> str:
        """The program of the last call that wrote one."""
        if not self.ready:
            raise CompileError("nothing is compiled yet; call the function first")
        return list(self.ready.values())[-1].text

    def _eagerly(self, args: Any, kwargs: Any) -> Any:
        result = self.function(*args, **kwargs)
        (result if isinstance(result, Tensor) else result[0]).backward()
        return result

    def _traced(self, key: Any, given: list[Any], held: list[Any], args: Any, kwargs: Any) -> Any:
        """Run the function itself, and write (or compare) its program."""
        trace = Trace()
        known = [(x, x._value) for x in self.surroundings.tensors()]
        result = trace.run(self.function, args, kwargs)
        loss = _loss_of(result)
        if changed := [x for x, value in known if x._value is not value]:
            for x, value in known:
                x._value = value
            raise CompileError(
                f"the function gives {describe(changed[0])} a new value; a program only computes the loss "
                "and gradients. Do that outside, or leave this function eager"
            )
        earlier = self.ready.get(key)
        drawn = plain(trace.drawn)
        if earlier and not _holds(earlier, earlier.run(given, earlier.parameters, drawn)):
            earlier = None
        if earlier is None:
            try:
                ready = program_of(trace, result, given, held)
                self.programs += 1
            except CannotRoll as error:
                self.eager = str(error)
                warnings.warn(f"{self!r} stays eager: {error}", stacklevel=3)
        nodes = Graph(loss).nodes
        older = [(x, x._value) for x in nodes if not x.inputs and x.number < trace.first]
        fixed = [(x, value) for x, value in (*known, *older) if not x.requires_grad]
        for node in nodes:
            node._value, node.values = plain(node._value), plain(node.values)
            node.params = plain(node.params)
        reached = gradients(loss, seed_of(loss))
        found = [(node, as_gradient(plain(g), node)) for node, g in reached]
        if self.eager:
            for node, g in found:
                node.grad = g if node.grad is None else node.grad + g
            return detached(result)
        ready = earlier or ready
        outputs = ready.run(given, ready.parameters, drawn)
        place = places(ready.results)[0]
        value = outputs[place.output] if place.row is None else outputs[place.output][place.row]
        compare(loss, found, value, ready.own(outputs))
        ready.checked, ready.fixed = earlier is not None, fixed
        self.ready[key] = ready
        add(ready, outputs)  # the program's own, so that all calls round alike
        return filled(ready.results, outputs)


def program_of(trace: Trace, result: Any, given: list[Any], held: list[Any]) -> Ready:
    """The program of one run of a function.

    Raises:
        CannotRoll: it would be too long.
    """
    tensors: list[Tensor] = []
    results = numbered(result, tensors)
    asked = [origin for origin, _ in trace.guards]
    values, found = values_behind([*tensors, *asked])
    program = gather(roll(*as_rows(values, {"wanted": found})))
    straight = sum(isinstance(b, Value) for b in program.blocks)
    if straight > LONGEST:
        raise CannotRoll(
            f"{straight} of its {len(values)} operations are not alike from step to step, so they do not "
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
    program = arrange(simplify(lift(simplify(lower(program)))))
    written = Written(program)
    guards: dict[tuple[int, bool], tuple[list[Any], list[Any]]] = {}
    for (output, row), (_, answer) in zip(found_at[len(tensors) :], trace.guards):
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
    )


def _loss_of(result: Any) -> Tensor:
    loss = result[0] if isinstance(result, (tuple, list)) and result else result
    if not isinstance(loss, Tensor):
        raise CompileError(
            f"a compiled function returns its loss, a scalar tensor, or a tuple that begins with it, not "
            f"{type(result).__name__}"
        )
    seed_of(loss)  # a scalar that depends on parameters
    return loss


def _guard(output: int, rows: list[Any], answers: list[Any]) -> tuple[int, Any, bytes]:
    if rows[0] is None:
        return output, None, answers[0].tobytes()
    return output, np.array(rows), np.array(answers).tobytes()


def _current(ready: Ready) -> bool:
    """Whether the tensors around a program are what they were: those that learn, and those that do not."""
    learning = all(p.requires_grad for p in ready.parameters)
    return learning and all(x._value is v and not x.requires_grad for x, v in ready.fixed)


def _holds(ready: Ready, outputs: Any) -> bool:
    """Whether the function would ask its data the same and be answered the same."""
    for output, rows, answers in ready.guards:
        value = np.asarray(outputs[output])
        if (value if rows is None else value[rows]).tobytes() != answers:
            return False
    return True


def add(ready: Ready, outputs: Any) -> None:
    """Add a program's gradients to those of the parameters."""
    for node, g in ready.own(outputs).items():
        g = as_gradient(g, node)
        node.grad = g if node.grad is None else node.grad + g
