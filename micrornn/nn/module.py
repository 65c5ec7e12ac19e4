"""Parameters, and modules that hold them: PyTorch's names, so that what is learnt here is true there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from micrornn.core.tensor import Tensor

M = TypeVar("M", bound="Module")


class Parameter(Tensor):
    """A leaf that a module owns and an optimizer changes.

    Its name becomes its dotted path once a module owns it (``encoder.weight_ih_l0``), because readers of
    the graph label it by that; a name given here is kept.

    Raises:
        TypeError: the data is not floating-point, so it cannot want a gradient.

    >>> Parameter([1.0, 2.0], name="w")
    tensor([1., 2.], name='w', requires_grad=True)
    """

    __slots__ = ()

    def __init__(
        self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(data, requires_grad, name, dtype)


class Module:
    """Something with parameters that computes: assign parameters and modules to attributes, write `forward`.

    >>> from micrornn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.rnn = nn.RNN(3, 5)
    ...         self.readout = nn.Linear(5, 2)
    ...     def forward(self, x):
    ...         output, _ = self.rnn(x)
    ...         return self.readout(output)
    >>> net = Net()
    >>> [name for name, _ in net.named_parameters()][-2:]
    ['readout.weight', 'readout.bias']
    >>> net.readout.weight.name
    'readout.weight'
    """

    training: bool
    _parameters: dict[str, Parameter]
    _modules: dict[str, Module]
    _path: str

    def __init__(self) -> None:
        own = self.__dict__
        own["_parameters"] = {}
        own["_modules"] = {}
        own["_path"] = ""
        own["training"] = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass writes its own."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward; define forward(self, ...)"
        )

    # -- what it is made of ------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_parameters" not in own:
            if isinstance(value, (Parameter, Module)):
                raise AttributeError(
                    f"{type(self).__name__}.{name} was assigned before the module was ready; "
                    "call super().__init__() first"
                )
        elif isinstance(value, Parameter):
            own["_modules"].pop(name, None)
            own["_parameters"][name] = value
            if value.name is None:
                value.name = self._path + name
        elif isinstance(value, Module):
            own["_parameters"].pop(name, None)
            own["_modules"][name] = value
            value._move("", f"{self._path}{name}.")
        elif name in own["_parameters"] and value is not None:
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter and cannot become {type(value).__name__}; "
                "give nn.Parameter(...), or set its values: .data = new_array"
            )
        else:
            own["_parameters"].pop(name, None)
            own["_modules"].pop(name, None)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._parameters.pop(name, None)
        self._modules.pop(name, None)

    def _move(self, old: str, new: str) -> None:
        """Take the path that an owner gives, and pass it on to what this module owns."""
        if self._path != old:  # it has another owner, whose path it keeps
            return
        for name, parameter in self._parameters.items():
            # A name the user chose, or one that another module gave to a shared weight, stays.
            if parameter.name == old + name:
                parameter.name = new + name
        for name, module in self._modules.items():
            module._move(f"{old}{name}.", f"{new}{name}.")
        self.__dict__["_path"] = new

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with dotted paths; its own path is ``prefix``."""
        seen: set[int] = set()
        waiting = [(prefix, self)]
        while waiting:
            path, module = waiting.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            below = [
                (f"{path}.{name}" if path else name, child)
                for name, child in module._modules.items()
            ]
            waiting.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, by attribute."""
        yield from self._modules.items()

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one."""
        yield from self._modules.values()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, with dotted paths; a shared one has the first of its paths."""
        seen: set[int] = set()
        for path, parameter in self._named_entries(prefix):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield path, parameter

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, each once.

        >>> from micrornn import nn
        >>> sum(p.size for p in nn.LSTM(3, 2).parameters())
        56
        """
        for _, parameter in self.named_parameters():
            yield parameter

    def _named_entries(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        # With every path of a shared parameter, as a state_dict has it.
        for path, module in self.named_modules(prefix):
            for name, parameter in module._parameters.items():
                yield (f"{path}.{name}" if path else name), parameter

    # -- its state ---------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """The parameters' values by path: read-only arrays, which later training does not change."""
        return {path: np.asarray(parameter.data) for path, parameter in self._named_entries()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Give the parameters new values, by path; arrays, lists and PyTorch's tensors will do.

        Nothing is changed when anything is wrong. ``strict=False`` lets keys be missing or unexpected;
        shapes must agree all the same.

        Raises:
            ValueError: keys are missing or unexpected, or a shape differs.

        >>> from micrornn import nn
        >>> one, two = nn.GRU(3, 2), nn.GRU(3, 2)
        >>> two.load_state_dict(one.state_dict())
        """
        own = dict(self._named_entries())
        missing = [key for key in own if key not in state]
        unexpected = [key for key in state if key not in own]
        if strict and (missing or unexpected):
            parts = [f"missing {', '.join(missing)}"] if missing else []
            parts += [f"unexpected {', '.join(unexpected)}"] if unexpected else []
            raise ValueError(
                f"the state does not fit {type(self).__name__}: {'; '.join(parts)}. It expects "
                f"{', '.join(own)}. Build the module with the options it was saved with, or give "
                "strict=False"
            )
        arrays = {
            key: np.array(state[key], dtype=parameter.dtype)
            for key, parameter in own.items()
            if key in state
        }
        wrong = [
            f"{key} has shape {array.shape}, expected {own[key].shape}"
            for key, array in arrays.items()
            if array.shape != own[key].shape
        ]
        if wrong:
            raise ValueError(
                f"the state does not fit {type(self).__name__}: {'; '.join(wrong)}. Build the module "
                "with the sizes it was saved with"
            )
        for key, array in arrays.items():
            own[key].data = array

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters; the next backward starts from none."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training (dropout drops) or, with False, away."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Switch this module and all below it away from training."""
        return self.train(False)

    def to(self: M, dtype: Any) -> M:
        """Convert every parameter to a floating-point dtype.

        >>> from micrornn import nn
        >>> nn.Linear(2, 1).to("float32").weight.dtype
        dtype('float32')
        """
        for parameter in self.parameters():
            parameter.data = np.asarray(parameter.data, dtype=dtype)
            parameter.grad = None
        return self

    # -- as text -----------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the brackets of the module's line."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        if not self._modules:
            return f"{name}({extra})"
        lines = [extra] if extra else []
        for key, module in self._modules.items():
            below = repr(module).replace("\n", "\n  ")
            lines.append(f"({key}): {below}")
        return "\n  ".join([f"{name}(", *lines]) + "\n)"


class Sequential(Module):
    """Modules one after the other, each fed with what the one before returned.

    >>> from micrornn import nn
    >>> nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): Linear(in_features=4, out_features=1, bias=True)
    )
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, x: Any) -> Any:
        """x through every module in turn."""
        for module in self._modules.values():
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, index: int) -> Module:
        return list(self._modules.values())[index]

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._modules.values()))


class ModuleList(Module):
    """A list of modules whose parameters count as the owner's.

    >>> from micrornn import nn
    >>> cells = nn.ModuleList(nn.LSTMCell(3, 3) for _ in range(2))
    >>> [name for name, _ in cells.named_parameters()][4]
    '1.weight_ih'
    """

    def __init__(self, modules: Any = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end."""
        setattr(self, str(len(self)), module)
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, index: int) -> Module:
        return list(self._modules.values())[index]

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._modules.values()))
