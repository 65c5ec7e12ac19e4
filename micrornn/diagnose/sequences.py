"""What a network reads at each step, and what the loss asks of it there: both by step and by sequence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, Facts
from micrornn.diagnose.origin import NONE, Marks, carried, shared, through
from micrornn.diagnose.reading import (
    ROWS,
    Sequence,
    known,
    looked_up,
    place_of,
    stepped_product,
)
from micrornn.recording.losses import kind_of

_FEWEST = 4  # steps of a sequence that is worth a word


@dataclass(frozen=True)
class Goal:
    """What a loss asks for.

    Attributes:
        node: where prediction and target meet.
        targets: (n,) classes or numbers.
        counts: (n,) whether the loss depends on it.
        states: (n,) marks: the state that each prediction was computed from; see `Sequences.state`.
        classes: how many there are; 0 where the targets are numbers.
        nodes: all places where they meet, one for each step where that is so.
    """

    node: Tensor
    targets: Array
    counts: Array
    states: Array
    classes: int
    nodes: tuple[Tensor, ...] = ()


class Sequences:
    """The sequences of a run, and its goals."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.mixed: list[Tensor] = []  # products that add up numbers of several sequences
        #: By the number of the data, the nodes that read it in steps, with the place of each row.
        self.read_from: dict[int, list[tuple[Tensor, Array]]] = {}
        self._states: list[Tensor] = []
        self._number: dict[int, int] = {}

    # -- what is read -----------------------------------------------------------------------------------

    @cached_property
    def places(self) -> Marks:
        """The place in the data that each number was read from, up to the first product of a step."""
        return carried(self.facts.rec.nodes, place_of, stepped_product)

    @cached_property
    def sequences(self) -> list[Sequence]:
        """What is read, by the weight that multiplies it."""
        found: dict[int, Sequence] = {}
        for node in self.facts.rec.nodes:
            if not stepped_product(node) or len(node.inputs) < 2:
                continue
            for slot, x in enumerate(node.inputs[:2]):
                weight = node.inputs[1 - slot]
                if not (weight.is_leaf and weight.requires_grad and weight.ndim == 2):
                    continue
                read = self._read(x)
                if read is not None:
                    one = found.setdefault(weight.number, Sequence(weight))
                    step = int(node.step or 0)
                    one.products[step] = node
                    one.values[step], symbols = read
                    if symbols is not None:
                        one.symbols[step] = symbols
        return [
            s
            for s in found.values()
            if len(s.products) >= _FEWEST and any(np.any(v) for v in s.values.values())
        ]

    @cached_property
    def tables(self) -> set[int]:
        """The numbers of the tables from which symbols are looked up."""
        nodes = self.facts.rec.nodes
        return {n.inputs[0].number for n in nodes if n.inputs and looked_up(n) is not None}

    def _read(self, x: Tensor) -> tuple[Array, Array | None] | None:
        """The rows that a node shows of the data, with their symbols."""
        if x.is_leaf and not x.requires_grad and x.step != 0 and x.ndim in (1, 2):
            value = np.atleast_2d(self.facts.value(x))
            one_hot = value.shape[-1] > 1 and np.isin(value, (0.0, 1.0)).all()
            single = one_hot and (value.sum(-1) <= 1).all()
            return value, np.where(value.any(-1), value.argmax(-1), NONE) if single else None
        marks = self.places.get(x.number)
        if marks is None or x.ndim not in (1, 2):
            return None
        at = np.atleast_1d(known(marks))
        if (at == NONE).any() or len(set((at // ROWS).tolist())) > 1:
            return None
        source = self.facts.rec.by_number[int(at[0]) // ROWS]
        self.read_from.setdefault(source.number, []).append((x, at % ROWS))
        ids = looked_up(source)
        if ids is None:
            whole = self.facts.value(source).reshape(-1, source.shape[-1])
            return whole[at % ROWS], None
        symbols = ids.ravel()[at % ROWS]
        return symbols[:, None].astype(float), symbols

    # -- what is asked ----------------------------------------------------------------------------------

    @cached_property
    def outputs(self) -> Marks:
        """The state that each number was computed from, after the last step."""
        rec = self.facts.rec
        marks: Marks = {}
        for node in rec.nodes:
            if not node.requires_grad or not node.inputs or _is_state(node):
                continue
            given = [self._marked(x) if _is_state(x) else marks.get(x.number) for x in node.inputs]
            if all(m is None for m in given):
                continue
            own = through(node, [self._same_step(node, m) for m in given])
            if own is not None and (own != NONE).any():
                marks[node.number] = own
        return marks

    def _marked(self, node: Tensor) -> Array:
        """The marks of a state: its rows are sequences."""
        if node.number not in self._number:
            self._number[node.number] = len(self._states)
            self._states.append(node)
        first = self._number[node.number] * ROWS
        if node.ndim == 2:
            return np.broadcast_to(first + np.arange(node.shape[0])[:, None], node.shape)
        rows = node.ndim == 1 and node.shape[0] == self.rows and self.rows > 1
        return first + (np.arange(node.shape[0]) if rows else np.zeros(node.shape, np.int64))

    @cached_property
    def rows(self) -> int:
        """How many sequences the batch has."""
        sizes = [len(v) for s in self.sequences for v in s.values.values()]
        return int(np.bincount(sizes).argmax()) if sizes else 0

    def _same_step(self, node: Tensor, marks: Array | None) -> Array | None:
        """Two directions of one step count as one state; rows of several sequences are noted."""
        if marks is None or kind_of(node) != "product" or not marks.ndim or not marks.size:
            return marks
        first = marks[..., :1]
        if (marks == first).all() or (marks == NONE).any():
            return marks
        if (marks % ROWS != first % ROWS).any():
            self.mixed.append(node)
            return marks
        steps = np.array([int(s.step or 0) for s in self._states])[marks // ROWS]
        return np.broadcast_to(first, marks.shape) if (steps == steps[..., :1]).all() else marks

    def state(self, mark: int) -> tuple[Tensor, int]:
        """The state that a mark stands for, and its row."""
        return self._states[mark // ROWS], mark % ROWS

    @cached_property
    def in_row(self) -> Marks:
        """The row of the batch that each number was computed from, whatever the step."""

        def rows(node: Tensor) -> Array | None:
            return self._marked(node) % ROWS if _is_state(node) else None

        return carried(self.facts.rec.nodes, rows)

    def marks(self, node: Tensor) -> Array | None:
        """The marks of a node behind the last step."""
        return self._marked(node) if _is_state(node) else self.outputs.get(node.number)

    @cached_property
    def goals(self) -> list[Goal]:
        """What the losses ask for, oldest first; those of one line, one for each step, as one."""
        found: dict[tuple[object, ...], list[Goal]] = {}
        for goal in [*self._classes(), *self._binary(), *self._numbers()]:
            node = goal.node
            line = node.source or node.number
            kind = node.primitive.name if node.primitive else ""
            found.setdefault((line, kind, goal.classes), []).append(goal)
        return [_joined(goals) for goals in found.values()]

    def _classes(self) -> list[Goal]:
        found = []
        for asked in self.facts.asked:
            node = asked.node
            if kind_of(node) != "loss":
                marks = self.marks(node)
            else:
                before = self.marks(node.inputs[0])
                axis = node.params["axis"] % node.inputs[0].ndim
                marks = None if before is None else np.atleast_1d(shared(before, axis))
            if marks is None or marks.size != asked.targets.size:
                continue
            counts = asked.counts.ravel() & self._felt(node, asked.targets.size)
            found.append(Goal(node, asked.targets.ravel(), counts, np.ravel(marks), asked.classes))
        return found

    def _binary(self) -> list[Goal]:
        found = []
        for node in self.facts.rec.nodes:
            target = self.facts.probabilities(node)
            marks = self.marks(node)
            if target is not None and marks is not None and marks.size == target.size:
                felt = self._felt(node, node.size)
                found.append(Goal(node, target.ravel(), felt, np.ravel(marks), 0))
        return found

    def _numbers(self) -> list[Goal]:
        found = []
        for node in self.facts.rec.nodes:
            if kind_of(node) != "sum" or len(node.inputs) != 2 or not self.facts.final(node):
                continue
            for slot in (0, 1):
                target, other = node.inputs[slot], node.inputs[1 - slot]
                if target.requires_grad or not target.is_leaf or target.size != node.size:
                    continue
                marks = self.marks(other)
                if marks is not None and marks.size == node.size:
                    felt = self._felt(node, node.size)
                    value = self.facts.value(target).ravel()
                    found.append(Goal(node, value, felt, np.ravel(marks), 0))
        # What is added before the target is taken off belongs to the prediction.
        met = {goal.node.number for goal in found}
        behind = self.facts.behind
        return [g for g in found if not any(user.number in met for user, _ in behind(g.node))]

    def _felt(self, node: Tensor, size: int) -> Array:
        """Which elements the loss depends on: those that get a gradient."""
        g = self.facts.rec.gradient(node)
        if g is None or np.size(g) != size:
            return np.ones(size, dtype=bool)
        return np.ravel(np.asarray(g) != 0)


def _joined(goals: list[Goal]) -> Goal:
    first = goals[0]
    return Goal(
        first.node,
        np.concatenate([g.targets for g in goals]),
        np.concatenate([g.counts for g in goals]),
        np.concatenate([g.states for g in goals]),
        first.classes,
        tuple(g.node for g in goals),
    )


def _is_state(node: Tensor) -> bool:
    """Whether a node belongs to a step, with a row for each sequence."""
    return bool(node.step) and node.requires_grad and bool(node.inputs) and node.ndim <= 2
