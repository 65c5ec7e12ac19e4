"""translate: one sequence in, another of a different length out; encoder and decoder, with attention or not.

By default from numbers in English words to digits, "four hundred and two" to 4 0 2: made up, but with order,
lengths and zeros that no word stands for. Real pairs come out of packages (`micrornn.data.packages`):
``data="sounds"``, from how a word is spelt to how it is said, and ``data="emoji"``, names of emoji from
English to another language, word by word. Many of these are the same but for the colour of a skin, so that
what is measured on is a new combination of known words. Translated sentences are not to be had freely: pairs
of one's own come from a file, in each line the source, a tab, and the target; they are read by letters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.packages import UNSPACED, Pair, emoji_names, sounds
from micrornn.data.text import read_text
from micrornn.nn.edit_distance import error_rate
from micrornn.tasks.output import nearest
from micrornn.tasks.pairs import batch_of, encoder_decoder, forced, said_freely
from micrornn.tasks.problem import Answer, Measure, Problem, Shown

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DRAWN = {"hidden": 4}
DATA = ("numbers", "sounds", "emoji")
SAMPLE = 3000  # so many words of a dictionary


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


def equal(said: list[list[str]], wanted: list[list[str]]) -> float:
    """The share of sequences that are right as a whole."""
    return float(np.mean([one == other for one, other in zip(said, wanted)]))


class Symbols:
    """The symbols of one side, numbered from 2; 0 is START, 1 is END, see `pairs`."""

    def __init__(self, sequences: list[list[str]]) -> None:
        self.all = ["", "", *sorted({symbol for sequence in sequences for symbol in sequence})]
        self.number = {symbol: i for i, symbol in enumerate(self.all)}

    def encode(self, sequence: list[str]) -> list[int]:
        """Their numbers.

        Raises:
            ValueError: there is none, or one that was in no pair.
        """
        if not sequence:
            raise ValueError("there is nothing to translate; give at least one symbol")
        for symbol in sequence:
            if symbol not in self.number:
                raise ValueError(
                    f"{symbol!r} was in none of the pairs; {nearest(symbol, self.all[2:])}"
                )
        return [self.number[symbol] for symbol in sequence]


class Corpus(NamedTuple):
    """Pairs to learn from, what they are, what stands between symbols, and how long is usually enough."""

    pairs: list[Pair]
    title: str
    spaces: tuple[str, str] = ("", "")
    iterations: int = 400


def corpus(pairs: str | None, data: str, language: str | None, seed: int) -> Corpus:
    """The pairs of a file, or else those of that name.

    Raises:
        ValueError: there are no such data, or an option does not go with another.
    """
    if data not in DATA:
        raise ValueError(f"there are no data {data!r}; give one of {', '.join(DATA)}")
    if pairs is not None and data != "numbers":
        raise ValueError(f"the pairs of {pairs} and the data {data!r}: give one of the two")
    if language is not None and data != "emoji":
        raise ValueError(
            f"language={language!r} is for the data 'emoji'; give those, or leave it out"
        )
    if pairs is not None:
        return Corpus(read_pairs(pairs), pairs)
    if data == "sounds":
        words = sounds()
        chosen = np.random.default_rng(seed).permutation(len(words))[:SAMPLE]
        return Corpus([words[i] for i in chosen], "spelling to sounds", ("", " "), 800)
    if data == "emoji":
        language = language or "es"
        known = emoji_names(language)
        space = "" if language in UNSPACED else " "
        return Corpus(known, f"names of emoji from English to {language}", (" ", space), 500)
    numbers = [(in_words(n).split(), list(str(n))) for n in range(1000)]
    return Corpus(numbers, "numbers in words to digits", (" ", ""))


def by_symbol(learnt: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """Each symbol for itself, as it most often is in pairs of equal length.

    >>> by_symbol([(list("ab"), list("xy")), (list("ba"), list("yx"))], [list("aab")])
    [['x', 'x', 'y']]
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for source, target in learnt:
        if len(source) == len(target):
            for one, other in zip(source, target):
                seen[one][other] += 1
    usual = {one: count.most_common(1)[0][0] for one, count in seen.items()}
    return [[usual[one] for one in source if one in usual] for source in sources]


