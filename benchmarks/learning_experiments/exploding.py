"""exploding: a ReLU network whose gradient overflows, what becomes of its weights, and what cures it."""

from __future__ import annotations

from typing import Any

import numpy as np

from learning_experiments.frame import (
    Experiment,
    Figures,
    Results,
    Row,
    column,
    middle,
    spread,
)
from micrornn import nn, optim
from micrornn.data.feeds import Stream
from micrornn.data.seattle import temperatures
from micrornn.training import Trainer, TrainingError, by_step


def measure(
    seed: int,
    checked: bool,
    clip: float | None,
    recurrent: float,
    hidden: int,
    steps: int,
    lanes: int,
    lr: float,
    iterations: int,
) -> Figures:
    """Train by plain SGD, by micrornn's trainer or by a loop that looks at nothing."""
    days = temperatures()
    days = ((days - days.mean()) / days.std())[:, np.newaxis]
    rnn: Any = nn.RNN(1, hidden, nonlinearity="relu", rng=2 * seed)
    rnn.weight_hh_l0.data = recurrent * np.eye(hidden)
    readout = nn.Linear(hidden, 1, rng=2 * seed + 1)
    model = nn.Sequential(rnn, readout)

    def forward(steps: Any, state: Any) -> Any:
        states, _ = rnn(steps)  # each batch begins at zero
        return nn.each_step(readout, states), None

    objective = by_step(forward, nn.functional.mse_loss)
    sgd = optim.SGD(model.parameters(), lr=lr)
    feed = Stream(days[:-1], days[1:], steps=steps, lanes=lanes)
    trainer = Trainer(model, sgd, feed, objective, clip_norm=clip)
    losses: list[float] = []
    stopped = not_a_number = None
    for i in range(1, iterations + 1):
        if checked:
            try:
                losses += [report.loss for report in trainer.run(i)]
            except TrainingError:
                stopped = i
            if trainer.interrupted:
                raise KeyboardInterrupt
        else:
            with np.errstate(all="ignore"):
                objective(feed.next(), None).total.backward()
                sgd.step()
                sgd.zero_grad()
        if any(np.isnan(p.data).any() for p in model.parameters()):
            not_a_number = i
        if stopped or not_a_number:
            break
    finite = all(np.isfinite(p.data).all() for p in model.parameters())
    figures = {"stopped at": stopped, "weights nan at": not_a_number, "weights finite": finite}
    ends = {"loss at first": losses[0], "loss at the end": losses[-1]} if losses else {}
    return {**figures, **ends}


def rows(found: Results) -> list[Row]:
    """What each of the three ends in."""
    spoilt = column(found["no clipping, no check"], "weights nan at")
    runs = found["no clipping, trainer"]
    stopped, kept = column(runs, "stopped at"), [run["weights finite"] for run in runs]
    runs = found["clipped, trainer"]
    ends = column(runs, "loss at the end")
    cured = [run["stopped at"] is None and run["weights finite"] for run in runs]
    limit = EXPLODING.settings["iterations"]
    return [
        Row(
            "no clipping, no check: update that makes a weight nan",
            f"within {limit}",
            spread(spoilt, ".0f"),
            max(spoilt) <= limit,
            "With some seed it does not explode.",
        ),
        Row(
            "no clipping, trainer: iteration at which it stops with a TrainingError",
            f"within {limit}, the weights finite",
            f"{spread(stopped, '.0f')}; weights finite with {sum(kept)} of {len(kept)} seeds",
            max(stopped) <= limit and all(kept),
            "With some seed it does not explode.",
        ),
        Row(
            f"clipped to norm {EXPLODING.variants['clipped, trainer']['clip']:g}: "
            f"mean squared error after {limit} iterations",
            "below 1, the variance of the series",
            f"{spread(ends)}; all {limit} iterations made with {sum(cured)} of {len(cured)} seeds",
            all(cured) and middle(ends) < 1.0,
            "Clipping does not cure it with every seed.",
        ),
    ]


EXPLODING = Experiment(
    "exploding",
    "A ReLU network with 1.2 I as its recurrent matrix, on 60 days of temperatures: 1.2^60 is 56,000. "
    "Where the largest singular value is above 1 a gradient may explode (Pascanu et al. 2013); scaling it by "
    "its norm is the cure. Once a weight is nan, none is. The trainer looks at loss and gradient before the "
    "update, so that the weights are not spoilt.",
    {
        "recurrent": 1.2,
        "hidden": 8,
        "steps": 60,
        "lanes": 4,
        "lr": 0.05,
        "iterations": 500,
    },
    {
        "no clipping, no check": {"checked": False, "clip": None},
        "no clipping, trainer": {"checked": True, "clip": None},
        "clipped, trainer": {"checked": True, "clip": 0.5},
    },
    measure,
    rows,
    quick={"iterations": 3},
    seeds=5,
)
