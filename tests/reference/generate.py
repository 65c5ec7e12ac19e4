"""Write the reference values that `tests/nn` compares with, as PyTorch computes them in float64.

Run once, and again only when a case is added:

    pip install torch==2.13.0
    python tests/reference/generate.py  # and generate_*.py beside it, each for its files

PyTorch is needed here and nowhere else: the tests read the `.npz` files beside this one,
by `store`. Inputs, parameters and cotangents come from one seeded generator per case, so that a
case does not change when another one is added.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from cases import VERSION, fill, generator, gradients_of, leaf, normal
from store import Writer
from torch.nn import functional

INPUT, HIDDEN, STEPS, BATCH = 3, 2, 4, 2


def flatten(result: Any) -> Iterator[torch.Tensor]:
    if isinstance(result, tuple):
        for part in result:
            yield from flatten(part)
    else:
        yield result


def run_module(
    file: Writer,
    case: str,
    module: torch.nn.Module,
    arguments: dict[str, Any],
    inputs: dict[str, torch.Tensor],
) -> None:
    """One module, forward and backward; recurrent outputs are named output, h and c."""
    rng = generator(case + " parameters")
    module = module.double()
    parameters = fill(module, case)
    rng.standard_normal(sum(p.numel() for p in parameters.values()))  # the cotangents come after
    inputs = {key: leaf(value) for key, value in inputs.items()}
    given = list(inputs.values())
    state = given[1:]
    result = module(given[0], *([tuple(state)] if len(state) == 2 else state))
    flat = list(flatten(result))
    cell = type(module).__name__.endswith("Cell")
    keys = ["h", "c"] if cell else ["output", "h", "c"]
    outputs = dict(zip(keys, flat, strict=False))
    cotangents = {key: normal(rng, *value.shape) for key, value in outputs.items()}
    found = gradients_of(outputs, cotangents, {**parameters, **inputs})
    file.add(
        case,
        arguments,
        parameters=parameters,
        inputs=inputs,
        outputs=outputs,
        cotangents=cotangents,
        gradients=found,
    )


def cells() -> None:
    file = Writer("cells")
    kinds: dict[str, tuple[type[torch.nn.Module], dict[str, Any]]] = {
        "RNNCell tanh": (torch.nn.RNNCell, {"nonlinearity": "tanh"}),
        "RNNCell relu": (torch.nn.RNNCell, {"nonlinearity": "relu"}),
        "LSTMCell": (torch.nn.LSTMCell, {}),
        "GRUCell": (torch.nn.GRUCell, {}),
    }
    for (kind, (maker, extra)), bias, given, batched in itertools.product(
        kinds.items(), (True, False), (True, False), (True, False)
    ):
        case = f"{kind}, {'bias' if bias else 'no bias'}, " + (
            f"{'given' if given else 'zero'} state, {'batched' if batched else 'unbatched'}"
        )
        rng = generator(case)
        lead = (BATCH,) if batched else ()
        inputs = {"x": normal(rng, *lead, INPUT)}
        if given:
            inputs["h0"] = normal(rng, *lead, HIDDEN)
            if kind == "LSTMCell":
                inputs["c0"] = normal(rng, *lead, HIDDEN)
        options = {**extra, "bias": bias}
        module = maker(INPUT, HIDDEN, **options)
        run_module(file, case, module, {"module": maker.__name__, "options": options}, inputs)
    file.write(torch=VERSION)


def layers() -> None:
    """Every combination of four switches; the layout of the input takes turns over them."""
    file = Writer("layers")
    kinds: dict[str, tuple[type[torch.nn.Module], dict[str, Any]]] = {
        "RNN tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
        "RNN relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
        "LSTM": (torch.nn.LSTM, {}),
        "GRU": (torch.nn.GRU, {}),
    }
    layouts = ("time first", "batch first", "unbatched")
    for kind, (maker, extra) in kinds.items():
        switches = itertools.product((1, 2), (True, False), (True, False), (True, False))
        for turn, (depth, bias, bidirectional, given) in enumerate(switches):
            layout = layouts[turn % 3]
            case = ", ".join(
                [
                    kind,
                    f"{depth} layer{'s' if depth > 1 else ''}",
                    "bias" if bias else "no bias",
                    "both ways" if bidirectional else "forward",
                    "given state" if given else "zero state",
                    layout,
                ]
            )
            rng = generator(case)
            shape, lead = {
                "time first": ((STEPS, BATCH, INPUT), (BATCH,)),
                "batch first": ((BATCH, STEPS, INPUT), (BATCH,)),
                "unbatched": ((STEPS, INPUT), ()),
            }[layout]
            inputs = {"x": normal(rng, *shape)}
            if given:
                rows = depth * (2 if bidirectional else 1)
                inputs["h0"] = normal(rng, rows, *lead, HIDDEN)
                if kind == "LSTM":
                    inputs["c0"] = normal(rng, rows, *lead, HIDDEN)
            options = {
                **extra,
                "num_layers": depth,
                "bias": bias,
                "batch_first": layout == "batch first",
                "bidirectional": bidirectional,
            }
            module = maker(INPUT, HIDDEN, **options)
            run_module(file, case, module, {"module": maker.__name__, "options": options}, inputs)
    for bias, shape in itertools.product((True, False), ((), (5,), (4, 2))):
        case = f"Linear, {'bias' if bias else 'no bias'}, input {(*shape, INPUT)}"
        module = torch.nn.Linear(INPUT, HIDDEN, bias=bias)
        inputs = {"x": normal(generator(case), *shape, INPUT)}
        run_module(file, case, module, {"module": "Linear", "options": {"bias": bias}}, inputs)
    file.write(torch=VERSION)


def losses() -> None:
    file = Writer("losses")
    reductions = ("none", "mean", "sum")
    shapes = {"(N, C)": (5, 4), "(N, C) extreme": (6, 4), "(N, C, T)": (2, 4, 3), "(C,)": (4,)}
    kinds = ("classes", "classes, one ignored", "probabilities")
    for (label, shape), kind, smoothing, weighted, reduction in itertools.product(
        shapes.items(), kinds, (0.0, 0.1), (False, True), reductions
    ):
        if label == "(C,)" and kind == "classes, one ignored":
            continue
        case = (
            f"cross_entropy {label}, {kind}, smoothing {smoothing}, "
            f"{'weighted' if weighted else 'unweighted'}, {reduction}"
        )
        rng = generator(case)
        logits = leaf((1e4 if "extreme" in label else 3.0) * normal(rng, *shape))
        axis = 0 if len(shape) == 1 else 1
        where = shape[:axis] + shape[axis + 1 :]
        options: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
        inputs = {"logits": logits}
        if kind == "probabilities":
            target = leaf(torch.softmax(normal(rng, *shape), axis))
            inputs["target"] = target
        else:
            target = torch.from_numpy(np.array(rng.integers(0, shape[axis], where)))
            if kind == "classes, one ignored":
                options["ignore_index"] = 2
                target.view(-1)[1] = 2
            options["target"] = target.tolist()
        weight = None
        if weighted:
            weight = torch.from_numpy(rng.uniform(0.5, 2.0, 4))
            options["weight"] = weight.tolist()
        extra = {
            k: options[k] for k in ("reduction", "label_smoothing", "ignore_index") if k in options
        }
        output = {"loss": functional.cross_entropy(logits, target, weight, **extra)}
        cotangents = {"loss": normal(rng, *output["loss"].shape)}
        found = gradients_of(output, cotangents, inputs)
        arguments = {"function": "cross_entropy", "options": options}
        file.add(
            case, arguments, inputs=inputs, outputs=output, cotangents=cotangents, gradients=found
        )
    for shape, reduction in itertools.product(((3, 2), (4,), ()), reductions):
        case = f"mse_loss {shape}, {reduction}"
        rng = generator(case)
        inputs = {"prediction": leaf(normal(rng, *shape)), "target": leaf(normal(rng, *shape))}
        output = {"loss": functional.mse_loss(*inputs.values(), reduction=reduction)}
        cotangents = {"loss": normal(rng, *output["loss"].shape)}
        found = gradients_of(output, cotangents, inputs)
        arguments = {"function": "mse_loss", "options": {"reduction": reduction}}
        file.add(
            case, arguments, inputs=inputs, outputs=output, cotangents=cotangents, gradients=found
        )
    file.write(torch=VERSION)


OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.05},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.2, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.8, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.2},
        {"lr": 0.1, "weight_decay": 0.05},
        {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.1},
    ],
    "RMSprop": [
        {},
        {"lr": 0.05, "alpha": 0.9, "eps": 1e-3},
        {"lr": 0.05, "centered": True},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "alpha": 0.8, "centered": True, "momentum": 0.7, "weight_decay": 0.1},
    ],
    "Adam": [
        {},
        {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "amsgrad": True},
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "betas": [0.5, 0.6]},
    ],
    "AdamW": [
        {},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.0, "betas": [0.5, 0.6]},
        {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3},
    ],
}


def optimizers() -> None:
    """Ten steps on gradients that do not depend on the parameters; one trajectory per case."""
    file = Writer("optimizers")
    steps, shapes = 10, {"w": (3, 2), "b": (4,)}
    for name, settings in OPTIMIZERS.items():
        for options in settings:
            case = f"{name} " + ", ".join(f"{k} {v}" for k, v in options.items())
            rng = generator(case)
            start = {key: normal(rng, *shape) for key, shape in shapes.items()}
            arrays = {
                key: normal(rng, steps, *shape)
                * torch.linspace(2, 0.2, steps).double().reshape(steps, *[1] * len(shape))
                for key, shape in shapes.items()
            }
            parameters = {key: torch.nn.Parameter(value.clone()) for key, value in start.items()}
            optimizer = getattr(torch.optim, name)(parameters.values(), foreach=False, **options)
            path: dict[str, list[np.ndarray]] = {key: [] for key in shapes}
            for step in range(steps):
                for key, parameter in parameters.items():
                    parameter.grad = arrays[key][step].clone()
                optimizer.step()
                for key, parameter in parameters.items():
                    path[key].append(parameter.detach().numpy().copy())
            file.add(
                case,
                {"optimizer": name, "options": options},
                start=start,
                gradients=arrays,
                trajectory={key: np.stack(value) for key, value in path.items()},
            )
    file.write(torch=VERSION)


def clipping() -> None:
    file = Writer("clipping")
    utils = torch.nn.utils
    calls = [
        ("clip_grad_norm_", {"max_norm": bound, "norm_type": norm_type})
        for norm_type, bound in itertools.product((1.0, 2.0, 3.0, "inf"), (0.5, 100.0))
    ]
    calls += [("clip_grad_value_", {"clip_value": bound}) for bound in (0.3, 100.0)]
    for function, options in calls:
        case = f"{function} " + ", ".join(f"{k} {v}" for k, v in options.items())
        rng = generator(case)
        before = {"w": normal(rng, 3, 2), "b": normal(rng, 4), "s": normal(rng)}
        parameters = {key: torch.nn.Parameter(torch.zeros_like(v)) for key, v in before.items()}
        for key, parameter in parameters.items():
            parameter.grad = before[key].clone()
        floats = {key: float(value) for key, value in options.items()}
        total = getattr(utils, function)(parameters.values(), **floats)
        after = {key: parameter.grad for key, parameter in parameters.items()}
        norm = {} if total is None else {"total": total}
        arguments = {"function": function, "options": options}
        file.add(case, arguments, before=before, after=after, norm=norm)
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    cells()
    layers()
    losses()
    optimizers()
    clipping()
