"""Trains with a checkpoint at every iteration; meant to be killed. Arguments: file, iterations, ends."""

import sys

import numpy as np

from micrornn import nn, optim
from micrornn.data.feeds import Stream
from micrornn.optim import lr_scheduler as schedules
from micrornn.training import Trainer, Truncation, by_step


def trainer() -> Trainer:
    """Everything that draws, carries or counts is in it."""
    wave = np.sin(np.arange(121.0) / 3)[:, np.newaxis]
    model = nn.LSTM(1, 1, 2, dropout=0.3, rng=0)
    adam = optim.Adam(model.parameters(), lr=0.02)
    return Trainer(
        model,
        adam,
        Stream(wave[:-1], wave[1:], steps=10, lanes=2),
        by_step(model, nn.functional.mse_loss),
        truncation=Truncation(2, 4),
        clip_norm=1.0,
        noise=0.01,
        schedule=schedules.CosineAnnealingLR(adam, 500),
        seed=7,
    )


if __name__ == "__main__":
    one = trainer()
    path, iterations = sys.argv[1], int(sys.argv[2])
    if len(sys.argv) > 3:
        one.resume(path)
    one.callbacks.append(lambda trainer, report: print(report.iteration, flush=True))
    one.run(iterations, checkpoint=path, save_every=1)
