"""The way from the engine to what people look at, without an import of it.

Pictures and terminals are not the engine's business, so it does not import them: whoever shows its data
registers as an entry point of the group ``micrornn.views`` (see setup.cfg), and is loaded when it is
needed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.recording import Recording


@cache
def view(name: str) -> Callable[..., Any] | None:
    """The function registered under a name: ``notebook`` or ``debugger``; None where nothing is."""
    from importlib.metadata import entry_points  # a tenth of `import micrornn`, if it stood above

    for entry in entry_points(group="micrornn.views", name=name):
        return entry.load()  # type: ignore[no-any-return]
    return None


def _show(self: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """What IPython asks for: the same thing in several media types."""
    mimebundle = view("notebook")
    return mimebundle(self, include, exclude) if mimebundle else {"text/plain": repr(self)}


for _shown in (Tensor, Graph, Recording):
    setattr(_shown, "_repr_mimebundle_", _show)  # noqa: B010
