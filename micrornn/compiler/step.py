"""Compile: a loss function is traced, rolled, reversed, lifted, checked against the engine, and then used."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from threading import RLock
from typing import Any

from micrornn.compiler.agreement import compare
from micrornn.compiler.fixed import difference, fixed_in
from micrornn.compiler.ready import (
    CannotRoll,
    Ready,
    add,
    forward_of,
    holds,
    is_current,
    program_of,
)
from micrornn.compiler.results import content, detached, filled, places, structure
from micrornn.compiler.surroundings import Surroundings
from micrornn.compiler.trace import Trace
from micrornn.compiler.traced import CompileError, plain
from micrornn.core.backward import as_gradient, gradients, seed_of
from micrornn.core.context import current, long_loop
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor, describe
from micrornn.options import check


def compile(function: Callable[..., Any], backend: str = "numpy") -> Compiled:
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
        backend: ``"numpy"``; or ``"numba"``, which makes loops over a few hundred numbers machine code (pip
            install 'micrornn[fast]'); 10,000 steps of a small network take 0.6 of the time, shorter loops up
            to as long as before. It takes about a second for each loop, once.

    Raises:
        TypeError: it is no function.
        ValueError: there is no such backend.
        ImportError: Numba is not installed.
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
    return Compiled(function, backend)


class Compiled:
    """A compiled loss function; see `compile`.

    Attributes:
        programs: how many programs were written.
    """

    def __init__(self, function: Callable[..., Any], backend: str = "numpy") -> None:
        if not callable(function):
            raise TypeError(f"compile takes a function that returns a loss, not {function!r}")
        check("compile", backend=backend)
        if backend == "numba" and find_spec("numba") is None:
            raise ImportError(
                "backend='numba' needs Numba. Install it: pip install 'micrornn[fast]'; or use 'numpy'"
            )
        self.backend = backend
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
        if ready and not is_current(ready):
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
            same = holds(ready, outputs)
        except (ValueError, IndexError, TypeError):  # the function itself says better what is wrong
            same = False
        if not same:
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
        if earlier:
            outputs = earlier.run(given, earlier.parameters, drawn)
            earlier = earlier if holds(earlier, outputs) else None
        if earlier is None:
            try:
                ready = program_of(trace, result, given, held, self.backend)
                outputs = ready.run(given, ready.parameters, drawn)
                self.programs += 1
            except Exception as error:
                if isinstance(error, CompileError) and not isinstance(error, CannotRoll):
                    raise
                if not isinstance(error, CannotRoll):  # a gap in the compiler stops no training
                    error = CannotRoll(
                        f"no program could be written ({type(error).__name__}: {error})"
                    )
                self.eager = str(error)
                warnings.warn(f"{self!r} stays eager: {error}", stacklevel=3)
        nodes = Graph(loss).nodes
        older = [(x, x._value) for x in nodes if not x.inputs and x.number < trace.first]
        fixed = [(x, value) for x, value in (*known, *older) if not x.requires_grad]
        followed = [(node, node._value, node.params) for node in nodes] if earlier else []
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
        place = places(ready.results)[0]
        value = outputs[place.output] if place.row is None else outputs[place.output][place.row]
        try:
            compare(loss, found, value, dict(ready.own(outputs)))
        except CompileError as error:
            for node, traced, params in followed:
                node._value, node.params = traced, params
            where = _changed(earlier, trace, result) if earlier else ""
            if not where:
                raise
            raise CompileError(f"{error}. Since the first call {where}") from None
        ready.checked, ready.fixed = earlier is not None, fixed
        self.ready[key] = ready
        add(ready, outputs)  # the program's own, so that all calls round alike
        return filled(ready.results, outputs)


def _changed(earlier: Ready, trace: Trace, result: Any) -> str:
    """Which operation reads other numbers than when the program was written; "" if that is not known."""
    with suppress(Exception):  # the difference is an error already, and says so without this
        return difference(earlier.constants, fixed_in(forward_of(trace, result)[0]))
    return ""


def _loss_of(result: Any) -> Tensor:
    loss = result[0] if isinstance(result, (tuple, list)) and result else result
    if not isinstance(loss, Tensor):
        raise CompileError(
            f"a compiled function returns its loss, a scalar tensor, or a tuple that begins with it, not "
            f"{type(result).__name__}"
        )
    seed_of(loss)  # a scalar that depends on parameters
    return loss
