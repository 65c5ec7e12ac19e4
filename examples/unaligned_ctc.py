"""Unaligned: 40 frames, four labels, and no alignment between them. CTC adds up all alignments."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.tasks.ctc import SOUNDS, WORDS, draw

rng = np.random.default_rng(0)
gru = nn.GRU(SOUNDS, 16, bidirectional=True, rng=0)
# Symbol 0 is the blank: no label, or the pause between two equal ones.
readout = nn.Linear(32, 1 + SOUNDS, rng=1)
weights = [*gru.parameters(), *readout.parameters()]
adam = mr.optim.Adam(weights, lr=0.01)


def log_probs(frames):
    """ln p of each symbol at each frame: (T, B, 5)."""
    states, _ = gru(frames)
    return mr.log_softmax(readout(states), axis=-1)


for i in range(250):
    batch = draw(rng, 40, 16, 4)
    loss = nn.functional.ctc_loss(log_probs(batch.inputs), batch.targets)
    loss.backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    adam.step()
    adam.zero_grad()
    if i % 60 == 0:
        print(f"batch {i}: {loss.item():.3f} nats per label")

test = draw(rng, 40, 40, 4)
logs = log_probs(test.inputs).data
greedy = [nn.ctc_greedy(logs[:, b]).labels for b in range(40)]
beams = [nn.ctc_beam(logs[:, b], width=5)[0] for b in range(40)]
truth = test.targets.tolist()
right = np.mean([a == b for a, b in zip(greedy, truth)])
right_beam = np.mean([beam.labels == b for beam, b in zip(beams, truth)])
print(f"right sequences: {right:.2f} by the likeliest path, {right_beam:.2f} by prefix beam search")

symbols, share = nn.ctc_alignment(logs[:, 0], test.targets[0])
print("what each frame belongs to, with the labels", "".join(WORDS[k] for k in truth[0]), "given:")
print("  ", "".join(WORDS[symbols[k]].replace(" ", "-") for k in share.argmax(1)))

# It is a sum over alignments, not the best one: of 8 paths over 3 even frames, 6 read as "1".
even = np.log(np.full((3, 2), 0.5))
assert np.isclose(np.exp(-nn.functional.ctc_loss(even, [1]).item()), 6 / 8)
# Fewer frames than labels, and a blank between equal ones: there is no path at all.
assert np.isinf(nn.functional.ctc_loss(even, [1, 1, 1]).item())
assert np.allclose(share.sum(1), 1.0)
assert right > 0.8
