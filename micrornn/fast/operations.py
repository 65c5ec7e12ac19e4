"""Every primitive, as it is declared, gets the quickest forward, call and pull that fit it."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from micrornn.core.primitive import Operation, Primitive
from micrornn.fast import calls, forwards, pulls, rules


def maker(plain: Container[str], core: Callable[[Primitive], Operation]) -> Any:
    """What takes the place of `operation_of`, without the parts named in ``plain``."""

    def operation_of(p: Primitive) -> Any:
        quick = "forwards" not in plain
        if quick:
            declared = getattr(p, "declared", p.forward)
            setattr(p, "declared", declared)  # noqa: B010 - for those who read what it says
            p.forward = forwards.quicker(p.name, declared)
        vjp = p.vjp if "rules" in plain else rules.quicker(p.name, p.vjp)
        if "pulls" not in plain or vjp is not p.vjp:
            setattr(p, "pull", pulls.pull_of(p, vjp))  # noqa: B010 - before the method of the class
        return core(p) if "calls" in plain else calls.call_of(p, quick)

    return operation_of
