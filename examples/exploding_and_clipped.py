"""An RNN that explodes: the trainer stops before the weights are spoilt; clipping the gradient cures it."""

import numpy as np

from micrornn import nn, optim
from micrornn.data.feeds import Stream
from micrornn.data.seattle import temperatures
from micrornn.training import Trainer, TrainingError, by_step

days = temperatures()
days = ((days - days.mean()) / days.std())[:, np.newaxis]


def train(clip_norm):
    """A ReLU network whose recurrent weights are large enough to explode."""
    rnn = nn.RNN(1, 8, nonlinearity="relu", rng=0)
    rnn.weight_hh_l0.data = 1.2 * np.eye(8)  # 1.2^60 is 56,000
    readout = nn.Linear(8, 1, rng=1)
    model = nn.Sequential(rnn, readout)

    def forward(steps, state):
        states, _ = rnn(steps)  # each batch begins at zero
        return nn.each_step(readout, states), None

    trainer = Trainer(
        model,
        optim.SGD(model.parameters(), lr=0.05),
        Stream(days[:-1], days[1:], steps=60, lanes=4),
        by_step(forward, nn.functional.mse_loss),
        clip_norm=clip_norm,
    )
    try:
        reports = trainer.run(500)
    except TrainingError as error:
        print(f"without clipping: {error}")
        reports = None
    assert all(np.isfinite(p.data).all() for p in model.parameters()), (
        "the weights are never spoilt"
    )
    return reports


assert train(clip_norm=None) is None
reports = train(clip_norm=0.5)
norms = [report.norm for report in reports]
print(f"clipped to 0.5: the largest gradient had norm {max(norms):.3g}")
print(f"loss {reports[0].loss:.3g} at first, {reports[-1].loss:.3g} at the end")
assert max(norms) > 1e3
assert reports[-1].loss < 1.0
