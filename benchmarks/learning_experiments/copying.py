"""copy: ten symbols said again after a wait; gated cells beat the best answer without memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learning_experiments.frame import (
    CELLS,
    HELD_OUT,
    Experiment,
    Figures,
    Results,
    Row,
    column,
    middle,
    spread,
    table,
    train,
)
from micrornn.nn.init import forget_bias_
from micrornn.tasks import copying

CLEARLY = 0.8  # of the loss without memory


def measure(
    seed: int,
    cell: str,
    steps: int,
    length: int,
    hidden: int,
    batch: int,
    forget_bias: float,
    tested: int,
    training: dict[str, Any],
) -> Figures:
    """Nats per step on sequences never seen, and the share of the symbols that are said again."""
    made = copying.problem(cell, hidden, steps=steps, batch=batch, length=length, seed=seed)
    if cell == "lstm":
        forget_bias_(made.model, forget_bias)
    test = copying.draw(np.random.default_rng(HELD_OUT + seed), steps, tested, length)
    losses: list[float] = []
    right: list[float] = []

    def look() -> bool:
        losses.append(made.objective(test, None).total.item())
        said = [y.numpy().argmax(-1) for y in made.model(test.inputs)[0][-length:]]
        right.append(float((np.array(said) == test.targets[-length:]).mean()))
        return False

    train(made.model, made.feed, made.objective, look, **training)
    return {"nats per step": losses[-1], "symbols right": right[-1], "losses": losses}


def rows(found: Results) -> list[Row]:
    """One for each cell."""
    steps, length = COPY.settings["steps"], COPY.settings["length"]
    floor = length * math.log(copying.SYMBOLS) / (steps + 2 * length)
    made = []
    for cell, runs in found.items():
        own, right = column(runs, "nats per step"), column(runs, "symbols right")
        stays = cell == "rnn"
        bound = floor if stays else CLEARLY * floor
        made.append(
            Row(
                f"{CELLS[cell]}, T = {steps}: nats per step after "
                f"{COPY.settings['training']['iterations']:,} iterations",
                f"10 ln 8 / (T + 20) = {floor:.4f} without memory; "
                + ("no less" if stays else f"clearly less, below {CLEARLY:g} of it"),
                f"{spread(own, '.4f')}; symbols right {spread(right, '.0%')}, guessing has 12 %",
                middle(own) > 0.97 * bound if stays else middle(own) < bound,
                "It remembers something." if stays else "It is not clearly below.",
            )
        )
    return made


def detail(found: Results) -> str:
    """The losses on the way."""
    every, marks = COPY.settings["training"]["every"], 6
    count = len(next(iter(found.values()))[0]["losses"])
    shown = sorted({max(1, count * k // marks) for k in range(1, marks + 1)})
    lines = []
    for cell, runs in found.items():
        losses = [[run["losses"][k - 1] for k in shown] for run in runs]
        lines.append([CELLS[cell], *(f"{middle(at):.3f}" for at in zip(*losses))])
    return table(["nats per step at iteration", *(f"{k * every:,}" for k in shown)], lines)


COPY = Experiment(
    "copy",
    "Ten symbols out of eight kinds are read, then T blanks and a signal, and the network repeats the ten "
    "(Hochreiter & Schmidhuber 1997, as Arjovsky, Shah & Bengio 2016 pose it). Who remembers nothing says "
    "blanks and guesses ten times at the end: 10 ln 8 / (T + 20) nats per step. Below that is memory.",
    {
        "steps": 50,
        "length": 10,
        "hidden": 64,
        "batch": 32,
        "forget_bias": 5.0,
        "tested": 200,
        "training": {"lr": 0.01, "clip": 1.0, "iterations": 5000, "every": 250},
    },
    {cell: {"cell": cell} for cell in ("rnn", "gru", "lstm")},
    measure,
    rows,
    detail,
    quick={
        "steps": 2,
        "length": 2,
        "hidden": 3,
        "batch": 2,
        "tested": 5,
        "training": {"lr": 0.01, "clip": 1.0, "iterations": 2, "every": 1},
    },
)
