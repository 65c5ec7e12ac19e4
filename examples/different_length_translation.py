"""Different lengths: a number in words is read, its digits are written, looking back at the words."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.tasks.pairs import END, START
from micrornn.tasks.translate import ONES, TENS, in_words

WORDS = ["", "", *ONES, *TENS, "hundred", "and"]
rng = np.random.default_rng(0)
numbers = rng.permutation(1000)
kept, learnt = numbers[:50], numbers[50:]

encoder = nn.Encoder(len(WORDS), 16, 24, rng=0)
decoder = nn.Decoder(12, 16, 24, attention="additive", rng=1)  # START, END and ten digits
net = nn.Seq2Seq(encoder, decoder, START, END)
weights = list(net.parameters())
adam = mr.optim.Adam(weights, lr=0.01)


def read(number):
    return [WORDS.index(word) for word in in_words(int(number)).split()]


for i in range(400):
    some = rng.choice(learnt, 32)
    sources, targets = [read(n) for n in some], [[int(d) + 2 for d in str(n)] + [END] for n in some]
    lengths = [len(s) for s in sources]
    padded = np.array([s + [END] * (max(lengths) - len(s)) for s in sources]).T
    wanted = np.array([t + [-100] * (4 - len(t)) for t in targets]).T  # no loss counts -100
    said = net(padded, np.where(wanted < 0, END, wanted), lengths)  # fed the truth as it goes
    counts = (wanted >= 0).sum(1)
    logits, wanted = zip(*[(y, w) for y, w, n in zip(said.logits, wanted, counts) if n])
    _, loss = nn.sequence_loss(logits, wanted, weights=counts[counts > 0])
    loss.backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    adam.step()
    adam.zero_grad()
    if i % 80 == 0:
        print(f"batch {i}: {loss.item():.3f} nats per digit")

right = 0
for number in kept:
    digits = "".join(str(k - 2) for k in net.translate(read(number))[0].tokens)  # runs free
    right += digits == str(number)
print(f"{in_words(int(number))!r} is {digits}; right: {right} of {len(kept)} never seen")
said = net(read(942), [int(d) + 2 for d in "942"])
print("where it looks, row by row:", *[np.round(a.data, 2) for a in said.attention], sep="\n")
assert right > 0.9 * len(kept)
