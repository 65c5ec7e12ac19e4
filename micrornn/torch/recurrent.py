"""PyTorch's fused recurrent layers and cells, unrolled: step by step, layer by layer, gate by gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from micrornn import ops
from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn import equations

Step = Callable[..., tuple[Tensor, ...]]

_VF = torch._C._VariableFunctions
#: The functions that PyTorch's layers call, and the equation of each.
LAYERS = {_VF.lstm: "lstm", _VF.gru: "gru", _VF.rnn_tanh: "rnn_tanh", _VF.rnn_relu: "rnn_relu"}
CELLS = {
    **{_VF.lstm_cell: "lstm", _VF.gru_cell: "gru"},
    **{_VF.rnn_tanh_cell: "rnn_tanh", _VF.rnn_relu_cell: "rnn_relu"},
}


def equation(kind: str, weights: Sequence[Any]) -> Step:
    """One step of a cell: (x, *state) -> state."""
    w_ih, w_hh, *rest = weights
    projection = rest.pop() if len(rest) % 2 else None
    b_ih, b_hh = rest or (None, None)
    own = w_ih, w_hh, b_ih, b_hh
    if kind == "gru":
        return equations.gru(own, False)
    if kind == "lstm":
        if projection is None:
            return equations.lstm(own, False)
        return equations.lstm_variant(own, equations.Extras(projection, *[None] * 5), False)
    return equations.rnn(own, kind.removeprefix("rnn_"))


class Unroller:
    """Unrolls the fused layers of a recording, and knows at which step each final state stands."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}  # by number of a final state: its step

    def layers(
        self,
        kind: str,
        name: str,
        x: Tensor,
        sizes: Sequence[int] | None,
        state: Sequence[Tensor],
        weights: Sequence[Any],
        layers: int,
        directions: int,
        number: int = 0,
    ) -> tuple[Tensor, ...]:
        """The output of all steps, and the final states, as PyTorch returns them.

        Args:
            name: of the layer; layer k works in the scope ``name.k``.
            x: (T, B, I), or packed (sum of sizes, I).
            sizes: of a packed sequence: how many sequences are left at each step.
            state: the initial h (and c), each (layers * directions, B, H).
            weights: those of all layers, flat.
            number: of the first of these layers, in the module.
        """
        steps = _steps(x, sizes)
        first = max((self._ends.get(s.params.get("cut", s.number), 0) for s in state), default=0)
        per = len(weights) // (layers * directions)
        ends: list[tuple[Tensor, ...]] = []
        whole = x
        for layer in range(layers):
            if layer:
                steps = _steps(whole, sizes)
            ways = []
            for direction in range(directions):
                row = layer * directions + direction
                own = weights[row * per : (row + 1) * per]
                path = f"{name}.{number + layer}" + (".reverse" if direction else "")
                outputs, end = _run(
                    equation(kind, own), steps, state, row, path, first, bool(direction)
                )
                ways.append(outputs)
                ends.append(end)
            joined = ways[0]
            if directions == 2:
                joined = []
                with scope(f"{name}.{number + layer}.both"):
                    for t, (there, back) in enumerate(zip(*ways), first + 1):
                        with scope(t=t):
                            joined.append(ops.concatenate([there, back], -1))
            whole = ops.concatenate(joined, 0) if sizes is not None else ops.stack(joined, 0)
            whole.name = "output"
        finals = []
        for part, letter in zip(zip(*ends), "hc"):
            final = ops.stack(list(part), 0)
            final.name = f"{letter}_n"
            self._ends[final.number] = first + len(steps)
            finals.append(final)
        return whole, *finals


def _steps(x: Tensor, sizes: Sequence[int] | None) -> list[Tensor]:
    if sizes is None:
        return [x[t] for t in range(x.shape[0])]
    ends = [sum(sizes[: t + 1]) for t in range(len(sizes))]
    return [x[end - n : end] for end, n in zip(ends, sizes)]


def _run(
    step: Step,
    steps: Sequence[Tensor],
    state: Sequence[Tensor],
    row: int,
    path: str,
    first: int,
    back: bool,
) -> tuple[list[Tensor], tuple[Tensor, ...]]:
    """One layer in one direction: h at every step in order of time, and the final state.

    In a packed sequence the batch is sorted by length: it shrinks from step to step, or, from the end,
    grows. A sequence that has ended keeps its state.
    """
    count = len(steps)
    order = range(count - 1, -1, -1) if back else range(count)
    outputs: list[Any] = [None] * count
    ended: list[list[Tensor]] = [[] for _ in state]  # the longest first
    with scope(path):
        with scope(t=first + (count + 1 if back else 0)):
            begin = [s[row] for s in state]
            for part, name in zip(begin, "hc"):
                part.name = name
            rows = steps[order[0]].shape[0]
            now = [s if s.shape[0] == rows else s[:rows] for s in begin]
        for i in order:
            with scope(t=first + i + 1):
                rows, before = steps[i].shape[0], now[0].shape[0]
                if rows < before:
                    for kept, s in zip(ended, now):
                        kept.insert(0, s[rows:])
                    now = [s[:rows] for s in now]
                elif rows > before:
                    now = [ops.concatenate([s, b[before:rows]], 0) for s, b in zip(now, begin)]
                now = list(step(steps[i], *now))
                outputs[i] = now[0]
        final = tuple(ops.concatenate([s, *kept], 0) if kept else s for s, kept in zip(now, ended))
    return outputs, final
