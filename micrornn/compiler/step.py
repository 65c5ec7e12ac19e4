"""Compile: a loss function is traced, rolled, reversed, lifted, checked against the engine, and then used."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

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
from micrornn.compiler.trace import Trace, values_behind
from micrornn.compiler.traced import CompileError, plain
from micrornn.compiler.write import Written
from micrornn.core.backward import as_gradient, gradients, seed_of
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor, describe
from micrornn.nn.module import Module

LONGEST = 5_000  # calls outside of loops, from which on a program is not worth its length
TOLERANCE = {"d": 1e-12, "f": 1e-5}  # relative, by the dtype of a gradient


class CannotRoll(CompileError):
    """A function whose steps are not alike: it stays eager."""


def compile(function: Callable[..., Any]) -> Compiled:
    """A loss function as one that does the same by a program: its loss, and the gradients in ``.grad``.

    The first call runs the function, writes down what it computed, rolls equal steps into loops, derives
    the backward pass, and compares loss and gradients with those of the engine. From then on only the
    program runs. Arrays among the arguments (also in lists, tuples and dictionaries) and tensors that need
    no gradient are its inputs; parameters are read anew at each call; anything else is fixed. A call with
    other shapes is traced again, and so is one after ``train()`` or ``eval()`` of a module that the function
    refers to.

    Args:
        function: returns the loss, a scalar tensor, or a tuple whose first element is the loss; the others
            are returned as values.

    Raises:
        TypeError: it is no function.
        CompileError: when called: the function branches on a computed value, changes an argument in place,
            or the program's gradients differ from the engine's (1e-12 relative, 1e-5 in float32).

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
        tuple[int, Any, Any, str]
    ]  # which output, which rows, the answers, the line that asked
    seen: bytes  # the data that it was traced with
    checked: bool = False  # whether it was compared on other data as well


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
        self.modules = modules_of(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result; gradients are added to ``.grad``."""
        if self.eager:
            return self._eagerly(args, kwargs)
        given: list[Any] = []
        key = (structure((args, kwargs), given), *[module.training for module in self.modules])
        ready = self.ready.get(key)
        if ready is None or (not ready.checked and content(given) != ready.seen):
            return self._traced(key, given, args, kwargs)
        drawn = [draw.generator.random(draw.shape) for draw in ready.draws]
        outputs = ready.run(given, ready.parameters, drawn)
        changed = _changed(ready, outputs)
        if changed:
            del self.ready[key]
            return self._traced(key, given, args, kwargs)
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

    def _traced(self, key: Any, given: list[Any], args: Any, kwargs: Any) -> Any:
        """Run the function itself, and write (or compare) its program."""
        trace = Trace()
        result = trace.run(self.function, args, kwargs)
        loss = _loss_of(result)
        earlier = self.ready.get(key)
        if earlier and _changed(
            earlier, earlier.run(given, earlier.parameters, plain(trace.drawn))
        ):
            earlier = None
        if earlier is None:
            try:
                ready = program_of(trace, result, given)
                self.programs += 1
            except CannotRoll as error:
                self.eager = str(error)
                warnings.warn(f"{self!r} stays eager: {error}", stacklevel=3)
        for node in Graph(loss):
            node._value, node.values = plain(node._value), plain(node.values)
            node.params = plain(node.params)
        reached = gradients(loss, seed_of(loss))
        found = [(node, as_gradient(plain(g), node)) for node, g in reached]
        if self.eager:
            for node, g in found:
                node.grad = g if node.grad is None else node.grad + g
            return detached(result)
        ready = earlier or ready
        outputs = compare(ready, given, trace, loss, found)
        ready.checked = earlier is not None
        self.ready[key] = ready
        add(ready, outputs)  # the program's own, so that all calls round alike
        return filled(ready.results, outputs)


def program_of(trace: Trace, result: Any, given: list[Any]) -> Ready:
    """The program of one run of a function.

    Raises:
        CannotRoll: it would be too long.
    """
    tensors: list[Tensor] = []
    results = numbered(result, tensors)
    asked = [origin for origin, _, _ in trace.guards]
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
    places = []
    for reference in found:
        held = isinstance(reference, Row) and reference.of.loop is not None
        of = reference.of if held else reference
        places.append((whole.setdefault(of, len(whole)), reference.start if held else None))
    outputs: dict[Any, Any] = {i: of for of, i in whole.items()}
    loss = found[0]
    program = reverse(Program(program.blocks, {**outputs, "loss": loss}), loss)
    program.outputs.pop("loss")
    program = simplify(lift(simplify(lower(program))))
    written = Written(program)
    guards: dict[tuple[int, str], tuple[list[Any], list[Any]]] = {}
    for (output, row), (_, answer, line) in zip(places[len(tensors) :], trace.guards):
        rows, answers = guards.setdefault((output, line), ([], []))
        rows.append(row)
        answers.append(answer)
    return Ready(
        written.function(),
        written.text,
        written.parameters,
        [key for key in program.outputs if isinstance(key, Tensor)],
        placed(results, places),
        [draw.leaf for draw in trace.draws],
        [_guard(*key, *asked) for key, asked in guards.items()],
        content(given),
    )


def compare(ready: Ready, given: list[Any], trace: Trace, loss: Tensor, found: Any) -> Any:
    """Compare a program with the engine; returns what the program gave.

    Raises:
        CompileError: they differ.
    """
    outputs = ready.run(given, ready.parameters, plain(trace.drawn))
    place = next(p for p in places(ready.results))
    ours = outputs[place.output] if place.row is None else outputs[place.output][place.row]
    _close(ours, loss._value, f"the loss {describe(loss)}", abs(float(loss.item())))
    largest = max([float(np.max(np.abs(g), initial=0.0)) for _, g in found], default=0.0)
    start = len(outputs) - len(ready.gradients)
    own = dict(zip(ready.gradients, outputs[start:]))
    for node, g in found:
        what = f"the gradient of {describe(node)}"
        _close(own.get(node, np.zeros(node.shape)), g, what, largest)
    return outputs


def _close(ours: Any, theirs: Any, what: str, scale: float) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    off = float(np.max(np.abs(ours - theirs), initial=0.0))
    allowed = TOLERANCE.get(theirs.dtype.char, 1e-12) * scale
    both = np.array_equal(np.isnan(ours), np.isnan(theirs)) and np.isnan(theirs).any()
    if not (off <= allowed or both):
        raise CompileError(
            f"the program differs from the function in {what}: by {off:.3g}, of {scale:.3g}. Something that "
            "changes from call to call did not come in as an argument; give it as one, or leave the "
            "function eager"
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


def modules_of(function: Any, depth: int = 4) -> list[Module]:
    """The modules that a function refers to, by its closure, its globals, or the object it belongs to."""
    owner = getattr(function, "__self__", None)
    function = getattr(function, "__func__", function)
    cells = [
        cell.cell_contents for cell in getattr(function, "__closure__", None) or () if _filled(cell)
    ]
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    known = getattr(function, "__globals__", {})
    found: dict[int, Module] = {}
    for x in (owner, *cells, *[known[name] for name in names if name in known]):
        if isinstance(x, Module):
            found[id(x)] = x
        elif isinstance(x, FunctionType) and depth:
            found.update({id(m): m for m in modules_of(x, depth - 1)})
    return list(found.values())


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that is not bound yet
        return False


def _guard(output: int, line: str, rows: list[Any], answers: list[Any]) -> Any:
    """What an output has to be for the program to hold: all of it, or some rows, as bytes."""
    known = np.array(answers) if rows[0] is not None else answers[0]
    return output, None if rows[0] is None else np.array(rows), known.tobytes(), line


def _changed(ready: Ready, outputs: Any) -> str:
    """The line whose question about the data has another answer than when it was traced."""
    for output, rows, answers, line in ready.guards:
        value = np.asarray(outputs[output])
        if (value if rows is None else value[rows]).tobytes() != answers:
            return line
    return ""


def add(ready: Ready, outputs: Any) -> None:
    """Add a program's gradients to those of the parameters."""
    start = len(outputs) - len(ready.gradients)
    for node, g in zip(ready.gradients, outputs[start:]):
        g = as_gradient(g, node)
        node.grad = g if node.grad is None else node.grad + g
