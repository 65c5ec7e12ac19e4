"""Why a gradient is far smaller, or far larger, than where it began."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.causes.finding import Finding, by_hand, gate_of
from micrornn.flow.roles import STATES
from micrornn.flow.series import label, norm
from micrornn.flow.traffic import Sent, Traffic
from micrornn.flow.verdicts import CANCELLED, GROWN, SATURATED, SHRUNK, UNDERFLOWED
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]

FAR = 1e3  # between the ends of the way; less is normal in a network of some depth
_STEEP = 0.1  # an activation whose derivative is below this is saturated
_MOST = 0.5  # a cause has to explain this share of the shrinking, in orders of magnitude


class Hop(NamedTuple):
    """One node of the way on which most of the gradient came.

    ``gain`` is what the node made of the gradient that arrived (|sent| / |arrived|), and ``agreement``
    what was left when the contributions to the next node were added up (|sum| / sum of norms).
    """

    node: Tensor
    gain: float
    agreement: float
    parts: list[Sent]
    to: Tensor


def resized(traffic: Traffic) -> Finding | None:
    """The verdict on a gradient that arrived and is finite; None where its size is normal."""
    g = traffic.gradients[traffic.target.number]
    top = float(np.abs(g).max())
    tiny = float(np.finfo(g.dtype).tiny)
    way = traffic.dominant()
    if not way:
        return None
    start = _start(way)
    sizes = [traffic.size(s.node) for s in way[: start + 1]]
    here, there = norm(g), sizes[-1]
    hops = _by_step(traffic, way[: start + 1])
    changed = _changed(traffic, way[: start + 1], _ratio(here, there))
    if changed is not None:
        return changed
    if top < tiny and there >= tiny:
        text = (
            f"Its largest element is {top:.3g}, below {tiny:.3g}, the smallest {g.dtype} that keeps its "
            "digits: what is left of it is rounding."
        )
        return Finding(UNDERFLOWED, traffic.target, [text], hops)
    if not here or not there:
        return None
    ratio = _ratio(here, there)
    end = label(way[start].node)
    if ratio > FAR:
        text = f"It grew by a factor of {ratio:.3g} from {end} to {label(traffic.target)}."
        return Finding(GROWN, _largest(traffic, way[: start + 1]), [text, *_per_hop(hops)], hops)
    # A sum may cancel at the very end, where the way on which most came does not show it.
    own = _agreement(traffic, traffic.target)
    if ratio * FAR >= 1 and own * FAR >= 1:
        return None
    steps = [_hop(traffic, s, to) for s, to in _pairs(traffic, way[: start + 1])]
    lost = -math.log(max(min(ratio, own), 1e-300))
    by_sum = [h for h in steps if h.agreement < 0.1]
    worst = min(by_sum, key=lambda h: h.agreement, default=None)
    cancelled = -sum(math.log(h.agreement) for h in by_sum if h.agreement > 0)
    if worst is not None and cancelled >= _MOST * lost:
        return _cancelled(worst)
    flat = [h for h in steps if _activation(h.node) and 0 < h.gain < _STEEP]
    by_flat = -sum(math.log(h.gain) for h in flat)
    if flat and by_flat >= _MOST * lost:
        return _saturated(min(flat, key=lambda h: h.gain), len(flat), hops, ratio)
    text = f"It shrank by a factor of {ratio:.3g} from {end} to {label(traffic.target)}."
    worst_node = min(steps, key=lambda h: h.gain * h.agreement).node
    gate, words = _through_gates(way[: start + 1])
    return Finding(SHRUNK, worst_node, [text, *_per_hop(hops), *words], hops, gate)


def _start(way: list[Sent]) -> int:
    """Where on the way the steps begin: the last node before the losses that is still a step's own.

    The losses' own scale (a mean over many elements) is not what is asked about.
    """
    states = [i for i, s in enumerate(way) if s.node.step is not None and s.node.name in STATES]
    if states:
        return states[-1]
    stepped = [i for i, s in enumerate(way) if s.node.step is not None]
    return stepped[-1] if stepped else len(way) - 1


def _changed(traffic: Traffic, way: list[Sent], ratio: float) -> Finding | None:
    """The verdict where the target's own gradient was changed by hand, or one on the way that explains it."""
    own = traffic.changed(traffic.target)
    if own is not None:
        return by_hand(traffic.target, *own)
    if 1 / FAR <= ratio <= FAR:
        return None
    found = [(s.node, change) for s in way if (change := traffic.changed(s.node))]
    if not found:
        return None
    node, (given, now) = max(found, key=lambda one: abs(_log(_ratio(one[1][1], one[1][0]))))
    explained = abs(_log(_ratio(now, given))) >= _MOST * abs(_log(ratio))
    return by_hand(node, given, now) if explained else None


