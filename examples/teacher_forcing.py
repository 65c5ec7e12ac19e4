"""Teacher forcing: trained on the truth, a network meets its own words, and what it then makes of them."""

import numpy as np

import micrornn as mr
from micrornn import nn
from micrornn.tasks.pairs import END, START
from micrornn.tasks.translate import ONES, TENS, in_words

WORDS = ["", "", *ONES, *TENS, "hundred", "and"]
numbers = np.random.default_rng(0).permutation(np.arange(100, 1000))  # all have three digits
kept, learnt = numbers[:100], numbers[100:]


def batch(some):
    """Words (S, B) with their lengths, and digits with END (4, B)."""
    words = [[WORDS.index(word) for word in in_words(int(n)).split()] for n in some]
    lengths = [len(w) for w in words]
    padded = np.array([w + [END] * (max(lengths) - len(w)) for w in words]).T
    return padded, np.array([[int(d) + 2 for d in str(n)] + [END] for n in some]).T, lengths


def loss(net, some, share, rng=None):
    """The mean loss when the decoder is fed the truth at so many of its steps, and else what it said."""
    words, digits, lengths = batch(some)
    return nn.sequence_loss(net(words, digits, lengths, teacher_forcing=share).logits, digits)[1]


def train(shares):
    """A small network without attention; ``shares`` says for each batch how often it is fed the truth."""
    rng = np.random.default_rng(1)
    net = nn.Seq2Seq(nn.Encoder(len(WORDS), 8, 16, rng=0), nn.Decoder(12, 8, 16, rng=1), START, END)
    adam = mr.optim.Adam(net.parameters(), lr=0.01)
    for share in shares:
        loss(net, rng.choice(learnt, 32), share).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        adam.zero_grad()
    return net


STEPS = 300
ways = {
    "always the truth": np.ones(STEPS),
    "less and less of it": np.linspace(1.0, 0.0, STEPS),  # scheduled sampling (Bengio et al. 2015)
    "never the truth": np.zeros(STEPS),
}
gaps = {}
for name, shares in ways.items():
    net = train(shares)
    with mr.no_grad():
        fed, free = (loss(net, kept, share).item() for share in (1.0, 0.0))
    gaps[name] = free / fed
    print(f"{name:20} loss when fed the truth {fed:.3f}, when running free {free:.3f}")
assert gaps["always the truth"] > 1.2, "what it was trained on is not what it meets"
assert gaps["less and less of it"] < gaps["always the truth"]
