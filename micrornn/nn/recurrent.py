"""What cells and layers share: options, parameters and the state; and the three kinds."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor, constant
from micrornn.nn import equations
from micrornn.nn.equations import Step, Weights
from micrornn.nn.generators import Seed, as_generator
from micrornn.nn.init import default_
from micrornn.nn.module import Module
from micrornn.nn.registry import Parameter
from micrornn.nn.sequence import as_input
from micrornn.options import check


class Recurrent(Module):
    """A module that carries a state from step to step.

    A kind of network (`Elman`, `LongShortTerm`, `Gated`) has its equation, and the options that it alone
    has, with their defaults. A cell or a layer has the options of all kinds, and joins them with a kind.

    Attributes:
        gates: ``"stacked"`` computes all gates by one product, which is fast; ``"separate"`` gives each
            gate its own products in its own scope, the textbook picture. The parameters are the same, and
            it may be changed at any time.
    """

    variants: tuple[tuple[str, Any], ...] = ()  # the options of the kind, and their defaults
    gate_names: tuple[str, ...] = ("",)
    state_names: tuple[str, ...] = ("h",)
    scope_name: str
    _gates: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        gates: str,
        rng: Seed,
        by_position: tuple[Any, ...],
        by_name: dict[str, Any],
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        names = [name for name, _ in self.variants]
        by_place = dict(zip(names, by_position))
        for name in by_name:
            if name not in names or name in by_place:
                wrong = "was given twice" if name in by_place else "is not an option"
                own = ", ".join([*names, "gates, rng, dtype"])
                raise TypeError(
                    f"{kind}: {name} {wrong}; besides the sizes and switches give {own}"
                )
        if len(by_position) > len(names):
            raise TypeError(f"{kind}: {by_position[len(names)]!r} is one argument too many")
        options = {**dict(self.variants), **by_place, **by_name}
        check(kind, input_size=input_size, hidden_size=hidden_size, bias=bias, **options)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        for name, value in options.items():
            setattr(self, name, value)
        self.gates = gates
        self.rng = None if rng is None else as_generator(rng)

    @property
    def gates(self) -> str:
        """``"stacked"`` or ``"separate"``; see the class."""
        return self._gates

    @gates.setter
    def gates(self, way: str) -> None:
        check(type(self).__name__, gates=way)
        self._gates = way

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters."""
        return next(self.parameters()).dtype

    def _equation(self, suffix: str) -> Step:
        """The step of one layer and direction, whose parameters end in ``suffix``."""
        raise NotImplementedError

    def _at_once(self, suffix: str) -> Any:
        """What computes all steps of one layer and direction together; None where a loop does."""
        return None

    def _size(self, state: str) -> int:
        """How long a part of the state is."""
        return self.hidden_size

    def _shape(self, state: str) -> tuple[int, ...]:
        """The shape of a part of the state of one sequence."""
        return (self._size(state),)

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """The shapes of one layer's parameters, by name."""
        rows = len(self.gate_names) * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, self._size("h")),
        }
        return shapes | ({"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else {})

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        for name, shape in self._shapes(input_size).items():
            parameter = Parameter(np.zeros(shape, dtype or np.float64))
            if name.startswith("norm"):  # at first, a normalized vector is not scaled
                parameter.data = np.full(shape, 0.0 if name.endswith("bias") else 1.0, dtype)
            else:
                default_(parameter, self.hidden_size, self.rng)
            setattr(self, name + suffix, parameter)

    def _set(self, parameter: Tensor, values: Any) -> None:
        """Give a parameter its first values, in its own dtype."""
        parameter.data = np.array(values, parameter.dtype)

    def _named(self, suffix: str) -> dict[str, Tensor]:
        """The parameters of one layer and direction, by their names without its suffix."""
        own = self._parameters.items()
        end = -len(suffix) or None
        return {name[:end]: p for name, p in own if p is not None and name.endswith(suffix)}

    def _weights(self, suffix: str) -> Weights:
        own = self.__dict__
        w_ih, w_hh = own["weight_ih" + suffix], own["weight_hh" + suffix]
        if not self.bias:
            return w_ih, w_hh, None, None
        return w_ih, w_hh, own["bias_ih" + suffix], own["bias_hh" + suffix]

    def _states(
        self, given: Any, names: tuple[str, ...], lead: tuple[int, ...]
    ) -> list[Tensor | None]:
        """The given state, one tensor (or None: zeros) per name, checked to have ``(*lead, size)``."""
        if given is None:
            return [None] * len(names)
        kind = type(self).__name__
        if len(names) == 1:
            given = (given,)
        elif not isinstance(given, (tuple, list)) or len(given) != len(names):
            raise ValueError(
                f"{kind} has a state of {len(names)} parts; give a tuple ({', '.join(names)})"
            )
        states: list[Tensor | None] = []
        for part, name, value in zip(self.state_names, names, given):
            state = as_input(value, self.dtype, name)
            shape = (*lead, *self._shape(part))
            if state.shape != shape:
                raise ValueError(
                    f"{kind}: {name} of shape {state.shape} was given, {shape} expected; leave it out "
                    "to begin with zeros"
                )
            states.append(state)
        return states

    def _zeros(self, name: str, lead: tuple[int, ...]) -> Tensor:
        return constant(np.zeros((*lead, *self._shape(name)), self.dtype), name)

    def _changed(self, *usual: tuple[str, Any]) -> str:
        """The sizes, and the options that are not the default."""
        options = [(name, getattr(self, name), value) for name, value in (*usual, *self.variants)]
        changed = [f"{name}={value}" for name, value, default in options if value != default]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])


