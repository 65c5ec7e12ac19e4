"""ctc: five labels from sixty frames, without alignment."""

from __future__ import annotations

from typing import Any

from learning_experiments.frame import (
    Experiment,
    Figures,
    Results,
    Row,
    column,
    middle,
    spread,
    train,
)
from micrornn.tasks import ctc


def measure(
    seed: int,
    cell: str,
    steps: int,
    length: int,
    hidden: int,
    batch: int,
    below: float,
    training: dict[str, Any],
) -> Figures:
    """Iterations until few enough sequences never seen are read wrongly."""
    made = ctc.problem(cell, hidden, steps=steps, length=length, batch=batch, seed=seed)
    wrong: list[float] = []

    def enough() -> bool:
        wrong.append(made.measures()[0].value)
        return wrong[-1] < below

    reached = train(made.model, made.feed, made.objective, enough, **training)
    return {"iterations": reached, "wrong at the end": wrong[-1]}


def rows(found: Results) -> list[Row]:
    """Whether it gets there."""
    own, wrong = (column(found["ctc"], name) for name in ("iterations", "wrong at the end"))
    limit = CTC.settings["training"]["iterations"]
    return [
        Row(
            "iterations until fewer than 5 % of the sequences are read wrongly",
            f"reached within {limit:,}",
            f"{spread(own, ',.0f')}; wrong at the end {spread(wrong, '.0%')}",
            middle(own) <= limit,
            "Not by most seeds.",
        )
    ]


CTC = Experiment(
    "ctc",
    "Sixty noisy frames, in which five labels sound for a while each, with pauses between. Connectionist "
    "temporal classification (Graves et al. 2006) adds up all alignments, so that a bidirectional network "
    "learns the labels without being told which frame belongs to which. Wrong is a sequence with any label "
    "wrong, read greedily; guessing gets all but 4^-5 of them wrong. The paper measured speech (TIMIT), "
    "which is not to be had freely, so no figure of its can be compared.",
    {
        "cell": "gru",
        "steps": 60,
        "length": 5,
        "hidden": 24,
        "batch": 16,
        "below": 0.05,
        "training": {"lr": 0.01, "clip": 1.0, "iterations": 600, "every": 25},
    },
    {"ctc": {}},
    measure,
    rows,
    quick={
        "steps": 6,
        "length": 2,
        "hidden": 2,
        "batch": 2,
        "training": {"lr": 0.01, "clip": 1.0, "iterations": 2, "every": 1},
    },
)
