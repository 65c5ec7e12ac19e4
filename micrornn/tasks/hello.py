"""hello and data: predict each next character of one word.

Of "hello" the network reads h, e, l, l and predicts e, l, l, o. One l is followed by l and the other by o, so
a model without memory cannot bring the sum of the four losses below 2 ln 2 = 1.386: a lower sum proves that
the state remembers. In "data" every character has one successor, so the bound is 0 and memory is not needed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from micrornn.data.feeds import Batch, Drawn
from micrornn.data.text import Vocabulary, pairs
from micrornn.messages import quoted
from micrornn.tasks.network import Network, predicted
from micrornn.tasks.problem import Example, Measure, Problem, View, at_least
from micrornn.training.objective import by_step

LOSSES = ("last", "all")
MOST_STEPS = 10_000  # unless steps are given: each is a column of a picture


def problem(
    text: str = "hello",
    cell: str = "rnn",
    hidden: int = 8,
    layers: int = 1,
    bidirectional: bool = False,
    steps: int | None = None,
    loss: str = "all",
    seed: int = 0,
) -> Problem:
    """Learn a short text by heart.

    Args:
        text: what to read; its distinct characters are the vocabulary, each a one-hot vector.
        steps: cut a longer text to so many steps, or repeat a shorter one; the whole text by default.
        loss: ``"all"`` for the sum of all losses, ``"last"`` for that of the last step.

    Raises:
        ValueError: the text has fewer than two distinct characters, or an option is out of range.

    >>> view = problem(steps=6).view
    >>> view.inputs, view.remarks
    (['h', 'e', 'l', 'l', 'o', 'h'], ['the text "hello" has 4 steps; repeated to fill 6'])
    """
    vocabulary = Vocabulary(text)
    if len(vocabulary) < 2:
        given = (
            f"the text {quoted(text)} has one distinct character" if text else "the text is empty"
        )
        raise ValueError(f"{given}; there is nothing to predict, so give a text with at least two")
    if loss not in LOSSES:
        raise ValueError(f"loss={loss!r}; choose from {', '.join(LOSSES)}")
    sizes = (len(vocabulary), len(vocabulary))
    network = Network(
        cell,
        *sizes,
        hidden=hidden,
        layers=layers,
        bidirectional=bidirectional,
        symbols=True,
        seed=seed,
    )
    sequence, remarks = _unrolled(text, steps)
    indices = vocabulary.encode(sequence)
    batch = Batch(indices[:-1, None], indices[1:, None])
    objective = by_step(network, reduction="sum", last_only=loss == "last")
    bound = memoryless(text)

    def measures() -> list[Measure]:
        total = objective(batch, None).total.item()
        if bound == 0:
            why = "learned; proves no memory, since each character has one successor"
            return [Measure.below("sum of losses", total, 0.1, why)]
        why = f"{bound / math.log(2):.3g} ln 2, the bound without memory"
        return [Measure.below("sum of losses", total, bound, why)]

    def examples() -> Iterator[Example]:
        outputs, _ = network(batch.inputs)
        yield Example(text[:-1], text[1:], vocabulary.decode(predicted(outputs).ravel()))

    inputs, targets = sequence[:-1], sequence[1:]
    goal = quoted(targets) if loss == "all" else f"{quoted(targets[-1])} at the end"
    title = f"{network} reads {quoted(inputs)}, predicts {goal}"
    single = Batch(indices[:-1], indices[1:])
    return Problem(
        title,
        network,
        Drawn(lambda rng: batch),
        objective,
        measures,
        examples,
        lr=0.03,
        iterations=150,
        memory={"characters": "".join(vocabulary)},
        view=View(title, single, list(inputs), list(targets), remarks),
    )


def data(
    text: str = "data", cell: str = "rnn", hidden: int = 8, layers: int = 1, seed: int = 0
) -> Problem:
    """The same for a word that needs no memory; see `problem`."""
    return problem(text, cell, hidden, layers, seed=seed)


def memoryless(text: str) -> float:
    """The least sum of cross-entropies of a model that sees one character at a time.

    It is the entropy of the successors of each character, times how often it occurs.

    >>> round(memoryless("hello"), 3), memoryless("data")
    (1.386, 0.0)
    """
    follows = Counter(pairs(text))
    occurs = Counter(text[:-1])
    return abs(sum(n * math.log(occurs[a] / n) for (a, _), n in follows.items()))


def _unrolled(text: str, steps: int | None) -> tuple[str, list[str]]:
    """The text of one character more than there are steps, and a remark if it was repeated."""
    own = len(text) - 1
    if steps is None:
        if own > MOST_STEPS:
            raise ValueError(
                f"the text has {len(text):,} characters; give the number of steps, such as --steps 50"
            )
        steps = own
    at_least(1, steps=steps)
    if steps <= own:
        return text[: steps + 1], []
    length = f"{own} step{'s' if own > 1 else ''}"
    repeated = text * (steps // len(text) + 2)
    return repeated[: steps + 1], [
        f"the text {quoted(text)} has {length}; repeated to fill {steps}"
    ]
