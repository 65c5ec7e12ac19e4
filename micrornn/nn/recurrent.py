"""What cells and layers have in common: the stored parameters, the switch of gates, the three kinds."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn import equations, variants
from micrornn.nn.equations import Step, Weights
from micrornn.nn.init import Seed, as_generator, default_
from micrornn.nn.module import Module, Parameter
from micrornn.nn.sequence import as_input, leaf, outside_steps

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
        dtype: np.dtype[Any] = next(iter(self._parameters.values())).dtype
        return dtype

    def _equation(self, suffix: str) -> Step:
        """The step of one layer and direction, whose parameters end in ``suffix``."""
        raise NotImplementedError

    def _variant_repr(self) -> str:
        """The options of this kind that are not the default, as text that begins with a comma."""
        return ""

    def _size(self, state: str) -> int:
        """How long a part of the state is."""
        return self.hidden_size

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
            if name.startswith("norm"):  # a normalised vector begins as it is
                parameter.data = np.full(shape, 0.0 if name.endswith("bias") else 1.0, dtype)
            else:
                default_(parameter, self.hidden_size, self.rng)
            setattr(self, name + suffix, parameter)

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
            shape = (*lead, self._size(part))
            if state.shape != shape:
                raise ValueError(
                    f"{kind}: {name} of shape {state.shape} was given, {shape} expected; leave it out "
                    "to begin with zeros"
                )
            states.append(state)
        return states

    def _zeros(self, name: str, lead: tuple[int, ...]) -> Tensor:
        return leaf(np.zeros((*lead, self._size(name)), self.dtype), name)


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

    def _equation(self, suffix: str) -> Step:
        return equations.rnn(self._weights(suffix), self.nonlinearity)


class LSTMKind(Recurrent):
    """Long short-term memory: two states, three gates and a candidate; and its variants."""

    scope_name = "lstm"
    gate_names = equations.LSTM_GATES
    state_names = ("h", "c")
    proj_size: int
    peepholes: bool
    layer_norm: bool

    def _set_variant(
        self, hidden_size: int, proj_size: int, peepholes: bool, layer_norm: bool
    ) -> None:
        # Called before the parameters are made, whose shapes depend on it.
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{type(self).__name__}: proj_size={proj_size!r}; give an integer below "
                f"hidden_size={hidden_size}, or 0 for no projection"
            )
        self.proj_size = proj_size
        self.peepholes = peepholes
        self.layer_norm = layer_norm

    def _size(self, state: str) -> int:
        return self.proj_size if state == "h" and self.proj_size else self.hidden_size

    def _shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        hidden, shapes = self.hidden_size, super()._shapes(input_size)
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
        extras = variants.Extras(*[own.get(name + suffix) for name in names])
        return variants.lstm(weights, extras, separate)

    def _variant_repr(self) -> str:
        options = [("proj_size", 0), ("peepholes", False), ("layer_norm", False)]
        changed = [f"{n}={getattr(self, n)}" for n, usual in options if getattr(self, n) != usual]
        return "".join(f", {text}" for text in changed)


class GRUKind(Recurrent):
    """The gated recurrent unit: one state, two gates and a candidate; in both of its definitions."""

    scope_name = "gru"
    gate_names = equations.GRU_GATES
    reset_after: bool = True

    def _equation(self, suffix: str) -> Step:
        make = equations.gru if self.reset_after else variants.gru_reset_before
        return make(self._weights(suffix), self._gates == "separate")

    def _variant_repr(self) -> str:
        return "" if self.reset_after else ", reset_after=False"


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
        lead = x.shape[:-1]
        with scope(t=0):  # a state given as data begins here; one that a step made keeps its place
            given = self._states(state, self.state_names, lead)
            states = [
                self._zeros(n, lead) if s is None else s for n, s in zip(self.state_names, given)
            ]
        with outside_steps():  # a gate's part of a weight belongs to all steps; its uses to theirs
            step = self._equation("")
        new = step(x, *states)
        return new if len(new) > 1 else new[0]

    def extra_repr(self) -> str:
        """The sizes, and what is not the default."""
        bias = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}{self._variant_repr()}"
