"""The error for a missing name of a module, which says what to use instead.

`nn`, `nn.functional`, `nn.init`, `optim` and `optim.lr_scheduler` share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn


def no_such_name(
    module: str, names: Sequence[str], instead: Mapping[str, str]
) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a module.

    Args:
        module: its name as users write it, such as ``nn.init``.
        names: the names that it has.
        instead: what to use for missing names of PyTorch; else the most similar name is suggested.

    >>> no_such_name("nn", ["Softmax", "Softplus"], {})("SoftMax")
    Traceback (most recent call last):
    AttributeError: nn has no SoftMax; did you mean nn.Softmax?
    """

    def __getattr__(name: str) -> NoReturn:
        raise AttributeError(f"{module} has no {name}{_advice(name)}")

    def _advice(name: str) -> str:
        if name in instead:
            return f"; use {instead[name]}"
        if name.startswith("__"):  # a question of Python itself
            return ""
        from difflib import get_close_matches

        by_lower = {known.lower(): known for known in names}
        near = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
        return f"; did you mean {module}.{by_lower[near[0]]}?" if near else f"; see dir({module})"

    return __getattr__
