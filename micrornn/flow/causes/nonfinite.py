"""Where a NaN or an infinity was born: the first place in the forward pass, else in the backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.causes.finding import Finding
from micrornn.flow.series import label, norm
from micrornn.flow.traffic import Sent, Traffic
from micrornn.flow.verdicts import BORN
from micrornn.recording import Recording


def born(rec: Recording, traffic: Traffic) -> Finding:
    """The first node whose value is not finite though its inputs are; else the first such pullback.

    An infinity that was given (a mask of -inf, say) is no fault by itself; what makes a NaN of it is.
    """
    return born_forward(rec) or _backward(rec, traffic) or _given(rec)


def born_forward(rec: Recording) -> Finding | None:
    """Where the forward pass first made a NaN or an infinity, or was given a NaN; None where it did not."""
    computed = [node for node in rec.nodes if node.inputs]
    first = next(
        (n for n in computed if not _finite(n._value) and all(map(_finite, n.values))), None
    )
    if first is None:
        for leaf in rec.nodes:
            if leaf.is_leaf and leaf.number in rec.users and _nan(rec.value(leaf)):
                return Finding(BORN, leaf, [f"Forward: {label(leaf)} was given with NaN in it."])
        first = next((n for n in computed if _nan(n._value) and not any(map(_nan, n.values))), None)
    if first is None:
        return None
    return Finding(
        BORN,
        first,
        [
            f"Forward: {_kind(first._value)} came out of {_name(first)}.",
            f"It was given {_inputs(first)}.",
        ],
    )


def _backward(rec: Recording, traffic: Traffic) -> Finding | None:
    sent_by: dict[int, list[Sent]] = {}
    for senders in traffic.senders.values():
        for sent in senders:
            sent_by.setdefault(sent.node.number, []).append(sent)
    for number in sorted(traffic.gradients, reverse=True):
        g, node = traffic.gradients[number], rec.by_number[number]
        if not _finite(g):
            text = f"Backward: the contributions to {label(node)} added up to {_kind(g)}."
            return Finding(BORN, node, [text])
        for sent in sent_by.get(number, ()):
            c = sent.value()
            if not _finite(c):
                text = (
                    f"Backward: a gradient of norm {norm(g):.3g} arrived at {_name(node)}, and "
                    f"{_kind(c)} was sent to {label(node.inputs[sent.slot])}."
                )
                return Finding(BORN, node, [text, f"It had been given {_inputs(node)}."])
    return None


def _given(rec: Recording) -> Finding:
    for leaf in rec.nodes:
        if leaf.is_leaf and leaf.number in rec.users and not _finite(rec.value(leaf)):
            text = f"Forward: {label(leaf)} was given with {_kind(rec.value(leaf))} in it."
            return Finding(BORN, leaf, [text])
    out = rec.passes[0].out
    return Finding(
        BORN, out, [f"Backward began with a gradient that is not finite at {label(out)}."]
    )


def _inputs(node: Tensor) -> str:
    return ", ".join(f"{label(x)} {_range(v)}" for x, v in zip(node.inputs, node.values))


def _name(node: Tensor) -> str:
    made = node.primitive.name if node.primitive else "a leaf"
    return made if node.name is None else f"{made} ({label(node)})"


def _finite(value: Any) -> bool:
    return bool(np.isfinite(value).all())


def _nan(value: Any) -> bool:
    return bool(np.isnan(value).any())


def _kind(value: Any) -> str:
    return "NaN" if _nan(value) else "inf"


def _range(value: Any) -> str:
    if not np.size(value):
        return "(empty)"
    return f"in [{np.min(value):.3g}, {np.max(value):.3g}]"
