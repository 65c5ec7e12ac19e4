"""translate: from one sequence to another of a different length, by encoder and decoder.

By default from numbers in English words to digits, "four hundred and two" to 4 0 2, with order, lengths, and
zeros that no word stands for. Real pairs come from packages (`micrornn.data.packages`): ``data="sounds"``,
from spelling to pronunciation, and ``data="emoji"``, names of emoji from English to another language, word
by word. Many of those differ only in the color of a skin, so that a held-out name is a new combination of
known words. Free translated sentences are rare: other pairs come from a file, in each line the source, a
tab, and the target; they are read letter by letter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.packages import UNSPACED, Pair, emoji_names, sounds
from micrornn.data.text import read_text
from micrornn.messages import nearest
from micrornn.nn.edit_distance import error_rate
from micrornn.tasks.pairs import batch_of, decoded, encoder_decoder, teacher_forced
from micrornn.tasks.problem import Answer, Example, Measure, Problem

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DATA = ("numbers", "sounds", "emoji")
SAMPLE = 3000  # words of the dictionary
LONGEST = 50  # symbols of an answer


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
        ValueError: a line does not have exactly one tab, or has an empty side; names the line.
    """
    pairs = []
    for i, line in enumerate(read_text(path).split("\n"), 1):
        sides = [side.strip() for side in line.split("\t")]
        if line.strip():
            if len(sides) != 2 or not all(sides):
                tabs = f"{len(sides) - 1} tabs" if len(sides) != 2 else "an empty side"
                raise ValueError(
                    f"{path}, line {i}: expected a source, a tab and a target; found {tabs}"
                )
            pairs.append((list(sides[0]), list(sides[1])))
    return pairs


class Symbols:
    """The symbols of one side, with indices from 2; 0 is START, 1 is END, see `pairs`."""

    def __init__(self, sequences: list[list[str]]) -> None:
        self.all = ["", "", *sorted({symbol for sequence in sequences for symbol in sequence})]
        self.index = {symbol: i for i, symbol in enumerate(self.all)}

    def encode(self, sequence: list[str]) -> list[int]:
        """The indices of a sequence.

        Raises:
            ValueError: it is empty, or has an unknown symbol.
        """
        if not sequence:
            raise ValueError("the source is empty; give at least one symbol")
        for symbol in sequence:
            if symbol not in self.index:
                raise ValueError(
                    f"the symbol {symbol!r} is in none of the pairs; {nearest(symbol, self.all[2:])}"
                )
        return [self.index[symbol] for symbol in sequence]


class Corpus(NamedTuple):
    """Pairs, their title, what separates the symbols of each side, and how many iterations are enough."""

    pairs: list[Pair]
    title: str
    spaces: tuple[str, str] = ("", "")
    iterations: int = 400


def corpus(pairs: str | None, data: str, language: str | None, seed: int) -> Corpus:
    """The pairs of a file, or the data of that name.

    Raises:
        ValueError: there are no such data, or two options exclude each other.
    """
    if data not in DATA:
        raise ValueError(f"no data {data!r}; choose from {', '.join(DATA)}")
    if pairs is not None and data != "numbers":
        raise ValueError(f"--pairs {pairs} and --data {data} exclude each other; give one")
    if language is not None and data != "emoji":
        raise ValueError(f"--language {language} applies to --data emoji only; give that as well")
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


