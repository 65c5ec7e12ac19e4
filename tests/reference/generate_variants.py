"""Write the reference values for the variants of LSTM and GRU; see `generate.py`.

The projection is PyTorch's own; the others are written here from their papers, gate by gate.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from cases import VERSION, add, fill, generator, leaf, normal
from store import Writer
from torch.nn import functional

INPUT, HIDDEN, PROJECTED, STEPS, BATCH = 3, 4, 2, 4, 2


def projections() -> None:
    file = Writer("projections")
    for depth, bias, both, given in itertools.product((1, 2), *[(True, False)] * 3):
        case = f"{depth} layers, bias {bias}, both ways {both}, given state {given}"
        rng = generator(case)
        options = {"num_layers": depth, "bias": bias, "bidirectional": both}
        options["proj_size"] = PROJECTED
        module = torch.nn.LSTM(INPUT, HIDDEN, **options).double()
        parameters = fill(module, case)
        inputs = {"x": leaf(normal(rng, STEPS, BATCH, INPUT))}
        rows = depth * (2 if both else 1)
        state = None
        if given:
            inputs["h0"] = leaf(normal(rng, rows, BATCH, PROJECTED))
            inputs["c0"] = leaf(normal(rng, rows, BATCH, HIDDEN))
            state = (inputs["h0"], inputs["c0"])
        output, (h, c) = module(inputs["x"], state)
        outputs = {"output": output, "h": h, "c": c}
        add(file, case, {"options": options}, parameters, inputs, outputs)
    file.write(torch=VERSION)


def lstm(p: dict[str, Any], x: Any, h: Any, c: Any, options: dict[str, Any]) -> Any:
    """Graves 2013, eq. 7 to 11, with Ba et al. 2016, eq. 20 to 22, and a projection, as asked for."""
    hidden = c.shape[-1]
    if options["layer_norm"]:
        size = (4 * hidden,)
        total = functional.layer_norm(x @ p["weight_ih"].T, size, p["norm_ih"], p["bias_ih"])
        total = total + functional.layer_norm(
            h @ p["weight_hh"].T, size, p["norm_hh"], p["bias_hh"]
        )
    else:
        total = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    i, f, g, o = total.chunk(4, -1)
    zero = torch.zeros(hidden)
    w_ci, w_cf, w_co = p["weight_peephole"].chunk(3) if options["peepholes"] else [zero] * 3
    i, f = torch.sigmoid(i + w_ci * c), torch.sigmoid(f + w_cf * c)
    c = f * c + i * torch.tanh(g)
    o = torch.sigmoid(o + w_co * c)
    seen = c
    if options["layer_norm"]:
        seen = functional.layer_norm(c, (hidden,), p["norm_c"], p["norm_c_bias"])
    h = o * torch.tanh(seen)
    return (h @ p["weight_hr"].T if options["proj_size"] else h), c


def gru(p: dict[str, Any], x: Any, h: Any) -> Any:
    """Cho et al. 2014, eq. 5 to 8: the reset gate before the product."""
    (w_r, w_z, w_n), (u_r, u_z, u_n) = p["weight_ih"].chunk(3), p["weight_hh"].chunk(3)
    (b_r, b_z, b_n), (d_r, d_z, d_n) = p["bias_ih"].chunk(3), p["bias_hh"].chunk(3)
    r = torch.sigmoid(x @ w_r.T + b_r + h @ u_r.T + d_r)
    z = torch.sigmoid(x @ w_z.T + b_z + h @ u_z.T + d_z)
    n = torch.tanh(x @ w_n.T + b_n + (r * h) @ u_n.T + d_n)
    return z * h + (1 - z) * n


def shapes(kind: str, options: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    gates, out = (4 if kind == "LSTM" else 3), options.get("proj_size") or HIDDEN
    rows = gates * HIDDEN
    found: dict[str, tuple[int, ...]] = {"weight_ih": (rows, INPUT), "weight_hh": (rows, out)}
    found |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    if options.get("proj_size"):
        found["weight_hr"] = (out, HIDDEN)
    if options.get("peepholes"):
        found["weight_peephole"] = (3 * HIDDEN,)
    if options.get("layer_norm"):
        found |= {"norm_ih": (rows,), "norm_hh": (rows,)}
        found |= {"norm_c": (HIDDEN,), "norm_c_bias": (HIDDEN,)}
    return found


def variants() -> None:
    """Each over four steps, from a given state."""
    file = Writer("variants")
    kinds: list[tuple[str, dict[str, Any]]] = [("GRU", {"reset_after": False})]
    for peepholes, normed, size in itertools.product((False, True), (False, True), (0, PROJECTED)):
        options = {"proj_size": size, "peepholes": peepholes, "layer_norm": normed}
        kinds.append(("LSTM", options))
    for kind, options in kinds:
        case = f"{kind}, " + ", ".join(f"{key} {value}" for key, value in options.items())
        rng = generator(case)
        own = shapes(kind, options)
        parameters = {name: leaf(0.7 * normal(rng, *shape)) for name, shape in own.items()}
        inputs = {"x": leaf(normal(rng, STEPS, BATCH, INPUT))}
        inputs["h0"] = leaf(normal(rng, BATCH, options.get("proj_size") or HIDDEN))
        if kind == "LSTM":
            inputs["c0"] = leaf(normal(rng, BATCH, HIDDEN))
        h, c, said = inputs["h0"], inputs.get("c0"), []
        for step in inputs["x"]:
            if kind == "LSTM":
                h, c = lstm(parameters, step, h, c, options)
            else:
                h = gru(parameters, step, h)
            said.append(h)
        outputs = {"output": torch.stack(said)} | ({} if c is None else {"c": c})
        add(file, case, {"kind": kind, "options": options}, parameters, inputs, outputs)
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    projections()
    variants()
