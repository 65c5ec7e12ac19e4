"""The recurrent equations themselves, each as a function from one step's input and state to the next state.

`rnn`, `lstm` and `gru` take the parameters once and return the step. Each of the last two comes in two
ways, equal to rounding: *separate*, the textbook picture, where every gate has products and a scope of its
own; and *stacked*, where one product serves all gates and is sliced afterwards, which is faster. The
parameters are stored stacked either way, in PyTorch's order of gates: i f g o, and r z n. The variants of
both (peepholes, projection, layer norm; the reset gate before the product) stand below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.normalization import layer_norm
from micrornn.ops.elementwise import relu, sigmoid, tanh
from micrornn.ops.index import getitem
from micrornn.ops.product import linear

Step = Callable[
    ..., tuple[Tensor, ...]
]  # (x, *state) -> the new state, h first, or an output before it
Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # W_ih, W_hh, b_ih, b_hh
Rows = tuple[Any, slice]  # a gate's elements along the last axis of all gates' products

LSTM_GATES = ("input gate", "forget gate", "candidate", "output gate")
GRU_GATES = ("reset gate", "update gate", "candidate")
ACTIVATIONS = {"tanh": tanh, "relu": relu}


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

    return separated if separate else stacked


def memory(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    """The next state of an LSTM: c' = f c + i g, h' = o tanh(c')."""
    c = f * c + i * g
    h = o * tanh(c)
    i.name, f.name, g.name, o.name, c.name, h.name = "i", "f", "g", "o", "c", "h"
    return h, c


def gru(weights: Weights, separate: bool) -> Step:
    """The GRU (Cho et al. 2014), in PyTorch's form: the reset gate acts after the recurrent product.

    r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh, each with its own rows of the weights;
    n = tanh(W_in x + b_in + r (W_hn h + b_hn));  h' = (1 - z) n + z h.

    Cho et al. multiply r into h before the product (`gru_reset_before`), and other papers exchange z and
    1 - z (`gate_order.convert_gates`).
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

    return separated if separate else stacked


def mixed(r: Tensor, z: Tensor, n: Tensor, h: Tensor) -> tuple[Tensor, ...]:
    """The next state of a GRU: h' = (1 - z) n + z h."""
    h = (1.0 - z) * n + z * h
    r.name, z.name, n.name, h.name = "r", "z", "n", "h"
    return (h,)


# -- variants ----------------------------------------------------------------------------------------


class Extras(NamedTuple):
    """The parameters of an LSTM variant besides weights and biases; None for those it does not have.

    Attributes:
        projection: (P, H).
        peepholes: (3H,), in the order i f o.
        norm_ih, norm_hh: (4H,), the gains of the normalized products.
        norm_c, norm_c_bias: (H,), gain and shift of the normalized cell.
    """

    projection: Tensor | None
    peepholes: Tensor | None
    norm_ih: Tensor | None
    norm_hh: Tensor | None
    norm_c: Tensor | None
    norm_c_bias: Tensor | None


def lstm_variant(weights: Weights, extras: Extras, separate: bool) -> Step:
    """The LSTM with any of three additions.

    Peepholes (Gers & Schmidhuber 2000; Graves 2013, eq. 7 to 11): p_i c and p_f c join the input and the
    forget gate, p_o c' the output gate. Layer norm (Ba et al. 2016, eq. 20 to 22): the gates' inputs are
    LN(W_ih x) + LN(W_hh h), each normalized over all four gates at once, and h' = o tanh(LN(c')).
    Projection (Sak et al. 2014): h' = W_hr (o tanh(c')).
    """
    w_ih, w_hh, b_ih, b_hh = weights
    hidden = w_ih.shape[0] // 4
    rows = rows_of(hidden, 4)
    normed = extras.norm_ih is not None
    cut = by_gate(weights, LSTM_GATES, rows) if separate and not normed else None
    peeps = _peepholes(extras.peepholes, hidden)

    def joined(x: Tensor, h: Tensor) -> Tensor | None:
        if cut is not None:
            return None
        if not normed:
            return product(x, w_ih, b_ih) + product(h, w_hh, b_hh)
        with scope("layer norm"):
            from_x = layer_norm(linear(x, w_ih), 4 * hidden, extras.norm_ih, b_ih)
            return from_x + layer_norm(linear(h, w_hh), 4 * hidden, extras.norm_hh, b_hh)

    def gate(k: int, x: Tensor, h: Tensor, c: Tensor, every: Tensor | None) -> Tensor:
        with scope(LSTM_GATES[k] if separate else None):
            if every is None:
                assert cut is not None
                inside = gate_input(x, h, cut[k])
            else:
                inside = getitem(every, index=rows[k])
            if peeps[k] is not None:
                inside = inside + peeps[k] * c
            return tanh(inside) if k == 2 else sigmoid(inside)

    def step(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        every = joined(x, h)
        i, f, g = (gate(k, x, h, c, every) for k in range(3))
        c = f * c + i * g
        o = gate(3, x, h, c, every)
        seen = c
        if normed:
            with scope("layer norm"):
                seen = layer_norm(c, hidden, extras.norm_c, extras.norm_c_bias)
        h = o * tanh(seen)
        if extras.projection is not None:
            h = linear(h, extras.projection)
        i.name, f.name, g.name, o.name, c.name, h.name = "i", "f", "g", "o", "c", "h"
        return h, c

    return step


def _peepholes(whole: Tensor | None, hidden: int) -> list[Tensor | None]:
    """The peepholes of i, f, g (which has none) and o, each sliced once, in its gate's scope."""
    if whole is None:
        return [None] * 4
    cut: list[Tensor | None] = []
    for gate, start in zip(LSTM_GATES, (0, hidden, None, 2 * hidden)):
        if start is None:
            cut.append(None)
            continue
        with scope(gate):
            part = whole[start : start + hidden]
        part.name = f"{whole.name or 'weight_peephole'}[{gate}]"
        cut.append(part)
    return cut


def gru_reset_before(weights: Weights, separate: bool) -> Step:
    """The GRU as Cho et al. (2014, eq. 5 to 8) wrote it: the reset gate acts before the product.

    r, z as in `gru`; n = tanh(W_in x + b_in + W_hn (r h) + b_hn);  h' = (1 - z) n + z h.
    """
    w_ih, w_hh, b_ih, b_hh = weights
    hidden = w_hh.shape[1]
    rows_r, rows_z, rows_n = rows = rows_of(hidden, 3)
    rows_rz = (Ellipsis, slice(0, 2 * hidden))
    if separate:
        w_r, w_z, (w_in, w_hn, b_in, b_hn) = by_gate(weights, GRU_GATES, rows)
    else:  # the recurrent product of the candidate has another input
        first = slice(0, 2 * hidden)
        w_h, b_h = w_hh[first], None if b_hh is None else b_hh[first]
        last = rows_n[1]
        w_hn, b_hn = w_hh[last], None if b_hh is None else b_hh[last]

    def separated(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        with scope("reset gate"):
            r = sigmoid(gate_input(x, h, w_r))
        with scope("update gate"):
            z = sigmoid(gate_input(x, h, w_z))
        with scope("candidate"):
            n = tanh(product(x, w_in, b_in) + product(r * h, w_hn, b_hn))
        return mixed(r, z, n, h)

    def stacked(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        from_x = product(x, w_ih, b_ih)
        rz = sigmoid(getitem(from_x, index=rows_rz) + product(h, w_h, b_h))
        r, z = getitem(rz, index=rows_r), getitem(rz, index=rows_z)
        n = tanh(getitem(from_x, index=rows_n) + product(r * h, w_hn, b_hn))
        return mixed(r, z, n, h)

    return separated if separate else stacked


# -- parts of the equations --------------------------------------------------------------------------


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W^T + b, the bias being optional."""
    return linear(x, weight) if bias is None else linear(x, weight, bias)


def gate_input(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """The input of one gate: W_ih x + b_ih + W_hh h + b_hh."""
    w_ih, w_hh, b_ih, b_hh = weights
    return product(x, w_ih, b_ih) + product(h, w_hh, b_hh)


def rows_of(hidden: int, gates: int) -> list[Rows]:
    """The index of each gate's elements in the product of all gates."""
    return [(Ellipsis, slice(k * hidden, (k + 1) * hidden)) for k in range(gates)]


def by_gate(weights: Weights, gates: tuple[str, ...], rows: list[Rows]) -> list[Weights]:
    """Each gate's rows of every parameter, sliced once, in the gate's scope."""
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
