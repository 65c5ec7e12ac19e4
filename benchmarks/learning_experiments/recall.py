"""recall: how far back an LSTM learns to look grows with the bias that its forget gate begins with."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

from learning_experiments.frame import (
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
from micrornn.tasks import recall
from micrornn.tasks.problem import Problem

BIASES = (0, 1, 3, 5)
EARLIER = {1: 20, 3: 40, 5: 80}  # the longest T of an earlier measurement, whose lags doubled


def measure(
    seed: int,
    cell: str,
    forget_bias: float | None,
    lags: list[int],
    hidden: int,
    batch: int,
    right: float,
    training: dict[str, Any],
) -> Figures:
    """The longest of some lags that is learnt; the first that is not ends the search."""
    longest, taken = 0, {}
    for steps in lags:
        made = recall.problem(cell, hidden, 1, steps, batch, forget_bias, seed)
        enough = partial(says_enough, made, right)
        learnt = train(made.model, made.feed, made.objective, enough, **training)
        if learnt is None:
            break
        longest, taken[str(steps)] = steps, learnt
    return {"longest T": longest, "iterations": taken}


def says_enough(made: Problem, right: float) -> bool:
    """Whether so many of the sequences kept for measuring are answered rightly."""
    return made.measures()[1].value >= right


def rows(found: Results) -> list[Row]:
    """One for each bias with an earlier figure, one for their order, and the tanh RNN's."""
    longest = {variant: column(runs, "longest T") for variant, runs in found.items()}
    made = []
    for bias, expected in EARLIER.items():
        own = longest[f"bias {bias}"]
        made.append(
            Row(
                f"LSTM, forget bias {bias}: longest T that is learnt",
                f"{expected}, in an earlier measurement",
                spread(own, ".0f"),
                middle(own) >= expected,
                "It falls short of that one, whose other settings are not known.",
            )
        )
    medians = [middle(longest[f"bias {bias}"]) for bias in BIASES]
    rnn, zero = longest["tanh RNN"], longest["bias 0"]
    return [
        *made,
        Row(
            f"LSTM: longest T for the forget biases {', '.join(map(str, BIASES))}",
            "grows: of the memory sigmoid(b)^T is left",
            ", ".join(f"{value:.0f}" for value in medians),
            all(a < b for a, b in pairwise(medians)),
            "It does not grow from each to the next.",
        ),
        Row(
            "tanh RNN: longest T that is learnt",
            "20, and further than the LSTM with forget bias 0",
            f"{spread(rnn, '.0f')}; that LSTM {spread(zero, '.0f')}",
            middle(rnn) >= 20 > middle(zero),
            "The order is another, or the RNN falls short.",
        ),
    ]


def detail(found: Results) -> str:
    """How many seeds learnt each lag."""
    lags = RECALL.settings["lags"]
    lines = []
    for variant, runs in found.items():
        learnt = [sum(str(lag) in run.get("iterations", ()) for run in runs) for lag in lags]
        lines.append([variant, *map(str, learnt)])
    return table(["seeds that learn T =", *map(str, lags)], lines)


RECALL = Experiment(
    "recall",
    "The network predicts the first of T symbols at the end. With a forget gate at sigmoid(b), an LSTM keeps "
    "sigmoid(b)^T of its memory, and so much of the gradient comes back: at b = 0, where a default "
    "initialisation begins, 0.5^T. Hence the advice to begin with a bias of 1 or more (Gers et al. 2000; "
    "Jozefowicz et al. 2015). A tanh RNN stands beside it.",
    {
        "lags": [5, 10, 15, 20, 30, 40, 60, 80, 120],
        "hidden": 32,
        "batch": 32,
        "right": 0.9,
        "training": {"lr": 0.01, "clip": 1.0, "iterations": 600, "every": 50},
    },
    {f"bias {bias}": {"cell": "lstm", "forget_bias": float(bias)} for bias in BIASES}
    | {"tanh RNN": {"cell": "rnn", "forget_bias": None}},
    measure,
    rows,
    detail,
    quick={
        "lags": [2, 3],
        "hidden": 3,
        "batch": 2,
        "training": {"lr": 0.01, "clip": 1.0, "iterations": 2, "every": 1},
    },
)
