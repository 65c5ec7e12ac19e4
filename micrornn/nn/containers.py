"""Containers of modules and of parameters: lists and dictionaries, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module
from micrornn.nn.registry import Parameter
from micrornn.options import is_integer

L = TypeVar("L", bound="_List")


class _Container(Module):
    """Holds modules, or parameters, by name."""

    _kind = "_modules"

    @property
    def _held(self) -> dict[str, Any]:
        held: dict[str, Any] = self.__dict__[self._kind]
        return held

    def _add(self, name: str, value: Any) -> None:
        self.register_module(name, value)

    def __len__(self) -> int:
        return len(self._held)


class _Parameters(_Container):
    """Holds parameters; other values become parameters, as in PyTorch."""

    _kind = "_parameters"

    def _add(self, name: str, value: Any) -> None:
        if not isinstance(value, Parameter):
            value = Parameter(value._value if isinstance(value, Tensor) else value)
        self.register_parameter(name, value)

    def extra_repr(self) -> str:
        """The shape of each."""
        return ", ".join(f"({name}): {value.shape}" for name, value in self._held.items())


class _List(_Container):
    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def append(self: L, value: Any) -> L:
        """Append a value."""
        self._add(str(len(self)), value)
        return self

    def extend(self: L, values: Iterable[Any]) -> L:
        """Append several values."""
        if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
            raise TypeError(
                f"{type(self).__name__} was given {type(values).__name__}; give a list or another "
                "sequence"
            )
        for value in list(values):
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> None:
        """Insert a value before an index."""
        values = list(self)
        values.insert(index, value)
        self._become(values)

    def pop(self, index: int = -1) -> Any:
        """Remove and return the value at an index."""
        value = self[index]
        del self[index]
        return value

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._held.values()))

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self._held[self._name(index)]
        part = type(self)()
        part._become(list(self)[index])
        return part

    def __setitem__(self, index: int, value: Any) -> None:
        self._add(self._name(index), value)

    def __delitem__(self, index: Any) -> None:
        values = list(self)
        del values[index]
        self._become(values)

    def _name(self, index: int) -> str:
        names = list(self._held)
        if not is_integer(index) or not -len(names) <= index < len(names):
            raise IndexError(
                f"{type(self).__name__} has {len(names)} entries and none at {index!r}; give an integer "
                f"from {-len(names)} to {len(names) - 1}, or a slice"
            )
        return names[index]

    def _become(self, values: list[Any]) -> None:
        # Renumbered: after the first is removed, the second is 0, and the paths of its parameters follow.
        for name, value in list(self._held.items()):
            delattr(self, name)
            if isinstance(value, Parameter) and value.name == self._path + name:
                value.name = None
        self.extend(values)


class _Dict(_Container):
    def __init__(self, values: Any = ()) -> None:
        super().__init__()
        self.update(values)

    def update(self, values: Any) -> None:
        """Add values from a dictionary or from pairs; existing names are replaced."""
        for name, value in dict(values).items():
            self._add(name, value)

    def __getitem__(self, name: str) -> Any:
        if name not in self._held:
            known = ", ".join(map(repr, self._held)) or "none"
            raise KeyError(f"{type(self).__name__} has no {name!r}; its names: {known}")
        return self._held[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._add(name, value)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Any:
        """Remove and return the value of a name."""
        value = self[name]
        delattr(self, name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._held))

    def keys(self) -> list[str]:
        """The names."""
        return list(self._held)

    def values(self) -> list[Any]:
        """The values."""
        return list(self._held.values())

    def items(self) -> list[tuple[str, Any]]:
        """Names and values."""
        return list(self._held.items())


class Sequential(_List):
    """Modules one after the other, each called with what the one before returned.

    Args:
        modules: modules in order, or one dictionary from name to module.

    Raises:
        TypeError: a value is not a module.

    >>> from micrornn import nn
    >>> nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): Linear(in_features=4, out_features=1, bias=True)
    )
    >>> nn.Sequential({"readout": nn.Linear(4, 1)}).readout.weight.name
    'readout.weight'
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named = len(modules) == 1 and isinstance(modules[0], Mapping)
        for name, module in modules[0].items() if named else enumerate(modules):
            self._add(str(name), module)

    def forward(self, input: Any) -> Any:
        """The input through every module in turn."""
        for module in self:
            input = module(input)
        return input


class ModuleList(_List):
    """A list of modules whose parameters count as the owner's.

    Raises:
        TypeError: a value is not a module.

    >>> from micrornn import nn
    >>> cells = nn.ModuleList(nn.LSTMCell(3, 3) for _ in range(2))
    >>> [name for name, _ in cells.named_parameters()][4]
    '1.weight_ih'
    """


class ModuleDict(_Dict):
    """A dictionary of modules whose parameters count as the owner's, in insertion order.

    Raises:
        TypeError: a value is not a module.
        KeyError: a name is empty, has a dot, or is that of a method.

    >>> from micrornn import nn
    >>> heads = nn.ModuleDict({"tone": nn.Linear(3, 2), "word": nn.Linear(3, 9)})
    >>> list(heads), heads["word"].weight.name
    (['tone', 'word'], 'word.weight')
    """


class ParameterList(_Parameters, _List):
    """A list of parameters, made of parameters, tensors, arrays or lists.

    >>> from micrornn import nn
    >>> scales = nn.ParameterList([[1.0], [2.0, 3.0]])
    >>> [name for name, _ in scales.named_parameters()], scales[-1].shape
    (['0', '1'], (2,))
    """


class ParameterDict(_Parameters, _Dict):
    """A dictionary of parameters, made of parameters, tensors, arrays or lists.

    >>> from micrornn import nn
    >>> initial = nn.ParameterDict({"h": [0.0, 0.0], "c": [1.0, 1.0]})
    >>> [name for name, _ in initial.named_parameters()], "c" in initial
    (['h', 'c'], True)
    """
