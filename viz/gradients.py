"""What flowed: the pullbacks of a graph folded into one small summary per node and per edge.

Five ways of having no gradient are kept apart: backward has not run, no path leads to the loss, exactly
zero, underflowed to zero, and NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from micrornn.core.backward import dense, seed_of, sweep
from micrornn.core.graph import Graph
from micrornn.core.primitive import unbroadcast
from micrornn.core.tensor import Tensor, shape_of
from micrornn.cotangent import Product, Unwritten
from micrornn.forward import jvp
from micrornn.recording.passes import Pass

State = Literal["none", "constant", "absent", "zero", "underflow", "nan", "value"]


@dataclass(frozen=True, slots=True)
class Flow:
    """A gradient in summary.

    Attributes:
        state: "value", or why there is none to show.
        norm: its Euclidean norm (0 unless there is a value).
        sign: "+" or "-" where no element has the other sign, "±" where both occur, else "".
    """

    state: State
    norm: float = 0.0
    sign: str = ""

    @classmethod
    def of(cls, g: Any) -> Flow:
        """The summary of a cotangent.

        >>> Flow.of(np.array([3.0, -4.0]))
        Flow(state='value', norm=5.0, sign='±')
        """
        if type(g) is float:
            if g != g:
                return NAN
            return cls("value", abs(g), "+" if g > 0 else "-") if g else ZERO
        if type(g) is Product and g.left.ndim == 1:  # an outer product: no need to write it out
            left, right = cls.of(g.left), cls.of(g.right)
            if "nan" in (left.state, right.state):
                return NAN
            if math.inf in (left.norm, right.norm):  # 0 times infinity is no number
                with np.errstate(invalid="ignore"):
                    return cls.of(g.dense())
            if left.norm * right.norm == 0.0:
                return ZERO
            signs = {left.sign, right.sign}
            sign = "±" if "±" in signs else "+" if len(signs) == 1 else "-"
            return cls("value", left.norm * right.norm, sign)
        array = np.asarray(dense(g) if isinstance(g, Unwritten) else g)
        if not array.size:
            return ZERO
        low, high = float(array.min()), float(array.max())
        top = max(-low, high)
        if top != top:
            return NAN
        if top == 0.0:
            return ZERO
        sign = "+" if low >= 0 else "-" if high <= 0 else "±"
        if 1e-140 < top < 1e140:
            flat = array.ravel().astype(float, copy=False)  # the squares of float32 would overflow
            return cls("value", math.sqrt(float(flat.dot(flat))), sign)
        scaled = (
            array.ravel() / top if top < math.inf else np.ones(1)
        )  # squares would over- or underflow
        return cls("value", top * math.sqrt(float(scaled.dot(scaled))), sign)


NONE = Flow("none")
CONSTANT = Flow("constant")
ABSENT = Flow("absent")
ZERO = Flow("zero")
UNDERFLOW = Flow("underflow")
NAN = Flow("nan")


@dataclass(frozen=True)
class Gradients:
    """All flows of one backward pass.

    Attributes:
        ran: whether backward has run at all.
        nodes: by node number.
        edges: by (target number, input slot): what the target sent back to that input.
        elements: where asked for, the flow of each element of a node, by node number.
        lost: by the number of a detached node, the gradient that would have passed on there.
        by_step: by (parameter number, step): the sum of all that the uses of that step sent to it.
        shares: by (target number, input slot), for uses of weights: <sent, G> / |G|^2 with G the weight's
            whole gradient. All uses of a weight add up to 1; a negative one worked against the sum.
    """

    ran: bool
    nodes: dict[int, Flow]
    edges: dict[tuple[int, int], Flow]
    elements: dict[int, list[Flow]] = field(default_factory=dict)
    lost: dict[int, Flow] = field(default_factory=dict)
    by_step: dict[tuple[int, int], Flow] = field(default_factory=dict)
    shares: dict[tuple[int, int], float] = field(default_factory=dict)

    def at(self, node: Tensor) -> Flow:
        """The flow that arrived at a node."""
        if not self.ran:
            return NONE
        found = self.nodes.get(node.number)
        return found or (ABSENT if node.requires_grad else CONSTANT)

    def along(self, target: Tensor, slot: int) -> Flow:
        """The flow that a node sent back to one of its inputs."""
        if not self.ran:
            return NONE
        found = self.edges.get((target.number, slot))
        return found or (ABSENT if target.inputs[slot].requires_grad else CONSTANT)


NOT_RUN = Gradients(False, {}, {})


def flows_of(
    graph: Graph,
    elements: bool = False,
    weights: Mapping[int, Tensor] | None = None,
    run: Pass | None = None,
) -> Gradients:
    """What flows in a backward pass: a recorded one, or one that runs now and leaves ``.grad`` alone.

    Several results (the losses of all steps, say) are summed, as if their sum were the loss. Results that
    are no scalars, or need no gradient, have no backward: then it has not run.

    Args:
        graph: the nodes.
        elements: whether to summarise every element as well.
        weights: parameters and what was computed from them alone, by number; `Gradients.by_step` and
            `Gradients.shares` are wanted of them.
        run: the recorded pass; by default backward runs from the results of the graph.
    """
    weights = weights or {}
    used: dict[int, dict[int, Any]] = {}  # by step: what arrived at each weight
    uses: list[tuple[int, int, int, Any]] = []  # target, slot, weight, and what was sent
    outs = [out for out in graph.outs if out.requires_grad and out.size == 1]
    if not outs and run is None:
        return NOT_RUN
    nodes: dict[int, Flow] = {}
    edges: dict[tuple[int, int], Flow] = {}
    each: dict[int, list[Flow]] = {}
    underflowed = set()
    cut_off: dict[int, Any] = {}
    leaves: dict[int, Any] = {}
    for node, g, contributions in (
        run.stream() if run else sweep((out, seed_of(out)) for out in outs)
    ):
        nodes[node.number] = Flow.of(g)
        if elements:
            each[node.number] = [Flow.of(float(v)) for v in np.ravel(g)]
        if node.is_leaf:
            leaves[node.number] = g
        for i, x in enumerate(node.inputs):
            if is_cut(x):
                c = pull_to(node, g, i)
                cut_off[x.number] = cut_off[x.number] + c if x.number in cut_off else c
        for i, c in enumerate(contributions):
            if c is not None:
                flow = Flow.of(c)
                if flow == ZERO and nodes[node.number] != ZERO and _underflowed(node, g, i):
                    flow = UNDERFLOW
                    underflowed.add(node.inputs[i].number)
                edges[node.number, i] = flow
                n = node.inputs[i].number
                if n in weights and node.step is not None:
                    sums = used.setdefault(node.step, {})
                    sums[n] = sums[n] + c if n in sums else c
                    uses.append((node.number, i, n, c))
    for number in underflowed:
        if nodes.get(number) == ZERO:
            nodes[number] = UNDERFLOW
    by_number = {node.number: node for node in graph if node.number in weights}
    by_step = {
        (leaf.number, step): Flow.of(g)
        for step, sums in used.items()
        for leaf, g, _ in sweep((by_number[n], c) for n, c in sums.items())
        if leaf.is_leaf
    }
    lost = {number: Flow.of(g) for number, g in cut_off.items()}
    totals = {n: np.asarray(g) for n, g in leaves.items() if n in weights}
    shares = _shares(uses, totals, weights, by_number)
    return Gradients(True, nodes, edges, each, lost, by_step, shares)


def _shares(
    uses: list[tuple[int, int, int, Any]],
    totals: dict[int, Any],
    weights: Mapping[int, Tensor],
    by_number: dict[int, Tensor],
) -> dict[tuple[int, int], float]:
    """<sent, G> / |G|^2 for each use; for a part of a weight, with the same part of G."""
    found: dict[tuple[int, int], float] = {}
    parts: dict[int, Any] = {}
    for target, slot, n, sent in uses:
        leaf = weights[n]
        total = totals.get(leaf.number)
        if total is None:
            continue
        with np.errstate(all="ignore"):
            square = float(np.vdot(total, total))
            if not 0.0 < square < math.inf:
                continue  # nothing to have a share of
            if n not in parts:
                parts[n] = total if n == leaf.number else np.asarray(jvp(by_number[n], leaf, total))
            found[target, slot] = _inner(sent, parts[n]) / square
    return found


def _inner(sent: Any, total: Any) -> float:
    """<sent, total>, without writing out an outer product."""
    if isinstance(sent, Product):
        m, n = total.shape
        left, right = (np.reshape(x, (-1, size)) for x, size in ((sent.left, m), (sent.right, n)))
        return float(np.vdot(left @ total, right))
    return float(np.vdot(np.asarray(dense(sent)), total))


def is_cut(node: Tensor) -> bool:
    """Whether a node was detached, so that no gradient passes to what it was computed from."""
    return node.primitive is not None and "cut" in node.params


def pull_to(node: Tensor, g: Any, slot: int) -> Any:
    """What a node would send to an input, whether or not the input wants it."""
    p: Any = node.primitive
    if p.variadic:
        return p.vjp(g, node._value, *node.values, **node.params)[slot]
    c = p.vjp[slot](g, node._value, *node.values, **node.params)
    return c if shape_of(c) == node.inputs[slot].shape else unbroadcast(c, node.inputs[slot].shape)


def _underflowed(node: Tensor, g: Any, slot: int) -> bool:
    """Whether a zero contribution is one only for want of exponent: pullbacks are linear in g."""
    top = float(np.max(np.abs(g))) if np.size(g) else 0.0
    if not 0.0 < top < math.inf:
        return False
    dtype = getattr(g, "dtype", np.dtype(float))
    raised = g * dtype.type(float(np.finfo(dtype).max) ** 0.5 / top)
    with np.errstate(all="ignore"):
        c = node.primitive.pull(node, raised)[slot]
    return Flow.of(c) != ZERO
