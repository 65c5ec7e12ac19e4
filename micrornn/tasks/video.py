"""video: a dot moves over small frames; label every frame, and the whole clip.

The clips are generated: the dot goes left, right, up or down and turns back at the edge. The label of a
frame is the direction of the dot, which no single frame shows; the label of the clip is whether the dot
turned back. So one network is trained many to many and many to one at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.data.frames import Clip, read_frames
from micrornn.nn.basic import Linear
from micrornn.nn.losses import sequence_loss
from micrornn.nn.sequence import each_step
from micrornn.tasks.classify import FRAMES, sequences
from micrornn.tasks.network import Network, predicted
from micrornn.tasks.problem import (
    Example,
    Measure,
    Problem,
    accuracy,
    at_least,
    held_out,
    to_choose_by,
)
from micrornn.tasks.stepwise import clips
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

SIDE, STEPS = 5, 4
DIRECTIONS = ("left", "right", "up", "down")
CLIPS = ("straight", "turned")
MOVES = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])
BACK = (1, 0, 3, 2)


def clip(rng: Generator, steps: int) -> tuple[Any, list[int], int]:
    """Frames (T, 25), the direction in which the dot came to each, and whether it turned back.

    Before the first frame the dot did not move: its label is the direction in which it goes next.

    >>> frames, directions, turned = clip(np.random.default_rng(0), 4)
    >>> frames.shape, [DIRECTIONS[d] for d in directions], turned
    ((4, 25), ['down', 'down', 'up', 'up'], 1)
    """
    direction, place = int(rng.integers(4)), rng.integers(0, SIDE, 2)
    frames = rng.normal(0.0, 0.1, (steps, SIDE, SIDE))
    directions: list[int] = []
    turned = 0
    for frame in frames:
        if _outside(place + MOVES[direction]):
            direction = BACK[direction]
            turned = int(bool(directions)) or turned
        place = place + MOVES[direction] if directions else place
        directions.append(direction)
        frame[tuple(place)] += 1.0
    return frames.reshape(steps, SIDE * SIDE), directions, turned


def _outside(place: Any) -> bool:
    return bool((place < 0).any() or (place >= SIDE).any())


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Frames (T, B, 25), directions (T, B), and whether each clip turned back (B,)."""
    frames, directions, turned = zip(*[clip(rng, steps) for _ in range(batch)])
    return Batch(np.stack(frames, 1), np.array(directions).T, extra=np.array(turned))


class Watcher(Network):
    """An output for each frame, and one for the clip, from the same states."""

    def __init__(self, cell: str, **options: Any) -> None:
        super().__init__(cell, SIDE * SIDE, len(DIRECTIONS), **options)
        self.verdict = Linear(options["hidden"], 2, rng=options["seed"] + 1)

    def forward(self, steps: Any, state: Any = None) -> Any:
        """The logits of the directions at each frame, then those of the clip."""
        states, _ = self.states(steps, state)
        return each_step(self.readout, states), self.verdict(states[-1])


def problem(
    frames: str | None = None,
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    steps: int | None = None,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to predict the direction of a dot, and whether it turned back; or the labels of a user's clips.

    Args:
        frames: see `micrornn.data.frames.read_frames`; labels of clips or of frames.
        steps: 4 frames of a generated clip; at most 100 of a user's clip.

    Raises:
        ValueError: no frame, or unusable clips.
    """
    if steps is not None:
        at_least(1, steps=steps)
    if frames is not None:
        sizes: dict[str, Any] = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
        return of_clips(read_frames(frames), frames, steps, sizes, batch)
    steps = steps or STEPS
    network = Watcher(cell, hidden=hidden, layers=layers, seed=seed)
    test = draw(held_out(seed), steps, 200)
    choosing = draw(to_choose_by(seed), steps, 200)

    def objective(batch: Batch, state: Any) -> Computed:
        frames, whole = network(batch.inputs)
        outputs, targets = [*frames, whole], [*batch.targets, batch.extra]
        return Computed(*sequence_loss(outputs, targets))

    def predictions() -> tuple[Any, Any]:
        frames, whole = network(test.inputs)
        return predicted(frames), predicted([whole])[0]

    def measures() -> list[Measure]:
        directions, turned = predictions()
        usual = float(max(test.extra.mean(), 1 - test.extra.mean()))
        right = accuracy(directions[1:], test.targets[1:]) if steps > 1 else 0.0
        return [
            Measure.above("accuracy of directions, from frame 2", right, 0.8, "guessing: 0.25"),
            Measure.above(
                "accuracy of clips", accuracy(turned, test.extra), usual, "always the same"
            ),
        ]

    def examples() -> Iterator[Example]:
        directions, turned = predictions()
        for i, frames in enumerate(test.inputs.swapaxes(0, 1)):
            dots = " ".join(str(int(k)) for k in frames.argmax(-1))
            truth = _in_words(test.targets[:, i], test.extra[i])
            yield Example(dots, truth, _in_words(directions[:, i], turned[i]))

    return Problem(
        f"{network} predicts the direction of a dot, and whether it turned back",
        network,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=500,
        inputs=lambda b: [f"dot at {int(k)}" for k in b.inputs[:, 0].argmax(-1)],
        labels=lambda b: [DIRECTIONS[k] for k in b.targets[:, 0]],
    )


def of_clips(
    found: list[Clip], path: str, steps: int | None, sizes: dict[str, Any], batch: int
) -> Problem:
    """Learn the label of each clip, or of each frame, as the clips have it."""
    if all(len(one.labels) == 1 for one in found):
        labeled = [(one.frames, one.labels[0]) for one in found]
        return sequences(labeled, path, "clips", steps, sizes, batch)
    return clips(
        [(one.frames, one.labels) for one in found], path, steps or FRAMES, False, sizes, batch
    )


def _in_words(directions: Any, turned: int) -> str:
    return " ".join([*(DIRECTIONS[k] for k in directions), CLIPS[turned]])
