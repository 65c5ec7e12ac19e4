"""Functions of PyTorch that stay whole in a recording, or are unrolled: what users call, before dispatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as TF

from micrornn import ops
from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn import functional as F
from micrornn.torch.recurrent import CELLS, LAYERS, equation

Function = Callable[[Any, Any, Sequence[Any], dict[str, Any]], Any]
FUNCTIONS: dict[Any, Function] = {}


def _declared(*functions: Any) -> Callable[[Function], Function]:
    def declare(stands_for: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(functions, stands_for))
        return stands_for

    return declare


def _whole(rule: Callable[..., Any]) -> Function:
    """A function that has a counterpart with the same arguments."""

    def stands_for(capture: Any, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        with capture.paused():
            node = rule(*capture.as_nodes(list(args)), **capture.as_nodes(kwargs))
            out = func(*args, **kwargs)
            capture.bind(out, node)
        return out

    return stands_for


def _linear(x: Any, w: Any, b: Any = None) -> Tensor:
    return ops.linear(x, w) if b is None else ops.linear(x, w, b)


def _cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    return F.cross_entropy(
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _ctc(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    about = targets, input_lengths, target_lengths, blank
    sums = np.exp(log_probs._value).sum(-1)
    if log_probs.ndim == 2 or np.allclose(sums, 1.0, atol=1e-4):
        return F.ctc_loss(log_probs, *about, reduction, zero_infinity)
    # PyTorch takes it for granted that its input comes from a log-softmax: of any other, what it calls the
    # gradient has exp(x) too much. A recording is of what PyTorch does, so it has it as well.
    loss = F.ctc_loss(log_probs, *about, "none", zero_infinity)
    lengths = np.asarray(input_lengths)
    read = np.arange(len(sums))[:, None] < lengths
    extra = (ops.exp(log_probs) * read[..., None]).sum((0, 2))
    loss = ops.add(loss, extra - extra.detach())
    if reduction == "mean":
        return ops.mean(loss / np.maximum(np.asarray(target_lengths), 1).astype(loss.dtype))
    return ops.sum(loss) if reduction == "sum" else loss


FUNCTIONS[TF.linear] = _whole(_linear)
FUNCTIONS[TF.cross_entropy] = _whole(_cross_entropy)
FUNCTIONS[TF.ctc_loss] = _whole(_ctc)
FUNCTIONS[torch.Tensor.data.__get__] = _whole(ops.detach)  # type: ignore[attr-defined]


@_declared(torch.einsum)
def _einsum(capture: Any, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    subscripts, *operands = args
    if not isinstance(subscripts, str) or "." in subscripts or "->" not in subscripts:
        return func(*args, **kwargs)
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = list(operands[0])
    return _whole(lambda *xs: ops.einsum(subscripts.replace(" ", ""), *xs[1:]))(
        capture, func, [subscripts, *operands], kwargs
    )


@_declared(*CELLS)
def _cell(capture: Any, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    x, state, *weights = args
    with capture.paused():
        step = equation(
            CELLS[func], [None if w is None else capture.values.node(w) for w in weights]
        )
        states = state if isinstance(state, (tuple, list)) else [state]
        with scope(capture.layer):
            nodes = step(capture.values.node(x), *[capture.values.node(s) for s in states])
        out = func(*args, **kwargs)
        capture.bind(out, nodes)
    return out


@_declared(*LAYERS)
def _layers(capture: Any, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A fused layer: computed as it is, and unrolled beside it.

    What dropout left out between its layers, PyTorch does not tell. So there the layers are run one by one.
    """
    packed = isinstance(args[3], (tuple, list))
    if packed:
        x, batch_sizes, state, weights, _, count, dropout, training, both = args
        batch_first, sizes = False, [int(n) for n in batch_sizes]
    else:
        x, state, weights, _, count, dropout, training, both, batch_first = args
        sizes = None
    if dropout and training and count > 1:
        return _one_by_one(capture, func, args, packed)
    values = capture.values
    with capture.paused():
        node = values.node(x)
        if batch_first:
            node = ops.swapaxes(node, 0, 1)
        states = state if isinstance(state, (tuple, list)) else [state]
        nodes = capture.unroller.layers(
            LAYERS[func],
            capture.layer,
            node,
            sizes,
            [values.node(s) for s in states],
            [values.node(w) for w in weights],
            count,
            1 + both,
            capture.first_layer,
        )
        out = func(*args, **kwargs)
        output = ops.swapaxes(nodes[0], 0, 1) if batch_first else nodes[0]
        capture.bind(out, [output, *nodes[1:]])
    return out


def _one_by_one(capture: Any, func: Any, args: Sequence[Any], packed: bool) -> Any:
    i = 1 if packed else 0
    args = list(args)
    state, weights, count, dropout = args[1 + i], args[2 + i], args[4 + i], args[5 + i]
    both = args[7 + i]
    directions = 1 + both
    per = len(weights) // (count * directions)
    states = list(state) if isinstance(state, (tuple, list)) else [state]
    x, finals = args[0], []
    for layer in range(count):
        rows = slice(layer * directions, (layer + 1) * directions)
        own = [s[rows] for s in states]
        call = list(args)
        call[0] = x
        call[1 + i] = own if isinstance(state, (tuple, list)) else own[0]
        call[2 + i] = weights[layer * directions * per : (layer + 1) * directions * per]
        call[4 + i], call[5 + i] = 1, 0.0
        with capture.from_layer(layer):
            x, *ends = _layers(capture, func, call, {})
        finals.append(ends)
        if layer < count - 1:
            x = TF.dropout(x, dropout, True)
    return (x, *[torch.cat(list(part), 0) for part in zip(*finals)])


def drops(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call leaves out units at random."""
    if func is TF.dropout:
        p, training = [*args, 0.5, True][1:3] if len(args) > 2 else (0.5, True)
        return bool(kwargs.get("training", training)) and kwargs.get("p", p) > 0
    if func not in LAYERS or kwargs:
        return False
    packed = isinstance(args[3], (tuple, list))
    count, share, training = args[5:8] if packed else args[4:7]
    return bool(training) and share > 0 and count > 1
