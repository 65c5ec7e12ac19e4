"""qa: some facts, then a question about one of them; the answer is one word.

The first of the tasks of Weston et al. (2015), in its plainest form and made up here: people go to places,
and one is asked where somebody is. Who was named may have moved twice: the last move counts. The question
comes first, so that one knows what to listen for; with the question at the end, every fact has to be kept,
and learning takes far longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.tasks.models import ConcludingSymbols, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import at_end

if TYPE_CHECKING:
    from numpy.random import Generator

PEOPLE = ("mary", "john", "sandra")
PLACES = ("kitchen", "garden", "office", "bedroom")
WORDS = (*PLACES, *PEOPLE, "went", "where", "?")
NUMBER = {word: i for i, word in enumerate(WORDS)}
DRAWN = {"steps": 2, "hidden": 4}


def story(rng: Generator, facts: int) -> tuple[list[str], str]:
    """The words of some facts and a question, and the answer.

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
    """Words (3 facts + 3, B) by number, and the places (B,)."""
    made = [story(rng, facts) for _ in range(batch)]
    inputs = np.array([[NUMBER[word] for word in words] for words, _ in made]).T
    return Batch(inputs, np.array([NUMBER[answer] for _, answer in made]))


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
    sizes = (len(WORDS), len(PLACES))
    model = ConcludingSymbols(cell, *sizes, hidden=hidden, layers=layers, seed=seed)
    test = draw(np.random.default_rng(10**6 + seed), steps, 300)

    objective = at_end(model)

    def said() -> Any:
        return likeliest(model(test.inputs)[0])[0]

    def measures() -> list[Measure]:
        right = float((said() == test.targets).mean())
        last = float((test.inputs[-1] == test.targets).mean())
        return [Measure.above("right answers", right, last, "always the last place that was named")]

    def show(count: int) -> list[Shown]:
        rows = zip(test.inputs.T[:count], test.targets, said())
        return [Shown(" ".join(WORDS[k] for k in row), WORDS[a], WORDS[b]) for row, a, b in rows]

    return Problem(
        f"where is somebody, after {steps} facts?",
        model,
        Drawn(lambda rng: draw(rng, steps, batch), seed),
        objective,
        measures,
        show,
        iterations=1200,
        inputs=lambda b: [WORDS[i] for i in b.inputs[:, 0]],
    )
