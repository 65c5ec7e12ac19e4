"""Plain tanh networks, one step of the loop per step of time, with a loss at every step."""

from __future__ import annotations

from typing import Any

import numpy as np

# inputs, hidden, outputs, steps, optimizer
HELLO = (4, 8, 4, 4, "SGD")
MIN_CHAR = (65, 100, 65, 25, "Adagrad")
LONG_RNN = (4, 32, 4, 10_000, "SGD")


def _start(inputs: int, hidden: int, outputs: int, steps: int) -> tuple[dict[str, Any], Any, Any]:
    rng = np.random.default_rng(0)
    shapes = {"w_ih": (hidden, inputs), "w_hh": (hidden, hidden), "b_h": (hidden,)}
    shapes |= {"w_ho": (outputs, hidden), "b_o": (outputs,)}
    parameters = {k: rng.normal(size=s) / np.sqrt(hidden) for k, s in shapes.items()}
    characters = rng.integers(inputs, size=steps + 1)
    return parameters, np.eye(inputs)[characters[:-1]], characters[1:]


def compiled(*shape: Any) -> Any:
    """The network in micrornn, compiled."""
    return micrornn(*shape, backend="numpy")


def numba(*shape: Any) -> Any:
    """The network in micrornn, compiled, its loops by Numba."""
    return micrornn(*shape, backend="numba")


def micrornn(
    inputs: int, hidden: int, outputs: int, steps: int, optimizer: str, backend: str = ""
) -> Any:
    """The network in micrornn."""
    import micrornn as mr
    from micrornn.nn.functional import cross_entropy

    parameters, xs, targets = _start(inputs, hidden, outputs, steps)
    p = {k: mr.nn.Parameter(v) for k, v in parameters.items()}
    w_ih, w_hh, b_h, w_ho, b_o = p.values()
    update = getattr(mr.optim, optimizer)(list(p.values()), lr=0.01)
    h_0 = mr.tensor(np.zeros(hidden))
    losses = []

    def loss_of(xs: Any, targets: Any) -> Any:
        h, total = h_0, 0.0
        for x, target in zip(xs, targets):
            h = mr.tanh(mr.linear(x, w_ih, b_h) + mr.linear(h, w_hh))
            total = total + cross_entropy(mr.linear(h, w_ho, b_o), target)
        return total * (1.0 / steps)

    compiled = mr.compile(loss_of, backend) if backend else None
    data = (xs, targets) if backend else ([mr.tensor(x) for x in xs], targets)

    def step() -> None:
        update.zero_grad()
        if compiled:
            loss = compiled(*data)
        else:
            loss = loss_of(*data)
            loss.backward()
        update.step()
        losses.append(loss.item())

    return step, lambda: {"loss": losses, **{k: v.data for k, v in p.items()}}


def pytorch(inputs: int, hidden: int, outputs: int, steps: int, optimizer: str) -> Any:
    """The network in PyTorch, operation by operation."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    parameters, xs, targets = _start(inputs, hidden, outputs, steps)
    p = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in parameters.items()}
    w_ih, w_hh, b_h, w_ho, b_o = p.values()
    update = getattr(torch.optim, optimizer)(list(p.values()), lr=0.01)
    xs = [torch.tensor(x) for x in xs]
    targets = [torch.tensor(t) for t in targets]
    h_0 = torch.zeros(hidden, dtype=torch.float64)
    losses = []

    def step() -> None:
        update.zero_grad()
        h, total = h_0, 0.0
        for x, target in zip(xs, targets):
            h = torch.tanh(linear(x, w_ih, b_h) + linear(h, w_hh))
            total = total + cross_entropy(linear(h, w_ho, b_o), target)
        loss = total * (1.0 / steps)
        loss.backward()
        update.step()
        losses.append(loss.item())

    return step, lambda: {"loss": losses, **{k: v.detach().numpy() for k, v in p.items()}}
