"""An operation that micrornn does not have: a node of its own, whose gradient is PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from micrornn.core.primitive import PRIMITIVES, primitive
from micrornn.core.tensor import Tensor
from micrornn.torch.values import array


def opaque(
    name: str, call: Any, inputs: Sequence[tuple[Any, Tensor]], outputs: Sequence[Any]
) -> list[Tensor]:
    """The nodes of an operation's outputs, computed from its differentiable inputs.

    Args:
        name: of the operation, as PyTorch has it.
        call: (inputs) -> the outputs, in PyTorch.
        inputs: the tensors that carry a gradient, as they were, each with its node.
        outputs: the outputs that are floats.
    """
    key = f"torch {name}"
    if key not in PRIMITIVES:
        _declare(key)
    return [
        _OPERATIONS[key](*[node for _, node in inputs], run=_Run(call, inputs, k), value=array(out))
        for k, out in enumerate(outputs)
    ]


class _Run:
    """How PyTorch computed an output, to be differentiated when its gradient arrives."""

    def __init__(self, call: Any, inputs: Sequence[tuple[Any, Tensor]], output: int) -> None:
        self.call = call
        self.inputs = [tensor.detach().clone() for tensor, _ in inputs]
        self.output = output

    def pull(self, g: Any) -> list[Any]:
        """PyTorch's own gradient for each input."""
        leaves = [x.clone().requires_grad_() for x in self.inputs]
        with torch.enable_grad():
            found = self.call(leaves)
        out = [x for x in _flat(found) if x.is_floating_point()][self.output]
        seed = torch.as_tensor(np.array(g)).to(out.dtype).reshape(out.shape)
        sent = torch.autograd.grad(out, leaves, seed, allow_unused=True)
        return [np.zeros(tuple(x.shape)) if c is None else array(c) for x, c in zip(leaves, sent)]


def _flat(outputs: Any) -> list[Any]:
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [x for x in outputs if isinstance(x, torch.Tensor)]


_OPERATIONS: dict[str, Any] = {}


def _vjp(g: Any, y: Any, *xs: Any, run: Any, value: Any) -> list[Any]:
    return list(run.pull(g))


def _no_jvp(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("an operation of PyTorch's has no forward mode here")


def _declare(key: str) -> None:
    _OPERATIONS[key] = primitive(
        key,
        f"{key}, an operation of PyTorch's",
        forward=lambda *xs, run, value: value,
        vjp=_vjp,
        jvp=_no_jvp,
        samples=(),
        symbol=key.removeprefix("torch "),
        kind="opaque",
    )
