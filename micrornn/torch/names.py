"""What the user calls a tensor: a parameter by its path in the module, anything else by its variable."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

import torch

from micrornn.source import hide

_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_VARIABLES = 4  # frames that are searched, innermost first

hide(_TORCH)  # a node's line is the user's, not the one of PyTorch that it calls


class Names:
    """The names of parameters and modules, learned from the outermost modules as they are called."""

    def __init__(self) -> None:
        self._parameters: dict[int, str] = {}
        self._modules: dict[int, str] = {}
        self._kept: list[Any] = []  # so that ids stay their own
        self._unnamed = 0

    def learn(self, root: Any) -> None:
        """Take the names of a module that is called by the user, and of all that is in it."""
        if id(root) in self._modules:
            return
        self._kept.append(root)
        taken = set(self._parameters.values())
        own = dict(root.named_parameters(remove_duplicate=False))
        own |= dict(root.named_buffers(remove_duplicate=False))
        prefix = ""
        if taken & {name for name, p in own.items() if id(p) not in self._parameters}:
            prefix = f"{_variable(root) or type(root).__name__.lower()}."
            count = 1  # modules in a plain list are found one by one, and have no names
            while taken & {prefix + name for name in own}:
                count += 1
                prefix = f"{type(root).__name__.lower()}{count}."
        for name, parameter in own.items():
            self._parameters.setdefault(id(parameter), prefix + name)
        for name, module in root.named_modules():
            self._modules.setdefault(id(module), name or prefix.rstrip("."))

    def module(self, module: Any) -> str:
        """The path of a module, without those of the modules around it."""
        return self._modules.get(id(module), "").rpartition(".")[2]

    def of(self, tensor: Any) -> str | None:
        """The name of a tensor; None for data that no variable holds."""
        known = self._parameters.get(id(tensor)) or _variable(tensor)
        if known is None and tensor.requires_grad and tensor.is_leaf:
            self._unnamed += 1  # it has to be known again in the next iteration
            self._kept.append(tensor)
            known = self._parameters[id(tensor)] = f"parameter {self._unnamed}"
        return known


def _variable(value: Any) -> str | None:
    """The name of the user's variable that holds a value, if one does."""
    frame: FrameType | None = sys._getframe(1)
    searched = 0
    while frame is not None and searched < _VARIABLES:
        file = frame.f_code.co_filename
        if not file.startswith((_TORCH, _OURS)):
            searched += 1
            for name, held in [*frame.f_locals.items()]:
                if held is value and name.isidentifier() and name != "self":
                    return name
        frame = frame.f_back
    return None
