"""What an experiment is: some variants, each run with several seeds, and rows that judge what came out.

A run gives figures: numbers, lists of numbers, or None for what was not reached. The figures are stored;
everything that is written about them, the verdicts included, is worked out from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from micrornn.core.context import no_grad
from micrornn.data.feeds import Feed
from micrornn.nn.module import Module
from micrornn.optim import Adam
from micrornn.training import Trainer
from micrornn.training.objective import Objective

HELD_OUT = 10**6  # seeds of test sets begin here, so that none is a seed of training
CELLS = {"rnn": "tanh RNN", "gru": "GRU", "lstm": "LSTM"}
Figures = dict[str, Any]
Results = Mapping[str, Sequence[Figures]]  # by variant, one for each seed


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        what: what was measured.
        expected: the figure of the literature, or what follows from theory.
        measured: ours, as median and range over the seeds.
        reached: whether ours is as expected.
        why: where ours differ, what is known of the reason.
    """

    what: str
    expected: str
    measured: str
    reached: bool
    why: str = ""


@dataclass(frozen=True)
class Experiment:
    """One claim of the literature, and how it is put to the test.

    Attributes:
        name: what it is called on the command line.
        about: the claim, who made it, and what else a reader of the figures should know.
        settings: what all variants share, by name; stored beside the figures.
        variants: the settings in which they differ.
        measure: from a seed and all settings to figures.
        rows: the lines of the table.
        detail: more about the runs, in Markdown.
        quick: settings that make it tiny, to try whether it runs.
        seeds: how many, unless told otherwise.
    """

    name: str
    about: str
    settings: dict[str, Any]
    variants: dict[str, dict[str, Any]]
    measure: Callable[..., Figures]
    rows: Callable[[Results], list[Row]]
    detail: Callable[[Results], str] | None = None
    quick: dict[str, Any] = field(default_factory=dict)
    seeds: int = 3

    def settings_of(self, variant: str, quick: bool = False) -> dict[str, Any]:
        """All settings of one variant, with its name and that of the experiment."""
        changed = {**self.variants[variant], **(self.quick if quick else {})}
        return {"experiment": self.name, "variant": variant, **self.settings, **changed}


# -- training ---------------------------------------------------------------------------------------


def train(
    model: Module,
    feed: Feed,
    objective: Objective,
    enough: Callable[[], bool],
    *,
    lr: float,
    clip: float,
    iterations: int,
    every: int,
) -> int | None:
    """Train with Adam, the gradient clipped by its norm.

    Args:
        enough: asked after every few iterations; ends the training by saying yes.

    Returns:
        The iteration at which it was enough, or None.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the trainer has ended its iteration.
    """
    adam = Adam(model.parameters(), lr=lr)
    trainer = Trainer(model, adam, feed, objective, clip_norm=clip)
    while trainer.iteration < iterations:
        trainer.run(min(trainer.iteration + every, iterations))
        if trainer.interrupted:
            raise KeyboardInterrupt
        model.eval()
        with no_grad():
            if enough():
                return trainer.iteration
    return None


# -- saying what came out ---------------------------------------------------------------------------


def column(runs: Sequence[Figures], name: str) -> list[float]:
    """One figure of all seeds; what was never reached counts as infinite."""
    return [math.inf if run[name] is None else float(run[name]) for run in runs]


def middle(values: Sequence[float]) -> float:
    """The median: of an even number of values the mean of the two in the middle.

    >>> middle([3.0, 1.0, 2.0]), middle([1.0, 2.0])
    (2.0, 1.5)
    """
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def spread(values: Sequence[float], form: str = ".3g") -> str:
    """Median and range.

    >>> spread([3.0, 1.0, 2.0]), spread([2.0]), spread([800.0, math.inf, 1200.0], ",.0f")
    ('2 (1 to 3)', '2 (one seed)', '1,200 (800 to never)')
    >>> spread([math.inf, math.inf])
    'never (2 seeds)'
    """
    low, high = (number(pick(values), form) for pick in (min, max))
    if len(values) == 1:
        return f"{low} (one seed)"
    if low == high:
        return f"{low} ({len(values)} seeds)"
    return f"{number(middle(values), form)} ({low} to {high})"


def number(value: float, form: str) -> str:
    """One figure in words: what is infinite was never reached."""
    return "never" if math.isinf(value) else format(value, form)


def table(heading: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    rows = [heading, *lines]
    written = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([written[0], "|" + "---|" * len(heading), *written[1:]])
