"""What may be wrong with the gradient over time: NaN, cuts, growth and decay, stuck gates, dead units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.problem import Problem, Sure
from micrornn.flow.activation import bounds
from micrornn.flow.causes.cuts import cut_steps, cuts
from micrornn.flow.credit import credit
from micrornn.flow.gates import GateTrace, gates
from micrornn.flow.recurrence import recurrent_weights
from micrornn.flow.roles import state_names
from micrornn.flow.series import label, layers, number, series
from micrornn.flow.verdicts import BORN, DETACHED, TRUNCATED
from micrornn.flow.why import why
from micrornn.recording import Recording
from micrornn.recording.losses import kind_of

Array = np.ndarray[Any, Any]

FAR = 1e3  # between the first and the last step's gradient
STUCK = 0.5  # of all values of a gate
_DEAD = 0.25  # of the units of a layer
_ROWS = 32  # from which on a unit that is always 0 is no accident
SAMPLED = 8  # losses whose way back is looked at


def check_gradients(rec: Recording) -> Iterator[Problem]:
    """What is wrong with the gradient of a run that is finite."""
    detached = _detached(rec)
    if detached is not None:
        yield detached
    for layer in layers(rec):
        traces = gates(rec, layer)
        yield from _over_time(rec, layer, traces, cut=detached is not None)
        yield from _stuck(traces)
    yield from _dead(rec)
    yield from _one_end(rec)


def check_finite(rec: Recording) -> Problem | None:
    """NaN or infinity in the loss or in a parameter's gradient, and where it was born."""
    suspects = [*(run.out for run in rec.passes), *rec.parameters]
    for node in suspects:
        g = rec.gradient(node)
        if not np.isfinite(rec.value(node)).all() or (g is not None and not np.isfinite(g).all()):
            break
    else:
        return None
    answer = why(rec, node)
    if answer.verdict != BORN:  # the value itself is broken, though the gradient at it is not
        answer = next((w for p in rec.parameters if (w := why(rec, p)).verdict == BORN), answer)
    where = (
        [] if answer.node is None else [f"First at {label(answer.node)}, {_place(answer.node)}."]
    )
    return Problem("not finite", [*answer.evidence, *where], answer.node, because=answer)


def _place(node: Tensor) -> str:
    words = [f"in {node.scope}"] if node.scope else []
    if node.source:
        words.append(f"{node.source[0]}:{node.source[1]}")
    return ", ".join(words) or "outside all scopes"


def _detached(rec: Recording) -> Problem | None:
    if not cuts(rec):
        return None
    for layer in layers(rec):
        for node in series(rec, state_names(rec, layer)[0], layer):
            if rec.gradient(node) is None and node.requires_grad:
                answer = why(rec, node)
                if answer.verdict == DETACHED:
                    return Problem("detached", answer.evidence, answer.node, because=answer)
                if answer.verdict == TRUNCATED:
                    steps = cut_steps(rec)
                    words = (
                        f"after the steps {', '.join(map(str, steps))}"
                        if steps
                        else "between chunks"
                    )
                    evidence = [
                        f"The graph is cut {words}: no dependence longer than a chunk is learned, "
                        f"and the "
                        "gradient of shared weights is biased (its long terms are missing).",
                    ]
                    return Problem("truncation bias", evidence, answer.node, because=answer)
    return None


