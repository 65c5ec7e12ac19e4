"""text and names: a character language model (Karpathy's min-char-rnn, 2015, is the classic).

The model reads a long text and predicts each next character; the last tenth is measured on, the tenth before
it is to choose by. The default texts come with Python: the help topics, 465,000 characters, and the Unicode
names of letters. The baselines count: a loss below that of bigrams means that more than one past character is
used, and one below that of five-grams more than four.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Stream
from micrornn.data.text import Vocabulary
from micrornn.tasks.baselines import ngrams
from micrornn.tasks.generation import character_model
from micrornn.tasks.network import predicted
from micrornn.tasks.problem import Example, Measure, Problem, at_least
from micrornn.training.objective import by_step

Array = np.ndarray[Any, Any]
MEASURED = 2000  # characters of the held-out part that are measured on
WIDTH = 40  # characters of an example


def problem(
    text: str | None = None,
    cell: str = "lstm",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 25,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn a text, by default the help topics of Python.

    Args:
        text: the text itself.
        steps: how many characters are read between two updates; the state is carried on.
        batch: the number of pieces that the text is cut into and that are read in parallel.

    Raises:
        ValueError: the text is too short, or has one distinct character.

    >>> made = problem("to be or not to be " * 20, steps=5, batch=2, hidden=4)
    >>> len(made.memory["characters"])
    7
    """
    text = _topics() if text is None else text
    sizes = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
    return _language_model("the text", text, sizes, steps, batch)


def names(
    text: str | None = None,
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 25,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn names, one per line, by default those that Unicode gives to letters; see `problem`."""
    text = _letters() if text is None else text
    sizes = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
    return _language_model("the list of names", text, sizes, steps, batch)


def _language_model(
    what: str, text: str, sizes: dict[str, object], steps: int, lanes: int
) -> Problem:
    at_least(1, steps=steps)
    vocabulary = Vocabulary(text)
    if len(vocabulary) < 2:
        few = f"only one distinct character, {text[0]!r}" if text else "no characters"
        raise ValueError(f"{what} has {few}; give a text with at least two distinct characters")
    indices = vocabulary.encode(text)
    tenth = max(len(indices) // 10, 2)
    cut = max(len(indices) - 2 * tenth, 0)
    training, rest = indices[:cut], indices[cut:]
    choosing, held_out = rest[:-tenth][: MEASURED + 1], rest[-tenth:][: MEASURED + 1]
    if len(training) - 1 < steps:
        raise ValueError(
            f"{what} has {len(text):,} characters, a fifth of which is not trained on: too short for {steps} "
            "steps; give a longer text, or fewer --steps"
        )
    fitting = min(lanes, (len(training) - 1) // steps)
    network = character_model(len(vocabulary), sizes)
    objective = by_step(network)
    bigrams, trigrams, fives = ngrams(training, held_out, (2, 3, 5))

    def loss(part: Array) -> float:
        return objective(Batch(part[:-1, None], part[1:, None]), None).total.item()

    def measures() -> list[Measure]:
        nats = loss(held_out)
        guessing = f"{np.log(len(vocabulary)):.4g} nats by guessing"
        counted = {"bigrams": bigrams, "trigrams": trigrams, "five-grams": fives}
        return [
            Measure.beside("nats per held-out character", nats, counted, lower=True),
            Measure("perplexity", float(np.exp(nats)), guessing),
        ]

    def examples() -> Iterator[Example]:
        for i in range(0, max(1, len(held_out) - WIDTH), WIDTH):
            piece = held_out[i : i + WIDTH + 1]
            outputs, _ = network(piece[:-1, None])
            rows = piece[:-1], piece[1:], predicted(outputs).ravel()
            yield Example(*map(vocabulary.decode, rows))

    return Problem(
        f"{network} predicts each next character of {what}: {len(text):,} characters, "
        f"{len(vocabulary)} distinct",
        network,
        Stream(training[:-1], training[1:], steps, fitting),
        objective,
        measures,
        examples,
        validate=lambda: loss(choosing),
        clip=5.0,
        iterations=600,
        memory={"characters": "".join(vocabulary)},
        inputs=lambda b: vocabulary.decode(b.inputs[:, 0]),
        labels=lambda b: vocabulary.decode(b.targets[:, 0]),
        remarks=[f"the text is short: batch {lanes} reduced to {fitting}"]
        if fitting < lanes
        else [],
    )


def _topics() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics.values())


def _letters() -> str:
    import unicodedata

    every = [unicodedata.name(chr(code), "") for code in range(0x41, 0x2E80)]
    letters = [name.lower() for name in every if "LETTER" in name]
    order = np.random.default_rng(0).permutation(
        len(letters)
    )  # the held-out part has all alphabets
    return "\n".join(letters[i] for i in order)
