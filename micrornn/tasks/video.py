"""video: a dot moves over small frames; every frame and the whole clip are to be labelled.

Made up, because no clips come with Python: the dot goes left, right, up or down and turns back at the edge.
The label of a frame is where the dot is going, which no frame alone shows; that of the clip is whether it
turned back. So one network answers many to many and many to one at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.basic import Linear
from micrornn.nn.losses import sequence_loss
from micrornn.nn.sequence import each_step
from micrornn.tasks.models import Carrying, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

SIDE = 5
WAYS = ("left", "right", "up", "down")
MOVES = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])
BACK = (1, 0, 3, 2)
DRAWN = {"steps": 5, "hidden": 4}


def clip(rng: Generator, steps: int) -> tuple[Any, list[int], int]:
    """Frames (T, 25), the way that the dot came to each (the first: will go), and whether it turned.

    >>> frames, ways, turned = clip(np.random.default_rng(0), 4)
    >>> frames.shape, [WAYS[way] for way in ways], turned
    ((4, 25), ['down', 'down', 'up', 'up'], 1)
    """
    way, place = int(rng.integers(4)), rng.integers(0, SIDE, 2)
    frames = rng.normal(0.0, 0.1, (steps, SIDE, SIDE))
    ways: list[int] = []
    turned = 0
    for frame in frames:
        if ways or _outside(place + MOVES[way]):
            if _outside(place + MOVES[way]):
                way = BACK[way]
                turned = int(bool(ways)) or turned
            place = place + MOVES[way] if ways else place
        ways.append(way)
        frame[tuple(place)] += 1.0
    return frames.reshape(steps, SIDE * SIDE), ways, turned


def _outside(place: Any) -> bool:
    return bool((place < 0).any() or (place >= SIDE).any())


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Frames (T, B, 25), ways (T, B), and whether each clip turned (B,)."""
    frames, ways, turned = zip(*[clip(rng, steps) for _ in range(batch)])
    return Batch(np.stack(frames, 1), np.array(ways).T, extra=np.array(turned))


class Watching(Carrying):
    """An answer for each frame, and one for the clip, from the same states."""

    def __init__(self, cell: str, **options: Any) -> None:
        super().__init__(cell, SIDE * SIDE, len(WAYS), **options)
        self.verdict = Linear(options["hidden"], 2, rng=options["seed"] + 1)

    def forward(self, steps: Any, state: Any = None) -> Any:
        """The logits of the ways at each frame, then those of the clip."""
        states, _ = self.remember(steps, state)
        return each_step(self.readout, states), self.verdict(states[-1])


def problem(
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    steps: int = 4,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to say where a dot is going, and whether it turned back.

    Raises:
        ValueError: no frame.
    """
    at_least(1, steps=steps)
    model = Watching(cell, hidden=hidden, layers=layers, seed=seed)
    test = draw(np.random.default_rng(10**6 + seed), steps, 200)

    def objective(batch: Batch, state: Any) -> Computed:
        frames, whole = model(batch.inputs)
        outputs, targets = [*frames, whole], [*batch.targets, batch.extra]
        losses, total = sequence_loss(outputs, targets)
        return Computed(losses, total, None)

    def said() -> tuple[Any, Any]:
        frames, whole = model(test.inputs)
        return likeliest(frames), likeliest([whole])[0]

    def measures() -> list[Measure]:
        ways, turned = said()
        usual = float(max(test.extra.mean(), 1 - test.extra.mean()))
        return [
            Measure.above(
                "right ways, after the first frame",
                float((ways[1:] == test.targets[1:]).mean()) if steps > 1 else 0.0,
                0.8,
                "guessing gives 0.25",
            ),
            Measure.above(
                "right clips", float((turned == test.extra).mean()), usual, "always the same"
            ),
        ]

    def show(count: int) -> list[Shown]:
        ways, turned = said()
        kinds = ("went on", "turned")
        return [
            Shown(
                " ".join(str(int(k)) for k in test.inputs[:, i].argmax(-1)),
                " ".join([*(WAYS[k] for k in test.targets[:, i]), kinds[test.extra[i]]]),
                " ".join([*(WAYS[k] for k in ways[:, i]), kinds[turned[i]]]),
            )
            for i in range(min(count, len(test.extra)))
        ]

    return Problem(
        "where a dot is going, and whether it turned back",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=500,
        inputs=lambda b: [f"dot at {int(k)}" for k in b.inputs[:, 0].argmax(-1)],
        labels=lambda b: [WAYS[k] for k in b.targets[:, 0]],
    )
