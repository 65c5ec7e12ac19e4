"""Write the reference values for losses beyond cross-entropy and MSE; see `generate.py`."""

from __future__ import annotations

from typing import Any

import torch
from cases import VERSION, add, generator, leaf, normal
from store import Writer
from torch.nn import functional

REDUCTIONS = ("none", "sum", "mean")


def more_losses() -> None:
    file = Writer("more_losses")
    shape = (3, 2)

    def store(function: str, name: str, inputs: dict[str, Any], options: dict[str, Any]) -> None:
        for reduction in REDUCTIONS:
            case = f"{function}, {name}, {reduction}"
            given = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in options.items()}
            values = {key: leaf(value) for key, value in inputs.items()}
            extra = {k: given.pop(k) for k in ("target",) if k in given}
            loss = getattr(functional, function)(
                *values.values(), **extra, **given, reduction=reduction
            )
            arguments = {"function": function, "options": {**options, "reduction": reduction}}
            add(file, case, arguments, {}, values, {"loss": loss})

    rng = generator("more losses")
    logits, far = 2 * normal(rng, *shape), 500 * normal(rng, *shape)
    shares = torch.sigmoid(2 * normal(rng, *shape))
    for name, x in (("logits", logits), ("large logits", far)):
        inputs = {"input": x, "target": shares}
        weight = [[1.0, 2.0], [0.5, 0.0], [3.0, 1.0]]
        function = "binary_cross_entropy_with_logits"
        store(function, name, inputs, {})
        store(function, f"{name}, weights", inputs, {"weight": weight, "pos_weight": [2.0, 0.3]})
    inputs = {"input": torch.sigmoid(logits), "target": shares}
    store("binary_cross_entropy", "shares", inputs, {})
    store(
        "binary_cross_entropy", "weights", inputs, {"weight": [[1.0, 2.0], [0.5, 0.0], [3.0, 1.0]]}
    )
    one, two = 2 * normal(rng, *shape), normal(rng, *shape)
    one[0, 0] = two[0, 0] + 1.0  # on the edge between parabola and line, and at no error at all
    one[0, 1] = two[0, 1]
    inputs = {"input": one, "target": two}
    for delta in (1.0, 0.3):
        store("huber_loss", f"delta {delta}", inputs, {"delta": delta})
    for beta in (1.0, 0.3, 0.0):
        store("smooth_l1_loss", f"beta {beta}", inputs, {"beta": beta})
    for size in ((4,), (3, 4), (2, 4, 3)):
        logs = normal(rng, *size).log_softmax(0 if len(size) == 1 else 1)
        where = size[2:] if len(size) == 1 else (size[0], *size[2:])
        target = torch.from_numpy(rng.integers(0, 4, () if len(size) == 1 else where))
        options: dict[str, Any] = {"target": target.tolist()}
        name = f"input {size}"
        file_options = [("", {}), (", weights", {"weight": [1.0, 0.5, 2.0, 0.1]})]
        if len(size) > 1:
            target.view(-1)[0] = 2
            options["target"] = target.tolist()
            file_options.append((", one ignored", {"ignore_index": 2}))
        for more, extra in file_options:
            values = {"input": logs}
            given = {**options, **extra}
            given["target"] = torch.tensor(given["target"])
            for reduction in REDUCTIONS:
                case = f"nll_loss, {name}{more}, {reduction}"
                x = leaf(values["input"])
                kwargs = {
                    k: torch.tensor(v) if isinstance(v, list) else v for k, v in extra.items()
                }
                loss = functional.nll_loss(x, given["target"], **kwargs, reduction=reduction)
                arguments = {
                    "function": "nll_loss",
                    "options": {**options, **extra, "reduction": reduction},
                }
                add(file, case, arguments, {}, {"input": x}, {"loss": loss})
    rng = generator("divergence, absolute errors, weights")
    logs = normal(rng, *shape).log_softmax(1)
    target = normal(rng, *shape).softmax(1)
    target[0] = torch.tensor([0.0, 1.0])
    for name, given, options in (
        ("probabilities", target, {}),
        ("logarithms", (target + 0.1).log(), {"log_target": True}),
    ):
        for reduction in (*REDUCTIONS, "batchmean"):
            values = {"input": leaf(logs), "target": leaf(given) if options else given}
            loss = functional.kl_div(*values.values(), reduction=reduction, **options)
            arguments = {"function": "kl_div", "options": {**options, "reduction": reduction}}
            add(file, f"kl_div, {name}, {reduction}", arguments, {}, values, {"loss": loss})
    inputs = {"input": normal(rng, *shape), "target": normal(rng, *shape)}
    inputs["input"][0, 0] = inputs["target"][0, 0]
    weight = [[1.0, 2.0], [0.5, 0.0], [3.0, 1.0]]
    for function in ("l1_loss", "mse_loss", "huber_loss"):
        store(function, "no weights", inputs, {})
        store(function, "weights", inputs, {"weight": weight})
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    more_losses()
