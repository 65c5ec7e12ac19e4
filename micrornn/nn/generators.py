"""Random generators: one that is given, one from a seed, or the shared one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import numpy as np

from micrornn.core.context import current
from micrornn.options import is_integer

if TYPE_CHECKING:
    from numpy.random import Generator  # loaded when the first number is drawn, not on import

Seed = Union["Generator", int, None]

_shared: Generator | None = None


def manual_seed(seed: int) -> None:
    """Seed the shared generator, so that draws without a generator of their own repeat.

    >>> from micrornn import nn
    >>> nn.init.manual_seed(0)
    >>> a = nn.Linear(2, 2).weight.numpy()
    >>> nn.init.manual_seed(0)
    >>> bool((nn.Linear(2, 2).weight.numpy() == a).all())
    True
    """
    global _shared
    _shared = np.random.default_rng(seed)


def as_generator(seed: Seed) -> Generator:
    """The generator itself, a new one from a seed, or the shared one for None."""
    global _shared
    if seed is None:
        if _shared is None:
            _shared = np.random.default_rng()
        seed = _shared
    if isinstance(seed, np.random.Generator):
        for observer in current().observers:
            if hasattr(observer, "on_generator"):  # what runs again must draw the same numbers
                observer.on_generator(seed)
        return seed
    if is_integer(seed) and seed >= 0:
        return np.random.default_rng(seed)
    raise TypeError(
        f"{seed!r} is neither a generator nor a seed; give an integer from 0 up, or "
        "numpy.random.default_rng(...)"
    )


def uniform(seed: Seed, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Random numbers from 0 to 1; a trace notes the draw, so that its program draws new ones."""
    generator = as_generator(seed)
    for observer in current().observers:
        if hasattr(observer, "on_draw"):
            return observer.on_draw(generator, shape)  # type: ignore[no-any-return]
    return generator.random(shape)
