"""Forward mode: tangents pushed through a recorded graph, oldest node first.

Pushing a tangent through an unrolled graph carries d(state)/d(parameter) along with time, which is
real-time recurrent learning (Williams & Zipser 1989); backward mode carries it against time, which is BPTT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from micrornn.core.backward import check_wanted, grad
from micrornn.core.tensor import Tensor, describe
from micrornn.ops.shape import broadcast_to
from micrornn.recompute import remembered


def jvp(out: Tensor, inputs: Tensor | Sequence[Tensor], tangents: Any) -> Any:
    """J v: how out moves when the inputs move along the tangents.

    Args:
        out: a computed tensor.
        inputs: one tensor of its graph or several.
        tangents: for each input an array of its shape.

    Returns:
        An array in the shape of out; zeros where no path leads from the inputs.

    Raises:
        ValueError: a tangent does not have the shape of its input; or an input is no part of out's
            graph and does not require a gradient, so that its uses may not have been recorded.

    >>> import micrornn as mr
    >>> x = mr.tensor([1.0, 2.0], requires_grad=True)
    >>> mr.jvp(x * x, x, [1.0, 0.0])
    array([2., 0.])
    """
    nodes = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [tangents] if isinstance(inputs, Tensor) else list(tangents)
    if len(nodes) != len(given):
        raise ValueError(f"{len(given)} tangents for {len(nodes)} inputs; give one for each")
    graph = remembered(out)
    numbers = {node.number for node in graph}
    check_wanted([x for x in nodes if x.number not in numbers], "jvp")
    seeds = {}
    for x, tangent in zip(nodes, given):
        array = np.asarray(tangent, x.dtype)
        if array.shape != x.shape:
            raise ValueError(
                f"tangent of shape {array.shape} for {describe(x)} of shape {x.shape}; "
                "give one number for each of its elements"
            )
        seeds[x.number] = float(array) if type(x._value) is float else array[()]
    return _push(graph, out, seeds)


def _push(nodes: Sequence[Tensor], out: Tensor, seeds: dict[int, Any]) -> Any:
    tangents: dict[int, Any] = dict(seeds)
    for node in nodes:
        if node.number in seeds:
            continue  # its own tangent is given, whatever its inputs do
        p = node.primitive
        arrived = [tangents.get(x.number) for x in node.inputs]
        if p is None or all(d is None for d in arrived):
            continue
        if p.variadic:
            total = p.jvp(arrived, node._value, *node.values, **node.params)
        else:
            total = None
            for d, rule in zip(arrived, p.jvp):
                if d is not None:
                    share = rule(d, node._value, *node.values, **node.params)
                    total = share if total is None else total + share
        total, scalar = broadcast_to(total, node.shape), type(node._value) is float
        # Of Python numbers NumPy makes float64, also where the node is float32.
        tangents[node.number] = total if scalar else np.asarray(total, node.dtype)[()]
    result = tangents.get(out.number)
    return np.zeros(out.shape, out.dtype)[()] if result is None else result


def jacobian(
    out: Tensor, wrt: Tensor, mode: Literal["auto", "forward", "reverse"] = "auto"
) -> np.ndarray[Any, Any]:
    """The matrix of all d(out_i)/d(wrt_j), in the shape ``out.shape + wrt.shape``.

    Args:
        out: a computed tensor.
        wrt: a tensor of its graph.
        mode: one sweep per element of out (reverse) or of wrt (forward); the cheaper by default.

    Raises:
        ValueError: the mode is not one of the three, or wrt does not require a gradient.

    >>> import micrornn as mr
    >>> x = mr.tensor([1.0, 2.0], requires_grad=True)
    >>> mr.jacobian(x * x, x)
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian mode {mode!r}; choose auto, forward or reverse")
    check_wanted([wrt], "jacobian")
    if mode == "auto":
        mode = "forward" if wrt.size < out.size else "reverse"
    result = np.zeros((out.size, wrt.size), np.result_type(out.dtype, wrt.dtype))
    if mode == "forward":
        nodes = remembered(out)
        for j, seed in enumerate(_units(wrt)):
            result[:, j] = np.ravel(_push(nodes, out, {wrt.number: seed}))
    elif out.requires_grad:
        for i, seed in enumerate(_units(out)):
            row = grad(out, wrt, seed)
            if row is not None:
                result[i] = np.ravel(row)
    return result.reshape(out.shape + wrt.shape)


def _units(x: Tensor) -> list[Any]:
    """One array per element of x, with a 1 there and 0 elsewhere."""
    if type(x._value) is float:
        return [1.0]
    return [row.reshape(x.shape)[()] for row in np.eye(x.size, dtype=x.dtype)]


def hvp(out: Tensor, inputs: Tensor | Sequence[Tensor], vectors: Any) -> Any:
    """H v: the Hessian of a scalar times vectors, as the gradient of <gradient, v>.

    Args:
        out: a scalar tensor.
        inputs: one tensor or several.
        vectors: for each input an array of its shape.

    Returns:
        One array per input, in its shape (zeros where the second derivative vanishes).

    Raises:
        ValueError: out is no scalar, or a vector has the wrong shape.

    >>> import micrornn as mr
    >>> x = mr.tensor([1.0, 2.0], requires_grad=True)
    >>> mr.hvp((x * x * x).sum(), x, [1.0, 1.0])
    array([ 6., 12.])
    """
    nodes = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [vectors] if isinstance(inputs, Tensor) else list(vectors)
    if len(nodes) != len(given):
        raise ValueError(f"{len(given)} vectors for {len(nodes)} inputs; give one for each")
    total: Tensor | None = None
    for x, first, v in zip(nodes, grad(out, nodes, create_graph=True), given):
        array = np.asarray(v, x.dtype)
        if array.shape != x.shape:
            raise ValueError(
                f"vector of shape {array.shape} for {describe(x)} of shape {x.shape}; "
                "give one number for each of its elements"
            )
        if first is not None:
            slope = (first * array).sum() if array.ndim else first * float(array)
            total = slope if total is None else total + slope
    products: list[Any] = [None] * len(nodes)
    if total is not None and total.requires_grad:
        products = grad(total, nodes)
    filled = [np.zeros(x.shape, x.dtype)[()] if p is None else p for x, p in zip(nodes, products)]
    return filled[0] if isinstance(inputs, Tensor) else filled
