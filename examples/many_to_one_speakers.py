"""Many to one, different lengths: who says these vowels? Padding changes neither a state nor a gradient."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.data.vowels import SPEAKERS, WIDTH, recordings

learnt, kept = recordings()  # nine men, 7 to 29 frames of 12 numbers each
rng = np.random.default_rng(0)
gru, readout = nn.GRU(WIDTH, 24, bidirectional=True, rng=0), nn.Linear(48, SPEAKERS, rng=1)
weights = [*gru.parameters(), *readout.parameters()]
adam = mr.optim.Adam(weights, lr=0.01)


def listen(some, filling=0.0):
    """Logits (B, 9): recordings filled up to the longest, and the network is told their lengths."""
    lengths = [len(one.frames) for one in some]
    frames = np.full((max(lengths), len(some), WIDTH), filling)
    for b, one in enumerate(some):
        frames[: lengths[b], b] = one.frames
    _, last = gru(frames, lengths=lengths)  # (2, B, 24): the end of each, and its beginning
    return readout(mr.concatenate([last[0], last[1]], -1))


def loss_of(some, filling=0.0):
    """The cross-entropy of the true speakers."""
    return nn.functional.cross_entropy(listen(some, filling), [one.speaker for one in some])


for i in range(120):
    loss = loss_of([learnt[k] for k in rng.integers(0, len(learnt), 32)])
    loss.backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    adam.step()
    adam.zero_grad()
    if i % 30 == 0:
        print(f"batch {i}: loss {loss.item():.3f}")

said = listen(kept).data.argmax(1)
right = float((said == [one.speaker for one in kept]).mean())
print(
    f"right: {right:.3f} of {len(kept)} recordings never heard; guessing gives {1 / SPEAKERS:.3f}"
)

# What stands in the padding does not matter, in either direction: not to the loss, not to the gradient.
gradients = []
for filling in (0.0, 1e6):
    gru.zero_grad()
    loss_of(kept[:8], filling).backward()
    gradients.append(np.concatenate([np.ravel(p.grad) for p in gru.parameters()]))
assert np.array_equal(*gradients)
assert right > 0.85
