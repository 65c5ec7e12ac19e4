"""Write the reference values for convolution, pooling, LayerNorm and activations; see `generate.py`."""

from __future__ import annotations

from typing import Any

import torch
from cases import VERSION, add, fill, generator, leaf, normal
from store import Writer

SHAPES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Conv2d", {"kernel_size": 3}, (2, 2, 5, 4)),
    ("Conv2d", {"kernel_size": 1, "bias": False}, (2, 2, 3, 3)),
    ("Conv2d", {"kernel_size": [2, 3], "stride": [2, 1], "padding": [1, 0]}, (2, 2, 4, 5)),
    ("Conv2d", {"kernel_size": 3, "stride": 3, "padding": 1}, (1, 2, 6, 5)),
    ("Conv2d", {"kernel_size": 2, "dilation": [2, 1], "padding": 1}, (2, 2, 4, 4)),
    ("Conv2d", {"kernel_size": 3, "padding": 2}, (2, 3, 2)),
    ("Conv2d", {"kernel_size": 3, "padding": "same"}, (2, 2, 4, 3)),
    ("Conv2d", {"kernel_size": [2, 3], "padding": "same", "dilation": [1, 2]}, (2, 2, 4, 5)),
    ("Conv2d", {"kernel_size": 2, "padding": "valid"}, (2, 2, 3, 3)),
    ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 2, "groups": 2}, (2, 4, 3, 4)),
    (
        "Conv2d",
        {"in_channels": 3, "out_channels": 3, "kernel_size": 3, "groups": 3, "bias": False},
        (3, 4, 4),
    ),
    ("Conv1d", {"kernel_size": 3}, (2, 2, 6)),
    ("Conv1d", {"kernel_size": 2, "stride": 2, "padding": 1, "bias": False}, (2, 2, 5)),
    ("Conv1d", {"kernel_size": 4, "padding": "same"}, (2, 2, 5)),
    ("Conv1d", {"kernel_size": 3, "dilation": 2, "padding": 2}, (2, 7)),
    ("Conv1d", {"in_channels": 4, "out_channels": 2, "kernel_size": 2, "groups": 2}, (2, 4, 4)),
    ("MaxPool2d", {"kernel_size": 2}, (2, 2, 5, 4)),
    ("MaxPool2d", {"kernel_size": 2, "ceil_mode": True}, (2, 2, 5, 5)),
    ("MaxPool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}, (1, 2, 4, 5)),
    ("MaxPool2d", {"kernel_size": 2, "stride": 4, "ceil_mode": True}, (1, 2, 6, 9)),
    ("MaxPool2d", {"kernel_size": 2, "stride": 1, "dilation": [2, 1]}, (2, 2, 5, 4)),
    (
        "MaxPool2d",
        {"kernel_size": [2, 3], "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
        (1, 2, 6, 8),
    ),
    ("MaxPool2d", {"kernel_size": 3, "stride": 1, "padding": 1}, (2, 2, 4, 3)),
    ("MaxPool2d", {"kernel_size": [1, 2], "stride": [2, 1]}, (2, 4, 4)),
    ("MaxPool2d", {"kernel_size": 2, "stride": 3, "padding": [0, 1]}, (1, 2, 5, 5)),
    ("LayerNorm", {"normalized_shape": 4}, (3, 4)),
    ("LayerNorm", {"normalized_shape": [2, 3], "eps": 1e-3}, (4, 2, 3)),
    ("LayerNorm", {"normalized_shape": 4, "bias": False}, (4,)),
    ("LayerNorm", {"normalized_shape": 4, "elementwise_affine": False}, (2, 3, 4)),
    ("Tanh", {}, (3, 2)),
    ("Sigmoid", {}, (3, 2)),
    ("ReLU", {}, (3, 2)),
    ("LeakyReLU", {}, (3, 2)),
    ("LeakyReLU", {"negative_slope": 0.2}, (3, 2)),
    ("LogSigmoid", {}, (3, 2)),
    ("Softplus", {}, (3, 2)),
    ("Softplus", {"beta": 2.0, "threshold": 1.0}, (3, 2)),
    ("Softmax", {"dim": 1}, (2, 3, 2)),
    ("Softmax", {"dim": 0}, (3, 2)),
    ("LogSoftmax", {"dim": -1}, (3, 2)),
    ("Flatten", {}, (2, 3, 2)),
    ("Flatten", {"start_dim": 0, "end_dim": 1}, (2, 3, 2)),
]


def images() -> None:
    file = Writer("images")
    for name, options, shape in SHAPES:
        for ties in (False, True) if name == "MaxPool2d" else (False,):
            case = f"{name}, {options}, {shape}{', ties' if ties else ''}"
            given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
            if name.startswith("Conv"):
                given = {"in_channels": 2, "out_channels": 3} | given
            module = getattr(torch.nn, name)(**given).double()
            x = normal(generator(case), *shape)
            x = leaf(x.round() if ties else x)
            arguments = {"module": name, "options": given}
            parameters, more = fill(module, case), {}
            if name == "MaxPool2d":  # and where each element stood
                module.return_indices = True
                more = {"indices": {"indices": module(x)[1]}}
                module.return_indices = False
            add(file, case, arguments, parameters, {"x": x}, {"y": module(x)}, **more)
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    images()
