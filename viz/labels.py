"""What is written where: short names for weights, states with their step as a subscript, losses with their
value."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from micrornn.core.tensor import Tensor, shape_of
from viz.style import number

_SUBSCRIPTS = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")
_GATE_LETTERS = {
    **{"input gate": "i", "forget gate": "f", "output gate": "o"},
    **{"reset gate": "r", "update gate": "z"},
}
_TORCH_NAME = re.compile(r"^(?:.*\.)?(weight|bias)_(ih|hh)_l(\d+)(_reverse)?(?:\[(.+)\])?$")
_CELL_NAME = re.compile(r"^(?:.*\.)?(weight|bias)_(ih|hh)(?:\[(.+)\])?$")


_MOST = 40  # characters of a name in a box; its tooltip has all of it
_REMARK = 20  # and of a remark on an input


def shortened(name: str, most: int = _MOST) -> str:
    """A name of a length that fits a box.

    >>> shortened("x" * 100) == "x" * 39 + "…"
    True
    """
    name = " ".join(name.split())
    return name if len(name) <= most else name[: most - 1] + "…"


def visible(text: str) -> str:
    """A character that leaves no mark, as one that does.

    >>> visible(" "), visible("a")
    ('␣', 'a')
    """
    return {" ": "␣", "\\n": "⏎", "\n": "⏎"}.get(text, text)


def subscript(n: int) -> str:
    """A number in subscript digits.

    >>> subscript(12)
    '₁₂'
    """
    return str(n).translate(_SUBSCRIPTS)


def weight_label(name: str, lstm: bool = False, owners: int = 0) -> str:
    """A parameter's name as formulas write it, with the module that holds it where it needs one.

    Args:
        name: the dotted path of its attribute, and in brackets the gate of which it is a part.
        lstm: whether its candidate is g, as an LSTM's.
        owners: how many more modules of the path to name, to tell it from another.

    >>> weight_label("rnn.weight_hh_l0"), weight_label("bias_ih_l1"), weight_label("net.out.weight")
    ('W_hh', 'b_ih₁', 'out.W')
    >>> weight_label("weight_ih_l0[forget gate]")
    'W_if'
    >>> weight_label("encoder.embedding.weight", owners=1)
    'encoder.embedding.W'
    """
    path, stem = name.split("[")[0].split(".")[:-1], _stem(name, lstm)
    first = max(len(path) - owners - (stem in ("W", "b")), 0)
    if first and path[first:] and path[first].isdecimal():  # a place in a list of modules
        first -= 1
    return shortened(".".join([*path[first:], stem]) if stem else name)


def _stem(name: str, lstm: bool) -> str:
    """The label of the attribute itself."""
    found = _TORCH_NAME.match(name)
    if found:
        kind, way, layer, reverse, gate = found.groups()
    else:
        found = _CELL_NAME.match(name)
        if not found:
            whole, bracket, part = name.partition("[")
            last = whole.split(".")[-1]
            return {"weight": "W", "bias": "b"}.get(last, last) + bracket + part
        kind, way, gate = found.groups()
        layer, reverse = "0", None
    if gate:
        candidate = "g" if lstm else "n"
        way = way[0] + _GATE_LETTERS.get(gate, candidate if gate == "candidate" else gate)
    stem = ("W_" if kind == "weight" else "b_") + way
    return stem + (subscript(int(layer)) if layer != "0" else "") + ("←" if reverse else "")


def node_label(node: Tensor, folded: Collection[int] = ()) -> str:
    """What stands in a node's box: its name with its step, or its operation.

    A loss shows its value, a constant scalar its number. ``folded`` are the numbers of constants that are
    written into the operation.
    """
    primitive = node.primitive
    symbol = primitive.symbol if primitive is not None else ""
    if folded and len(node.inputs) == 2:
        a, b = node.inputs
        if a.number in folded:
            symbol = f"{number(a.item())} {symbol}"
        if b.number in folded:
            symbol = f"{symbol} {number(b.item())}"
    name, step = node.name and shortened(node.name), node.step
    if name == "loss":
        stem = "L" if step is None else f"L{subscript(step)}"
        return f"{stem} {number(node.item())}" if node.size == 1 else stem
    if name:
        label, _, rest = name.partition(" ")  # "x 'h'" is x with a remark
        rest = shortened(rest, _REMARK)
        label = label + subscript(step) if step is not None and len(label) <= 3 else label
        words = [
            label,
            rest,
            symbol if primitive is not None and primitive.name != "identity" else "",
        ]
        return " ".join(word for word in words if word)
    if symbol:
        return symbol
    if node.size == 1:
        return number(node.item())
    return "data" if not node.requires_grad else f"#{node.number}"


def value_words(node: Tensor) -> str:
    """The value in words, for a tooltip: the number, or the shape and range of an array."""
    value = node._value
    shape = shape_of(value)
    if not shape or node.size == 1:
        return f"value {number(float(np.asarray(value).reshape(-1)[0]))}"
    sizes = "×".join(map(str, shape))
    if not node.size:
        return f"{sizes}, empty"
    low, high = float(np.min(value)), float(np.max(value))
    return (
        f"{sizes}, all {number(low)}"
        if low == high
        else f"{sizes}, values {number(low)} to {number(high)}"
    )