def _log(ratio: float) -> float:
    return math.log(min(max(ratio, 1e-300), 1e300))


def _ratio(a: float, b: float) -> float:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return float(np.float64(a) / np.float64(b))


def _pairs(traffic: Traffic, way: list[Sent]) -> list[tuple[Sent, Tensor]]:
    targets = [traffic.target, *(s.node for s in way[:-1])]
    return list(zip(way, targets))


def _agreement(traffic: Traffic, x: Tensor) -> float:
    senders = traffic.senders.get(x.number, [])
    if len(senders) < 2:
        return 1.0
    parts = [traffic.size_sent(s) for s in senders]
    most = max(parts)
    # A sum of many independent parts is smaller than their norms: by the root of their number.
    expected = math.sqrt(sum((p / most) ** 2 for p in parts)) * most if any(parts) else 0.0
    return min(1.0, traffic.size(x) / expected) if expected else 1.0


def _hop(traffic: Traffic, sent: Sent, to: Tensor) -> Hop:
    arrived = traffic.size(sent.node)
    gain = traffic.size_sent(sent) / arrived if arrived else 1.0
    return Hop(sent.node, gain, _agreement(traffic, to), traffic.senders[to.number], to)


def _by_step(traffic: Traffic, way: list[Sent]) -> list[tuple[str, float, float | None]]:
    """The way from the loss's end to the target by its states (or by its steps where none are named)."""
    nodes = [s.node for s in reversed(way)] + [traffic.target]
    shown = [n for n in nodes if n.name in STATES]
    if len(shown) < 2:
        last: dict[int | None, Tensor] = {n.step: n for n in nodes}
        shown = list(last.values()) if len(last) > 1 else nodes
    if shown[-1] is not traffic.target:
        shown.append(traffic.target)
    hops: list[tuple[str, float, float | None]] = []
    before: float | None = None
    for node in shown:
        size = traffic.size(node)
        hops.append((label(node), size, size / before if before else None))
        before = size
    return hops


def _per_hop(hops: list[tuple[str, float, float | None]]) -> list[str]:
    factors = [f for _, _, f in hops if f]
    if len(factors) < 2:
        return []
    mean = math.exp(sum(map(math.log, factors)) / len(factors))
    return [
        f"{len(factors)} hops, each by a factor of {mean:.3g} on average "
        f"(from {min(factors):.3g} to {max(factors):.3g})."
    ]


def _through_gates(way: list[Sent]) -> tuple[str | None, list[str]]:
    """The gate by which the gradient was multiplied most often on its way, and its mean value."""
    met: dict[str, list[float]] = {}
    for node, slot, _ in way:
        if kind_of(node) == "scaling":
            role = gate_of(node.inputs[1 - slot])
            if role is not None:
                met.setdefault(role, []).append(float(np.mean(node.values[1 - slot])))
    if not met:
        return None, []
    role = max(met, key=lambda r: len(met[r]))
    values = met[role]
    text = f"{len(values)} times it was multiplied by the {role}, {np.mean(values):.3g} on average."
    return role, [text]


def _largest(traffic: Traffic, way: list[Sent]) -> Tensor:
    return max((_hop(traffic, s, to) for s, to in _pairs(traffic, way)), key=lambda h: h.gain).node


def _activation(node: Tensor) -> bool:
    return kind_of(node) == "activation"


def _cancelled(hop: Hop) -> Finding:
    parts = sorted(((norm(s.value()), s) for s in hop.parts), key=lambda p: -p[0])
    words = ", ".join(f"{size:.3g} from {label(s.node)}" for size, s in parts[:4])
    more = f" and {len(parts) - 4} more" if len(parts) > 4 else ""
    text = (
        f"{len(parts)} contributions arrived at {label(hop.to)} and nearly cancel: {words}{more}; "
        f"{hop.agreement:.3g} of what they would make up without their signs is left."
    )
    return Finding(CANCELLED, hop.to, [text])


def _saturated(
    hop: Hop, count: int, hops: list[tuple[str, float, float | None]], ratio: float
) -> Finding:
    node = hop.node
    assert node.primitive is not None
    value = np.abs(np.asarray(node._value, dtype=float))
    made = node.primitive.name
    text = (
        f"The derivative of {made} ({label(node)}) let a factor of {hop.gain:.3g} through; its largest "
        f"value is {value.max():.6g}."
    )
    more = f"{count} activations on the way are as flat as that or nearly; {ratio:.3g} is left in total."
    return Finding(SATURATED, node, [text, more] if count > 1 else [text], hops)
