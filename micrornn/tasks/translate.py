"""translate: one sequence in, another of a different length out; encoder and decoder, with attention or not.

By default from numbers in English words to digits, "four hundred and two" to 4 0 2: made up, because no
sentence pairs are to be had freely, but a translation with order, lengths and zeros that no word stands for.
Pairs of one's own come from a file, in each line the source, a tab, and the target; they are read by letters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.text import read_text
from micrornn.nn.cross_entropy import cross_entropy
from micrornn.nn.decoder import Decoder
from micrornn.nn.losses import sequence_loss
from micrornn.nn.seq2seq import Encoder, Seq2Seq
from micrornn.tasks.problem import Measure, Problem, Shown
from micrornn.training.objective import Computed

START, END = 0, 1
ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DRAWN = {"hidden": 4}
Pair = tuple[list[str], list[str]]


def in_words(number: int) -> str:
    """A number below 1000 in English.

    >>> in_words(402), in_words(17), in_words(90)
    ('four hundred and two', 'seventeen', 'ninety')
    """
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f" {ONES[number % 10]}" if number % 10 else "")
    rest = f" and {in_words(number % 100)}" if number % 100 else ""
    return f"{ONES[number // 100]} hundred{rest}"


def read_pairs(path: str | Path) -> list[Pair]:
    """The pairs of a file, as letters.

    Raises:
        ValueError: a line has no tab, or more than one, or an empty side; names the line.
    """
    pairs = []
    for i, line in enumerate(read_text(path).splitlines(), 1):
        sides = [side.strip() for side in line.split("\t")]
        if line.strip():
            if len(sides) != 2 or not all(sides):
                raise ValueError(
                    f"{path}, line {i}: a pair is a source, a tab, and a target; this line has "
                    f"{len(sides) - 1} tabs, or an empty side"
                )
            pairs.append((list(sides[0]), list(sides[1])))
    return pairs


class Symbols:
    """The symbols of one side, numbered from 2; 0 is START, 1 is END."""

    def __init__(self, sequences: list[list[str]]) -> None:
        self.all = ["", "", *sorted({symbol for sequence in sequences for symbol in sequence})]
        self.number = {symbol: i for i, symbol in enumerate(self.all)}

    def encode(self, sequence: list[str]) -> list[int]:
        """Their numbers."""
        return [self.number[symbol] for symbol in sequence]


def problem(
    pairs: str | None = None,
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    attention: str = "additive",
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to translate; a tenth of the pairs is kept for measuring.

    Args:
        pairs: a file with pairs of your own.
        attention: ``none``, ``dot``, ``scaled``, ``general`` or ``additive``.

    Raises:
        ValueError: the file has fewer than ten pairs, or a line that is none.
    """
    if pairs is None:
        known: list[Pair] = [(in_words(n).split(), list(str(n))) for n in range(1000)]
    else:
        known = read_pairs(pairs)
    if len(known) < 10:
        raise ValueError(f"{len(known)} pairs are too few to learn from; give at least 10")
    order = np.random.default_rng(seed).permutation(len(known))
    known = [known[i] for i in order]
    kept, learnt = known[: len(known) // 10][:100], known[len(known) // 10 :]
    source, target = Symbols([a for a, _ in known]), Symbols([b for _, b in known])
    kind, look = cell.upper(), None if attention == "none" else attention
    model = Seq2Seq(
        Encoder(len(source.all), hidden // 2 + 1, hidden, kind, layers, rng=seed),
        Decoder(
            len(target.all), hidden // 2 + 1, hidden, kind, layers, attention=look, rng=seed + 1
        ),
        START,
        END,
        rng=seed,
    )

    def together(items: list[Pair]) -> Batch:
        read = [source.encode(a) for a, _ in items]
        said = [[*target.encode(b), END] for _, b in items]
        longest = max(map(len, read)), max(map(len, said))
        inputs = np.array([a + [END] * (longest[0] - len(a)) for a in read]).T
        targets = np.array([b + [-100] * (longest[1] - len(b)) for b in said]).T
        return Batch(inputs, targets, extra=np.array([len(a) for a in read]))

    def objective(batch: Batch, state: Any) -> Computed:
        fed = np.where(batch.targets < 0, END, batch.targets)
        said = model(batch.inputs, fed, batch.extra if batch.inputs.shape[1] > 1 else None)
        counts = (batch.targets >= 0).sum(1)  # the mean is over all true symbols
        losses, total = sequence_loss(said.logits, batch.targets, cross_entropy, weights=counts)
        return Computed(losses, total, None)

    def translate(items: list[Pair]) -> list[list[str]]:
        found = [model.translate(source.encode(a), max_length=50)[0].tokens for a, _ in items]
        return [[target.all[k] for k in tokens] for tokens in found]

    def measures() -> list[Measure]:
        right = float(np.mean([a == b for a, (_, b) in zip(translate(kept), kept)]))
        return [Measure.above("right translations", right, 0.5, "of pairs never seen")]

    def show(count: int) -> list[Shown]:
        some = kept[:count]
        space = " " if pairs is None else ""
        rows = zip(some, translate(some))
        return [Shown(space.join(a), "".join(b), "".join(said)) for (a, b), said in rows]

    return Problem(
        f"translate {'numbers in words to digits' if pairs is None else pairs}, attention: {attention}",
        model,
        Shuffled(learnt, batch, together, seed),
        objective,
        measures,
        show,
        iterations=400,
        inputs=lambda b: [source.all[k] for k in b.inputs[:, 0]],
        labels=lambda b: [target.all[k] if k > 1 else "END" for k in b.targets[:, 0]],
    )
