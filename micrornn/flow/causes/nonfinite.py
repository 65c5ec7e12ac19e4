"""Where a NaN or an infinity was born: the first place in the forward pass, else in the backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.flow.causes.finding import Finding
from micrornn.flow.series import label, norm
from micrornn.flow.traffic import Traffic
from micrornn.flow.verdicts import BORN
from micrornn.recording import Recording
from micrornn.tensor import Tensor


def born(rec: Recording, traffic: Traffic) -> Finding:
    """The first node whose value is not finite though its inputs are; else the first such pullback."""
    for node in rec.nodes:
        if node.inputs and not _finite(node._data) and all(map(_finite, node.values)):
            words = ", ".join(f"{label(x)} {_range(v)}" for x, v in zip(node.inputs, node.values))
            return Finding(
                BORN,
                node,
                [
                    f"Forward: {_kind(node._data)} came out of {_name(node)}.",
                    f"It was given {words}.",
                ],
            )
    for leaf in rec.nodes:
        if leaf.is_leaf and leaf.number in rec.users and not _finite(rec.value(leaf)):
            return Finding(
                BORN,
                leaf,
                [f"Forward: {label(leaf)} was given with {_kind(rec.value(leaf))} in it."],
            )
    newest_first = sorted(traffic.gradients, reverse=True)
    sent_by: dict[int, list[tuple[Tensor, int, Any]]] = {}
    for senders in traffic.senders.values():
        for s in senders:
            sent_by.setdefault(s.node.number, []).append((s.node, s.slot, s))
    for n in newest_first:
        g = traffic.gradients[n]
        node = rec.by_number[n]
        if not _finite(g):
            return Finding(
                BORN,
                node,
                [f"Backward: the contributions to {label(node)} added up to {_kind(g)}."],
            )
        for _, slot, s in sent_by.get(n, ()):
            c = s.value()
            if not _finite(c):
                words = ", ".join(
                    f"{label(x)} {_range(v)}" for x, v in zip(node.inputs, node.values)
                )
                return Finding(
                    BORN,
                    node,
                    [
                        f"Backward: a gradient of norm {norm(g):.3g} arrived at {_name(node)}, and "
                        f"{_kind(c)} was sent to {label(node.inputs[slot])}.",
                        f"It had been given {words}.",
                    ],
                )
    raise AssertionError("a gradient that is not finite was born nowhere")


def _name(node: Tensor) -> str:
    made = node.primitive.name if node.primitive else "a leaf"
    return made if node.name is None else f"{made} ({label(node)})"


def _finite(value: Any) -> bool:
    return bool(np.isfinite(value).all())


def _kind(value: Any) -> str:
    if np.isnan(value).any():
        return "NaN"
    return "inf"


def _range(value: Any) -> str:
    if not np.size(value):
        return "(empty)"
    return f"in [{np.min(value):.3g}, {np.max(value):.3g}]"
