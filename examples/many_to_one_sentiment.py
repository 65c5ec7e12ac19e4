"""Many to one: a review is read word by word, and judged at its end. "not" and "but" make order matter."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.tasks.sentiment import WORDS, counting, draw

rng = np.random.default_rng(0)
gru = nn.GRU(len(WORDS), 16, rng=0)
readout = nn.Linear(16, 2, rng=1)
adam = mr.optim.Adam([*gru.parameters(), *readout.parameters()], lr=0.01)


def read(reviews):
    """The logits of good and bad: only the last state is asked."""
    _, last = gru(nn.functional.one_hot(reviews, len(WORDS)))
    return readout(last[0])


for i in range(150):
    batch = draw(rng, steps=12, batch=32)
    loss = nn.functional.cross_entropy(read(batch.inputs), batch.targets)
    loss.backward()
    nn.utils.clip_grad_norm_([*gru.parameters(), *readout.parameters()], 1.0)
    adam.step()
    adam.zero_grad()
    if i % 30 == 0:
        print(f"batch {i}: loss {loss.item():.3f}")

test = draw(rng, steps=12, batch=300)
said = read(test.inputs).data.argmax(1)
right = float((said == test.targets).mean())
print(f"right: {right:.2f}; counting good and bad words: {counting(test):.2f}")
for i in range(3):
    words = " ".join(WORDS[k] for k in test.inputs[:, i]).lstrip(". ")
    print(f"  {words!r} is {('bad', 'good')[said[i]]}")
assert right > 0.95 > counting(test)
