"""LSTM networks on batches, gates from one stacked product, with a loss at every step."""

from __future__ import annotations

from typing import Any

import numpy as np

# characters, hidden, steps, batch, optimizer, the largest norm of the gradient
CHAR_LSTM = (65, 128, 50, 32, "Adam", 5.0)
LSTM_256 = (65, 256, 100, 64, "SGD", None)


def _start(vocabulary: int, hidden: int, steps: int, batch: int) -> tuple[dict[str, Any], Any, Any]:
    rng = np.random.default_rng(0)
    shapes = {"w_ih": (4 * hidden, vocabulary), "w_hh": (4 * hidden, hidden)}
    shapes |= {"b_ih": (4 * hidden,), "b_hh": (4 * hidden,)}
    shapes |= {"w_ho": (vocabulary, hidden), "b_o": (vocabulary,)}
    scale = 1.0 / np.sqrt(hidden)
    parameters = {
        k: rng.uniform(-scale, scale, size=s).astype(np.float32) for k, s in shapes.items()
    }
    characters = rng.integers(vocabulary, size=(steps + 1, batch))
    return parameters, np.eye(vocabulary, dtype=np.float32)[characters[:-1]], characters[1:]


def compiled(*shape: Any) -> Any:
    """The network of micrornn's own layers, compiled."""
    return micrornn(*shape, program=True)


def micrornn(
    vocabulary: int,
    hidden: int,
    steps: int,
    batch: int,
    optimizer: str,
    clip: float | None,
    program: bool = False,
) -> Any:
    """The network of micrornn's own layers."""
    import micrornn as mr
    from micrornn import nn

    parameters, xs, targets = _start(vocabulary, hidden, steps, batch)
    lstm = nn.LSTM(vocabulary, hidden, dtype=np.float32)
    readout = nn.Linear(hidden, vocabulary, dtype=np.float32)
    p = dict(zip(parameters, [*lstm.parameters(), *readout.parameters()]))
    for name, value in parameters.items():
        p[name].data = value
    update = getattr(mr.optim, optimizer)(list(p.values()), lr=0.01)
    losses = []

    def loss_of(xs: Any, targets: Any) -> Any:
        outputs, _ = lstm(list(xs))
        total = 0.0
        for h, target in zip(outputs, targets):
            total = total + nn.functional.cross_entropy(readout(h), target)
        return total * (1.0 / steps)

    compiled = mr.compile(loss_of) if program else None

    def step() -> None:
        update.zero_grad()
        if compiled:
            loss = compiled(xs, targets)
        else:
            loss = loss_of(xs, targets)
            loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(list(p.values()), clip)
        update.step()
        losses.append(loss.item())

    return step, lambda: {"loss": losses, **{k: v.data for k, v in p.items()}}


def pytorch(
    vocabulary: int, hidden: int, steps: int, batch: int, optimizer: str, clip: float | None
) -> Any:
    """The network in PyTorch, operation by operation."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    parameters, xs, targets = _start(vocabulary, hidden, steps, batch)
    p = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in parameters.items()}
    w_ih, w_hh, b_ih, b_hh, w_ho, b_o = p.values()
    update = getattr(torch.optim, optimizer)(list(p.values()), lr=0.01)
    xs, targets = torch.tensor(xs), torch.tensor(targets)
    losses = []

    def step() -> None:
        update.zero_grad()
        h = c = torch.zeros(batch, hidden)
        total = 0.0
        for x, target in zip(xs, targets):
            i, f, g, o = (linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            total = total + cross_entropy(linear(h, w_ho, b_o), target)
        loss = total * (1.0 / steps)
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(list(p.values()), clip)
        update.step()
        losses.append(loss.item())

    return step, lambda: {"loss": losses, **{k: v.detach().numpy() for k, v in p.items()}}
