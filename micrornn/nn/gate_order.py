"""The order in which libraries stack the gates of a weight, and conversion between orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.options import check

Array = np.ndarray[Any, Any]

# i, f, o: input, forget, output gate; g: candidate (ONNX: c). r, z: reset, update gate; n: candidate (h).
ORDERS: dict[str, dict[str, str]] = {
    "LSTM": {
        **dict.fromkeys(("pytorch", "keras", "flax", "equinox"), "ifgo"),
        "onnx": "iofg",
        "cs231n": "ifog",
    },
    "GRU": {
        **dict.fromkeys(("pytorch", "flax", "equinox", "chung2014"), "rzn"),
        **dict.fromkeys(("onnx", "keras"), "zrn"),
    },
}

# Where z is the share of the NEW state, h' = (1 - z) h + z n, instead of the old one: since
# 1 - sigmoid(a) = sigmoid(-a), the gate's weights and biases change their sign, and that is all.
TURNED = {("GRU", "chung2014"): "z"}


def convert_gates(weights: Any, cell: str, source: str, target: str, axis: int = 0) -> Array:
    """Reorder the gates of weights or biases from one library's order to another's.

    ======= ============================ ======================================================
    cell    order                        used by
    ======= ============================ ======================================================
    LSTM    ``pytorch``: i f g o         PyTorch, cuDNN, micrornn; ``keras``, ``flax``, ``equinox``
    LSTM    ``onnx``: i o f g            ONNX (it writes c for g); its peepholes are i o f
    LSTM    ``cs231n``: i f o g          CS231n's assignment; gates along the last axis, one bias
    GRU     ``pytorch``: r z n           PyTorch, cuDNN, micrornn; ``flax``, ``equinox``
    GRU     ``onnx``: z r n              ONNX (it writes h for n); ``keras``
    GRU     ``chung2014``: r z n         Chung et al. 2014, where z is the share of the new state
    ======= ============================ ======================================================

    The order is not everything. ONNX's GRU resets *before* the product unless linear_before_reset is 1:
    that is ``GRU(reset_after=False)`` here. ONNX keeps both biases end to end in one array B: convert each
    half. A library with one bias keeps the sum of PyTorch's two. docs/weights.md loads the weights of Keras,
    Flax and Equinox.

    Args:
        weights: an array with the gates stacked along ``axis``: (4H, ...) or (3H, ...) for axis 0. For
            peepholes, which have no part for the candidate, see `convert_peepholes`.
        cell: ``"LSTM"`` or ``"GRU"``.
        source: the order of the given weights.
        target: the order to convert to.
        axis: the axis of the gates: 0 for PyTorch and ONNX (1 with ONNX's axis of directions), -1 for CS231n.

    Raises:
        ValueError: the cell or an order is unknown, or the axis does not divide into the gates.

    >>> convert_gates([1, 2, 3, 4], "LSTM", "pytorch", "onnx")
    array([1, 4, 2, 3])
    """
    if str(cell) not in ORDERS:
        raise ValueError(
            f"convert_gates: cell={cell!r}; give one of {', '.join(map(repr, ORDERS))}"
        )
    for name, order in (("source", source), ("target", target)):
        if str(order) not in ORDERS[cell]:
            raise ValueError(
                f"convert_gates: {name}={order!r} for {cell}; give one of "
                f"{', '.join(map(repr, ORDERS[cell]))}"
            )
    check("convert_gates", axis=axis)
    array = np.array(weights._value if isinstance(weights, Tensor) else weights)
    given, wanted = ORDERS[cell][source], ORDERS[cell][target]
    length = array.shape[axis] if -array.ndim <= axis < array.ndim else 0
    if not length or length % len(given):
        raise ValueError(
            f"convert_gates: axis {axis} of shape {array.shape} does not divide into the "
            f"{len(given)} gates of {cell}; give the gates stacked along that axis"
        )
    parts = dict(zip(given, np.split(array, len(given), axis)))
    for gate in set(TURNED.get((cell, source), "")) ^ set(TURNED.get((cell, target), "")):
        parts[gate] = -parts[gate]
    joined: Array = np.concatenate([parts[gate] for gate in wanted], axis)
    return joined


def convert_peepholes(weights: Any, source: str, target: str) -> Array:
    """Reorder an LSTM's peepholes (3H,); the candidate has none.

    Raises:
        ValueError: an order is unknown, or the length does not divide by 3.

    >>> convert_peepholes([1, 2, 3], "pytorch", "onnx")  # i f o to i o f
    array([1, 3, 2])
    """
    array = np.array(weights._value if isinstance(weights, Tensor) else weights)
    if array.ndim != 1 or not array.size or array.size % 3:
        raise ValueError(
            f"convert_peepholes: shape {array.shape} was given; give (3H,), one part per gate"
        )
    for name, order in (("source", source), ("target", target)):
        if str(order) not in ORDERS["LSTM"]:
            raise ValueError(
                f"convert_peepholes: {name}={order!r}; give one of "
                f"{', '.join(map(repr, ORDERS['LSTM']))}"
            )
    given, wanted = (ORDERS["LSTM"][order].replace("g", "") for order in (source, target))
    parts = dict(zip(given, np.split(array, 3)))
    joined: Array = np.concatenate([parts[gate] for gate in wanted])
    return joined
