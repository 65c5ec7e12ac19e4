"""One-hot or embedding: the same product, but for the zeros; and what an embedding learns of its symbols."""

from pydoc_data.topics import topics

import numpy as np

import micrornn as mr
from micrornn import nn

# A one-hot vector picks a row of a matrix, and so does an index; only one of them reads all the others.
table = nn.Embedding(50_000, 4, rng=0)  # 50,000 words, 4 numbers each
word = 42_000
one_hot = nn.functional.one_hot(np.array([word]), 50_000)
assert np.array_equal((one_hot @ table.weight).data[0], table(word).data)
print(f"one word as one-hot vector: {one_hot.size:,} numbers; as embedding: {table(word).size}")

text = "".join(topics.values())[:60_000]
letters = sorted(set(text))
numbers = np.array([letters.index(c) for c in text])
embedding = nn.Embedding(len(letters), 12, rng=0)
gru, readout = nn.GRU(12, 48, rng=1), nn.Linear(48, len(letters), rng=2)
weights = [*embedding.parameters(), *gru.parameters(), *readout.parameters()]
adam = mr.optim.Adam(weights, lr=0.01)
rng = np.random.default_rng(0)
T, B = 20, 32

for i in range(250):
    starts = rng.integers(0, len(numbers) - T - 1, B)
    read = numbers[starts + np.arange(T + 1)[:, np.newaxis]]
    states, _ = gru(embedding(read[:-1]))
    logits = readout(states).reshape(T * B, len(letters))
    loss = nn.functional.cross_entropy(logits, read[1:].ravel())
    loss.backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    adam.step()
    adam.zero_grad()
    if i % 100 == 0:
        print(f"batch {i}: {loss.item():.3f} nats per character")

vectors = embedding.weight.data / np.linalg.norm(embedding.weight.data, axis=1, keepdims=True)
cosine = vectors @ vectors.T


def likeness(one, other):
    """The mean cosine of the symbols of one group to those of another."""
    rows, columns = ([letters.index(c) for c in group] for group in (one, other))
    return np.mean([cosine[i, j] for i in rows for j in columns if i != j])


for c in "a7(":
    near = np.argsort(-cosine[letters.index(c)])[1:5]
    print(f"{c} is most like {' '.join(repr(letters[k]) for k in near)}")
among, across = likeness("aeiou", "aeiou"), likeness("aeiou", "bcdfgklmnpst")
print(f"vowels among themselves: {among:.2f}; vowels and consonants: {across:.2f}")
assert among > across + 0.1, "what stands in like places has become alike"
