"""Text from a trained character model: a start, then each character drawn and read in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.text import Vocabulary
from micrornn.nn.decoding import check_drawing, distribution
from micrornn.tasks.models import Symbols

if TYPE_CHECKING:
    from numpy.random import Generator


def character_model(characters: int, options: Mapping[str, Any]) -> Symbols:
    """The model that a task's options ask for, over so many different characters."""
    wanted = {name: options[name] for name in ("hidden", "layers", "seed") if name in options}
    return Symbols(options["cell"], characters, characters, **wanted)


def speak(
    model: Symbols,
    vocabulary: Vocabulary,
    start: str,
    length: int,
    temperature: float,
    rng: Generator,
    top_k: int | None = None,
    until: str | None = None,
) -> Iterator[str]:
    """Characters one by one: first those of the start, then up to ``length`` that the model draws.

    Args:
        start: what it reads first; at least one character, all of the vocabulary.
        temperature, top_k: see `distribution`.
        until: the character that ends it, which is not given out; None: none does.

    Raises:
        ValueError: the start is empty or has a character that was not in the text, or so has ``until``, or
            temperature and ``top_k`` are not as `distribution` wants them; before the first character.

    >>> model, vocabulary = Symbols("rnn", 2, 2, hidden=1), Vocabulary("ab")
    >>> _ = model.load_state_dict({k: 0 * v for k, v in model.state_dict().items()})
    >>> "".join(speak(model, vocabulary, "b", 3, 0.0, np.random.default_rng(0)))
    'baaa'
    """
    check_drawing(temperature, top_k)
    if not start:
        raise ValueError("a model that goes on needs a start; give at least one character")
    if until is not None and len(until) != 1:
        raise ValueError(f"until={until!r}; give the one character that ends what it says")
    for character in start + (until or ""):
        if character not in vocabulary:
            raise ValueError(
                f"the model has never read {character!r}; it knows {''.join(vocabulary)!r}"
            )
    numbers = vocabulary.encode(start)
    model.eval()
    state = None
    yield from start
    for _ in range(length):
        with no_grad():
            outputs, state = model(numbers[:, np.newaxis], state)
        chances = distribution(outputs[-1].numpy()[0], temperature, top_k)
        numbers = np.array([rng.choice(len(chances), p=chances)])
        character = vocabulary.decode(numbers)
        if character == until:
            return
        yield character
