"""Modules: parameters and the computation that uses them, with PyTorch's names and behavior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from micrornn.arrays import as_array, floating
from micrornn.core.tensor import Tensor
from micrornn.nn.clipping import forget_grad
from micrornn.nn.registry import Parameter, Registry
from micrornn.options import check

M = TypeVar("M", bound="Module")


class IncompatibleKeys(NamedTuple):
    """The keys that `Module.load_state_dict` did not find, and those it did not expect."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(Registry):
    """The base class of networks: assign parameters and modules to attributes, and define `forward`.

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

    def __init__(self) -> None:
        super().__init__()
        self.training = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation of the module; every subclass defines its own."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward; define forward(self, ...)"
        )

    # -- its parts ------------------------------------------------------------------------

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one."""
        for _, module in self.named_children():
            yield module

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once; with ``recurse=False`` its own alone.

        >>> from micrornn import nn
        >>> sum(p.size for p in nn.LSTM(3, 2).parameters())
        56
        """
        for _, parameter in self.named_parameters("", recurse):
            yield parameter

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once; with ``recurse=False`` its own alone."""
        for _, buffer in self.named_buffers("", recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; this one at "".

        Raises:
            AttributeError: there is none.
        """
        module: Module = self._at(target, "module", self.named_modules())
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.

        Raises:
            AttributeError: there is none.

        >>> from micrornn import nn
        >>> nn.Sequential(nn.Linear(3, 1)).get_parameter("0.weight").shape
        (1, 3)
        """
        parameter: Parameter = self._at(target, "parameter", self._entries("_parameters"))
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path.

        Raises:
            AttributeError: there is none.
        """
        buffer: Tensor = self._at(target, "buffer", self._entries("_buffers"))
        return buffer

    def _at(self, target: str, what: str, entries: Iterator[tuple[str, Any]]) -> Any:
        found = dict(entries)
        if target not in found:
            known = ", ".join(path for path in found if path) or "none"
            raise AttributeError(f"{type(self).__name__} has no {what} {target!r}; it has {known}")
        return found[target]

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call a function with every module below this one and then with this one.

        >>> from micrornn import nn
        >>> def zero(module):
        ...     if isinstance(module, nn.Linear):
        ...         nn.init.zeros_(module.weight)
        >>> nn.Sequential(nn.Linear(2, 1)).apply(zero)[0].weight.data
        array([[0., 0.]])
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # -- its state ---------------------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
        """The values of parameters and buffers by path, as read-only arrays that training does not change.

        Args:
            prefix: the start of every path, including its dot.
        """
        return {prefix + path: np.asarray(tensor.data) for path, tensor in self._state()}

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        # Module by module, as PyTorch orders it.
        for path, module in self.named_modules():
            yield from module._entries("_parameters", path, False)
            yield from module._entries("_buffers", path, False, saved=True)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Set parameters and buffers to the values of a state, by path; they keep their dtype.

        An error changes nothing.

        Args:
            state_dict: arrays, lists or PyTorch's tensors.
            strict: whether the keys must be exactly those of the module. Shapes must agree in any case.

        Returns:
            The missing and the unexpected keys; both empty with ``strict``.

        Raises:
            TypeError: the state is not a mapping, or a value is not made of real numbers.
            ValueError: keys are missing or unexpected, or a shape differs.

        >>> from micrornn import nn
        >>> one, two = nn.GRU(3, 2), nn.GRU(3, 2)
        >>> two.load_state_dict(one.state_dict())
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        """
        kind = type(self).__name__
        check(kind, strict=strict)
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"{kind}: a state of type {type(state_dict).__name__} was given; give a dictionary from "
                "path to array, such as state_dict() returns"
            )
        own = dict(self._state())
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        if strict and (missing or unexpected):
            parts = [f"missing {', '.join(missing)}"] if missing else []
            parts += [f"unexpected {', '.join(map(str, unexpected))}"] if unexpected else []
            raise ValueError(
                f"the state does not fit {kind}: {'; '.join(parts)}. It expects "
                f"{', '.join(own)}. Build the module with the options it was saved with, or give "
                "strict=False"
            )
        arrays = {
            key: as_array(state_dict[key], f"{kind}: {key}").astype(tensor.dtype)
            for key, tensor in own.items()
            if key in state_dict
        }
        wrong = [
            f"{key} has shape {array.shape}, expected {own[key].shape}"
            for key, array in arrays.items()
            if array.shape != own[key].shape
        ]
        if wrong:
            raise ValueError(
                f"the state does not fit {kind}: {'; '.join(wrong)}. Build the module "
                "with the sizes it was saved with"
            )
        for key, array in arrays.items():
            own[key].data = array
        return IncompatibleKeys(missing, unexpected)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters to None, or, with ``set_to_none=False``, to zeros."""
        check(type(self).__name__, set_to_none=set_to_none)
        for parameter in self.parameters():
            forget_grad(parameter, set_to_none)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set whether the parameters require gradients; False freezes the module."""
        check(type(self).__name__, requires_grad=requires_grad)
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def train(self: M, mode: bool = True) -> M:
        """Set this module and all below it to training mode, or, with False, to evaluation mode."""
        check("train", mode=mode)
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Set this module and all below it to evaluation mode."""
        return self.train(False)

    def to(self: M, dtype: Any) -> M:
        """Convert parameters and floating-point buffers to a floating-point dtype; gradients are reset.

        >>> from micrornn import nn
        >>> nn.Linear(2, 1).to("float32").weight.dtype
        dtype('float32')
        """
        if dtype == "cpu":  # where NumPy computes
            return self
        dtype = floating(dtype)
        for _, tensor in (*self._entries("_parameters"), *self._entries("_buffers")):
            if tensor.dtype.kind == "f":
                tensor.data = np.asarray(tensor.data, dtype=dtype)
                tensor.grad = None
        return self

    def double(self: M) -> M:
        """Convert to float64, the default here."""
        return self.to(np.float64)

    def float(self: M) -> M:
        """Convert to float32, PyTorch's default."""
        return self.to(np.float32)

    # -- as text -----------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The options in the brackets of the module's text."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        lines = [extra] if extra else []
        for key, module in self.named_children():
            below = repr(module).replace("\n", "\n  ")
            lines.append(f"({key}): {below}")
        if not self._modules:
            return f"{name}({extra})"
        return "\n  ".join([f"{name}(", *lines]) + "\n)"
