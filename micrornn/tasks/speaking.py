"""Text from a trained character model: a start, then each character drawn and read in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.context import no_grad
from micrornn.data.text import Vocabulary
from micrornn.tasks.models import Symbols

if TYPE_CHECKING:
    from numpy.random import Generator


def character_model(characters: int, options: Mapping[str, Any]) -> Symbols:
    """The model that a task's options ask for, over so many different characters."""
    wanted = {name: options[name] for name in ("hidden", "layers", "seed") if name in options}
    return Symbols(options["cell"], characters, characters, **wanted)


def distribution(logits: Any, temperature: float) -> Any:
    """Probabilities from logits: softmax(logits / temperature); at 0, all of it on the largest.

    >>> distribution(np.array([0.0, np.log(3.0)]), 1.0)
    array([0.25, 0.75])
    >>> distribution(np.array([0.0, 1.0]), 0.0)
    array([0., 1.])
    """
    logits = np.asarray(logits, dtype=float)
    if temperature == 0:
        return (np.arange(len(logits)) == logits.argmax()).astype(float)
    scaled = logits / temperature
    weights = np.exp(scaled - scaled.max())
    return weights / weights.sum()


def speak(
    model: Symbols,
    vocabulary: Vocabulary,
    start: str,
    length: int,
    temperature: float,
    rng: Generator,
) -> Iterator[str]:
    """Characters one by one: first those of the start, then ``length`` that the model draws.

    Args:
        start: what it reads first; at least one character, all of the vocabulary.
        temperature: below 1 it dares less, above 1 more; 0 takes the likeliest each time.

    Raises:
        ValueError: the start is empty or has a character that was not in the text, or the temperature is
            negative.

    >>> model, vocabulary = Symbols("rnn", 2, 2, hidden=1), Vocabulary("ab")
    >>> model.load_state_dict({k: 0 * v for k, v in model.state_dict().items()})
    >>> "".join(speak(model, vocabulary, "b", 3, 0.0, np.random.default_rng(0)))
    'baaa'
    """
    if not start:
        raise ValueError("a model that goes on needs a start; give at least one character")
    if not temperature >= 0:
        raise ValueError(f"temperature {temperature}; give 0 or more")
    for character in start:
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
        chances = distribution(outputs[-1].numpy()[0], temperature)
        numbers = np.array([rng.choice(len(chances), p=chances)])
        yield vocabulary.decode(numbers)
