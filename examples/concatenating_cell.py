"""Many to one, with the cell of many introductions: i2h and i2o read [x; h]. Which script is a letter of?"""

import unicodedata

import numpy as np

import micrornn as mr
from micrornn import nn

SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC")
found = {}
for code in range(0x41, 0x700):
    # Unicode's own names: LATIN SMALL LETTER B, GREEK CAPITAL LETTER PHI
    script, _, name = unicodedata.name(chr(code), " ").partition(" ")
    if script in SCRIPTS and "LETTER " in name:
        found[name.split("LETTER ")[-1]] = SCRIPTS.index(script)  # B WITH HOOK, PHI, SHIN
names = sorted(name for name in found if 2 <= len(name) <= 24)
letters = sorted(set("".join(names)))
rng = np.random.default_rng(0)
order = rng.permutation(len(names))
kept, learnt = [names[i] for i in order[:100]], [names[i] for i in order[100:]]

rnn = nn.ConcatRNNCell(len(letters), 64, len(SCRIPTS), rng=0)
adam = mr.optim.Adam(rnn.parameters(), lr=0.003)


def read(name):
    """The output after the last letter, (1, 5): it reads the state before that letter, and the letter."""
    with mr.scope(t=0):
        h = rnn.init_hidden()
    for t, letter in enumerate(name, 1):
        with mr.scope(t=t):
            output, h = rnn(np.eye(len(letters))[[letters.index(letter)]], h)
    return output


for _ in range(6000):
    name = learnt[rng.integers(len(learnt))]
    loss = nn.functional.cross_entropy(read(name), [found[name]])
    loss.backward()
    nn.utils.clip_grad_norm_(rnn.parameters(), 1.0)
    adam.step()
    adam.zero_grad()

right = np.mean([read(name).data.argmax() == found[name] for name in kept])
usual = max(np.bincount([found[name] for name in kept])) / len(kept)
for name in kept[:5]:
    print(f"{name.lower():20} is {SCRIPTS[read(name).data.argmax()].lower()}")
print(f"right: {right:.2f} of {len(kept)} never seen; always the same script: {usual:.2f}")
assert right > usual + 0.1

# The trap of this cell: after one step, the output has not yet seen anything that i2h made.
rnn.zero_grad()
read(names[0][:1]).sum().backward()
assert rnn.i2h.weight.grad is None or not np.any(rnn.i2h.weight.grad)
