"""Generation: a trained character model continues a text, one sampled character at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.text import Vocabulary
from micrornn.nn.decoding import check_drawing, distribution
from micrornn.tasks.network import Network

if TYPE_CHECKING:
    from numpy.random import Generator


def character_model(characters: int, options: Mapping[str, Any]) -> Network:
    """A network over so many distinct characters, with the cell, sizes and seed of a task's options."""
    sizes = {name: options[name] for name in ("hidden", "layers", "seed") if name in options}
    return Network(options["cell"], characters, characters, symbols=True, **sizes)


def continue_text(
    model: Network,
    vocabulary: Vocabulary,
    start: str,
    length: int,
    temperature: float,
    rng: Generator,
    top_k: int | None = None,
    until: str | None = None,
) -> Iterator[str]:
    """The characters of ``start``, then up to ``length`` characters that the model samples.

    Args:
        start: what the model reads first; at least one character, all of the vocabulary.
        temperature, top_k: see `distribution`.
        until: the character to stop before; None for no such character.

    Raises:
        ValueError: ``start`` is empty or has an unknown character, or so has ``until``, or temperature and
            ``top_k`` are out of range; raised before the first character.

    >>> model, vocabulary = Network("rnn", 2, 2, hidden=1, symbols=True), Vocabulary("ab")
    >>> _ = model.load_state_dict({k: 0 * v for k, v in model.state_dict().items()})
    >>> "".join(continue_text(model, vocabulary, "b", 3, 0.0, np.random.default_rng(0)))
    'baaa'
    """
    check_drawing(temperature, top_k)
    if not start:
        raise ValueError("the start is empty; give at least one character for the model to read")
    if until is not None and len(until) != 1:
        raise ValueError(f"until={until!r}; give the one character to stop before")
    for character in start + (until or ""):
        if character not in vocabulary:
            raise ValueError(
                f"the model does not know the character {character!r}; it knows {''.join(vocabulary)!r}"
            )
    indices = vocabulary.encode(start)
    model.eval()
    state = None
    yield from start
    for _ in range(length):
        with no_grad():
            outputs, state = model(indices[:, np.newaxis], state)
        chances = distribution(outputs[-1].numpy()[0], temperature, top_k)
        indices = np.array([rng.choice(len(chances), p=chances)])
        character = vocabulary.decode(indices)
        if character == until:
            return
        yield character
