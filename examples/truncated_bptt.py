"""Truncated BPTT on a long series: what each cut costs, and what it does to the gradient."""

import numpy as np

from micrornn import nn
from micrornn.data.feeds import Batch
from micrornn.data.seattle import temperatures
from micrornn.training import Truncation, by_step
from micrornn.training.truncated import chunks

series = temperatures()[:241]
series = ((series - series.mean()) / series.std())[:, np.newaxis, np.newaxis]
year = Batch(series[:-1], series[1:])

gru = nn.GRU(1, 1, rng=0)
gru.bias_ih_l0.data = np.array([0.0, 3.0, 0.0])  # an update gate that keeps: a long memory
objective = by_step(gru, nn.functional.mse_loss, reduction="sum")


def gradient(truncation):
    """The sum of the gradients of all updates, while the weights stay as they are; and the losses."""
    gru.zero_grad()
    losses = []
    for chunk in chunks(objective, year, None, truncation):
        losses += [loss.item() for loss in chunk.computed.losses]
    return np.concatenate([np.ravel(p.grad) for p in gru.parameters()]), losses


whole, losses = gradient(Truncation(240, 240))
errors = {}
print("k1:k2    relative error    cosine")
for k1, k2 in ((1, 1), (5, 5), (5, 20), (20, 20), (20, 60), (60, 120)):
    cut, same = gradient(Truncation(k1, k2))
    assert np.allclose(same, losses), "the state is carried, so that the forward pass is the same"
    error = np.linalg.norm(cut - whole) / np.linalg.norm(whole)
    cosine = cut @ whole / np.linalg.norm(cut) / np.linalg.norm(whole)
    errors[k1, k2] = error
    print(f"{k1:2}:{k2:<3}  {error:17.3f} {cosine:9.4f}")

# The gradient is biased: what an output owes to steps before the cut is not in it.
assert errors[1, 1] > errors[5, 5] > errors[5, 20] > errors[20, 60] > errors[60, 120]
assert errors[5, 20] < errors[5, 5], "a longer look back costs more and is less biased"
