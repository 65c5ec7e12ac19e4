"""qa: read some facts and answer a question about one of them with one word.

The first task of Weston et al. (2015) in its simplest form, generated here: people go to places, and the
question is where somebody is. A person can move twice, and the last move counts. The question comes first, so
that the network knows what to remember; with the question at the end it has to keep every fact, and learning
takes far longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
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
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator

PEOPLE = ("mary", "john", "sandra")
PLACES = ("kitchen", "garden", "office", "bedroom")
WORDS = (*PLACES, *PEOPLE, "went", "where", "?")
INDEX = {word: i for i, word in enumerate(WORDS)}


def story(rng: Generator, facts: int) -> tuple[list[str], str]:
    """The words of a question and some facts, and the answer.

    >>> words, answer = story(np.random.default_rng(1), 2)
    >>> " ".join(words), answer
    ('where john ? john went office sandra went bedroom', 'office')
    """
    where: dict[str, str] = {}
    words: list[str] = []
    for _ in range(facts):
        person, place = PEOPLE[rng.integers(3)], PLACES[rng.integers(4)]
        where[person] = place
        words += [person, "went", place]
    asked = list(where)[rng.integers(len(where))]
    return ["where", asked, "?", *words], where[asked]


def draw(rng: Generator, facts: int, batch: int) -> Batch:
    """Word indices (3 facts + 3, B), and those of the answers (B,)."""
    stories = [story(rng, facts) for _ in range(batch)]
    inputs = np.array([[INDEX[word] for word in words] for words, _ in stories]).T
    return Batch(inputs, np.array([INDEX[answer] for _, answer in stories]))


def problem(
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    steps: int = 5,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to answer a question about ``steps`` facts.

    Raises:
        ValueError: no fact.
    """
    at_least(1, steps=steps)
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    network = Network(cell, len(WORDS), len(PLACES), symbols=True, last_only=True, **sizes)
    test = draw(held_out(seed), steps, 300)
    objective = at_end(network)
    choosing = draw(to_choose_by(seed), steps, 300)

    def predictions() -> Any:
        return predicted(network(test.inputs)[0])[0]

    def measures() -> list[Measure]:
        right = accuracy(predictions(), test.targets)
        last = accuracy(test.inputs[-1], test.targets)
        return [Measure.above("accuracy", right, last, "always the last place in the facts")]

    def examples() -> Iterator[Example]:
        for row, target, prediction in zip(test.inputs.T, test.targets, predictions()):
            yield Example(" ".join(WORDS[i] for i in row), WORDS[target], WORDS[prediction])

    return Problem(
        f"{network} predicts where somebody is after {steps} facts",
        network,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=1200,
        inputs=lambda b: [WORDS[i] for i in b.inputs[:, 0]],
        labels=lambda b: [WORDS[b.targets[0]]],
    )
