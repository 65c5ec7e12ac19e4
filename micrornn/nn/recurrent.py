"""What cells and layers have in common: the stored parameters, the switch of gates, the three kinds."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.context import scope
from micrornn.nn import equations
from micrornn.nn.equations import Step, Weights
from micrornn.nn.init import Seed, as_generator, default_
from micrornn.nn.module import Module, Parameter
from micrornn.nn.sequence import as_input, leaf
from micrornn.tensor import Tensor

GATES = ("stacked", "separate")


class Recurrent(Module):
    """A module that carries a state from step to step.

    Attributes:
        gates: ``"stacked"`` computes all gates by one product, which is fast; ``"separate"`` gives each
            gate its own products in its own scope, the textbook picture. The parameters are the same, and
            it may be changed at any time.
    """

    gate_names: tuple[str, ...] = ("",)
    state_names: tuple[str, ...] = ("h",)
    scope_name: str
    _gates: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, gates: str, rng: Seed
    ) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size < 1:
                raise ValueError(
                    f"{type(self).__name__}: {name}={size!r}; give an integer from 1 up"
                )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.gates = gates
        self.rng = None if rng is None else as_generator(rng)

    @property
    def gates(self) -> str:
        """``"stacked"`` or ``"separate"``; see the class."""
        return self._gates

    @gates.setter
    def gates(self, way: str) -> None:
        if way not in GATES:
            raise ValueError(f"gates={way!r}; give one of {', '.join(map(repr, GATES))}")
        self._gates = way

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters."""
        return next(iter(self._parameters.values())).dtype

    def _equation(self, weights: Weights) -> Step:
        raise NotImplementedError

    def _make_weights(self, suffix: str, input_size: int, dtype: Any) -> None:
        rows = len(self.gate_names) * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, self.hidden_size),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            parameter = Parameter(np.zeros(shape, dtype or np.float64))
            setattr(self, name + suffix, default_(parameter, self.hidden_size, self.rng))

    def _weights(self, suffix: str) -> Weights:
        own = self.__dict__
        w_ih, w_hh = own["weight_ih" + suffix], own["weight_hh" + suffix]
        if not self.bias:
            return w_ih, w_hh, None, None
        return w_ih, w_hh, own["bias_ih" + suffix], own["bias_hh" + suffix]

    def _states(
        self, given: Any, names: tuple[str, ...], shape: tuple[int, ...]
    ) -> list[Tensor | None]:
        """The given state, one tensor (or None: zeros) per name, checked to have ``shape``."""
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
        for name, value in zip(names, given):
            state = as_input(value, self.dtype, name)
            if state.shape != shape:
                raise ValueError(
                    f"{kind}: {name} of shape {state.shape} was given, {shape} expected; leave it out "
                    "to begin with zeros"
                )
            states.append(state)
        return states

    def _zeros(self, name: str, shape: tuple[int, ...]) -> Tensor:
        return leaf(np.zeros(shape, self.dtype), name)


class ElmanKind(Recurrent):
    """The plain recurrent network: one product, one nonlinearity."""

    scope_name = "rnn"
    nonlinearity: str

    def _set_nonlinearity(self, nonlinearity: str) -> None:
        if nonlinearity not in equations.ACTIVATIONS:
            raise ValueError(
                f"nonlinearity={nonlinearity!r}; give one of "
                f"{', '.join(map(repr, equations.ACTIVATIONS))}"
            )
        self.nonlinearity = nonlinearity

    def _equation(self, weights: Weights) -> Step:
        return equations.rnn(weights, self.nonlinearity)


class LSTMKind(Recurrent):
    """Long short-term memory: two states, three gates and a candidate."""

    scope_name = "lstm"
    gate_names = equations.LSTM_GATES
    state_names = ("h", "c")

    def _equation(self, weights: Weights) -> Step:
        return equations.lstm(weights, self._gates == "separate")


class GRUKind(Recurrent):
    """The gated recurrent unit: one state, two gates and a candidate."""

    scope_name = "gru"
    gate_names = equations.GRU_GATES

    def _equation(self, weights: Weights) -> Step:
        return equations.gru(weights, self._gates == "separate")


class Cell(Recurrent):
    """One step of a recurrent network; the loop over time is the caller's.

    The caller tags the steps: ``with mr.scope(t=t): h = cell(x[t], h)``.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, gates: str, rng: Seed, dtype: Any
    ) -> None:
        super().__init__(input_size, hidden_size, bias, gates, rng)
        self._make_weights("", input_size, dtype)

    def forward(self, x: Any, state: Any = None) -> Any:
        """The next state; x is (B, input_size) or (input_size,), a state (B, hidden_size) or unbatched."""
        x = as_input(x, self.dtype, "x")
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}: x of shape {x.shape} was given, (batch, {self.input_size}) or "
                f"({self.input_size},) expected, by input_size={self.input_size}"
            )
        shape = (*x.shape[:-1], self.hidden_size)
        with scope(t=0):  # a state given as data begins here; one that a step made keeps its place
            given = self._states(state, self.state_names, shape)
            states = [
                self._zeros(n, shape) if s is None else s for n, s in zip(self.state_names, given)
            ]
        new = self._equation(self._weights(""))(x, *states)
        return new if len(new) > 1 else new[0]

    def extra_repr(self) -> str:
        """The sizes, and what is not the default."""
        bias = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}"
