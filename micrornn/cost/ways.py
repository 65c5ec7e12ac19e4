"""The ways to a gradient through time: what each runs, and what it should cost.

The formulas are in terms of one step of full BPTT, which `Unit` has: g bytes of graph, f seconds forward, b
seconds backward; and k bytes that a pass without a graph keeps as well, the step's input and output.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any, NamedTuple

import numpy as np

from micrornn.data.feeds import Batch
from micrornn.nn.functional import mse_loss
from micrornn.nn.schedules import Plan, forward_steps
from micrornn.nn.unrolled import Unrolled as Layers
from micrornn.training.compiling import CompiledObjective
from micrornn.training.objective import by_step
from micrornn.training.online import RTRL, UORO
from micrornn.training.truncated import Truncation, chunks

Run = Callable[[], Any]

#: What backward needs of a step, in arrays of the state's shape, besides the input.
ARRAYS = {"RNN": 1, "LSTM": 7, "GRU": 5}


class Unit(NamedTuple):
    """One step of full BPTT, and the sizes of the network.

    Attributes:
        graph, kept: bytes that a step adds to full BPTT, and to a pass without a graph.
        forward, backward: seconds of a step.
        state: S, the numbers in the state; of an LSTM h and c of all layers and sequences.
        weights: P, how many weights there are.
        arrays: bytes of what backward needs of a step, 0 where no table has it.
    """

    graph: float
    kept: float
    forward: float
    backward: float
    state: int
    weights: int
    arrays: int


class Way(NamedTuple):
    """One way to the gradient.

    Attributes:
        name: as the table has it.
        gradient: how right the gradient is, in a few words.
        memory, time: the formulas, in words.
        bytes, seconds: the same as functions of the steps and the unit; None where there is no prediction.
        start: from the layers and the data to the function that is measured.
    """

    name: str
    gradient: str
    memory: str
    time: str
    bytes: Callable[[int, Unit], float | None]
    seconds: Callable[[int, Unit], float | None]
    start: Callable[[Layers, Batch], Run]


def ways(chunk: int = 50, slots: int = 50) -> dict[str, Way]:
    """All ways, by the word that asks for each.

    Args:
        chunk: the steps of a chunk of truncated BPTT.
        slots: the steps that the optimal schedule keeps.

    >>> list(ways())
    ['full', 'truncated', 'sqrt', 'slots', 'compiled', 'rtrl', 'uoro']
    >>> ways()["sqrt"].bytes(10_000, Unit(1000, 10, 1e-5, 2e-5, 8, 100, 64))
    300000.0
    """
    step = "T (f + b)"

    def full(steps: int, u: Unit) -> float:
        return steps * (u.forward + u.backward)

    def again(steps: int, u: Unit) -> float:
        last = steps - steps * (isqrt(steps) - 1) // isqrt(steps)
        return (2 * steps - last) * u.forward + steps * u.backward

    def by_slots(steps: int, u: Unit) -> float:
        return forward_steps(steps, slots) * u.forward + steps * u.backward

    def unknown(steps: int, u: Unit) -> None:
        return None

    return {
        "full": Way(
            *("full BPTT", "exact", "T g", step),
            *(lambda T, u: T * u.graph, full, _eager(None)),
        ),
        "truncated": Way(
            *(f"truncated to {chunk}", "biased", f"2 · {chunk} g", step),
            *(lambda T, u: min(T, 2 * chunk) * u.graph, full, _truncated(chunk)),
        ),
        "sqrt": Way(
            *("checkpoints, √T", "exact", "T k + 2 √T g", "T (2 f + b)"),
            *(lambda T, u: T * u.kept + 2 * T**0.5 * u.graph, again, _eager("sqrt")),
        ),
        "slots": Way(
            *(f"checkpoints, {slots} slots", "exact", f"T k + 2 · {slots} g", "C(T) f + T b"),
            *(lambda T, u: T * u.kept + min(2 * slots, T) * u.graph, by_slots, _eager(slots)),
        ),
        "compiled": Way(
            *(
                "compiled",
                "exact",
                "at least T × the arrays that backward needs",
                "T (f + b) without Python's overhead",
            ),
            *(lambda T, u: T * u.arrays or None, unknown, _compiled),
        ),
        "rtrl": Way(
            *("RTRL", "exact, online", "4 S P", "T (S backward passes + S² P)"),
            *(lambda T, u: u.graph + 32 * u.state * u.weights, unknown, _online(RTRL)),
        ),
        "uoro": Way(
            *("UORO", "noisy, online", "2 g + 4 (S + P)", "T · 3 backward passes"),
            *(lambda T, u: 2 * u.graph + 32 * (u.state + u.weights), unknown, _online(UORO)),
        ),
    }


def data(layer: Layers, steps: int, batch: int) -> Batch:
    """Random steps for the layers, and zeros as targets."""
    rng = np.random.default_rng(0)
    width = layer._size("h") * (2 if layer.bidirectional else 1)
    inputs = rng.normal(size=(steps, batch, layer.input_size)).astype(layer.dtype)
    return Batch(inputs, np.zeros((steps, batch, width), layer.dtype))


def objective(layer: Layers) -> Any:
    """The loss of the last step: what is measured is the recurrence, not a loss for each step."""
    return by_step(layer, mse_loss, last_only=True)


def _eager(plan: Plan) -> Callable[[Layers, Batch], Run]:
    def start(layer: Layers, batch: Batch) -> Run:
        layer.checkpoint = plan
        loss = objective(layer)
        return lambda: loss(batch, None).total.backward()

    return start


def _truncated(chunk: int) -> Callable[[Layers, Batch], Run]:
    def start(layer: Layers, batch: Batch) -> Run:
        def run() -> None:
            for _ in chunks(objective(layer), batch, None, Truncation(chunk, chunk)):
                pass

        return run

    return start


def _compiled(layer: Layers, batch: Batch) -> Run:
    compiled = CompiledObjective(objective(layer), "on")
    return lambda: compiled(batch, None)


def _online(method: Any) -> Callable[[Layers, Batch], Run]:
    def start(layer: Layers, batch: Batch) -> Run:
        online = method(by_step(layer, mse_loss), list(layer.parameters()))

        def run() -> None:
            online.begin()
            for t in range(len(batch)):
                online.observe(Batch(batch.inputs[t : t + 1], batch.targets[t : t + 1]))

        return run

    return start
