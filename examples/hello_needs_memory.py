"""hello: many to many. What a sum of losses below 2 ln 2 proves, and what a small loss on "data" does not."""

import math

import numpy as np

import micrornn as mr
from micrornn import nn


def learn(word, remembers=True):
    """The sum of the losses after learning a word by heart, with or without memory."""
    letters = sorted(set(word))
    numbers = np.array([letters.index(letter) for letter in word])
    inputs, targets = list(np.eye(len(letters))[numbers[:-1]]), numbers[1:]
    rnn = nn.RNN(len(letters), 8, rng=0)
    readout = nn.Linear(8, len(letters), rng=1)
    adam = mr.optim.Adam([*rnn.parameters(), *readout.parameters()], lr=0.03)
    for _ in range(200):
        if not remembers:  # h_t is then a function of x_t alone
            rnn.weight_hh_l0.data = np.zeros((8, 8))
        states, _ = rnn(inputs)
        losses, total = nn.sequence_loss(nn.each_step(readout, states), targets, reduction="sum")
        total.backward()
        adam.step()
        adam.zero_grad()
    print(f"{word:6} {'with' if remembers else 'without'} memory:", end=" ")
    print(", ".join(f"{loss.item():.3f}" for loss in losses), f"= {total.item():.3f}")
    return total.item()


# In hello an l is followed once by l and once by o: who sees the l alone is unsure twice.
floor = 2 * math.log(2)
assert learn("hello") < 0.1 < floor < learn("hello", remembers=False)
# In data every letter that is read has one successor: no memory is needed, none is proved.
assert learn("data") < 0.1
assert learn("data", remembers=False) < 0.1
print(f"below 2 ln 2 = {floor:.3f} there is memory")
