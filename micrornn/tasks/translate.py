"""translate: from one sequence to another of a different length, by encoder and decoder.

By default from numbers in English words to digits, "four hundred and two" to 4 0 2, with order, lengths, and
zeros that no word stands for. Real pairs come from packages (`micrornn.data.packages`): ``data="sounds"``,
from spelling to pronunciation, and ``data="emoji"``, names of emoji from English to another language, word
by word. Many of those differ only in the color of a skin, so that a held-out name is a new combination of
known words. Free translated sentences are rare: other pairs come from a file, in each line the source, a
tab, and the target, read by letters or by words; a text and its summary are such a pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.packages import UNSPACED, emoji_names, sounds
from micrornn.data.tokens import tokens_of
from micrornn.data.translations import SYMBOLS, Pair, read_pairs
from micrornn.messages import nearest
from micrornn.nn.edit_distance import error_rate
from micrornn.tasks.pair_baselines import by_lead, by_similarity, by_symbol, exact, rouge
from micrornn.tasks.pairs import batch_of, decoded, encoder_decoder, teacher_forced
from micrornn.tasks.parts import needs_file
from micrornn.tasks.problem import Answer, Example, Measure, Problem, at_least
from micrornn.tasks.words import UNKNOWN

Score = Callable[[Any, Any], float]

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DATA = ("numbers", "sounds", "emoji")
SAMPLE = 3000  # words of the dictionary
LONGEST = 50  # symbols of an answer
WORDS = 100  # words of a source


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


class Symbols:
    """The symbols of one side, with indices from 2; 0 is START, 1 is END, see `pairs`.

    Args:
        least: how often a symbol occurs; above 1, there is a symbol for those that are rarer.
    """

    def __init__(self, sequences: list[list[str]], least: int = 1) -> None:
        counts = Counter(symbol for sequence in sequences for symbol in sequence)
        known = sorted(symbol for symbol, count in counts.items() if count >= least)
        self.all = ["", "", *known, *([UNKNOWN] if least > 1 else [])]
        self.index = {symbol: i for i, symbol in enumerate(self.all)}

    def encode(self, sequence: list[str]) -> list[int]:
        """The indices of a sequence.

        Raises:
            ValueError: it is empty, or has an unknown symbol.
        """
        if not sequence:
            raise ValueError("the source is empty; give at least one symbol")
        rare = self.index.get(UNKNOWN)
        for symbol in sequence:
            if symbol not in self.index and rare is None:
                raise ValueError(
                    f"the symbol {symbol!r} is in none of the pairs; {nearest(symbol, self.all[2:])}"
                )
        return [self.index.get(symbol, rare or 0) for symbol in sequence]


class Corpus(NamedTuple):
    """Pairs, their title, what separates the symbols of each side, and how many iterations are enough.

    Attributes:
        words: whether symbols are words of a user's file, of which many are rare.
    """

    pairs: list[Pair]
    title: str
    spaces: tuple[str, str] = ("", "")
    iterations: int = 400
    words: bool = False


def corpus(
    pairs: str | None,
    by: str,
    encoding: str | None,
    data: str,
    language: str | None,
    seed: int,
) -> Corpus:
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
    if by not in SYMBOLS:
        raise ValueError(f"by={by!r}; choose from {', '.join(SYMBOLS)}")
    if pairs is not None:
        space = " " if by == "words" else ""
        known = read_pairs(pairs, by, encoding)
        return Corpus(known, pairs, (space, space), words=by == "words")
    needs_file("pairs", by=None if by == "letters" else by, encoding=encoding)
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


def problem(
    pairs: str | None = None,
    by: str = "letters",
    steps: int | None = None,
    encoding: str | None = None,
    data: str = "numbers",
    language: str | None = None,
    cell: str = "gru",
    hidden: int = 32,
    layers: int = 1,
    attention: str = "additive",
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn to translate; a tenth of the pairs is measured on, and a tenth is to choose by.

    Args:
        pairs, by, encoding: see `micrornn.data.translations.read_pairs`.
        steps: how many symbols of a source are read, the first ones; all by default, and 100 words.
        data: without such a file, ``numbers``, ``sounds`` or ``emoji``.
        language: to which the names of emoji are translated; ``es`` by default.
        attention: ``none``, ``dot``, ``scaled``, ``general`` or ``additive``.

    Raises:
        ValueError: there are no such data or language, or the file has an unusable line or fewer than ten
            pairs.
        RuntimeError: the package that has the data is not installed.
    """
    known, title, spaces, iterations, words = corpus(pairs, by, encoding, data, language, seed)
    if steps is not None:
        at_least(1, steps=steps)
    longest = steps or (WORDS if words else None)
    known = [(source[:longest], target) for source, target in known]
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
    # Of letters all are known; a word that training has once cannot be learned from it.
    seen, least = (training, 2) if words else (known, 1)
    source, target = Symbols([a for a, _ in seen], least), Symbols([b for _, b in seen], least)
    model = encoder_decoder(len(source.all), len(target.all), cell, hidden, layers, attention, seed)

    def collate(items: list[Pair]) -> Batch:
        return batch_of([(source.encode(a), target.encode(b)) for a, b in items])

    end = 2 * max(len(b) for _, b in training)  # where a prediction without an END stops
    objective = teacher_forced(model)

    def predictions() -> list[list[str]]:
        return [[target.all[k] for k in row] for row in decoded(model, collate(test), end)]

    def measures() -> list[Measure]:
        guesses = {
            "symbol by symbol": by_symbol(training, sources),
            "the most similar pair": by_similarity(training, sources),
        }
        if words:
            guesses["the first words"] = by_lead(training, sources)
        found = predictions()

        def beside(name: str, score: Score, lower: bool = False) -> Measure:
            baselines = {why: score(guess, targets) for why, guess in guesses.items()}
            return Measure.beside(name, score(found, targets), baselines, lower)

        return [
            beside("exact translations", exact),
            beside("symbol error rate", error_rate, lower=True),
            *([beside("shared words (ROUGE-1)", rouge)] if words else []),
        ]

    def examples() -> Iterator[Example]:
        read, write = (space.join for space in spaces)
        for (a, b), prediction in zip(test, predictions()):
            yield Example(read(a), write(b), write(prediction))

    def answer(text: str, width: int) -> list[Answer]:
        symbols = tokens_of(text) if words else text.split() if spaces[0] else list(text)
        found = model.translate(source.encode(symbols[:longest]), "beam", LONGEST, width=width)
        write = spaces[1].join
        return [
            Answer(write(target.all[k] for k in h.tokens), float(np.exp(h.log_prob))) for h in found
        ]

    return Problem(
        f"{model.encoder.cell} encoder and decoder translate {title}, attention: {attention}",
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
