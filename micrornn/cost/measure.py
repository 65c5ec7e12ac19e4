"""Seconds and peak bytes of each way, each measured in a process of its own.

`tracemalloc` counts what Python and NumPy allocate, from a start with the data already there; since it slows
a program down, time is taken in a run before.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import Any

from micrornn.core.context import no_grad
from micrornn.cost.network import layer_of
from micrornn.cost.ways import ARRAYS, Run, Unit, Way, data, objective, ways
from micrornn.nn.unrolled import Unrolled as Layers

_SHORT = 40, 120  # steps of the two runs whose difference is the cost of a step
_ENOUGH = 0.1  # seconds of runs from which the fastest is taken


@dataclass(frozen=True)
class Cost:
    """What one way costs for so many steps.

    Attributes:
        seconds, bytes: measured; None where the way was not run.
        expected_seconds, expected_bytes: by the formulas; None where there is none.
        once: seconds of compiling, which later calls save; None of the others.
        why: why it was not run.
    """

    way: str
    steps: int
    seconds: float | None = None
    bytes: int | None = None
    expected_seconds: float | None = None
    expected_bytes: float | None = None
    once: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Setting:
    """What is measured, in plain values: a process of its own makes the network again from it."""

    source: str
    options: Mapping[str, Any]
    batch: int = 1
    chunk: int = 50
    slots: int = 50


def costs(
    setting: Setting, names: Sequence[str], steps: Sequence[int], unit: Unit, limit: float = 60.0
) -> Iterator[Cost]:
    """Measure every way for every number of steps, one after the other.

    Args:
        names: the ways, as `ways` names them.
        unit: what the formulas are filled with; see `unit_of`.
        limit: a way that would take more seconds, by what fewer steps took, is not run.

    Raises:
        ValueError, OSError: as `layer_of`.
    """
    table = ways(setting.chunk, setting.slots)
    bidirectional = layer_of(setting.source, setting.options).bidirectional
    for name in names:
        spent = 0.0  # per step, of the longest run so far
        for count in sorted(set(steps)):
            way = table[name]
            expected = (way.seconds(count, unit), way.bytes(count, unit))
            if bidirectional and name in ("truncated", "rtrl", "uoro"):
                yield Cost(name, count, why="a layer that reads from both ends has no last state")
            elif spent * count > limit:
                yield Cost(name, count, None, None, *expected, why=f"over {limit:g} s")
            else:
                seconds, peak, once, spent = in_own_process(measured, setting, name, count)
                yield Cost(name, count, seconds, peak, *expected, once)


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function that runs in a new process, which sees nothing of this one's memory."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def unit_of(setting: Setting) -> Unit:
    """One step of full BPTT: the difference of two short runs, so that what does not grow drops out."""
    layer = layer_of(setting.source, setting.options)
    short, long = _SHORT
    each = long - short

    def slope(run: Callable[[int], Any], of: Callable[[Run], float]) -> float:
        return max(of(lambda: run(long)) - of(lambda: run(short)), 0.0) / each

    def whole(steps: int) -> None:
        objective(layer)(data(layer, steps, setting.batch), None).total.backward()

    def forward(steps: int) -> Any:
        return objective(layer)(data(layer, steps, setting.batch), None)

    def without_graph(steps: int) -> None:
        with no_grad():
            forward(steps)

    ahead, both = slope(forward, fastest), slope(whole, fastest)
    rows = len(layer.state_names) * layer.num_layers * (2 if layer.bidirectional else 1)
    array = layer.hidden_size * setting.batch
    arrays = ARRAYS.get(type(layer).__name__, 0) * array * layer.dtype.itemsize
    return Unit(
        *(slope(whole, peak_of), slope(without_graph, peak_of)),
        *(ahead, max(both - ahead, 0.0)),
        *(rows * array, sum(p.size for p in layer.parameters())),
        arrays * layer.num_layers * (2 if layer.bidirectional else 1),
    )


def measured(setting: Setting, name: str, steps: int) -> tuple[float, int, float | None, float]:
    """Seconds of a run, peak bytes, the seconds of compiling, and all seconds spent per step."""
    layer = layer_of(setting.source, setting.options)
    way = ways(setting.chunk, setting.slots)[name]
    batch = data(layer, steps, setting.batch)
    run, once = way.start(layer, batch), None
    if name == "compiled":
        began = perf_counter()
        run()
        once = perf_counter() - began
    seconds = fastest(run)
    del run
    layer.zero_grad()
    began = perf_counter()
    peak = _peak(layer, way, batch, warm=name == "compiled")
    return seconds, peak, once, (perf_counter() - began + seconds) / steps


def _peak(layer: Layers, way: Way, batch: Any, warm: bool) -> int:
    """The peak of a run from its start; of a compiled way that of a later call, with all that it keeps."""
    gc.collect()
    tracemalloc.start()
    try:
        run = way.start(layer, batch)
        if warm:
            run()
            gc.collect()
            tracemalloc.reset_peak()
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def fastest(run: Run) -> float:
    """The seconds of the fastest of a few runs."""
    best, spent = float("inf"), 0.0
    runs = 0
    gc.collect()
    gc.freeze()  # so that collecting between runs looks at what a run left, and not at all of Python
    try:
        while spent < _ENOUGH or (runs < 3 and spent < 10 * _ENOUGH):
            runs += 1
            gc.collect()
            began = perf_counter()
            run()
            took = perf_counter() - began
            best, spent = min(best, took), spent + took
    finally:
        gc.unfreeze()
    return best


def peak_of(run: Run) -> float:
    """The peak bytes of a run."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