def by_symbol(training: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """A baseline: each symbol by itself, as it is most often in pairs of equal length.

    >>> by_symbol([(list("ab"), list("xy")), (list("ba"), list("yx"))], [list("aab")])
    [['x', 'x', 'y']]
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for source, target in training:
        if len(source) == len(target):
            for one, other in zip(source, target):
                counts[one][other] += 1
    usual = {one: count.most_common(1)[0][0] for one, count in counts.items()}
    return [[usual[one] for one in source if one in usual] for source in sources]


def by_similarity(training: list[Pair], sources: list[list[str]]) -> list[list[str]]:
    """A baseline: the target of the training source that shares most symbols.

    >>> by_similarity([(["red", "car"], ["coche", "rojo"]), (["I"], ["yo"])], [["a", "red", "bus"]])
    [['coche', 'rojo']]
    """
    known = [(frozenset(source), target) for source, target in training]
    queries = [frozenset(source) for source in sources]
    return [max(known, key=lambda p: len(p[0] & one) / len(p[0] | one))[1] for one in queries]


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
    """Learn to translate; a tenth of the pairs is held out.

    Args:
        pairs: a file of pairs.
        data: without such a file, ``numbers``, ``sounds`` or ``emoji``.
        language: to which the names of emoji are translated; ``es`` by default.
        attention: ``none``, ``dot``, ``scaled``, ``general`` or ``additive``.

    Raises:
        ValueError: there are no such data or language, or the file has an unusable line or fewer than ten
            pairs.
        RuntimeError: the package that has the data is not installed.
    """
    known, title, spaces, iterations = corpus(pairs, data, language, seed)
    # Each source once, so that none is both trained on and held out.
    known = list({tuple(source): (source, target) for source, target in known}.values())
    if len(known) < 10:
        raise ValueError(f"{len(known)} pairs of distinct sources are too few; give at least 10")
    order = np.random.default_rng(seed).permutation(len(known))
    known = [known[i] for i in order]
    tenth = len(known) // 10
    test, choosing, training = (
        known[:tenth][:100],
        known[tenth : 2 * tenth][:100],
        known[2 * tenth :],
    )
    sources, targets = [a for a, _ in test], [b for _, b in test]
    source, target = Symbols([a for a, _ in known]), Symbols([b for _, b in known])
    model = encoder_decoder(len(source.all), len(target.all), cell, hidden, layers, attention, seed)

    def collate(items: list[Pair]) -> Batch:
        return batch_of([(source.encode(a), target.encode(b)) for a, b in items])

    longest = 2 * max(len(b) for _, b in known)  # where a prediction without an END stops

    objective = teacher_forced(model)

    def predictions() -> list[list[str]]:
        return [[target.all[k] for k in row] for row in decoded(model, collate(test), longest)]

    def measures() -> list[Measure]:
        baselines = (by_symbol(training, sources), by_similarity(training, sources))
        found = predictions()
        return [
            Measure.above(
                "exact translations",
                exact(found, targets),
                max(exact(guesses, targets) for guesses in baselines),
                "symbol by symbol, or the most similar pair",
            ),
            Measure.below(
                "symbol error rate",
                error_rate(found, targets),
                min(error_rate(guesses, targets) for guesses in baselines),
                "the same baselines",
            ),
        ]

    def examples() -> Iterator[Example]:
        read, write = (space.join for space in spaces)
        for (a, b), prediction in zip(test, predictions()):
            yield Example(read(a), write(b), write(prediction))

    def answer(text: str, width: int) -> list[Answer]:
        symbols = text.split() if spaces[0] else list(text)
        found = model.translate(source.encode(symbols), "beam", LONGEST, width=width)
        write = spaces[1].join
        return [
            Answer(write(target.all[k] for k in h.tokens), float(np.exp(h.log_prob))) for h in found
        ]

    return Problem(
        f"{cell.upper()} encoder and decoder translate {title}, attention: {attention}",
        model,
        Shuffled(training, batch, collate, seed),
        objective,
        measures,
        examples,
        answer,
        validate=lambda: objective(collate(choosing or test), None).total.item(),
        iterations=iterations,
        inputs=lambda b: [source.all[k] for k in b.inputs[:, 0]],
        labels=lambda b: [target.all[k] if k > 1 else "END" for k in b.targets[:, 0]],
    )


def exact(predictions: list[list[str]], targets: list[list[str]]) -> float:
    """The share of sequences that are right as a whole."""
    return float(np.mean([one == other for one, other in zip(predictions, targets)]))
