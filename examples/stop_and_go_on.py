"""A checkpoint holds all that the next step depends on: a resumed training is bit for bit the same."""

import tempfile
from pathlib import Path

import numpy as np

from micrornn import nn, optim
from micrornn.data.feeds import Stream
from micrornn.data.seattle import temperatures
from micrornn.optim.lr_scheduler import CosineAnnealingLR
from micrornn.training import Log, Trainer, by_step

days = temperatures()
days = ((days - days.mean()) / days.std())[:, np.newaxis]


def trainer(**options):
    """The same each time: model, Adam with its averages, a schedule, dropout, a place in the data."""
    model = nn.LSTM(1, 1, 2, dropout=0.2, rng=0)
    adam = optim.Adam(model.parameters(), lr=0.01)
    return Trainer(
        model,
        adam,
        Stream(days[:-1], days[1:], steps=20, lanes=4),
        by_step(model, nn.functional.mse_loss),
        clip_norm=1.0,
        schedule=CosineAnnealingLR(adam, 100),
        **options,
    )


with tempfile.TemporaryDirectory() as folder:
    file, log = Path(folder, "net.npz"), Path(folder, "log.csv")
    trainer(callbacks=[Log(log)]).run(25, checkpoint=file)  # here the power fails
    resumed = trainer(callbacks=[Log(log)])
    resumed.resume(file)
    print(f"going on after iteration {resumed.iteration}")
    resumed.run(60, checkpoint=file)
    lines = log.read_text().splitlines()

unbroken = trainer()
reports = unbroken.run(60)
print(
    f"loss {reports[0].loss:.3f} at first, {reports[-1].loss:.3f} after {len(reports)} iterations"
)
assert len(lines) == 1 + 60, "one line for each iteration, and a heading"
for path, value in unbroken.model.state_dict().items():
    assert (resumed.model.state_dict()[path] == value).all(), path
print("the weights are the same, to the last bit")
