"""Fixed points of a recurrent network: states that a step leaves unchanged, or nearly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.flow.jacobian import states_in_order, top_layer
from micrornn.flow.onestep import OneStep
from micrornn.flow.roles import state_names
from micrornn.flow.series import plain, table
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]

FIXED = 1e-9  # of the size of the state: a step that moves it less leaves it as it is
SLOW = 0.1  # of the mean distance between states that follow each other
NEAR = 3.0  # times the distance of the farthest state from the mean: what lies further was never near the run
APART = 1e-4  # of the size of a state: points that are nearer are one
KINDS = ("stable", "saddle", "unstable", "slow")
INPUTS, STARTS, ROUNDS = 6, 40, 200
LARGEST = 512  # numbers in a state


@dataclass(frozen=True)
class Point:
    """A fixed or slow point.

    Attributes:
        input: the input under which it is one, as the recording names it.
        state: where it is, all parts of the state end to end.
        speed: how far one step moves it.
        radius: the largest absolute eigenvalue of the Jacobian there: below 1 it attracts.
        unstable: the number of eigenvalues of absolute value above 1.
        fixed: whether it is a fixed point, and not a slow one.
    """

    input: str
    state: Array
    speed: float
    radius: float
    unstable: int
    fixed: bool

    @property
    def kind(self) -> str:
        """What it is: ``stable``, ``unstable`` (all directions), ``saddle``, or ``slow``."""
        if not self.fixed:
            return "slow"
        if not self.unstable:
            return "stable"
        return "unstable" if self.unstable == len(self.state) else "saddle"


@dataclass(frozen=True)
class FixedPoints:
    """The fixed and slow points of a layer, for each of its inputs held constant.

    Attributes:
        layer: the scope.
        states: what the state is made of.
        points: what was found.
        visited: (steps, size), the states of the run.
        inputs: the inputs that were tried.
    """

    layer: str
    states: tuple[str, ...]
    points: list[Point]
    visited: Array
    inputs: list[str]

    def plane(self) -> tuple[Array, Array]:
        """The visited states and the points in two dimensions, by their principal components.

        The mean and the directions are those of the visited states; of a state of one number, the second
        coordinate is 0.
        """
        mean = self.visited.mean(0)
        _, _, axes = np.linalg.svd(self.visited - mean, full_matrices=False)
        axes = axes[:2]
        signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])  # SVD leaves them open
        axes = np.vstack([axes * signs[:, None], np.zeros((2 - len(axes), len(mean)))])
        found = np.array([p.state for p in self.points]).reshape(-1, len(mean))
        return (self.visited - mean) @ axes.T, (found - mean) @ axes.T

    def table(self) -> str:
        """One row for each point."""
        rows = [[p.input, p.kind, p.speed, p.radius, p.unstable] for p in self.points]
        return table(["input", "kind", "speed", "largest |λ|", "above 1"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        points = [
            {
                "input": p.input,
                "kind": p.kind,
                "speed": p.speed,
                "radius": p.radius,
                "state": p.state,
            }
            for p in self.points
        ]
        found: dict[str, Any] = plain(
            {
                "layer": self.layer,
                "states": list(self.states),
                "inputs": self.inputs,
                "points": points,
                "visited": self.visited,
            }
        )
        return found

    def __str__(self) -> str:
        name = self.layer or "the network"
        kinds = [p.kind for p in self.points]
        parts = [f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds]
        under = f"{len(self.inputs)} input{'s' if len(self.inputs) > 1 else ''}, each held constant"
        if not parts:
            return f"{name} has no fixed or slow point near its {len(self.visited)} states, for {under}"
        return f"{name} has {', '.join(parts)} point{'s' if len(kinds) > 1 else ''}, for {under}"


def fixed_points(rec: Recording, layer: str | None = None) -> FixedPoints:
    """Fixed and slow points of a layer, found from the states of a run (Sussillo & Barak 2013).

    The input is held at that of each step in turn (equal ones once, at most `INPUTS`), and from every state
    of the run Newton's method, damped as Levenberg's, makes |F(s) - s| smaller. Where it arrives at 0 is a
    fixed point; a local minimum above 0 that one step hardly moves is a slow one. Points
    far outside the states of the run are left out.

    Args:
        rec: a run of one sequence, live or loaded; backward need not have run.
        layer: the scope; the top one by default.

    Raises:
        RecordingError: there is no state over two steps, or it has more than `LARGEST` numbers.

    >>> from micrornn.flow.failures import record_failure
    >>> found = fixed_points(record_failure("vanishing"))  # h = 0.5 h
    >>> [(p.kind, round(p.radius, 3), abs(p.state.round(6)).tolist()) for p in found.points]
    [('stable', 0.5, [0.0])]
    """
    layer = top_layer(rec) if layer is None else layer
    order = states_in_order(rec, layer)
    names = tuple(n for n in state_names(rec, layer) if n in order[-1])
    if len(order) < 2:
        raise RecordingError(f"{layer} has one step only, and a fixed point needs a step to repeat")
    visited = np.array(
        [np.concatenate([np.ravel(s[n]._value) for n in names]) for s in order], float
    )
    if visited.shape[1] > LARGEST:
        raise RecordingError(
            f"the state of {layer} has {visited.shape[1]} numbers; fixed points are searched for up to "
            f"{LARGEST}: record one sequence, or a smaller network"
        )
    if not np.isfinite(visited).all():
        raise RecordingError(
            f"the states of {layer} are not finite, so no point near them is sought"
        )
    moves = np.linalg.norm(np.diff(visited, axis=0), axis=1)
    slow = SLOW * float(moves.mean())
    middle = visited.mean(0)
    far = NEAR * float(np.linalg.norm(visited - middle, axis=1).max())
    points: list[Point] = []
    inputs = _inputs(rec, [states[names[0]].step or 0 for states in order[1:]])
    for step, word in inputs.items():
        function = OneStep(rec, layer, step)
        for start in _spread(visited):
            point = _search(function, start, word, slow)
            if point is None or np.linalg.norm(point.state - middle) > far:
                continue  # where gates are saturated, far from all states, a step changes nothing
            if not any(_same(point, p) for p in points):
                points.append(point)
    points.sort(key=lambda p: (p.input, not p.fixed, p.radius))
    return FixedPoints(layer, names, points, visited, list(inputs.values()))


def _inputs(rec: Recording, steps: Iterable[int]) -> dict[int, str]:
    """Steps whose inputs differ, each with the name of its input."""
    found: dict[int, str] = {}
    seen: list[Array] = []
    named = {n.step: n for n in reversed(rec.nodes) if (n.name or "").partition(" ")[0] == "x"}
    for step in steps:
        node = named.get(step)
        value = np.zeros(0) if node is None else np.asarray(node._value, float)
        if any(value.shape == other.shape and np.array_equal(value, other) for other in seen):
            continue
        seen.append(value)
        word = (
            "none" if node is None else (node.name or "").partition(" ")[2] or f"x of step {step}"
        )
        found[step] = word
        if len(found) == INPUTS:
            break
    return found


def _spread(visited: Array) -> Array:
    """States to begin from: all, or of a long run some at equal distances."""
    return visited[:: -(-len(visited) // STARTS)]


def _search(function: OneStep, start: Array, word: str, slow: float) -> Point | None:
    """The point at which Newton's method ends, if it is a fixed or a slow one."""
    state, damping = start.copy(), 1e-3
    value, jacobian = function(state)
    off = value - state
    eye = np.eye(len(state))
    for _ in range(ROUNDS):
        size = float(np.linalg.norm(off))
        if not size > FIXED * (1.0 + np.linalg.norm(state)) * 1e-3:
            break
        slope = jacobian - eye
        change = np.linalg.solve(slope.T @ slope + damping * eye, -slope.T @ off)
        with np.errstate(all="ignore"):
            next_value, next_jacobian = function(state + change)
        next_off = next_value - state - change
        if np.isfinite(next_off).all() and np.linalg.norm(next_off) < size:
            state = state + change
            value, jacobian, off, damping = next_value, next_jacobian, next_off, damping / 10
            if np.linalg.norm(change) < 1e-14 * (1.0 + np.linalg.norm(state)):
                break
        else:
            damping *= 10
            if damping > 1e12:
                break
    speed, scale = float(np.linalg.norm(off)), 1.0 + float(np.linalg.norm(state))
    fixed = speed <= FIXED * scale
    if not fixed and speed > slow:
        return None
    sizes = np.abs(np.linalg.eigvals(jacobian))
    return Point(word, state, speed, float(sizes.max()), int(np.sum(sizes > 1.0)), fixed)


def _same(a: Point, b: Point) -> bool:
    if a.input != b.input or a.fixed != b.fixed:
        return False
    near = APART if a.fixed else 100 * APART
    return float(np.linalg.norm(a.state - b.state)) <= near * (1.0 + float(np.linalg.norm(b.state)))
