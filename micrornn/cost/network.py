"""The recurrent layers of a source, by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrornn.nn.module import Module
from micrornn.nn.unrolled import Unrolled as Layers
from micrornn.tasks import TASKS
from micrornn.tasks.source import is_python, open_file, resolve
from micrornn.tasks.unrolled import Unrolled


def layer_of(source: str, options: Mapping[str, Any]) -> Layers:
    """The recurrent layers of a task, of a checkpoint, or of a module in a Python file.

    Raises:
        ValueError: there are none that run a step at a time.
        SourceError, OSError: the source names nothing of the kind.

    >>> layer_of("adding", {"hidden": 5})
    GRU(2, 5)
    """
    if source in TASKS:
        module: Any = TASKS[source].problem(options).model
    elif is_python(source):
        file, name = open_file(source, options)
        module = file.get(name)
        if callable(module) and not isinstance(module, Module):
            module = file.call(name, module)
    else:
        module = resolve(source, options)
    if isinstance(module, Unrolled):
        module = module.model
    found = [m for m in module.modules() if isinstance(m, Layers)] if module is not None else []
    if not found or not isinstance(module, Module):
        raise ValueError(
            f"{source} has no recurrent layers to measure; give a task (micrornn list), or FILE.py:NAME "
            "where NAME is a layer such as nn.LSTM(8, 32), a module with one, or a function that returns one"
        )
    layer = found[0]
    layer.checkpoint = None
    return layer
