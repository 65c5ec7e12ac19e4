"""Why a gradient is exactly zero: the last place where it was not, and what it met there."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.causes.finding import Finding, by_hand
from micrornn.flow.pieces import assemble, one
from micrornn.flow.series import label, norm
from micrornn.flow.stacked import pull_rows
from micrornn.flow.traffic import Sent, Traffic
from micrornn.flow.verdicts import CANCELLED, MASKED, SATURATED, UNDERFLOWED, ZERO
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]

_FLAT = ("activation", "piecewise")


def lost(traffic: Traffic) -> Finding:
    """The verdict on an exact zero.

    From the target upward through nodes where zero arrived, to those where something did: each edge
    there killed a gradient. The one that killed the largest speaks for all.
    """
    killed: list[tuple[float, Sent]] = []
    waiting, seen = [traffic.target], set()
    while waiting:
        x = waiting.pop()
        if x.number in seen:
            continue
        seen.add(x.number)
        senders = traffic.senders.get(x.number, [])
        alive = [s for s in senders if s.value().any()]
        if alive:
            changed = traffic.changed(x)
            return by_hand(x, *changed) if changed else _cancelled(x, alive)
        for s in senders:
            arrived = traffic.gradients[s.node.number]
            if arrived.any():
                killed.append((norm(arrived), s))
            else:
                waiting.append(s.node)
    if not killed:
        out = next(iter(traffic.outs.values()))
        return Finding(
            ZERO, out, [f"Backward itself began with a gradient of zero at {label(out)}."]
        )
    size, edge = max(killed, key=lambda item: (item[0], item[1].node.number))
    finding = _killer(edge, traffic.gradients[edge.node.number], size)
    others = len(killed) - 1
    if others:
        more = "place" if others == 1 else "places"
        finding.evidence.append(f"The gradient ended at {others} other {more} as well.")
    return finding


def _cancelled(x: Tensor, alive: list[Sent]) -> Finding:
    parts = ", ".join(f"{norm(s.value()):.3g} from {label(s.node)}" for s in alive[:4])
    more = f" and {len(alive) - 4} more" if len(alive) > 4 else ""
    return Finding(
        CANCELLED,
        x,
        [
            f"{len(alive)} contributions arrived at {label(x)} and add up to exactly 0: {parts}{more}."
        ],
    )


def _killer(edge: Sent, g: Array, size: float) -> Finding:
    """What the node did to the gradient that arrived at it."""
    node, slot, _ = edge
    made = node.primitive.name if node.primitive else "leaf"
    to = label(node.inputs[slot])
    head = f"A gradient of norm {size:.3g} arrived at {made} ({label(node)}) and 0 was sent on to {to}."
    if _survives_scaled(node, slot, g):
        dtype = g.dtype
        tiny = np.finfo(dtype).smallest_subnormal
        return Finding(
            UNDERFLOWED,
            node,
            [head, f"Scaled up it would not be 0: {dtype} holds nothing smaller than {tiny:.3g}."],
        )
    if kind_of(node) == "choice":
        return Finding(
            MASKED, node, [head, "Its condition chose the other value at every element."]
        )
    if kind_of(node) == "loss":
        amount = node.params.get("amount")
        if amount is not None and not np.any(
            np.where(np.broadcast_to(g, np.shape(amount)), amount, 0)
        ):
            return Finding(
                MASKED, node, [head, "All of its targets are padding: they count nothing."]
            )
        return Finding(
            SATURATED, node, [head, "The prediction has reached its target exactly: p - y = 0."]
        )
    if kind_of(node) in _FLAT:
        return Finding(SATURATED, node, [head, _flat(node, slot, g)])
    other = _other_factor(node, slot)
    if other is None:
        return Finding(ZERO, node, [head, f"The local derivative of {made} is 0 there."])
    factor, value = other
    if kind_of(node) in ("scaling", "quotient") and _is_mask(factor, value):
        what = factor.name or "a constant of zeros and ones"
        return Finding(
            MASKED,
            node,
            [head, f"It was multiplied by {what}, which is 0 wherever the gradient is not."],
        )
    where = "" if np.any(value) else ", which is all zero"
    word = label(factor)
    if factor.name and factor.step == 0:
        word = f"the initial state {word}"
    elif factor.step is None and factor.is_leaf and factor.requires_grad:
        word = f"the weight {word}"
    return Finding(
        ZERO,
        node,
        [
            head,
            f"It was multiplied by {word}{where or ', which is 0 wherever the gradient is not'}.",
        ],
    )


def _survives_scaled(node: Tensor, slot: int, g: Array) -> bool:
    """Whether the same pullback of the same gradient, scaled up to about 1, would not be zero."""
    wide = g.astype(np.float64)
    top = np.abs(wide).max()
    if top >= 1e-2:
        return False
    with np.errstate(all="ignore"):
        scaled = one((wide / top).astype(g.dtype))
        piece = pull_rows(node, scaled, [slot])[0]
        return bool(assemble([piece], node.inputs[slot].shape).values.any())


def _flat(node: Tensor, slot: int, g: Array) -> str:
    value, given = np.asarray(node._value), np.asarray(node.values[slot])
    assert node.primitive is not None
    made = node.primitive.name
    hit = np.broadcast_to(g, value.shape) != 0
    values, inputs = value[hit], np.broadcast_to(given, value.shape)[hit]
    return (
        f"{made} is flat there: its input is in [{inputs.min():.3g}, {inputs.max():.3g}], its value in "
        f"[{values.min():.3g}, {values.max():.3g}], its derivative exactly 0."
    )


def _other_factor(node: Tensor, slot: int) -> tuple[Tensor, Any] | None:
    """What the gradient is multiplied by on its way to a slot of a product."""
    kind = kind_of(node)
    factors = kind in ("scaling", "product") and slot < 2 <= len(node.inputs)
    if factors or (kind == "quotient" and slot == 1):
        return node.inputs[1 - slot], node.values[1 - slot]
    return None


def _is_mask(factor: Tensor, value: Any) -> bool:
    """Data of zeros and one other value (1, or 1 / (1 - p) for dropout); all zero only if it says so."""
    if factor.requires_grad or factor.inputs:
        return False
    if factor.name is not None and "mask" in factor.name.lower():
        return True
    if factor.name == "x" or (factor.name and factor.step == 0):
        return False
    distinct = np.unique(value)
    if np.ndim(value) == 0:
        return bool(np.all(distinct == 0)) and factor.name is None
    return len(distinct) <= 2 and 0 in distinct
