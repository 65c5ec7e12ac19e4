"""Write the reference values for BatchNorm1d, attention's function and initializers; see `generate.py`."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from cases import VERSION, add, fill, generator, leaf, normal
from store import Writer
from torch.nn import functional, init


def batch_norm(file: Writer) -> None:
    """Three batches in training, then one in use: outputs and gradients of each, and the buffers after."""
    options: list[dict[str, Any]] = [
        {},
        {"momentum": 0.3, "eps": 1e-3},
        {"momentum": None},
        {"affine": False},
        {"track_running_stats": False},
    ]
    for extra, shape in itertools.product(options, ((4, 3), (2, 3, 5))):
        case = f"BatchNorm1d {extra}, {shape}"
        module = torch.nn.BatchNorm1d(3, **extra).double()
        parameters, rng = fill(module, case), generator(case)
        inputs = {f"x{i}": leaf(normal(rng, *shape)) for i in range(4)}
        outputs = {f"y{i}": module(inputs[f"x{i}"]) for i in range(3)}
        outputs["y3"] = module.eval()(inputs["x3"])
        arguments = {"module": "BatchNorm1d", "options": {"num_features": 3, **extra}}
        add(
            file, case, arguments, parameters, inputs, outputs, buffers=dict(module.named_buffers())
        )


def attention(file: Writer) -> None:
    for name, options in (
        ("scale", {"scale": 0.3}),
        ("a mask of numbers", {"attn_mask": True}),
        ("causal, scale", {"is_causal": True, "scale": 2.0}),
    ):
        case = f"scaled_dot_product_attention, {name}"
        rng = generator(case)
        shapes = {"query": (2, 3, 4), "key": (2, 3, 4), "value": (2, 3, 2)}
        inputs = {key: leaf(normal(rng, *shape)) for key, shape in shapes.items()}
        given = dict(options)
        if "attn_mask" in options:
            inputs["attn_mask"] = leaf(normal(rng, 3, 3))
            given.pop("attn_mask")
        y = functional.scaled_dot_product_attention(**inputs, **given)
        arguments = {"function": "scaled_dot_product_attention", "options": given}
        add(file, case, arguments, {}, inputs, {"y": y})


SHAPES = ((40, 30), (20, 10, 3), (6, 5, 3, 3))


def drawn_with(function: Any, shape: tuple[int, ...], options: dict[str, Any]) -> float:
    """The upper bound, or the deviation, with which an initializer of PyTorch's draws."""
    seen: list[float] = []
    uniform, gauss = torch.Tensor.uniform_, torch.Tensor.normal_
    torch.Tensor.uniform_ = lambda self, a, b, **_: (seen.append(b), self)[1]
    torch.Tensor.normal_ = lambda self, mean, std, **_: (seen.append(std), self)[1]
    try:
        function(torch.empty(shape), **options)
    finally:
        torch.Tensor.uniform_, torch.Tensor.normal_ = uniform, gauss
    return seen[0]


def initializers(file: Writer) -> None:
    """How large the values are drawn: the bound of a uniform, the deviation of a normal distribution."""
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"xavier_{kind}_", {"gain": gain}) for kind in ("uniform", "normal") for gain in (1.0, 0.5)
    ]
    ways = [
        {},
        {"mode": "fan_out", "nonlinearity": "relu"},
        {"a": 0.2, "mode": "fan_in"},
        {"nonlinearity": "tanh"},
        {"nonlinearity": "linear", "mode": "fan_out"},
    ]
    calls += [(f"kaiming_{kind}_", way) for kind in ("uniform", "normal") for way in ways]
    for (function, options), shape in itertools.product(calls, SHAPES):
        size = drawn_with(getattr(init, function), shape, options)
        case = f"{function} {options}, {shape}"
        arguments = {"initializer": function, "options": options, "shape": shape}
        file.add(case, arguments, expected={"size": size})
    for name, slope in (
        *[
            (name, None)
            for name in ("linear", "conv1d", "conv2d", "sigmoid", "tanh", "relu", "selu")
        ],
        *[("leaky_relu", slope) for slope in (None, 0.0, 0.3)],
    ):
        arguments = {
            "initializer": "calculate_gain",
            "options": {"nonlinearity": name, "param": slope},
        }
        size = init.calculate_gain(name, slope)
        file.add(f"calculate_gain {name} {slope}", arguments, expected={"size": size})


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    modules = Writer("modules")
    batch_norm(modules)
    attention(modules)
    initializers(modules)
    modules.write(torch=VERSION)
