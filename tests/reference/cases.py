"""What the programs that write reference values share: seeded numbers, gradients, one case."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
from store import Writer

VERSION = torch.__version__.split("+")[0]


def generator(case: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(case.encode()))


def normal(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.array(rng.standard_normal(shape)))


def leaf(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.clone().requires_grad_(True)


def gradients_of(
    outputs: dict[str, torch.Tensor], cotangents: dict[str, torch.Tensor], leaves: dict[str, Any]
) -> dict[str, torch.Tensor]:
    total = sum((outputs[key] * cotangents[key]).sum() for key in outputs)
    found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    return {
        key: torch.zeros_like(value) if grad is None else grad
        for (key, value), grad in zip(leaves.items(), found, strict=True)
    }


def fill(module: torch.nn.Module, case: str) -> dict[str, torch.nn.Parameter]:
    """Parameters of a module, drawn for this case."""
    rng = generator(case + " parameters")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.7 * normal(rng, *parameter.shape))
    return dict(module.named_parameters())


def add(
    file: Writer,
    case: str,
    arguments: dict[str, Any],
    parameters: dict[str, torch.Tensor],
    inputs: dict[str, torch.Tensor],
    outputs: dict[str, torch.Tensor],
    **more: Any,
) -> None:
    """Store one forward and backward: cotangents are drawn, gradients found, for what can have one."""
    rng = generator(case + " cotangents")
    cotangents = {key: normal(rng, *value.shape) for key, value in outputs.items()}
    leaves = {key: v for key, v in {**parameters, **inputs}.items() if v.requires_grad}
    found = gradients_of(outputs, cotangents, leaves)
    file.add(
        case,
        arguments,
        parameters=parameters,
        inputs=inputs,
        outputs=outputs,
        cotangents=cotangents,
        gradients=found,
        **more,
    )
