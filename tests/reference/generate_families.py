"""Write the reference values for the networks after 2014; see `generate.py`.

Each is a plain loop in PyTorch, written from its paper's equations; none of micrornn's code is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from cases import VERSION, add, generator, leaf, normal
from store import Writer

INPUT, HIDDEN, STEPS, BATCH = 3, 4, 5, 2
Shapes = dict[str, tuple[int, ...]]
Run = Callable[[dict[str, Any], Any, list[Any]], tuple[list[Any], list[Any]]]


def plain() -> Shapes:
    shapes: Shapes = {"weight_ih": (HIDDEN, INPUT), "weight_hh": (HIDDEN, HIDDEN)}
    return shapes | {"bias_ih": (HIDDEN,), "bias_hh": (HIDDEN,)}


def irnn(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Le, Jaitly & Hinton 2015: a ReLU network."""
    (h,), outputs = state, []
    for x in xs:
        h = torch.relu(x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"])
        outputs.append(h)
    return outputs, [h]


def orthogonal(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """W_hh is the Cayley transform of A = L - L^T, by an inverse: (I - A/2)^-1 (I + A/2)."""
    (h,), outputs = state, []
    lower = torch.tril(p["weight_hh"], -1)
    a, eye = lower - lower.T, torch.eye(HIDDEN)
    w = torch.linalg.inv(eye - a / 2) @ (eye + a / 2)
    assert torch.allclose(w @ w.T, eye)
    for x in xs:
        h = torch.tanh(x @ p["weight_ih"].T + p["bias_ih"] + h @ w.T + p["bias_hh"])
        outputs.append(h)
    return outputs, [h]


def minimal(letters: str) -> Shapes:
    weights: Shapes = {f"weight_{letter}": (HIDDEN, INPUT) for letter in letters}
    return weights | {f"bias_{letter}": (HIDDEN,) for letter in letters}


def mingru(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Feng et al. 2024, section 3.1.2."""
    (h,), outputs = state, []
    for x in xs:
        z = torch.sigmoid(x @ p["weight_z"].T + p["bias_z"])
        h = (1 - z) * h + z * (x @ p["weight_h"].T + p["bias_h"])
        outputs.append(h)
    return outputs, [h]


def minlstm(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Feng et al. 2024, section 3.2.3: gates that are scaled to add up to 1."""
    (h,), outputs = state, []
    for x in xs:
        f = torch.sigmoid(x @ p["weight_f"].T + p["bias_f"])
        i = torch.sigmoid(x @ p["weight_i"].T + p["bias_i"])
        h = f / (f + i) * h + i / (f + i) * (x @ p["weight_h"].T + p["bias_h"])
        outputs.append(h)
    return outputs, [h]


# By class: parameters of a layer, shapes of the parts of the state after the batch, and the loop.
FAMILIES: dict[str, tuple[Shapes, dict[str, tuple[int, ...]], Run]] = {
    "IRNN": (plain(), {"h": (HIDDEN,)}, irnn),
    "OrthogonalRNN": (plain(), {"h": (HIDDEN,)}, orthogonal),
    "MinGRU": (minimal("zh"), {"h": (HIDDEN,)}, mingru),
    "MinLSTM": (minimal("fih"), {"h": (HIDDEN,)}, minlstm),
}


def families() -> None:
    """Each over a batch of sequences from a given state: output, last state, every gradient."""
    file = Writer("families")
    for kind, (shapes, states, run) in FAMILIES.items():
        rng = generator(kind)
        parameters = {name: leaf(0.7 * normal(rng, *shape)) for name, shape in shapes.items()}
        inputs = {"x": leaf(normal(rng, STEPS, BATCH, INPUT))}
        inputs |= {f"{n}0": leaf(normal(rng, BATCH, *shape)) for n, shape in states.items()}
        x, *state = inputs.values()
        said, last = run(parameters, x, state)
        outputs = {"output": torch.stack(said)} | dict(zip(states, last, strict=True))
        add(file, kind, {}, parameters, inputs, outputs)
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    families()
