"""What a module owns: its parameters, buffers and modules, by attribute and by dotted path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from micrornn.core.tensor import Tensor
from micrornn.options import check

T = TypeVar("T")


class Parameter(Tensor):
    """A leaf that a module owns and an optimizer changes.

    Its name becomes its dotted path once a module owns it (``encoder.weight_ih_l0``), because readers of
    the graph label it by that; a name given here is kept.

    Raises:
        TypeError: the data is not floating-point, so it cannot have a gradient.
        ValueError: ``requires_grad`` is not a truth value, or the name not text.

    >>> Parameter([1.0, 2.0], name="w")
    tensor([1., 2.], name='w', requires_grad=True)
    """

    __slots__ = ()

    def __init__(
        self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None
    ) -> None:
        check("Parameter", requires_grad=requires_grad, name=name)
        super().__init__(data, requires_grad, name, dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameter, (self._value, self.requires_grad, self.name)


class Registry:
    """An object that registers the parameters, buffers and modules assigned to its attributes.

    Each kind has a dictionary from attribute to object, or to None for a reserved name.
    """

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _not_saved: set[str]  # the buffers that a state_dict leaves out
    _path: str  # "" at the top, else ending in a dot

    def __init__(self) -> None:
        self.__dict__.update(_parameters={}, _buffers={}, _modules={}, _not_saved=set(), _path="")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        kind = _kind_of(value)
        if "_path" not in own:
            if kind:
                raise AttributeError(
                    f"{type(self).__name__}.{name} was assigned before the module was ready; "
                    "call super().__init__() first"
                )
        elif kind:
            self._own(kind, name, value)
            return
        elif name in own["_buffers"]:
            self._own("_buffers", name, self._as_buffer(name, value))
            return
        elif value is None and (kind := self._held_as(name)):
            self._own(kind, name, None)
            return
        elif own["_parameters"].get(name) is not None:
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter and cannot become "
                f"{type(value).__name__}; give nn.Parameter(...), or set its values: .data = new_array"
            )
        else:
            self._disown(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._disown(name)

    def _held_as(self, name: str) -> str:
        kinds = ("_parameters", "_buffers", "_modules")
        return next((kind for kind in kinds if name in self.__dict__[kind]), "")

    def _own(self, kind: str, name: str, value: Any) -> None:
        """Register an object under a name, and set its path."""
        own = self.__dict__
        self._disown(name, keeps_place=self._held_as(name) == kind)
        own[kind][name] = own[name] = value
        if isinstance(value, Registry):
            value._move("", f"{self._path}{name}.")
        elif value is not None and value.name is None:
            value.name = self._path + name

    def _disown(self, name: str, keeps_place: bool = False) -> None:
        """Unregister a name, or, with ``keeps_place``, only detach what it holds."""
        module = self._modules.get(name)
        if module is not None:
            module._move(f"{self._path}{name}.", "")
        if (kind := self._held_as(name)) and not keeps_place:
            del self.__dict__[kind][name]
            self._not_saved.discard(name)

    def _move(self, old: str, new: str) -> None:
        """Change the path of this object and of all it owns."""
        if self._path != old:  # another owner gave it its path
            return
        for tensors in (self._parameters, self._buffers):
            for name, tensor in tensors.items():
                # A name the user chose, or one that another module gave to a shared weight, stays.
                if tensor is not None and tensor.name == old + name:
                    tensor.name = new + name
        for name, module in self.named_children():
            module._move(f"{old}{name}.", f"{new}{name}.")
        self.__dict__["_path"] = new

    # -- owned by name -----------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a parameter under a name; None reserves the name.

        Raises:
            TypeError: it is not a `Parameter`.
            KeyError: the name is empty, has a dot, or is taken.
        """
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"{type(self).__name__}: parameter {name!r} is of type {type(param).__name__}; give "
                "nn.Parameter(...) or None"
            )
        self._own("_parameters", self._free(name, "_parameters"), param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Register a tensor that no optimizer changes, such as a running mean; None reserves the name.

        Args:
            name: the attribute.
            tensor: a tensor that requires no gradient, what becomes one, or None.
            persistent: whether it is part of the ``state_dict``.

        Raises:
            TypeError: it is not numeric, or requires a gradient.
            KeyError: the name is empty, has a dot, or is taken.

        >>> from micrornn import nn
        >>> module = nn.Module()
        >>> module.register_buffer("mean", [0.0, 0.0])
        >>> list(module.state_dict()), list(module.parameters())
        (['mean'], [])
        """
        self._own("_buffers", self._free(name, "_buffers"), self._as_buffer(name, tensor))
        (self._not_saved.discard if persistent else self._not_saved.add)(name)

    def register_module(self, name: str, module: Any) -> None:
        """Register a module under a name; None reserves the name.

        Raises:
            TypeError: it is not a module.
            KeyError: the name is empty, has a dot, or is taken.
        """
        if module is not None and not isinstance(module, Registry):
            raise TypeError(
                f"{type(self).__name__} holds modules, not {type(module).__name__}; give nn.Module "
                "objects, such as nn.Linear(2, 1) or nn.Tanh()"
            )
        self._own("_modules", self._free(name, "_modules"), module)

    add_module = register_module

    def _free(self, name: Any, kind: str) -> str:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{type(self).__name__}: name {name!r}; give a word without dots")
        if hasattr(self, name) and name not in self.__dict__[kind]:
            raise KeyError(f"{type(self).__name__} has an attribute {name!r}; give another name")
        return str(name)

    def _as_buffer(self, name: str, value: Any) -> Tensor | None:
        tensor = value if value is None or isinstance(value, Tensor) else Tensor(value)
        if tensor is not None and tensor.requires_grad:
            raise TypeError(
                f"{type(self).__name__}: buffer {name!r} requires a gradient; give .detach(), or make it a "
                "parameter: nn.Parameter(...)"
            )
        return tensor

    # -- all that it owns --------------------------------------------------------------------------

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """This module and all below it, each once, with dotted paths; its own path is ``prefix``."""
        seen: set[int] = set()
        waiting: list[tuple[str, Any]] = [(prefix, self)]
        while waiting:
            path, module = waiting.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            below = [(_joined(path, name), child) for name, child in module.named_children()]
            waiting.extend(reversed(below))

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The modules that are attributes of this one, by attribute."""
        for name, module in self._modules.items():
            if module is not None:
                yield name, module

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, with dotted paths; a shared one has the first of its paths.

        Args:
            prefix: the start of every path.
            recurse: whether to include those of the modules below.
        """
        yield from _each_once(self._entries("_parameters", prefix, recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """All buffers, each once, with dotted paths; arguments as `named_parameters`."""
        yield from _each_once(self._entries("_buffers", prefix, recurse))

    def _entries(
        self, kind: str, prefix: str = "", recurse: bool = True, saved: bool = False
    ) -> Iterator[tuple[str, Any]]:
        # With every path of a shared tensor, as a state_dict has it.
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, tensor in module.__dict__[kind].items():
                if tensor is not None and not (saved and name in module._not_saved):
                    yield _joined(path, name), tensor


def _kind_of(value: Any) -> str:
    if isinstance(value, Parameter):
        return "_parameters"
    return "_modules" if isinstance(value, Registry) else ""


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _each_once(entries: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    seen: set[int] = set()
    for path, value in entries:
        if id(value) not in seen:
            seen.add(id(value))
            yield path, value
