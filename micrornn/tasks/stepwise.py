"""Many to many of the same length on a user's own data: a label for each token, row or frame."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrornn.data.conll import Sentence
from micrornn.data.feeds import Batch, Shuffled
from micrornn.tasks.baselines import ridge
from micrornn.tasks.pairs import PADDING, padded, token_objective
from micrornn.tasks.parts import Parts, three_parts
from micrornn.tasks.problem import Example, Measure, Problem, accuracy, macro_f1
from micrornn.tasks.reader import Reader, chunks, stacked
from micrornn.tasks.words import Words

Array = np.ndarray[Any, Any]
Score = Callable[[list[Array]], float]
LONGEST = 60  # tokens, by default
AROUND = 5  # rows on each side that the ridge of rows looks at
WIDEST = 600  # numbers that it looks at


class Labels(NamedTuple):
    """A sequence of indices or frames, the index of the label of each step, and how examples show it."""

    sequence: Array
    labels: Array
    shown: str


def sentences(
    found: Sequence[Sentence],
    path: str,
    steps: int | None,
    bidirectional: bool,
    sizes: dict[str, Any],
    batch: int,
) -> Problem:
    """Learn the tag of each token.

    Args:
        steps: how many tokens of a sentence are read, the first ones of a longer sentence.

    Raises:
        ValueError: there are too few sentences.
    """
    longest = steps or LONGEST
    tags = _by_count(tag for sentence in found for _, tag in sentence)
    cut = [sentence[:longest] for sentence in found]
    parts = three_parts(cut, [[t for _, t in one] for one in cut], "sentences", sizes["seed"])
    words = Words([word for word, _ in one] for one in parts.training)

    def item(one: Sentence) -> Labels:
        indices = words.encode([word for word, _ in one])
        labels = np.array([tags.index(tag) for _, tag in one])
        return Labels(indices, labels, " ".join(word for word, _ in one))

    items = parts.map(item)
    reads = {"bidirectional": bidirectional, "symbols": True, **sizes}
    network = Reader(width=len(words), outputs=len(tags), **reads)
    baselines = {
        "the usual tag of each word": by_word(items.training, items.test, pairs=False),
        "the usual tag after the word before": by_word(items.training, items.test, pairs=True),
    }
    problem = _problem(
        network,
        items,
        tags,
        batch,
        f"{network} predicts which of {len(tags)} tags each token of {path} has",
        baselines,
        lambda batch: [words.all[i] for i in batch.inputs[:, 0]],
    )
    long = sum(len(one) > longest for one in found)
    if long:
        what = f"{long:,} of the sentences are longer than {longest} tokens"
        problem.remarks = [*problem.remarks, f"{what}: the first are read (--steps)"]
    return problem


def rows(
    values: Array,
    labels: Sequence[str],
    path: str,
    steps: int,
    bidirectional: bool,
    sizes: dict[str, Any],
    batch: int,
) -> Problem:
    """Learn the label of each row of a table, in order of time: the last rows are measured on.

    Args:
        values: (N, D), the columns that are read.
        labels: N.
        steps: the rows of a piece, which is read by itself.

    Raises:
        ValueError: there are too few rows.
    """
    kinds = _by_count(labels)
    if len(kinds) < 2:
        raise ValueError(f"{path} has one label, {kinds[0]!r}; give rows of at least two")
    if len(kinds) > max(2, len(labels) / 2):
        raise ValueError(
            f"{path}: {len(kinds):,} labels for {len(labels):,} rows, such as {kinds[0]!r}; --target names "
            "the column of the label (micrornn train weather forecasts a number)"
        )
    count = len(values) // steps
    if count < 3:
        raise ValueError(
            f"{path} has {len(values)} rows, too few for three parts of {steps} each; give fewer --steps, or "
            "a longer table"
        )
    tenth = max(1, count // 10)
    known = steps * (count - 2 * tenth)
    mean, spread = _scale(values[:known])
    scaled = (values - mean) / spread
    codes = np.array([kinds.index(label) for label in labels])
    pieces = [
        Labels(scaled[a : a + steps], codes[a : a + steps], f"rows {a + 1} to {a + steps}")
        for a in range(0, count * steps, steps)
    ]
    last, choose = pieces[-tenth:], pieces[-2 * tenth : -tenth]
    unseen = sorted(set(labels[known:]) - set(labels[:known]))
    remarks = [f"trained on {known:,} rows; {steps * tenth:,} to choose by, the last to measure on"]
    if unseen:
        remarks.append(f"never trained on, so never predicted: {', '.join(unseen[:5])}")
    parts = Parts(pieces[: -2 * tenth], choose, last, remarks)
    network = network_of(sizes, bidirectional)
    what = f"{network} predicts which of {len(kinds)} labels each row of {path} has"
    return _of_frames(parts, kinds, what, bidirectional, sizes, batch)


def clips(
    found: Sequence[tuple[Array, Sequence[str]]],
    path: str,
    steps: int | None,
    bidirectional: bool,
    sizes: dict[str, Any],
    batch: int,
) -> Problem:
    """Learn the label of each frame of clips.

    Raises:
        ValueError: there are too few clips.
    """
    cut = [(frames[:steps], labels[:steps]) for frames, labels in found]
    parts = three_parts(cut, [labels for _, labels in cut], "clips", sizes["seed"])
    kinds = _by_count(label for _, labels in cut for label in labels)
    mean, spread = _scale(np.concatenate([frames for frames, _ in parts.training]))

    def item(one: tuple[Array, Sequence[str]]) -> Labels:
        frames, labels = one
        codes = np.array([kinds.index(label) for label in labels])
        return Labels((frames - mean) / spread, codes, f"{len(frames)} frames")

    network = network_of(sizes, bidirectional)
    what = f"{network} predicts which of {len(kinds)} labels each frame of {path} has"
    return _of_frames(parts.map(item), kinds, what, bidirectional, sizes, batch)


def network_of(sizes: Mapping[str, Any], bidirectional: bool) -> Reader:
    """A small network of these sizes, for its name."""
    small = {**sizes, "hidden": 1}
    return Reader(width=1, outputs=1, symbols=False, bidirectional=bidirectional, **small)


def _of_frames(
    parts: Parts,
    kinds: list[str],
    title: str,
    bidirectional: bool,
    sizes: dict[str, Any],
    batch: int,
) -> Problem:
    width = parts.training[0].sequence.shape[1]
    reads = {"bidirectional": bidirectional, "symbols": False, **sizes}
    network = Reader(width=width, outputs=len(kinds), **reads)
    around = AROUND if width * (2 * AROUND + 1) <= WIDEST else 0
    baselines = {f"ridge of {2 * around + 1} steps": by_ridge(parts, len(kinds), around)}
    return _problem(
        network,
        parts,
        kinds,
        batch,
        title,
        baselines,
        lambda batch: [" ".join(f"{v:.1f}" for v in x[0][:4]) for x in batch.inputs],
    )


def _problem(
    network: Reader,
    items: Parts,
    kinds: Sequence[str],
    batch: int,
    title: str,
    baselines: dict[str, list[Array]],
    inputs: Callable[[Batch], Sequence[str]],
) -> Problem:
    truth = [one.labels for one in items.test]
    commonest = int(np.bincount(np.concatenate([one.labels for one in items.training])).argmax())
    always = [np.full(len(labels), commonest) for labels in truth]
    baselines = {**baselines, f"always {kinds[commonest]}": always}
    objective = token_objective(lambda batch: network(batch.inputs, batch.extra))

    def flat(score: Callable[[Any, Any], float]) -> Score:
        return lambda found: score(np.concatenate(found), np.concatenate(truth))

    scores: dict[str, Score] = {"accuracy": flat(accuracy), "macro F1": flat(macro_f1)}
    if all(kind == "O" or kind[:2] in ("B-", "I-", "S-", "E-") for kind in kinds):
        real = [spans([kinds[k] for k in labels]) for labels in truth]
        scores["F1 of names"] = lambda found: span_f1(
            [spans([kinds[k] for k in labels]) for labels in found], real
        )
        scores.pop("macro F1")

    def predictions() -> list[Array]:
        found = []
        for part in chunks(items.test):
            steps, lengths = stacked([one.sequence for one in part])
            best = np.array([y.numpy().argmax(-1) for y in network(steps, lengths)])
            found += [best[:length, b] for b, length in enumerate(lengths)]
        return found

    def loss() -> float:
        parts = [collate(part) for part in chunks(items.choosing)]
        losses = [objective(part, None).total.item() for part in parts]
        return float(np.average(losses, weights=[(part.targets >= 0).sum() for part in parts]))

    def measures() -> list[Measure]:
        found = predictions()
        return [
            Measure.beside(
                name, score(found), {why: score(guesses) for why, guesses in baselines.items()}
            )
            for name, score in scores.items()
        ]

    def examples() -> Iterator[Example]:
        for one, prediction in zip(items.test, predictions()):
            sides = (" ".join(kinds[k] for k in labels) for labels in (one.labels, prediction))
            yield Example(one.shown, *sides)

    return Problem(
        title,
        network,
        Shuffled(items.training, batch, collate, 0),
        objective,
        measures,
        examples,
        validate=loss,
        iterations=min(600, max(200, 3 * len(items.training) // batch)),
        inputs=inputs,
        labels=lambda b: [kinds[k] if k >= 0 else "" for k in b.targets[:, 0]],
        remarks=items.remarks,
    )


def collate(items: Sequence[Labels]) -> Batch:
    """Items as a batch: sequences (T, B, ...), labels (T, B), lengths (B,)."""
    steps, lengths = stacked([one.sequence for one in items])
    return Batch(steps, padded([one.labels for one in items], PADDING), extra=lengths)


# -- baselines --------------------------------------------------------------------------------------


def by_word(training: Sequence[Labels], test: Sequence[Labels], pairs: bool) -> list[Array]:
    """The most frequent label of each symbol, or of each symbol after the one before it.

    A pair that was not seen is decided by its symbol, and an unknown symbol by all.
    """
    counts: dict[Any, Counter[int]] = defaultdict(Counter)
    for one in training:
        for key, label in zip(_keys(one.sequence, pairs), one.labels.tolist()):
            for each in (*key, None):
                counts[each][label] += 1
    best = {key: counter.most_common(1)[0][0] for key, counter in counts.items()}
    return [
        np.array(
            [next(best[k] for k in (*key, None) if k in best) for key in _keys(one.sequence, pairs)]
        )
        for one in test
    ]


def _keys(sequence: Array, pairs: bool) -> list[tuple[Any, ...]]:
    """For each step the pair with the symbol before it, if asked for, and the symbol."""
    symbols = sequence.tolist()
    before = [None, *symbols[:-1]]
    return [((a, b), b) if pairs else (b,) for a, b in zip(before, symbols)]


def by_ridge(parts: Parts, kinds: int, around: int) -> list[Array]:
    """The labels by a linear map of each frame and its neighbors, fitted by ridge regression."""

    def features(part: Sequence[Labels]) -> Array:
        return np.concatenate([_windows(one.sequence, around) for one in part])

    def targets(part: Sequence[Labels]) -> Array:
        return np.asarray(np.eye(kinds)[np.concatenate([one.labels for one in part])])

    learned = features(parts.training), targets(parts.training)
    chosen = features(parts.choosing), targets(parts.choosing)
    guess = ridge(*learned, *chosen)(features(parts.test)).argmax(1)
    return np.split(guess, np.cumsum([len(one.labels) for one in parts.test])[:-1])


def _windows(frames: Array, around: int) -> Array:
    filled = np.pad(frames, ((around, around), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(filled, 2 * around + 1, axis=0)
    return np.asarray(views.reshape(len(frames), -1))


# -- names ------------------------------------------------------------------------------------------


def spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """The names that tags such as B-PER and I-PER mark, as first step, end and kind.

    An I- that continues nothing begins a name, as the CoNLL evaluation reads it.

    >>> sorted(spans(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"]))
    [(0, 2, 'PER'), (3, 4, 'LOC'), (4, 5, 'LOC')]
    """
    begins = [
        i
        for i, (a, b) in enumerate(pairwise(["O", *tags]))
        if b != "O" and (b[0] in "BS" or a == "O" or a[2:] != b[2:] or a[0] in "ES")
    ]
    found = set()
    for first in begins:
        end = first + 1
        while end < len(tags) and tags[end] != "O" and end not in begins:
            end += 1
        found.add((first, end, tags[first][2:]))
    return found


def span_f1(found: Sequence[set[Any]], real: Sequence[set[Any]]) -> float:
    """The F1 score of whole names over all sentences; 0 if there is none on either side."""
    hits = sum(len(a & b) for a, b in zip(found, real))
    return 2 * hits / max(1, sum(map(len, found)) + sum(map(len, real)))


def _scale(values: Array) -> tuple[Array, Array]:
    """The mean of each column and its deviation, 1 where it is constant."""
    mean, spread = values.mean(0), values.std(0)
    spread[spread < 1e-9 * (1 + np.abs(mean))] = 1.0
    return mean, spread


def _by_count(labels: Any) -> list[str]:
    """The labels, the most frequent first."""
    return [label for label, _ in Counter(labels).most_common()]
