"""A recording as a JSON document, its numbers left to a `Writer`.

Nodes are rows ``[primitive, inputs, value, params, place, name, wants gradient, source, other values]``,
with primitives, places, names and sources as places in tables. The last entry holds, by slot, values that
an input had when it was used and has not kept (a parameter that was trained in between). Where checkpoints
computed nodes again, ``recomputed`` has pairs of a node and how many times; other files lack the entry.
"""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Data, Tensor
from micrornn.cotangent import Part, Product
from micrornn.recording.losses import kind_of
from micrornn.recording.passes import Pass, RecordingError
from micrornn.recording.pools import Writer

UNKNOWN = -1


class Run(Protocol):
    """What is written of a recording."""

    passes: list[Pass]
    inferred: str
    recomputed: dict[int, int]

    @property
    def nodes(self) -> list[Tensor]: ...

    @property
    def named_losses(self) -> Sequence[Tensor]: ...

    def value(self, target: Tensor) -> Data: ...


class Table:
    """Different things, each once, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self._places: dict[Hashable, int] = {}

    def __getitem__(self, thing: Hashable) -> int:
        return self._places.setdefault(thing, len(self._places))

    @property
    def things(self) -> list[Any]:
        """The things, in order."""
        return list(self._places)


def encode(recording: Run, arrays: Writer) -> dict[str, Any]:
    """The document of a recording; its arrays are given to ``arrays``.

    Raises:
        RecordingError: a parameter of an operation has no form in JSON.
    """
    index = {node.number: i for i, node in enumerate(recording.nodes)}
    primitives, places, names, sources = Table(), Table(), Table(), Table()
    values = [recording.value(node) for node in recording.nodes]
    nodes = []
    for node, value in zip(recording.nodes, values):
        inputs = [index[x.number] for x in node.inputs]
        other = {
            str(slot): arrays.refer(used)
            for slot, (i, used) in enumerate(zip(inputs, node.values))
            if used is not values[i]
        }
        row = [
            UNKNOWN if node.primitive is None else primitives[node.primitive.name],
            inputs,
            arrays.refer(value),
            _params(node, index, arrays),
            places[(node.scope, node.step)],
            UNKNOWN if node.name is None else names[node.name],
            int(node.requires_grad),
            UNKNOWN if node.source is None else sources[_source(*node.source)],
        ]
        nodes.append([*row, other] if other else row)
    found: dict[str, Any] = {"inferred": recording.inferred} if recording.inferred else {}
    again = [[index[n], times] for n, times in recording.recomputed.items() if n in index]
    if again:
        found["recomputed"] = sorted(again)
    return {
        **found,
        "nodes": nodes,
        "passes": [_pass(run, index, arrays) for run in recording.passes],
        "losses": [index[x.number] for x in recording.named_losses if x.number in index],
        "primitives": primitives.things,
        "places": places.things,
        "names": names.things,
        "sources": sources.things,
    }


def _source(file: str, line: int) -> tuple[str, int]:
    """Below the working directory a file is named from there: the same run elsewhere, the same bytes."""
    below = os.path.relpath(file) if os.path.isabs(file) and _same_drive(file) else file
    return (file if below.startswith(os.pardir) else below).replace(os.sep, "/"), line


def _same_drive(file: str) -> bool:
    return os.path.splitdrive(file)[0] == os.path.splitdrive(os.getcwd())[0]


def _pass(run: Pass, index: dict[int, int], arrays: Writer) -> list[Any]:
    """One row ``[node, gradient, contributions]`` for each pullback."""
    return [
        [index[node.number], arrays.refer(g), [_contribution(c, arrays) for c in contributions]]
        for node, g, contributions in run.pullbacks
    ]


def _contribution(c: Any, arrays: Writer) -> Any:
    if c is None:
        return None
    if isinstance(c, Product):
        return {"product": [arrays.refer(c.left), arrays.refer(c.right)]}
    if isinstance(c, Part):
        part = _contribution(c.gradient, arrays)
        return {"part": part, "index": argument(c.index, arrays), "shape": list(c.shape)}
    return arrays.refer(dense(c))


def _params(node: Tensor, index: dict[int, int], arrays: Writer) -> dict[str, Any] | int:
    if not node.params or kind_of(node) == "opaque":  # how it was computed stays outside
        return 0
    params = dict(node.params)
    found = {}
    if "cut" in params:
        found["cut"] = index.get(params.pop("cut"), UNKNOWN)
    for name, value in params.items():
        try:
            found[name] = argument(value, arrays)
        except TypeError as error:
            made = node.primitive.name if node.primitive else "leaf"
            raise RecordingError(
                f"{name}= of {made} #{node.number} cannot be saved: {error}"
            ) from None
    return found


def argument(value: Any, arrays: Writer) -> Any:
    """What a primitive was given besides tensors, in JSON; what JSON lacks becomes ``{kind: ...}``.

    Raises:
        TypeError: there is no form for a value of this type.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": float(value).hex()}
    if isinstance(value, slice):
        return {"slice": [argument(x, arrays) for x in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": 0}
    if isinstance(value, tuple):
        return {"tuple": [argument(x, arrays) for x in value]}
    if isinstance(value, list):
        return [argument(x, arrays) for x in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return {"array": arrays.refer(value)}
    raise TypeError(f"there is no form for a {type(value).__name__}")
