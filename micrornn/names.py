"""The error for a name that is not there, which says what to use instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn


def missing(
    what: str, name: str, known: Iterable[str], instead: Mapping[str, str], prefix: str = ""
) -> AttributeError:
    """The AttributeError for a name, to be raised: it says what to use, or suggests what is spelled alike.

    Args:
        what: what was asked, such as ``a tensor``.
        known: the names that it has.
        instead: by name, what to do instead.
        prefix: what stands before a name that is suggested.

    >>> missing("a tensor", "reshap", ["reshape", "sum"], {}, ".")
    AttributeError('a tensor has no reshap; did you mean .reshape?')
    """
    from difflib import get_close_matches  # loaded for the error, not on import

    text = f"{what} has no {name}"
    if name in instead:
        return AttributeError(f"{text}; {instead[name]}", name=name)
    by_lower = {one.lower(): one for one in known if not one.startswith("_")}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return AttributeError(
        f"{text}; did you mean {prefix}{by_lower[near[0]]}?" if near else text, name=name
    )


def no_such_name(
    module: str, names: Iterable[str], instead: Mapping[str, str]
) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a module.

    Args:
        module: its name as users write it, such as ``nn.init``.
        names: the names that it has.
        instead: what to use for missing names of PyTorch.

    >>> no_such_name("nn", ["Softmax", "Softplus"], {})("SoftMax")
    Traceback (most recent call last):
    AttributeError: nn has no SoftMax; did you mean nn.Softmax?
    """

    def __getattr__(name: str) -> NoReturn:
        if name.startswith("__"):  # a question of Python itself
            raise AttributeError(name)
        advice = {key: f"use {value}" for key, value in instead.items()}
        raise missing(module, name, names, advice, f"{module}.")

    return __getattr__
