"""Initial biases of the gates that keep the state: how long a network remembers before it has learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrornn.nn.generators import Seed, as_generator
from micrornn.options import check

# By the gates of a cell: the rows of the gates that keep the state, and of those that let something in.
_KEEP = {"forget gate": (1, 0), "update gate": (1, None)}


def forget_bias_(module: Any, value: float = 1.0) -> None:
    """Set the bias of an LSTM's forget gates (Gers et al. 2000; Jozefowicz et al. 2015).

    The gate adds two biases, b_ih and b_hh, as in PyTorch: this sets their SUM to ``value``, with b_hh = 0.
    (Setting both to 1 would give 2.) It applies to every LSTM and LSTMCell inside ``module``, in all layers
    and directions.

    Raises:
        ValueError: the module has no LSTM with biases, or the value is not a finite number.

    >>> from micrornn import nn
    >>> lstm = nn.LSTM(3, 2)
    >>> nn.init.forget_bias_(lstm, 1.0)
    >>> (lstm.bias_ih_l0.data + lstm.bias_hh_l0.data)[2:4]
    array([1., 1.])
    """
    check("forget_bias_", value=value)
    found = False
    for part in module.modules():
        if getattr(part, "gate_names", ())[1:2] == ("forget gate",) and part.bias:
            set_gates(part, {1: value})
            found = True
    if not found:
        raise ValueError(
            f"forget_bias_: {type(module).__name__} has no LSTM with biases; give an nn.LSTM or nn.LSTMCell "
            "with bias=True, or a module that contains one"
        )


def chrono_(module: Any, longest: int, generator: Seed = None) -> None:
    """Set the biases of gates for memories of up to ``longest`` steps (Tallec & Ollivier 2018, section 2).

    A gate of sigmoid(b) keeps a state for about 1 + e^b steps. Each unit draws its own time u from
    U(1, longest - 1) and begins with b = log u: an LSTM's forget gate with log u and its input gate with
    -log u, a GRU's update gate, which keeps h in this form, with log u. As in `forget_bias_`, the SUM of b_ih
    and b_hh is set. It applies to every LSTM, GRU and cell of theirs inside ``module``.

    Args:
        longest: T_max, the longest expected dependency in steps; 3 or more.
        generator: a NumPy generator or a seed.

    Raises:
        ValueError: the module has no such cell with biases, or ``longest`` is below 3.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> lstm = nn.LSTM(3, 100)
    >>> nn.init.chrono_(lstm, 50, generator=0)
    >>> i, f = np.split((lstm.bias_ih_l0 + lstm.bias_hh_l0).data, 4)[:2]
    >>> bool((f == -i).all()), bool(1 < np.exp(f).min() < np.exp(f).max() < 49)
    (True, True)
    """
    check("chrono_", longest=longest)
    rng, found = as_generator(generator), False
    for part in module.modules():
        kind = next((name for name in getattr(part, "gate_names", ()) if name in _KEEP), None)
        if kind is None or not part.bias:
            continue
        keep, enter = _KEEP[kind]
        for suffix in _suffixes(part):
            drawn = np.log(rng.uniform(1.0, longest - 1.0, part.hidden_size))
            gates = {keep: drawn} if enter is None else {keep: drawn, enter: -drawn}
            set_gates(part, gates, suffix)
        found = True
    if not found:
        raise ValueError(
            f"chrono_: {type(module).__name__} has no LSTM or GRU with biases; give one, or a module that "
            "contains one"
        )


def set_gates(part: Any, gates: dict[int, Any], suffix: str | None = None) -> None:
    """Give gates of a cell or layer a bias: b_ih is set and b_hh is 0, so that their sum is the value.

    Args:
        gates: by place of the gate in the stored order, a number or (H,).
        suffix: of the parameters of one layer and direction; all by default.
    """
    hidden = part.hidden_size
    for name, parameter in part._parameters.items():
        if name.startswith("bias_") and suffix in (None, name[len("bias_ih") :]):
            bias = parameter.numpy().copy()
            for k, value in gates.items():
                bias[k * hidden : (k + 1) * hidden] = value if name.startswith("bias_ih") else 0.0
            parameter.data = bias


def _suffixes(part: Any) -> list[str]:
    return [name[len("bias_ih") :] for name in part._parameters if name.startswith("bias_ih")]
