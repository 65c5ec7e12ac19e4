"""Many to many, same length: what is each character of a Python program part of? Read in both directions."""

import heapq
from pathlib import Path

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.tasks.tagging import KINDS, LETTERS, labels_of

program = Path(heapq.__file__).read_text(encoding="utf-8")
codes = np.array([min(ord(c), 127) for c in program])
kinds = labels_of(program)
T, B = 24, 16
pieces = len(codes) // T
codes, kinds = (a[: pieces * T].reshape(pieces, T).T for a in (codes, kinds))
rng = np.random.default_rng(0)
learnt, kept = np.split(rng.permutation(pieces), [-50])

gru = nn.GRU(128, 20, bidirectional=True, rng=0)
readout = nn.Linear(40, len(KINDS), rng=1)  # it sees the states of both directions
weights = [*gru.parameters(), *readout.parameters()]
adam = mr.optim.Adam(weights, lr=0.02)


def label(columns):
    """Logits for each character of some pieces: (T, B, kinds)."""
    states, _ = gru(nn.functional.one_hot(codes[:, columns], 128))
    return readout(states)


for i in range(120):
    some = rng.choice(learnt, B)
    logits = label(some).reshape(T * B, len(KINDS))
    loss = nn.functional.cross_entropy(logits, kinds[:, some].ravel())
    loss.backward()
    adam.step()
    adam.zero_grad()
    if i % 20 == 0:
        print(f"batch {i}: loss {loss.item():.3f}")

said = label(kept).data.argmax(-1)
right = float((said == kinds[:, kept]).mean())
usual = float((np.bincount(kinds[:, learnt].ravel()).argmax() == kinds[:, kept]).mean())
print("".join(chr(c) if c > 31 else " " for c in codes[:, kept[-9]]))
print("".join(LETTERS[k] for k in said[:, -9]))
print(f"right: {right:.2f}; always the most frequent kind: {usual:.2f}")
assert right > 0.7
assert right > usual + 0.2
