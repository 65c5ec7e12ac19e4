"""Modules from PyTorch to micrornn and back: what both have, with its weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch

from micrornn import nn
from micrornn.torch.values import array

_LAYER = "num_layers bias batch_first dropout bidirectional"
_CONV = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode"
#: By class, the options that both constructors take.
OPTIONS = {
    "RNN": f"input_size hidden_size nonlinearity {_LAYER}",
    "LSTM": f"input_size hidden_size {_LAYER} proj_size",
    "GRU": f"input_size hidden_size {_LAYER}",
    "RNNCell": "input_size hidden_size bias nonlinearity",
    **dict.fromkeys(("LSTMCell", "GRUCell"), "input_size hidden_size bias"),
    "Linear": "in_features out_features bias",
    "Embedding": "num_embeddings embedding_dim padding_idx",
    **dict.fromkeys(("Conv1d", "Conv2d"), _CONV),
    "LayerNorm": "normalized_shape eps elementwise_affine bias",
    "BatchNorm1d": "num_features eps momentum affine track_running_stats",
    "MaxPool2d": "kernel_size stride padding dilation",
    "Dropout": "p",
    "Flatten": "start_dim end_dim",
    **dict.fromkeys(("Softmax", "LogSoftmax"), "dim"),
    "LeakyReLU": "negative_slope",
    **dict.fromkeys(("ReLU", "Tanh", "Sigmoid", "LogSigmoid", "Identity"), ""),
}
#: Options that one of the two lacks: only these values have a counterpart.
ALONE = {
    "max_norm": None,
    "scale_grad_by_freq": False,
    "peepholes": False,
    "layer_norm": False,
    "reset_after": True,
    "ceil_mode": False,
    "return_indices": False,
}
_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


def to_micrornn(module: Any) -> nn.Module:
    """The same module in micrornn, with its weights, their dtype, and its mode.

    Layers, activations, and `Sequential`, `ModuleList` and `ModuleDict` of them are converted. A module with
    a ``forward`` of its own is not: write it with `micrornn.nn`, and give it ``model.state_dict()``.

    Args:
        module: a ``torch.nn.Module``; it is not changed.

    Raises:
        TypeError: the module, or one in it, has no counterpart; names it.
        ValueError: an option has no counterpart.
    """
    found: nn.Module = _rebuilt(module, "", torch.nn, nn)
    floats = [p.dtype for p in module.parameters() if p.is_floating_point()]
    if floats:
        found.to(np.float64 if floats[0] == torch.float64 else np.float32)
    state = {name: array(value) for name, value in module.state_dict().items()}
    own = found.state_dict()  # without the counter of batches, which has no use here
    found.load_state_dict({name: value for name, value in state.items() if name in own})
    wanted = {name: p.requires_grad for name, p in module.named_parameters()}
    for name, parameter in found.named_parameters():
        parameter.requires_grad = wanted[name]
    return found.train(module.training)


def to_torch(module: nn.Module) -> Any:
    """The same module in PyTorch, with its weights, their dtype, and its mode: the way back.

    Args:
        module: a module of micrornn; it is not changed.

    Raises:
        TypeError: the module, or one in it, has no counterpart; names it.
        ValueError: an option, such as peepholes, has no counterpart.
    """
    found = _rebuilt(module, "", nn, torch.nn)
    state = {name: torch.from_numpy(value.copy()) for name, value in module.state_dict().items()}
    floats = [value.dtype for value in state.values() if value.is_floating_point()]
    if floats:
        found.to(floats[0])
    lacking = found.load_state_dict(state, strict=False)
    if lacking.unexpected_keys:
        raise ValueError(f"to_torch: PyTorch's modules have no {lacking.unexpected_keys[0]}")
    wanted = {name: p.requires_grad for name, p in module.named_parameters()}
    for name, parameter in found.named_parameters():
        parameter.requires_grad_(wanted[name])
    return found.train(module.training)


def _rebuilt(module: Any, path: str, source: ModuleType, target: ModuleType) -> Any:
    kind = type(module).__name__
    where = f"{path} ({kind})" if path else kind
    if getattr(source, kind, None) is not type(module):
        raise TypeError(
            f"{where} has a forward of its own, which is not converted. Write the class with "
            f"{target.__name__}, and load its weights: load_state_dict(model.state_dict())"
        )
    if kind in _CONTAINERS:
        parts = {
            name: _rebuilt(part, f"{path}.{name}".lstrip("."), source, target)
            for name, part in module.named_children()
        }
        return _container(kind, parts, target)
    if kind not in OPTIONS:
        raise TypeError(f"{where} has no counterpart; there are {', '.join(OPTIONS)}")
    for name, value in ALONE.items():
        if getattr(module, name, value) != value:
            raise ValueError(
                f"{where}: {name}={getattr(module, name)!r} has no counterpart in {target.__name__}"
            )
    return getattr(target, kind)(**{name: _option(module, name) for name in OPTIONS[kind].split()})


def _container(kind: str, parts: Mapping[str, Any], target: ModuleType) -> Any:
    if kind == "ModuleDict":
        return target.ModuleDict(parts)
    if kind == "ModuleList":
        return target.ModuleList(parts.values())
    if list(parts) == [str(i) for i in range(len(parts))]:
        return target.Sequential(*parts.values())
    return target.Sequential(OrderedDict(parts))


def _option(module: Any, name: str) -> Any:
    if name in ("affine", "elementwise_affine") and not hasattr(module, name):
        return module.weight is not None
    if name == "track_running_stats":
        return module.running_mean is not None
    value = getattr(module, name)
    if name == "bias" and not isinstance(value, bool):
        return value is not None
    return value
