"""Full BPTT by hand, in the recursion of the textbooks, and the gradient that the graph gives: the same."""

import numpy as np

from micrornn import nn

letters = "helo"
text = np.array([letters.index(c) for c in "hello"])
xs, targets, T = np.eye(4)[text[:-1]], text[1:], 4
rnn, readout = nn.RNN(4, 8, rng=0), nn.Linear(8, 4, rng=1)

# By the graph: unroll, sum the losses, go back. W is used T times, and its gradients add up.
states, _ = rnn(list(xs))
losses, total = nn.sequence_loss(nn.each_step(readout, states), targets, reduction="sum")
total.backward()

# By hand. Forward:
Wx, Wh, b = rnn.weight_ih_l0.data, rnn.weight_hh_l0.data, rnn.bias_ih_l0.data + rnn.bias_hh_l0.data
Wy, by = readout.weight.data, readout.bias.data
h = np.zeros((T + 1, 8))  # h[0] is the initial state
dy = np.zeros((T + 1, 4))
for t in range(1, T + 1):
    h[t] = np.tanh(Wh @ h[t - 1] + Wx @ xs[t - 1] + b)
    p = np.exp(Wy @ h[t] + by)
    dy[t] = p / p.sum() - np.eye(4)[targets[t - 1]]  # softmax and cross-entropy: dL/dlogits = p - y


def gradients(printed_wrongly=False):
    """Backward: delta_t = dL/d(W_h h_{t-1} + W_x x_t + b), from the last step to the first."""
    delta = np.zeros(8)  # delta_{T+1} = 0
    sums = dict.fromkeys(("W_x", "W_h", "b", "W_y", "b_y"), 0.0)
    for t in range(T, 0, -1):
        if printed_wrongly:  # as some notes have it: tanh' reaches the second term only
            delta = Wy.T @ dy[t] + (Wh.T @ delta) * (1 - h[t] ** 2)
        else:  # all that arrives at h_t, from its own loss and from later steps, passes tanh'
            delta = (Wy.T @ dy[t] + Wh.T @ delta) * (1 - h[t] ** 2)
        sums["W_x"] += np.outer(delta, xs[t - 1])
        sums["W_h"] += np.outer(delta, h[t - 1])
        sums["b"] += delta
        sums["W_y"] += np.outer(dy[t], h[t])
        sums["b_y"] += dy[t]
    return sums


graph = (rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, readout.weight, readout.bias)
for (name, hand), weight in zip(gradients().items(), graph):
    print(
        f"{name:4} by hand and by the graph: {np.abs(hand - weight.grad).max():.1e} apart at most"
    )
    assert np.allclose(hand, weight.grad, rtol=1e-12, atol=1e-14)
right, wrong = gradients()["W_h"], gradients(printed_wrongly=True)["W_h"]
off = np.abs(wrong - right).max() / np.abs(right).max()
cosine = (wrong * right).sum() / np.linalg.norm(wrong) / np.linalg.norm(right)
print(f"with tanh' on one term only, W_h is off by {off:.0%}, at a cosine of {cosine:.3f}:")
print("close enough that it trains, so that nobody notices")
assert off > 0.05
