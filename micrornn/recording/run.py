"""What a recording holds: the nodes in their order, and the backward passes through them.

A recording only refers to what the run made anyway.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from micrornn.core.graph import Graph
from micrornn.core.tensor import Data, Tensor
from micrornn.recording.losses import kind_of, loss_terms
from micrornn.recording.passes import Pass, RecordingError, total


class Recording:
    """A run kept whole; made by `record`, `recording` or `load_recording`.

    Every reader of gradient flow works on one. It never changes: a parameter that was trained since still
    has, in ``value(parameter)``, the value it was used with.

    Attributes:
        graph: the recorded nodes, as a `Graph` of all that nothing else was computed from.
        nodes: the same, oldest first.
        passes: the backward passes, in the order in which they ran.
        named_losses: the losses that the user named, if any.
        inferred: how the time steps were found, if they were not marked; see `infer_steps`.
        recomputed: by number, how many times a node was computed again because `checkpoint` had not kept
            it.
        losses: what was minimized: the losses of the single steps where they can be told, else the
            outputs of the passes.

    >>> import micrornn as mr
    >>> from micrornn.recording import recording
    >>> w = mr.Value(0.5, "w")
    >>> with recording() as rec:
    ...     h = mr.tensor(1.0, name="h")
    ...     for t in (1, 2, 3):
    ...         with mr.scope(t=t):
    ...             h = mr.mul(w, h)
    ...             h.name = "h"
    ...     h.backward()
    >>> print(rec)
    recording of 5 nodes, 1 parameter, steps 1 to 3; 1 backward pass of 3 pullbacks from 'h' #...
    >>> rec.gradient("h[1]"), rec.gradient("w")
    (0.25, 0.75)
    """

    def __init__(
        self,
        outs: Sequence[Tensor],
        passes: Sequence[Pass] = (),
        losses: Sequence[Tensor] = (),
    ) -> None:
        self.graph = Graph(list(outs))
        self.passes = list(passes)
        self.named_losses = list(losses)
        self.inferred = ""
        self.recomputed: dict[int, int] = {}

    @property
    def nodes(self) -> list[Tensor]:
        """All nodes, oldest first: a topological order."""
        return self.graph.nodes

    @property
    def steps(self) -> list[int]:
        """The time steps that occur, in order; 0 is the initial state."""
        return self.graph.steps

    @cached_property
    def losses(self) -> list[Tensor]:
        """The losses of the single steps where they can be told, else what backward began from."""
        return self.named_losses or loss_terms([run.out for run in self.passes])

    @cached_property
    def parameters(self) -> list[Tensor]:
        """The leaves that want a gradient, oldest first."""
        return self.graph.parameters

    @cached_property
    def unused(self) -> int:
        """How many nodes no loss was computed from: an unused output, say."""
        behind = Graph([run.out for run in self.passes]) if self.passes else self.graph
        return len(self.graph) - len(behind)

    @cached_property
    def opaque(self) -> list[str]:
        """The operations that are known by their results alone: PyTorch's, which micrornn lacks."""
        nodes = [n for n in self.nodes if kind_of(n) == "opaque" and n.primitive]
        return sorted({n.primitive.name for n in nodes})

    @cached_property
    def by_number(self) -> dict[int, Tensor]:
        """Every node by its number."""
        return {node.number: node for node in self.nodes}

    @cached_property
    def users(self) -> dict[int, list[tuple[Tensor, int]]]:
        """By number, the nodes that were computed from a node, and in which slot; oldest first."""
        found = defaultdict(list)
        for node in self.nodes:
            for slot, x in enumerate(node.inputs):
                found[x.number].append((node, slot))
        return dict(found)

    @cached_property
    def carried(self) -> dict[str, list[str]]:
        """By scope, the names of the values that one step hands to the next in the same scope: its states."""
        return handed_on(self.nodes)

    def value(self, target: Tensor | str) -> Data:
        """The value a node had when it was used (first), whatever training made of it since."""
        node = self.node(target)
        users = self.users.get(node.number) if node.is_leaf else None
        return users[0][0].values[users[0][1]] if users else node._value

    def gradient(self, target: Tensor | str) -> Any:
        """The gradient of all passes at a node, in its shape, or None where nothing arrived."""
        node = self.node(target)
        parts = [g for run in self.passes if (g := run.gradient(node)) is not None]
        return total(parts) if parts else None

    def find(
        self, name: str, step: int | None = None, scope: str | None = None, exact: bool = False
    ) -> list[Tensor]:
        """The nodes of that name (at that step, in a scope that begins so), oldest first.

        A parameter is found by the end of its dotted name too: ``weight_hh_l0``.
        """
        names = [name] if exact else [own for own in self.named if _may_be(own, name)]
        fits = [
            node
            for own in names
            for node in self.named.get(own, ())
            if (own == name or node.is_leaf or own.partition(" ")[0] == name)
            and (step is None or node.step == step)
            and (scope is None or node.scope == scope or node.scope.startswith(scope + "/"))
        ]
        return sorted(fits, key=lambda node: node.number) if len(names) > 1 else fits

    @cached_property
    def named(self) -> dict[str, list[Tensor]]:
        """By name, the nodes that have it, oldest first."""
        found = defaultdict(list)
        for node in self.nodes:
            if node.name:
                found[node.name].append(node)
        return dict(found)

    def node(self, target: Tensor | str | int) -> Tensor:
        """The one node meant: a tensor itself, its number, or ``h[3]``, ``lstm.0/h[3]``, ``weight_hh_l0``.

        Where a name fits several nodes (h of several layers), the newest is meant, the top layer's.

        Raises:
            RecordingError: no node fits; says which names there are.
        """
        if isinstance(target, (Tensor, int)):
            number = target if isinstance(target, int) else target.number
            if number not in self.by_number:
                raise RecordingError(
                    f"node #{number} is not in this recording; make it inside `with recording()`, or "
                    "record a loss that depends on it"
                )
            return self.by_number[number]
        match = re.fullmatch(r"(?:(.*)/)?([^/\[\]]+)(?:\[(\d+)\])?", target.strip())
        if match:
            scope, name, step = match.groups()
            at = None if step is None else int(step)
            for spelt in _spellings(name):
                found = self.find(spelt, at, scope, exact=True) or self.find(spelt, at, scope)
                if found:
                    return found[-1]
            short = re.fullmatch(r"(.*[A-Za-z])_?(\d+)", name)  # h3 and h_3 are h[3]
            found = self.find(short[1], int(short[2]), scope) if short and step is None else []
            endings = [own for own in self.named if own.endswith(name)] if len(name) > 1 else []
            if not found and len(endings) == 1:
                found = self.find(endings[0], at, scope, exact=True)
            if found:
                return found[-1]
        names = sorted({n.name.partition("[")[0] for n in self.nodes if n.name})
        raise RecordingError(
            f"no node {target!r} in this recording. Give a name, with the step in brackets: h[3]. "
            f"There are: {', '.join(names) or 'no names'}; steps {_span(self.steps)}"
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file; see `storage.save`."""
        from micrornn.recording.storage import save  # files are not read or written on import

        save(self, path)

    def __str__(self) -> str:
        graph = self.graph
        unused = f" + {self.unused} unused" if self.unused else ""
        nodes = f"{_count(len(graph) - self.unused, 'node')}{unused}"
        words = f"recording of {nodes}, {_count(len(self.parameters), 'parameter')}"
        if graph.steps:
            words += f", steps {_span(graph.steps)}" + (" (inferred)" if self.inferred else "")
        if self.recomputed:
            words += f"; {_count(len(self.recomputed), 'node')} computed again by checkpoints"
        if not self.passes:
            return words + "; backward has not run"
        outs = [run.out for run in self.passes]
        named = [f"{o.name!r} #{o.number}" if o.name else f"#{o.number}" for o in outs]
        if len(named) > 3:
            named = [*named[:2], "...", named[-1]]
        turns = sum(len(run.pullbacks) for run in self.passes)
        return (
            f"{words}; {_count(len(outs), 'backward pass', 'backward passes')} of "
            f"{_count(turns, 'pullback')} from {', '.join(named)}"
        )

    def __repr__(self) -> str:
        return f"<{self}>"


def _spellings(name: str) -> list[str]:
    """A name, and what it stands for where formulas and pictures write it shorter: L, W_hh, weight_hh.

    >>> _spellings("W_hh")
    ['W_hh', 'weight_hh', 'weight_hh_l0']
    """
    short = re.fullmatch(r"(W|b|weight|bias)_(ih|hh)", name)
    if short:
        long = f"{'weight' if short[1][0].lower() == 'w' else 'bias'}_{short[2]}"
        return list(dict.fromkeys([name, long, f"{long}_l0"]))
    return [name, "loss"] if name == "L" else [name]


def _may_be(own: str, name: str) -> bool:
    """Whether a node of its own name may be meant: a dotted name by its end, "x 'h'" by its beginning."""
    return own == name or own.endswith("." + name) or own.partition(" ")[0] == name


def _span(steps: Sequence[int]) -> str:
    if not steps:
        return "none"
    return str(steps[0]) if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def handed_on(nodes: Iterable[Tensor]) -> dict[str, list[str]]:
    """By scope, the names of the values that one step hands to the next in the same scope: its states.

    A step's input and output (x, y) are not states, whoever reads them.

    >>> import micrornn as mr
    >>> memory = mr.Value(1.0)
    >>> for t in (1, 2):
    ...     with mr.scope("mine", t=t):
    ...         memory = mr.tanh(memory)
    ...         memory.name = "M"
    >>> handed_on(mr.Graph(memory))
    {'mine': ['M']}
    """
    found: dict[str, list[str]] = {}
    for node in nodes:
        for x in node.inputs:
            if not x.name or not x.inputs or node.step is None or x.step is None:
                continue
            inside = node.scope == x.scope or node.scope.startswith(f"{x.scope}/")
            if inside and abs(node.step - x.step) == 1 and x.name not in ("x", "y"):
                names = found.setdefault(x.scope, [])
                if x.name not in names:
                    names.append(x.name)
    return found
