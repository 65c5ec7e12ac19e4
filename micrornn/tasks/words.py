"""hello and data: one word, learnt by heart, each character from those before it.

What the sum of the losses can come down to without memory tells the two apart. In hello an l is followed
by l and by o, so that whoever sees the l alone has to be unsure twice: at least 2 ln 2 = 1.386. In data d is
followed by a, a by t, t by a: no character asks for memory, the least is 0, and learning it proves nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Drawn
from micrornn.data.text import Vocabulary, pairs, quoted
from micrornn.tasks.models import likeliest
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.tasks.speaking import character_model
from micrornn.training.objective import by_step


def memoryless(text: str) -> float:
    """The least sum of cross-entropies for a model that sees each character alone.

    For each character, the entropy of what follows it, as often as it occurs.

    >>> round(memoryless("hello"), 3), memoryless("data")
    (1.386, 0.0)
    """
    follows = Counter(pairs(text))
    occurs = Counter(text[:-1])
    return abs(sum(n * math.log(occurs[a] / n) for (a, _), n in follows.items()))


def hello(
    text: str = "hello",
    cell: str = "rnn",
    hidden: int = 8,
    layers: int = 1,
    seed: int = 0,
) -> Problem:
    """Learn a short text by heart.

    Raises:
        ValueError: the text has fewer than two different characters.
    """
    vocabulary = Vocabulary(text)
    if len(vocabulary) < 2:
        raise ValueError(
            f"the text {quoted(text)} has fewer than two different characters, so there is nothing to "
            "predict; give one with at least two"
        )
    options = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
    model = character_model(len(vocabulary), options)
    numbers = vocabulary.encode(text)[:, np.newaxis]
    batch = Batch(numbers[:-1], numbers[1:])
    objective = by_step(model, reduction="sum")
    floor = memoryless(text)

    def measures() -> list[Measure]:
        total = objective(batch, None).total.item()
        what = "sum of the losses"
        if floor == 0:
            why = "learnt; but a model without memory can do it, so this proves none"
            return [Measure.below(what, total, 0.1, why)]
        why = f"what no model without memory can ({floor / math.log(2):.3g} ln 2)"
        return [Measure.below(what, total, floor, why)]

    def show(count: int) -> list[Shown]:
        outputs, _ = model(batch.inputs)
        said = vocabulary.decode(likeliest(outputs).ravel())
        return [Shown(text[:-1], text[1:], said)]

    return Problem(
        f"learn {quoted(text)} by heart",
        model,
        Drawn(lambda rng: batch),
        objective,
        measures,
        show,
        lr=0.03,
        iterations=150,
        memory={"characters": "".join(vocabulary)},
        inputs=lambda b: vocabulary.decode(b.inputs[:, 0]),
        labels=lambda b: vocabulary.decode(b.targets[:, 0]),
    )


def data(
    text: str = "data",
    cell: str = "rnn",
    hidden: int = 8,
    layers: int = 1,
    seed: int = 0,
) -> Problem:
    """The same for a word that needs no memory; see `hello`."""
    return hello(text, cell, hidden, layers, seed)


def speaker(options: Mapping[str, Any], memory: Mapping[str, Any]) -> Any:
    """The model and the vocabulary of a trained checkpoint."""
    return character_model(len(memory["characters"]), options), Vocabulary(memory["characters"])
