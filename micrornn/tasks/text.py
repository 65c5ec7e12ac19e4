"""text: a language model, character by character (Karpathy's min-char-rnn, 2015, is the classic).

It reads a long text and is asked for each next character; the last tenth is kept for measuring. The
standard library brings a text: the help topics of Python, 465,000 characters. A file of one's own is
``--text @FILE``. What it reaches is compared with what one reaches by counting: every character alone, and
every character by the one before it. Who is below the second uses more than one character of the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Stream
from micrornn.data.text import Vocabulary
from micrornn.tasks.models import likeliest
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.tasks.speaking import character_model
from micrornn.training.objective import by_step

DRAWN = {"steps": 12, "hidden": 8}
MEASURED = 2000  # how many of the characters kept for it are measured on


def problem(
    text: str | None = None,
    cell: str = "lstm",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 25,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn to go on with a text.

    Args:
        text: the text itself; by default the help topics of Python.
        steps: how many characters are read between two updates; the state is carried on.
        batch: into how many pieces the text is cut, to be read side by side.

    Raises:
        ValueError: the text is too short, or has only one character.

    >>> made = problem("to be or not to be " * 20, steps=5, batch=2, hidden=4)
    >>> len(made.memory["characters"])
    7
    """
    text = _topics() if text is None else text
    return _language_model(text, cell, hidden, layers, steps, batch, seed, "the text")


def names(
    text: str | None = None,
    cell: str = "gru",
    hidden: int = 64,
    layers: int = 1,
    steps: int = 25,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn how things are named: by default the names that Unicode gives to letters, one in each line."""
    text = _letters() if text is None else text
    return _language_model(text, cell, hidden, layers, steps, batch, seed, "the names")


def _language_model(
    text: str, cell: str, hidden: int, layers: int, steps: int, lanes: int, seed: int, what: str
) -> Problem:
    vocabulary = Vocabulary(text)
    if len(vocabulary) < 2:
        given = f"is one character only in {what}, {text[0]!r}" if text else f"is nothing in {what}"
        raise ValueError(f"there {given}; give a text with at least two different characters")
    numbers = vocabulary.encode(text)
    cut = max(len(numbers) - max(len(numbers) // 10, 2), 0)
    known, kept = numbers[:cut], numbers[cut:][: MEASURED + 1]
    lanes = max(1, min(lanes, (len(known) - 1) // max(steps, 1)))
    if (len(known) - 1) // lanes < steps:
        raise ValueError(
            f"there are {len(text):,} characters in {what}, a tenth of which is kept for measuring: too "
            f"short for {steps} steps; give a longer text, or fewer --steps"
        )
    options = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
    model = character_model(len(vocabulary), options)
    objective = by_step(model)
    alone, by_last = counted(known, kept, len(vocabulary))

    def reached() -> float:
        return objective(Batch(kept[:-1, None], kept[1:, None]), None).total.item()

    def measures() -> list[Measure]:
        why = "counting which character follows which"
        loss = reached()
        measured = Measure.below("nats per character, of the kept tenth", loss, by_last, why)
        singly = f"{np.log(len(vocabulary)):.4g} by guessing, {alone:.4g} by counting characters"
        return [measured, Measure("perplexity", float(np.exp(loss)), f"in nats: {singly}")]

    def show(count: int) -> list[Shown]:
        shown = []
        for i in range(min(count, max(1, (len(kept) - 1) // 40))):
            piece = kept[40 * i : 40 * i + 41]
            outputs, _ = model(piece[:-1, None])
            said = vocabulary.decode(likeliest(outputs).ravel())
            shown.append(Shown(vocabulary.decode(piece[:-1]), vocabulary.decode(piece[1:]), said))
        return shown

    return Problem(
        f"a character model of {what}: {len(text):,} characters, {len(vocabulary)} different ones",
        model,
        Stream(known[:-1], known[1:], steps, lanes),
        objective,
        measures,
        show,
        validate=reached,
        lr=0.01,
        clip=5.0,
        iterations=600,
        memory={"characters": "".join(vocabulary)},
        inputs=lambda b: vocabulary.decode(b.inputs[:, 0]),
        labels=lambda b: vocabulary.decode(b.targets[:, 0]),
    )


def counted(known: Any, kept: Any, size: int) -> tuple[float, float]:
    """The cross-entropy on ``kept`` of counting in ``known``: characters, and pairs of them.

    Every count begins at 1 for the first and at a share of the first for the second, so that nothing is
    impossible.

    >>> text = np.array([0, 1] * 50)
    >>> alone, by_last = counted(text, text, 2)
    >>> round(alone, 3), by_last < 0.02
    (0.693, True)
    """
    single = np.bincount(known, minlength=size) + 1.0
    single /= single.sum()
    double = np.zeros((size, size))
    np.add.at(double, (known[:-1], known[1:]), 1.0)
    double = (double + single) / (double.sum(1, keepdims=True) + 1.0)
    alone = -np.log(single[kept[1:]]).mean()
    return float(alone), float(-np.log(double[kept[:-1], kept[1:]]).mean())


def speaker(options: Mapping[str, Any], memory: Mapping[str, Any]) -> Any:
    """The model and the vocabulary of a trained checkpoint."""
    return character_model(len(memory["characters"]), options), Vocabulary(memory["characters"])


def _topics() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics.values())


def _letters() -> str:
    import unicodedata

    found = [unicodedata.name(chr(code), "") for code in range(0x41, 0x2E80)]
    letters = [name.lower() for name in found if "LETTER" in name]
    order = np.random.default_rng(0).permutation(
        len(letters)
    )  # alphabets mixed, as they come later
    return "\n".join(letters[i] for i in order)
