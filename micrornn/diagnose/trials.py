"""The advice, tried: a run is computed again with the mistake mended, and what changed is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import Array, Facts
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.replay import Change, Replay, computed
from micrornn.diagnose.watch import Training
from micrornn.flow.activation import activation_of
from micrornn.flow.recurrence import recurrent_weights
from micrornn.flow.roles import Cell, cells, layer_of
from micrornn.flow.series import label, number
from micrornn.ops.mark import identity
from micrornn.recording import Recording

_RATES = (1.0, 0.1, 0.01)  # of which the best one counts
_TRIED = 3  # problems
_STEPS = 10
_SPREAD = 4  # steps, from which on times of memory are spread

Trial = Callable[[Problem, Replay, Training | None], str | None]
_TRIALS: dict[str, Trial] = {}


def try_advice(
    problems: Sequence[Problem], rec: Recording, training: Training | None
) -> list[Problem]:
    """The same problems; the first few with what became of the run when the advice was followed."""
    replay: Replay | None = None
    found = []
    for i, problem in enumerate(problems):
        trial = _TRIALS.get(problem.name)
        if trial is not None and i < _TRIED:
            replay = replay or Replay(rec)
            if replay.possible:
                problem = replace(problem, tried=trial(problem, replay, training))
        found.append(problem)
    return found


def _for(*names: str) -> Callable[[Trial], Trial]:
    def declare(trial: Trial) -> Trial:
        _TRIALS.update(dict.fromkeys(names, trial))
        return trial

    return declare


# -- the gradient over time -------------------------------------------------------------------------


@_for("forgetful")
def _forget_bias(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """Forget gates with 1 added before their sigmoid, and with the biases of `nn.init.chrono_`."""
    found = list(cells(replay.rec).values())
    one = _with_biases(found, {"forget gate": 1.0})
    if not one:
        return None
    tried = [_compared(problem, replay, "with 1 added to the forget gate's bias", instead=one)]
    steps = len({cell.step for cell in found})
    width = max(cell.gates["forget gate"].shape[-1:] or (1,) for cell in found if cell.gates)[0]
    if steps >= _SPREAD:
        times = np.log(np.random.default_rng(0).uniform(1.0, steps - 1.0, width))
        chrono = _with_biases(found, {"forget gate": times, "input gate": -times})
        words = f"with nn.init.chrono_(lstm, {steps})'s added to the biases"
        tried.append(_compared(problem, replay, words, instead=chrono))
    sentences = [sentence for sentence in tried if sentence is not None]
    return " ".join([*sentences[:1], *[s[0].upper() + s[1:] for s in sentences[1:]]]) or None


def _with_biases(found: Sequence[Cell], biases: dict[str, float | Array]) -> dict[int, Change]:
    """By activation of a gate, its operation with a bias added to its input."""
    instead: dict[int, Change] = {}
    for cell in found:
        for role, bias in biases.items():
            gate = cell.gates.get(role)
            active = None if gate is None else activation_of(gate)
            if gate is not None and active is not None and active.size == gate.size:
                instead[active.number] = partial(_opened, active, bias)
    return instead


def _opened(gate: Tensor, bias: float | Array, inputs: Sequence[Tensor]) -> Tensor:
    assert gate.primitive is not None
    return computed(gate.primitive, [inputs[0] + bias], gate.params)


@_for("vanishing", "exploding", "explosion hidden by clipping")
def _orthogonal(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """The recurrent weights replaced by the nearest orthogonal matrix."""
    target = _far(problem, replay)
    if target is None:
        return None
    values = {}
    for weight in recurrent_weights(replay.rec, layer_of(target)):
        if weight.gate is not None:
            continue  # what a gate multiplies does not carry the state on
        leaf = replay.rec.node(weight.name)
        value = np.array(replay.rec.value(leaf), dtype=float)
        if value.ndim == 2 and value.shape[0] == value.shape[1]:
            left, _, right = np.linalg.svd(value)
            values[leaf.number] = left @ right
    if not values:
        return None
    return _compared(problem, replay, "with orthogonal recurrent weights", values=values)


@_for("detached")
def _joined(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """The graph without its cuts."""
    cut = [n for n in replay.rec.nodes if "cut" in n.params]
    origins = [replay.rec.by_number.get(n.params["cut"]) for n in cut]
    first = next((n for n in origins if n is not None and n.requires_grad), None)
    if first is None:
        return None
    before, after = replay.rec.gradient(first), replay.run(joined=True).gradient(first)
    if after is None or not np.any(after):
        return None
    was = "where none arrived before" if before is None else f"and {number(_norm(before))} before"
    return f"without the cuts, a gradient of norm {number(_norm(after))} reaches {label(first)}, {was}."


def _norm(values: object) -> float:
    return float(np.linalg.norm(np.asarray(values, dtype=float)))


def _far(problem: Problem, replay: Replay) -> Tensor | None:
    """The earliest state of the layer in which a gradient was measured."""
    target = None if problem.because is None else problem.because.target
    name = "h" if target is None or target.name is None else target.name
    states = [n for n in replay.rec.find(name, exact=True) if n.step and n.requires_grad]
    if target is not None:
        states = [n for n in states if n.scope == target.scope]
    return min(states, key=lambda n: n.number, default=None)


def _compared(problem: Problem, replay: Replay, what: str, **changes: object) -> str | None:
    """The gradient at the early state, before and after a change."""
    target = _far(problem, replay)
    if target is None:
        return None
    before = replay.run().gradient(target)
    after = replay.run(**changes).gradient(target)  # type: ignore[arg-type]
    if before is None or after is None:
        return None
    a, b = _norm(before), _norm(after)
    if not a or not np.isfinite(b):
        return None
    side = f"{number(b / a)} times as large" if b >= a else f"{number(a / b)} times smaller"
    return (
        f"{what}, the gradient at {label(target)} is {side} ({number(a)} before, {number(b)} now)."
    )


# -- what stands in front of a loss -----------------------------------------------------------------


@_for(
    "softmax before cross-entropy",
    "activation before cross-entropy",
    "sigmoid before logits loss",
    "targets out of reach",
)
def _without(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """The loss on what the activation was given."""
    node = problem.node
    if node is None or not node.inputs or node.inputs[0].shape != node.shape:
        return None
    now = _best(replay, {})
    then = _best(replay, {node.number: lambda xs: identity(xs[0])})
    return (
        f"{_STEPS} steps of gradient descent on this batch bring the loss from {now[0]:.3g} to "
        f"{now[-1]:.3g}; without it, from {then[0]:.3g} to {then[-1]:.3g}."
    )


def _best(replay: Replay, instead: dict[int, Change]) -> list[float]:
    runs = [replay.descend(rate, _STEPS, instead) for rate in _RATES]
    return min(runs, key=lambda losses: losses[-1] if np.isfinite(losses[-1]) else np.inf)


# -- data and updates -------------------------------------------------------------------------------


@_for("unscaled input")
def _scaled(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """The inputs with mean 0 and standard deviation 1, column by column."""
    inputs = Facts(replay.rec).inputs
    values = [np.asarray(replay.rec.value(x), dtype=float) for x in inputs]
    if not values or len({v.shape[-1:] for v in values}) > 1:
        return None
    rows = np.concatenate([v.reshape(-1, v.shape[-1]) for v in values])
    mean, spread = rows.mean(0), rows.std(0) + 1e-12
    scaled = {x.number: (v - mean) / spread for x, v in zip(inputs, values)}
    states = [n.number for n in replay.nodes if n.name == "h" and n.inputs]
    if not states:
        return None
    now, then = ([run.nodes[n] for n in states] for run in (replay.run(), replay.run(scaled)))
    return (
        f"with scaled inputs, {_flat(then):.0%} of the states are flat (above .99 in size), instead of "
        f"{_flat(now):.0%}."
    )


def _flat(nodes: Sequence[Tensor]) -> float:
    values = np.concatenate([np.ravel(n._value) for n in nodes])
    return float(np.mean(np.abs(values) > 0.99))


@_for("learning rate too large", "learning rate too small", "loss summed")
def _other_rate(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """Steps of another length, on the first batch."""
    rate = _rate(training)
    if rate is None:
        return None
    now = replay.descend(rate, _STEPS)
    small = problem.name == "learning rate too small"
    if not small and now[-1] < now[0]:
        return None  # not on this batch
    for times in (100.0, 1e4) if small else (0.1, 0.01, 1e-3):
        then = replay.descend(rate * times, _STEPS)
        if then[-1] < 0.99 * then[0]:
            return (
                f"on the first batch, {len(now) - 1} steps of this length take the loss from {now[0]:.3g} to "
                f"{now[-1]:.3g}; steps {times:g} times as long, to {then[-1]:.3g}."
            )
    return None


@_for("gradients not reset")
def _reset(problem: Problem, replay: Replay, training: Training | None) -> str | None:
    """The same steps with gradients that are reset."""
    rate = _rate(training)
    if rate is None:
        return None
    now, then = replay.descend(rate, _STEPS, kept=True), replay.descend(rate, _STEPS)
    if not then[-1] < now[-1]:
        return None  # too few steps to tell
    return (
        f"on the first batch, {len(now) - 1} such steps take the loss from {now[0]:.3g} to {now[-1]:.3g}; "
        f"with gradients that are reset, to {then[-1]:.3g}."
    )


def _rate(training: Training | None) -> float | None:
    """How far the first update went along the gradient, per unit of it."""
    if training is None or len(training.iterations) < 2:
        return None
    a, b = training.iterations[:2]
    names = [n for n in a.gradients if n in a.values and n in b.values]
    moved = np.sqrt(sum(np.sum((b.values[n] - a.values[n]) ** 2) for n in names))
    size = np.sqrt(sum(np.sum(a.gradients[n] ** 2) for n in names))
    return float(moved / size) if size and np.isfinite(moved / size) else None