def by_likeness(learnt: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """The target of the known source that shares most symbols.

    >>> by_likeness([(["red", "car"], ["coche", "rojo"]), (["I"], ["yo"])], [["a", "red", "bus"]])
    [['coche', 'rojo']]
    """
    known = [(frozenset(source), target) for source, target in learnt]
    asked = [frozenset(source) for source in sources]
    return [max(known, key=lambda p: len(p[0] & one) / len(p[0] | one))[1] for one in asked]


def problem(
    pairs: str | None = None,
    data: str = "numbers",
    language: str | None = None,
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
        data: without such a file, ``numbers``, ``sounds`` or ``emoji``.
        language: to which the names of emoji are translated, ``es`` unless it is given.
        attention: ``none``, ``dot``, ``scaled``, ``general`` or ``additive``.

    Raises:
        ValueError: there are no such data or language, or the file has fewer than ten pairs, or a line
            that is none.
        RuntimeError: the package that has the data is not installed.
    """
    known, title, spaces, iterations = corpus(pairs, data, language, seed)
    # Each source once, so that none is measured on that was learnt.
    known = list({tuple(source): (source, target) for source, target in known}.values())
    if len(known) < 10:
        raise ValueError(
            f"{len(known)} pairs of different sources are too few to learn from; give at least 10"
        )
    order = np.random.default_rng(seed).permutation(len(known))
    known = [known[i] for i in order]
    kept, learnt = known[: len(known) // 10][:100], known[len(known) // 10 :]
    source, target = Symbols([a for a, _ in known]), Symbols([b for _, b in known])
    model = encoder_decoder(len(source.all), len(target.all), cell, hidden, layers, attention, seed)

    def together(items: list[Pair]) -> Batch:
        return batch_of([(source.encode(a), target.encode(b)) for a, b in items])

    longest = 2 * max(len(b) for _, b in known)  # what does not end by itself ends there

    def translate(items: list[Pair]) -> list[list[str]]:
        answers = said_freely(model, together(items), longest)
        return [[target.all[k] for k in answer] for answer in answers]

    def measures() -> list[Measure]:
        sources, wanted = [a for a, _ in kept], [b for _, b in kept]
        simple = (by_symbol(learnt, sources), by_likeness(learnt, sources))
        said = translate(kept)
        return [
            Measure.above(
                "right translations",
                equal(said, wanted),
                max(equal(guessed, wanted) for guessed in simple),
                "symbol by symbol, or as the most similar pair known",
            ),
            Measure.below(
                "wrong symbols for each wanted",
                error_rate(said, wanted),
                min(error_rate(guessed, wanted) for guessed in simple),
                "the same",
            ),
        ]

    def show(count: int) -> list[Shown]:
        some = kept[:count]
        read, write = (space.join for space in spaces)
        return [
            Shown(read(a), write(b), write(said)) for (a, b), said in zip(some, translate(some))
        ]

    def answer(text: str, width: int) -> list[Answer]:
        symbols = text.split() if spaces[0] else list(text)
        found = model.translate(source.encode(symbols), "beam", 50, width=width)
        write = spaces[1].join
        return [
            Answer(write(target.all[k] for k in h.tokens), float(np.exp(h.log_prob))) for h in found
        ]

    return Problem(
        f"translate {title}, attention: {attention}",
        model,
        Shuffled(learnt, batch, together, seed),
        forced(model),
        measures,
        show,
        answer,
        iterations=iterations,
        inputs=lambda b: [source.all[k] for k in b.inputs[:, 0]],
        labels=lambda b: [target.all[k] if k > 1 else "END" for k in b.targets[:, 0]],
    )
