"""sentiment: a review is read word by word, and at its end it is good or bad; many to one.

No free collection of reviews comes with Python, so these are made up by a small grammar, said plainly: the
point is what makes the task hard. "Not" and "never" turn round the word that follows, and what is said after
"but" counts in the place of what was said before, so that counting good and bad words is not enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.nn.decoding import distribution
from micrornn.tasks.models import ConcludingSymbols, likeliest
from micrornn.tasks.output import nearest
from micrornn.tasks.problem import Answer, Measure, Problem, Shown, at_least
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator

GOOD = ("good", "great", "funny", "moving", "clever")
BAD = ("bad", "dull", "awful", "boring", "silly")
THINGS = ("film", "plot", "cast", "music", "ending")
OTHERS = ("the", "is", "was", "really", "very", "quite", "not", "never", "but", "and", ".")
WORDS = (*GOOD, *BAD, *THINGS, *OTHERS)
DRAWN = {"steps": 9, "hidden": 4}


def review(rng: Generator, steps: int) -> tuple[list[str], int]:
    """So many words, and 1 for a good or 0 for a bad review.

    >>> words, good = review(np.random.default_rng(3), 12)
    >>> " ".join(words), good
    ('. the ending was not bad but the music was very moving', 1)
    """
    first, good = _clause(rng)
    words = first
    if rng.random() < 0.5:
        second, good = _clause(rng)
        words = [*first, "but", *second]
    return ["."] * (steps - len(words)) + words[-steps:], good


def _clause(rng: Generator) -> tuple[list[str], int]:
    good = int(rng.integers(2))
    turned = rng.random() < 0.4
    said = (GOOD if good != turned else BAD)[rng.integers(5)]
    how = [str(rng.choice(["not", "never"]))] if turned else []
    if not turned and rng.random() < 0.5:
        how = [str(rng.choice(["really", "very", "quite"]))]
    thing = THINGS[rng.integers(5)]
    return ["the", thing, str(rng.choice(["is", "was"])), *how, said], good


def draw(rng: Generator, steps: int, batch: int) -> Batch:
    """Reviews (T, B) of word numbers, filled up with full stops in front, and what they are (B,)."""
    made = [review(rng, steps) for _ in range(batch)]
    numbers = {word: i for i, word in enumerate(WORDS)}
    inputs = np.array([[numbers[word] for word in words] for words, _ in made]).T
    return Batch(inputs, np.array([good for _, good in made]))


def counting(batch: Batch) -> float:
    """The share that one gets right by counting good and bad words; a tie is right half the time."""
    marks = np.array([1] * len(GOOD) + [-1] * len(BAD) + [0] * (len(WORDS) - 10))
    balance = marks[batch.inputs].sum(0)
    right = np.where(balance == 0, 0.5, (balance > 0) == (batch.targets == 1))
    return float(right.mean())


def problem(
    cell: str = "gru",
    hidden: int = 16,
    layers: int = 1,
    steps: int = 12,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to tell good reviews from bad ones.

    Raises:
        ValueError: no step.
    """
    at_least(1, steps=steps)
    model = ConcludingSymbols(cell, len(WORDS), 2, hidden=hidden, layers=layers, seed=seed)
    test = draw(np.random.default_rng(10**6 + seed), steps, 300)

    objective = at_end(model)

    def said() -> Any:
        return likeliest(model(test.inputs)[0])[0]

    def measures() -> list[Measure]:
        right = float((said() == test.targets).mean())
        return [Measure.above("right", right, counting(test), "counting good and bad words")]

    def show(count: int) -> list[Shown]:
        kinds = ("bad", "good")
        return [
            Shown(" ".join(WORDS[k] for k in row).lstrip(". "), kinds[target], kinds[answer])
            for row, target, answer in zip(test.inputs.T[:count], test.targets, said())
        ]

    def answer(text: str, width: int) -> list[Answer]:
        words = text.lower().split()
        for word in words:
            if word not in WORDS:
                raise ValueError(f"{word!r} is in none of the reviews; {nearest(word, WORDS)}")
        if not words:
            raise ValueError("there is no word to judge; give a review")
        numbers = np.array([[WORDS.index(word)] for word in words])
        (good,), _ = model(numbers)
        chances = distribution(good.numpy()[0])
        return [Answer(("bad", "good")[k], float(chances[k])) for k in np.argsort(-chances)]

    return Problem(
        "whether a review is good or bad",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        answer,
        iterations=200,
        inputs=lambda b: [WORDS[i] for i in b.inputs[:, 0]],
    )
