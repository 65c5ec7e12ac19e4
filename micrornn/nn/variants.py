"""Variants of the recurrent equations: the LSTM with peepholes, projection and layer norm; Cho's own GRU.

Each is a function from one step's input and state to the next state, as in `equations`.
"""

from __future__ import annotations

from typing import NamedTuple

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.equations import (
    GRU_GATES,
    LSTM_GATES,
    Step,
    Weights,
    by_gate,
    gate_input,
    product,
    rows_of,
)
from micrornn.nn.normalization import layer_norm
from micrornn.ops.elementwise import sigmoid, tanh
from micrornn.ops.index import getitem
from micrornn.ops.product import linear


class Extras(NamedTuple):
    """What a variant of the LSTM has besides its weights and biases; None where it has not.

    Attributes:
        projection: (P, H).
        peepholes: (3H,), in the order i f o.
        norm_ih, norm_hh: (4H,), the gains of the normalised products.
        norm_c, norm_c_bias: (H,), gain and shift of the normalised cell.
    """

    projection: Tensor | None
    peepholes: Tensor | None
    norm_ih: Tensor | None
    norm_hh: Tensor | None
    norm_c: Tensor | None
    norm_c_bias: Tensor | None


def lstm(weights: Weights, extras: Extras, separate: bool) -> Step:
    """The LSTM with any of three additions.

    Peepholes (Gers & Schmidhuber 2000; Graves 2013, eq. 7 to 11): p_i c and p_f c join the input and the
    forget gate, p_o c' the output gate. Layer norm (Ba et al. 2016, eq. 20 to 22): the gates' inputs are
    LN(W_ih x) + LN(W_hh h), each normalised over all four gates at once, and h' = o tanh(LN(c')).
    Projection (Sak et al. 2014): h' = W_hr (o tanh(c')).
    """
    w_ih, w_hh, b_ih, b_hh = weights
    gates = LSTM_GATES
    hidden = w_ih.shape[0] // 4
    rows = rows_of(hidden, 4)
    normed = extras.norm_ih is not None
    cut = by_gate(weights, gates, rows) if separate and not normed else None
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
        with scope(gates[k] if separate else None):
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
    """The peepholes of i, f, g (which has none) and o, each cut once, in its gate's scope."""
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

    r, z as in `equations.gru`; n = tanh(W_in x + b_in + W_hn (r h) + b_hn);  h' = (1 - z) n + z h.
    """
    w_ih, w_hh, b_ih, b_hh = weights
    hidden = w_hh.shape[1]
    rows = rows_of(hidden, 3)
    r_rows, z_rows, n_rows = rows
    if separate:
        w_r, w_z, (w_in, w_hn, b_in, b_hn) = by_gate(weights, GRU_GATES, rows)
    else:  # the candidate's recurrent product has another input, so it stands apart
        first = slice(0, 2 * hidden)
        w_h, b_h = w_hh[first], None if b_hh is None else b_hh[first]
        last = n_rows[1]
        w_hn, b_hn = w_hh[last], None if b_hh is None else b_hh[last]
    rz_rows = (Ellipsis, slice(0, 2 * hidden))

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
        rz = sigmoid(getitem(from_x, index=rz_rows) + product(h, w_h, b_h))
        r, z = getitem(rz, index=r_rows), getitem(rz, index=z_rows)
        n = tanh(getitem(from_x, index=n_rows) + product(r * h, w_hn, b_hn))
        return mixed(r, z, n, h)

    def mixed(r: Tensor, z: Tensor, n: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        h = (1.0 - z) * n + z * h
        r.name, z.name, n.name, h.name = "r", "z", "n", "h"
        return (h,)

    return separated if separate else stacked
