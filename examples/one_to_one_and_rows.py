"""One to one, and many to one, on the same handwritten digits: seen as a whole, and read row by row."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.data.digits import as_text, handwritten

learnt, kept = handwritten()  # 1,287 pictures of 8 x 8 to learn from; 510 in other handwritings

conv, look = nn.Conv2d(1, 8, 3, rng=0), nn.Linear(8 * 36, 10, rng=1)
gru, read = nn.GRU(8, 32, rng=0), nn.Linear(32, 10, rng=1)


def as_a_whole(pictures):
    """A convolution, and no time at all: (B, 8, 8) to logits (B, 10)."""
    maps = mr.relu(conv(pictures[:, np.newaxis]))
    return look(maps.reshape(len(pictures), 8 * 36))


def row_by_row(pictures):
    """Eight steps, a row of eight pixels each; the last state is asked what it was."""
    _, last = gru(pictures.swapaxes(0, 1))
    return read(last[0])


def train(model, weights, seed=0):
    """The share of pictures that are right, in handwritings that were never seen."""
    adam, rng = mr.optim.Adam(weights, lr=0.01), np.random.default_rng(seed)
    for _ in range(300):
        some = rng.integers(0, len(learnt.digits), 32)
        loss = nn.functional.cross_entropy(model(learnt.pictures[some]), learnt.digits[some])
        loss.backward()
        adam.step()
        adam.zero_grad()
    return float((model(kept.pictures).data.argmax(1) == kept.digits).mean())


whole = train(as_a_whole, [*conv.parameters(), *look.parameters()])
rows = train(row_by_row, [*gru.parameters(), *read.parameters()])
print(f"right: {whole:.3f} seen as a whole, {rows:.3f} read row by row")
for row in as_text(kept.pictures[0]).split("/"):
    print("  ", row)
print(
    "is said to be", *(model(kept.pictures[:1]).data.argmax() for model in (as_a_whole, row_by_row))
)
assert whole > 0.85
assert rows > 0.8
