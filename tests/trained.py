"""A small thing to train, which the tests of training share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrornn import nn, optim
from micrornn.data.feeds import Stream
from micrornn.training import Trainer, by_step

WAVE = np.sin(np.arange(121.0) / 3)[:, np.newaxis]

Make = Callable[..., Trainer]


def trainer(cell: Any = nn.GRU, lr: float = 0.02, **options: Any) -> Trainer:
    """A trainer of a small GRU on a sine wave, always the same."""
    model = cell(1, 1, 2, dropout=options.pop("dropout", 0.0), rng=0)
    feed = options.pop("feed", None) or Stream(WAVE[:-1], WAVE[1:], steps=10, lanes=2)
    loss = options.pop("loss", nn.functional.mse_loss)
    optimizer = options.pop("optimizer", optim.Adam)(model.parameters(), lr=lr)
    schedule = options.pop("schedule", None)
    if schedule:
        options["schedule"] = schedule(optimizer)
    return Trainer(model, optimizer, feed, by_step(model, loss), **options)


def weights(trainer: Trainer) -> np.ndarray[Any, Any]:
    """All weights as one row."""
    return np.concatenate([np.ravel(p.numpy()) for p in trainer.model.parameters()])
