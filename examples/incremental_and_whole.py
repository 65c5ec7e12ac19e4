"""Whole-sequence and incremental loss, offline and online: the same gradient, spent at different times."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.data.seattle import temperatures

days = temperatures()[:201]
days = (days - days.mean()) / days.std()
inputs, targets = days[:-1, np.newaxis, np.newaxis], days[1:, np.newaxis, np.newaxis]


def network():
    """A GRU with a readout, the same each time, and its optimizer."""
    gru, readout = nn.GRU(1, 8, rng=0), nn.Linear(8, 1, rng=1)
    return gru, readout, mr.optim.SGD([*gru.parameters(), *readout.parameters()], lr=0.02)


gru, readout, _ = network()
states, _ = gru(list(inputs[:20]))
losses, total = nn.sequence_loss(
    nn.each_step(readout, states), targets[:20], nn.functional.mse_loss, reduction="sum"
)
total.backward()  # whole: once, from the total
whole = gru.weight_hh_l0.grad
gru.zero_grad()
for loss in losses:  # incremental: from each step's loss, as it comes; the work is quadratic
    loss.backward()
incremental = gru.weight_hh_l0.grad
print("largest difference of the two gradients:", np.abs(whole - incremental).max())
assert np.allclose(whole, incremental, rtol=1e-12)


def run(chunk, epochs=3):
    """Update after every ``chunk`` days; the state is carried on, detached. The mean loss of each epoch."""
    gru, readout, sgd = network()
    means = []
    for _ in range(epochs):
        h, seen = None, []
        for a in range(0, 200, chunk):
            states, h = gru(list(inputs[a : a + chunk]), h)
            h = h.detach()
            losses, total = nn.sequence_loss(
                nn.each_step(readout, states), targets[a : a + chunk], nn.functional.mse_loss
            )
            total.backward()
            sgd.step()
            sgd.zero_grad()
            seen += [loss.item() for loss in losses]
        means.append(np.mean(seen))
    return means


online, offline = run(1), run(200)
print("online,  200 updates an epoch:", np.round(online, 3))
print("offline,   1 update an epoch: ", np.round(offline, 3))
assert online[-1] < 0.7 * offline[-1], "with the same data, the one who learns at once is ahead"
