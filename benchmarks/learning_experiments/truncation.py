"""truncation: what cutting a sequence into chunks does to the gradient, by the length of the chunks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from learning_experiments.frame import (
    Experiment,
    Figures,
    Results,
    Row,
    middle,
    spread,
    table,
)
from micrornn import nn
from micrornn.data.feeds import Batch
from micrornn.training import Truncation, by_step
from micrornn.training.truncated import chunks

NEAR = 0.05  # to an earlier figure, of a network of which only the spectral radius is known
EARLIER = {1: (0.77, 0.68), 5: (0.41, 0.945)}  # relative error and cosine, measured earlier


def measure(
    seed: int,
    radius: float,
    steps: int,
    cuts: list[int],
    inputs: int,
    hidden: int,
    batch: int,
) -> Figures:
    """Relative error and cosine of each truncated gradient of all weights, against the full one."""
    rng = np.random.default_rng(seed)
    rnn: Any = nn.RNN(inputs, hidden, rng=rng)
    turn, _ = np.linalg.qr(rng.normal(size=(hidden, hidden)))
    rnn.weight_hh_l0.data = radius * turn  # every eigenvalue has this modulus
    readout = nn.Linear(hidden, 1, rng=rng)
    data = Batch(rng.normal(size=(steps, batch, inputs)), rng.normal(size=(steps, batch, 1)))

    def forward(steps: Any, state: Any) -> Any:
        states, state = rnn(steps, state)
        return nn.each_step(readout, states), state

    objective = by_step(forward, nn.functional.mse_loss, reduction="sum")

    def gradient(length: int) -> Any:
        """Of the sum of all losses, the weights staying as they are."""
        rnn.zero_grad()
        for _ in chunks(objective, data, None, Truncation(length, length)):
            pass
        return np.concatenate([p.grad.ravel() for p in rnn.parameters()])

    full = gradient(steps)
    errors, cosines = [], []
    for length in cuts:
        cut = gradient(length)
        errors.append(float(np.linalg.norm(cut - full) / np.linalg.norm(full)))
        cosines.append(float(cut @ full / np.linalg.norm(cut) / np.linalg.norm(full)))
    return {"cuts": cuts, "errors": errors, "cosines": cosines}


def by_length(found: Results) -> dict[int, tuple[list[float], list[float]]]:
    """Errors and cosines of all seeds, by the length of a chunk."""
    runs = found["truncation"]
    return {
        length: ([run["errors"][i] for run in runs], [run["cosines"][i] for run in runs])
        for i, length in enumerate(runs[0]["cuts"])
    }


def rows(found: Results) -> list[Row]:
    """Two lengths that were measured earlier, and the order of all."""
    measured = by_length(found)
    made = []
    for length, earlier in EARLIER.items():
        own = measured[length]
        made.append(
            Row(
                f"chunks of {length}: relative error and cosine",
                f"{earlier[0]:g} and {earlier[1]:g} in an earlier measurement",
                f"{spread(own[0], '.2f')} and {spread(own[1])}",
                all(abs(middle(v) - e) <= NEAR for v, e in zip(own, earlier)),
                f"The medians differ by more than {NEAR:g}: it was of another network.",
            )
        )
    medians = [middle(errors) for errors, _ in measured.values()]
    lengths = ", ".join(map(str, measured))
    made.append(
        Row(
            f"median relative error for chunks of {lengths}",
            "falls",
            ", ".join(f"{value:.2f}" for value in medians),
            all(a > b for a, b in pairwise(medians)),
            "It does not fall from each to the next.",
        )
    )
    return made


def detail(found: Results) -> str:
    """Both figures by length."""
    lines = [
        [str(length), spread(errors, ".3f"), spread(cosines, ".3f")]
        for length, (errors, cosines) in by_length(found).items()
    ]
    return table(["length of a chunk", "relative error", "cosine"], lines)


TRUNCATION = Experiment(
    "truncation",
    "Truncated backpropagation through time carries the state on but cuts the gradient at the beginning of "
    "each chunk. That bounds the depth, and biases the gradient (Williams & Peng 1990; Tallec & Ollivier "
    "2017): the relative error and the cosine of the truncated gradient against the full one, for a tanh RNN "
    "whose recurrent matrix is 0.9 times an orthogonal one, with a loss at each of 100 steps. The earlier "
    "figures are of another network of spectral radius 0.9, so they can agree but roughly.",
    {
        "radius": 0.9,
        "steps": 100,
        "cuts": [1, 2, 5, 10, 20, 50],
        "inputs": 4,
        "hidden": 32,
        "batch": 8,
    },
    {"truncation": {}},
    measure,
    rows,
    detail,
    quick={"steps": 6, "cuts": [1, 2, 5], "hidden": 3, "batch": 2},
    seeds=20,
)