class Elman(Recurrent):
    """The plain recurrent network: one product, one nonlinearity."""

    scope_name = "rnn"
    variants = (("nonlinearity", "tanh"),)
    nonlinearity: str

    def _equation(self, suffix: str) -> Step:
        return equations.rnn(self._weights(suffix), self.nonlinearity)


class LongShortTerm(Recurrent):
    """Long short-term memory: two states, three gates and a candidate; and its variants."""

    scope_name = "lstm"
    gate_names = equations.LSTM_GATES
    state_names = ("h", "c")
    variants = (("proj_size", 0), ("peepholes", False), ("layer_norm", False))
    proj_size: int
    peepholes: bool
    layer_norm: bool

    def _size(self, state: str) -> int:
        return self.proj_size if state == "h" and self.proj_size else self.hidden_size

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        hidden, shapes = self.hidden_size, super()._shapes(input_size)
        if self.proj_size >= hidden:
            raise ValueError(
                f"{type(self).__name__}: proj_size={self.proj_size!r}; give an integer below "
                f"hidden_size={hidden}, or 0 for no projection"
            )
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, hidden)
        if self.peepholes:
            shapes["weight_peephole"] = (3 * hidden,)
        if self.layer_norm:
            shapes |= {"norm_ih": (4 * hidden,), "norm_hh": (4 * hidden,)}
            shapes |= {"norm_c": (hidden,), "norm_c_bias": (hidden,)}
        return shapes

    def _equation(self, suffix: str) -> Step:
        weights, separate = self._weights(suffix), self._gates == "separate"
        if not (self.proj_size or self.peepholes or self.layer_norm):
            return equations.lstm(weights, separate)
        own = self.__dict__
        names = ("weight_hr", "weight_peephole", "norm_ih", "norm_hh", "norm_c", "norm_c_bias")
        extras = equations.Extras(*[own.get(name + suffix) for name in names])
        return equations.lstm_variant(weights, extras, separate)


class Gated(Recurrent):
    """The gated recurrent unit: one state, two gates and a candidate; in both of its definitions."""

    scope_name = "gru"
    gate_names = equations.GRU_GATES
    variants = (("reset_after", True),)
    reset_after: bool

    def _equation(self, suffix: str) -> Step:
        make = equations.gru if self.reset_after else equations.gru_reset_before
        return make(self._weights(suffix), self._gates == "separate")
