"""The recurrent equations themselves, each as a function from one step's input and state to the next state.

`rnn`, `lstm` and `gru` take the parameters once and return the step. Each of the last two comes in two
ways, equal to rounding: *separate*, the textbook picture, where every gate has products and a scope of its
own; and *stacked*, where one product serves all gates and is sliced afterwards, which is faster. The
parameters are stored stacked either way, in PyTorch's order of gates: i f g o, and r z n.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.ops.elementwise import relu, sigmoid, tanh
from micrornn.ops.index import getitem
from micrornn.ops.product import linear

Step = Callable[..., tuple[Tensor, ...]]  # step(x, *state) -> the new state, h first
Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # W_ih, W_hh, b_ih, b_hh
Rows = tuple[Any, slice]  # a gate's elements along the last axis of all gates' products

LSTM_GATES = ("input gate", "forget gate", "candidate", "output gate")
GRU_GATES = ("reset gate", "update gate", "candidate")
ACTIVATIONS = {"tanh": tanh, "relu": relu}


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W^T + b, the bias being optional."""
    return linear(x, weight) if bias is None else linear(x, weight, bias)


def rnn(weights: Weights, nonlinearity: str = "tanh") -> Step:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu (Elman 1990)."""
    w_ih, w_hh, b_ih, b_hh = weights
    activation = ACTIVATIONS[nonlinearity]

    def step(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        h = activation(product(x, w_ih, b_ih) + product(h, w_hh, b_hh))
        h.name = "h"
        return (h,)

    return step


def lstm(weights: Weights, separate: bool) -> Step:
    """The LSTM (Hochreiter & Schmidhuber 1997) with the forget gate of Gers et al. 2000.

    i, f, o = sigmoid and g = tanh of W_ih x + b_ih + W_hh h + b_hh, each with its own rows of the weights;
    c' = f c + i g;  h' = o tanh(c').
    """
    w_ih, w_hh, b_ih, b_hh = weights
    hidden = w_hh.shape[1]
    rows_i, rows_f, rows_g, rows_o = rows = rows_of(hidden, 4)
    if separate:
        w_i, w_f, w_g, w_o = by_gate(weights, LSTM_GATES, rows)

    def separated(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        with scope("input gate"):
            i = sigmoid(gate_input(x, h, w_i))
        with scope("forget gate"):
            f = sigmoid(gate_input(x, h, w_f))
        with scope("candidate"):
            g = tanh(gate_input(x, h, w_g))
        with scope("output gate"):
            o = sigmoid(gate_input(x, h, w_o))
        return memory(i, f, g, o, c)

    def stacked(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        gates = product(x, w_ih, b_ih) + product(h, w_hh, b_hh)
        i = sigmoid(getitem(gates, index=rows_i))
        f = sigmoid(getitem(gates, index=rows_f))
        g = tanh(getitem(gates, index=rows_g))
        o = sigmoid(getitem(gates, index=rows_o))
        return memory(i, f, g, o, c)

    def memory(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        c = f * c + i * g
        h = o * tanh(c)
        i.name, f.name, g.name, o.name, c.name, h.name = "i", "f", "g", "o", "c", "h"
        return h, c

    return separated if separate else stacked


def gru(weights: Weights, separate: bool) -> Step:
    """The GRU (Cho et al. 2014), in PyTorch's form: the reset gate acts after the recurrent product.

    r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh, each with its own rows of the weights;
    n = tanh(W_in x + b_in + r (W_hn h + b_hn));  h' = (1 - z) n + z h.

    Cho et al. multiply r into h before the product (`variants.gru_reset_before`), and other papers exchange
    z and 1 - z (`gate_order.convert_gates`).
    """
    w_ih, w_hh, b_ih, b_hh = weights
    hidden = w_hh.shape[1]
    rows_r, rows_z, rows_n = rows = rows_of(hidden, 3)
    rows_rz = (Ellipsis, slice(0, 2 * hidden))
    if separate:
        w_r, w_z, (w_in, w_hn, b_in, b_hn) = by_gate(weights, GRU_GATES, rows)

    def separated(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        with scope("reset gate"):
            r = sigmoid(gate_input(x, h, w_r))
        with scope("update gate"):
            z = sigmoid(gate_input(x, h, w_z))
        with scope("candidate"):
            n = tanh(product(x, w_in, b_in) + r * product(h, w_hn, b_hn))
        return mixed(r, z, n, h)

    def stacked(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        from_x, from_h = product(x, w_ih, b_ih), product(h, w_hh, b_hh)
        rz = sigmoid(getitem(from_x, index=rows_rz) + getitem(from_h, index=rows_rz))
        r, z = getitem(rz, index=rows_r), getitem(rz, index=rows_z)
        n = tanh(getitem(from_x, index=rows_n) + r * getitem(from_h, index=rows_n))
        return mixed(r, z, n, h)

    def mixed(r: Tensor, z: Tensor, n: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        h = (1.0 - z) * n + z * h
        r.name, z.name, n.name, h.name = "r", "z", "n", "h"
        return (h,)

    return separated if separate else stacked


def gate_input(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """What goes into one gate: W_ih x + b_ih + W_hh h + b_hh."""
    w_ih, w_hh, b_ih, b_hh = weights
    return product(x, w_ih, b_ih) + product(h, w_hh, b_hh)


def rows_of(hidden: int, gates: int) -> list[Rows]:
    """Where each gate's elements are in the product of all gates."""
    return [(Ellipsis, slice(k * hidden, (k + 1) * hidden)) for k in range(gates)]


def by_gate(weights: Weights, gates: tuple[str, ...], rows: list[Rows]) -> list[Weights]:
    """Each gate's rows of every parameter, cut once, in the gate's scope and outside all steps."""
    cut = []
    for gate, own in zip(gates, rows):
        parts: list[Tensor | None] = []
        with scope(gate):
            for parameter in weights:
                part = None if parameter is None else parameter[own[1]]
                if part is not None and parameter is not None and parameter.name:
                    part.name = f"{parameter.name}[{gate}]"
                parts.append(part)
        cut.append(tuple(parts))
    return cut  # type: ignore[return-value]
