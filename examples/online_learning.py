"""Learning online: RTRL carries the gradient forwards in time; UORO does so cheaply, right on average."""

import numpy as np

from micrornn import nn
from micrornn.data.feeds import Batch
from micrornn.data.seattle import temperatures
from micrornn.training import RTRL, UORO, by_step

series = temperatures()[:11]
series = ((series - series.mean()) / series.std())[:, np.newaxis, np.newaxis]
days = Batch(series[:-1], series[1:])
rnn = nn.RNN(1, 1, rng=0)
weights = list(rnn.parameters())
objective = by_step(rnn, nn.functional.mse_loss, reduction="sum")


def gradients():
    """All gradients as one row, which are then forgotten."""
    row = np.concatenate([np.ravel(p.grad) for p in weights])
    rnn.zero_grad()
    return row


def online(method):
    """One day after the other; nothing of the days before is kept but what the method carries."""
    method.begin()
    for day in days.cut(1):
        method.observe(day)
    return gradients()


objective(days, None).total.backward()
by_bptt = gradients()
by_rtrl = online(RTRL(objective, weights))
uoro = UORO(objective, weights, seed=0)
by_uoro = np.array([online(uoro) for _ in range(300)])
print("BPTT            ", by_bptt)
print("RTRL            ", by_rtrl)
print("UORO, once      ", by_uoro[0])
print("UORO, mean      ", by_uoro.mean(0))
error = by_uoro.std(0) / np.sqrt(len(by_uoro))
print("        +-      ", error)
assert np.abs(by_rtrl - by_bptt).max() < 1e-12, "RTRL is BPTT, walked the other way"
assert (np.abs(by_uoro.mean(0) - by_bptt) < 4 * error + 1e-12).all(), "UORO is right on average"