def _over_time(
    rec: Recording, layer: str, traces: dict[str, GateTrace], cut: bool
) -> Iterator[Problem]:
    names = state_names(rec, layer)
    name = "c" if "forget gate" in traces and "c" in names else names[0]
    nodes = series(rec, name, layer)
    row = credit(rec, nodes, losses=_sampled(rec)).norms if len(nodes) > 1 else np.zeros((0, 0))
    losses = [i for i in range(len(row)) if np.isfinite(row[i]).sum() > 1]
    if not losses:
        return
    last = row[losses[-1]]
    known = np.flatnonzero(np.isfinite(last))
    order = sorted(
        known.tolist(), key=lambda k: nodes[k].number
    )  # a reverse direction ran backwards
    far, near = nodes[order[0]], nodes[order[-1]]
    a, b = float(last[order[0]]), float(last[order[-1]])
    ratio = a / b if b else float("nan")
    answer = why(rec, far)
    words = [
        f"{layer + ': ' if layer else ''}|dL/d{label(far)}| = {number(a)}, |dL/d{label(near)}| = "
        f"{number(b)}: a factor of {number(ratio)} over {len(known) - 1} steps."
    ]
    if ratio > FAR:
        yield Problem("exploding", [*words, *_matrix(rec, layer)], answer.node, because=answer)
    elif ratio < 1 / FAR and not cut:
        # Small networks forget like this from the start, and learn all the same.
        sure: Sure = "certain" if ratio < 1 / FAR**2 else "possible"
        if answer.verdict == "saturated" or _flat(traces):
            yield Problem("saturated", [*words, *answer.evidence], answer.node, because=answer)
        elif "forget gate" in traces:
            f, hops = float(np.mean(traces["forget gate"].mean)), len(known) - 1
            words.append(
                f"The forget gate is {f:.3g} on average, and {f:.3g}^{hops} = {f**hops:.3g}."
            )
            yield Problem("forgetful", words, answer.node, sure, answer)
        else:
            yield Problem("vanishing", [*words, *_matrix(rec, layer)], answer.node, sure, answer)


def _sampled(rec: Recording) -> list[Tensor]:
    """A few losses at equal distances, the last among them: a map of all would grow with T squared."""
    losses = sorted(rec.losses, key=lambda x: x.number)
    count = min(len(losses), SAMPLED)
    return [losses[i] for i in np.linspace(0, len(losses) - 1, count).round().astype(int)]


def _flat(traces: dict[str, GateTrace]) -> bool:
    state = traces.get("state")
    return state is not None and state.saturated > STUCK


def _matrix(rec: Recording, layer: str) -> list[str]:
    return [
        f"{w.name}: spectral radius {w.spectral_radius:.3g}, largest singular value {w.sigma_max:.3g}."
        for w in recurrent_weights(rec, layer)
        if w.gate is None
    ]


def _stuck(traces: dict[str, GateTrace]) -> Iterator[Problem]:
    for role, trace in traces.items():
        stuck = trace.saturated
        # An open forget gate or update gate is how memory is kept; open is no trouble there.
        if role in ("forget gate", "update gate"):
            stuck = float(np.mean(trace.shut))
        if role not in ("state",) and stuck > STUCK:
            yield Problem(
                "saturated gates",
                [
                    f"{trace}. Where a gate is shut or open its slope is nearly 0, and it stops "
                    f"learning."
                ],
            )


def _dead(rec: Recording) -> Iterator[Problem]:
    by_place: dict[str, list[Array]] = {}
    for node in rec.nodes:
        p = node.primitive
        if kind_of(node) != "activation" or p is None or not node.inputs or not node.shape:
            continue
        if bounds(p) == (0.0, np.inf):
            flat = np.asarray(node._value).reshape(-1, node.shape[-1])
            by_place.setdefault(node.scope or p.name, []).append(flat)
    for where, values in by_place.items():
        if len({v.shape[-1] for v in values}) > 1:
            continue
        every = np.concatenate(values)
        dead = int((every == 0).all(axis=0).sum())
        over_time = len(values) > 1
        if dead and len(every) > 1:
            yield Problem(
                "dead units",
                [
                    f"{dead} of {every.shape[1]} relu units in {where} are 0 at every step, and pass no "
                    "gradient."
                ],
                # A small batch may miss what wakes a unit; of few rows it says little.
                sure="likely"
                if over_time and len(every) >= _ROWS and dead >= _DEAD * every.shape[1]
                else "possible",
            )


def _one_end(rec: Recording) -> Iterator[Problem]:
    steps = [s for s in rec.steps if s > 0]
    at = [x.step for x in rec.losses if x.step is not None]
    if len(at) < 2 or len(steps) < 8 or len(set(at)) == len(steps):
        return
    middle = steps[len(steps) // 2]
    for end, alone in (("early", max(at) < middle), ("late", min(at) > middle)):
        if alone:
            yield Problem(
                "loss at one end only",
                [
                    f"All {len(at)} losses are at {end} steps ({min(at)} to {max(at)} of {steps[-1]})."
                ],
            )
