"""One to many: from a start signal alone to a name, character by character, until the model says END."""

import unicodedata

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.nn.decoding import distribution

END = "."
names = [unicodedata.name(chr(c), "").removeprefix("GREEK ") for c in range(0x391, 0x3CA)]
names = [name.lower() + END for name in names if name]
letters = sorted(set("".join(names)))
rng = np.random.default_rng(0)

lstm = nn.LSTM(len(letters), 48, rng=0)
readout = nn.Linear(48, len(letters), rng=1)
weights = [*lstm.parameters(), *readout.parameters()]
adam = mr.optim.Adam(weights, lr=0.01)

for i in range(600):
    name = names[rng.integers(len(names))]
    numbers = np.array([letters.index(c) for c in END + name])  # END is the start signal too
    states, _ = lstm(list(np.eye(len(letters))[numbers[:-1]]))
    _, loss = nn.sequence_loss(nn.each_step(readout, states), numbers[1:])
    loss.backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    adam.step()
    adam.zero_grad()
    if i % 150 == 0:
        print(f"name {i}: {loss.item():.3f} nats per character")


def invent(temperature):
    """Draw a character, read it, and so on, until END."""
    said, state = END, None
    with mr.no_grad():
        while len(said) < 60 and (len(said) == 1 or said[-1] != END):
            (h,), state = lstm([np.eye(len(letters))[letters.index(said[-1])]], state)
            chances = distribution(readout(h).data, temperature)
            said += letters[rng.choice(len(letters), p=chances)]
    return said[1:]


invented = [invent(0.5) for _ in range(20)]
print("\n".join(invented[:5]))
assert all(name.endswith(END) for name in invented), "each came to its end"
assert sum(" letter " in name for name in invented) > 10
