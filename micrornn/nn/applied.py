"""A function as a module, declared in one line: it keeps the options and is called with the data."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature, signature
from typing import Any, ClassVar

from micrornn.core.tensor import Tensor
from micrornn.nn.module import Module
from micrornn.options import check


class Applied(Module):
    """A module that calls a function: its first arguments are data, the others are options.

    Args:
        options: the options of the function, by position or by name; each becomes an attribute.

    Raises:
        TypeError: the function has no such option.
        ValueError: an option has an invalid value.

    >>> class Power(Applied, function=lambda x, exponent=2.0: x**exponent):
    ...     pass
    >>> Power(), Power(3.0)(2.0)
    (Power(exponent=2.0), 8.0)
    """

    function: ClassVar[Callable[..., Tensor]]
    __signature__: ClassVar[Signature]
    _owner: ClassVar[str]

    def __init_subclass__(
        cls, function: Callable[..., Tensor] | None = None, data: int = 1, **more: Any
    ) -> None:
        super().__init_subclass__(**more)
        if function is not None:
            cls.function = staticmethod(function)
            cls._owner = cls.__name__  # whose rules the options of a subclass follow as well
            cls.__signature__ = Signature(list(signature(function).parameters.values())[data:])

    def __init__(self, *options: Any, **named: Any) -> None:
        super().__init__()
        kind = type(self)
        try:
            bound = kind.__signature__.bind(*options, **named)
        except TypeError as error:
            raise TypeError(f"{kind.__name__}{kind.__signature__}: {error}") from None
        bound.apply_defaults()
        check(self._owner, **bound.arguments)
        for name, value in bound.arguments.items():
            self._keep(name, value)

    def _keep(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    @property
    def options(self) -> dict[str, Any]:
        """The current options of the function."""
        return {name: getattr(self, name) for name in self.__signature__.parameters}

    def forward(self, *data: Any, **named: Any) -> Tensor:
        """Call the function with the data and the options."""
        return self.function(*data, **named, **self.options)

    def extra_repr(self) -> str:
        """The options, except those that are False or None."""
        shown = [(k, v) for k, v in self.options.items() if v is not False and v is not None]
        return ", ".join(f"{name}={value!r}" for name, value in shown)
