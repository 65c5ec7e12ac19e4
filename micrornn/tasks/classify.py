"""Many to one on a user's own data: a label for each text, sound or clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.labeled import Labeled
from micrornn.data.tokens import tokens_of
from micrornn.messages import percent
from micrornn.nn.decoding import distribution
from micrornn.tasks.baselines import naive_bayes, nearest_neighbor, summary
from micrornn.tasks.parts import Parts, three_parts
from micrornn.tasks.problem import Answer, Example, Measure, Problem, accuracy, macro_f1
from micrornn.tasks.reader import Reader, chunks, stacked
from micrornn.tasks.words import Words
from micrornn.training.objective import Computed, final_loss

Array = np.ndarray[Any, Any]
LONGEST = 100  # words, by default
FRAMES = 100  # likewise, frames


class Item(NamedTuple):
    """A sequence of indices or frames, the index of its label, and how an example shows it."""

    sequence: Array
    label: int
    shown: str


def texts(
    found: Sequence[Labeled], path: str, steps: int | None, sizes: dict[str, Any], batch: int
) -> Problem:
    """Learn the label of each text, read word by word.

    Args:
        steps: how many words are read, the last ones of a longer text.

    Raises:
        ValueError: there are too few texts.
    """
    labels = _by_count(one.label for one in found)
    parts = three_parts(found, [[one.label] for one in found], "texts", sizes["seed"])
    longest = steps or LONGEST
    words = Words(tokens_of(one.text) for one in parts.training)

    def encoded(text: str) -> Array:
        return words.encode(tokens_of(text)[-longest:] or [""])

    def item(one: Labeled) -> Item:
        return Item(encoded(one.text), labels.index(one.label), one.text)

    items = parts.map(item)
    long = sum(len(tokens_of(one.text)) > longest for one in found) / len(found)
    cut = (
        [
            f"{percent(long)} of the texts are longer than {longest} words: the last are read (--steps)"
        ]
        if long >= 0.005
        else []
    )
    network = Reader(width=len(words), outputs=len(labels), symbols=True, last_only=True, **sizes)
    bayes = naive_bayes(items.training, items.choosing, items.test, len(labels))

    def answer(text: str, width: int) -> list[Answer]:
        if width > 1:
            raise ValueError("a text has one label; leave --beam out, which is for translations")
        if not tokens_of(text):
            raise ValueError("the text is empty; give at least one word")
        (logits,) = network(encoded(text)[:, np.newaxis])
        chances = distribution(logits.numpy()[0])
        return [Answer(labels[i], float(chances[i])) for i in np.argsort(-chances)]

    problem = _problem(
        network,
        items,
        labels,
        batch,
        f"{network} predicts which of {len(labels)} labels each text of {path} has",
        {"naive Bayes of words and pairs": bayes},
        lambda batch: [words.all[i] for i in batch.inputs[:, 0]],
    )
    problem.answer = answer
    problem.remarks = [*items.remarks, *cut]
    return problem


def sequences(
    found: Sequence[tuple[Array, str]],
    path: str,
    what: str,
    steps: int | None,
    sizes: dict[str, Any],
    batch: int,
) -> Problem:
    """Learn the label of each sequence of frames.

    Args:
        what: what the sequences are: sounds, clips.
        steps: how many frames are read, the first ones of a longer sequence.

    Raises:
        ValueError: there are too few sequences.
    """
    labels = _by_count(label for _, label in found)
    parts = three_parts(found, [[label] for _, label in found], what, sizes["seed"])
    longest = steps or FRAMES
    together = np.concatenate([frames[:longest] for frames, _ in parts.training])
    mean, spread = together.mean(0), together.std(0)
    spread[spread < 1e-9 * (1 + np.abs(mean))] = 1.0

    def item(one: tuple[Array, str]) -> Item:
        frames, label = one
        cut = (frames[:longest] - mean) / spread
        return Item(cut, labels.index(label), f"{len(frames)} frames")

    items = parts.map(item)
    long = sum(len(frames) > longest for frames, _ in found) / len(found)
    cut = [
        f"{percent(long)} of the {what} are longer than {longest} frames: the first are read (--steps)"
    ]
    network = Reader(width=len(mean), outputs=len(labels), symbols=False, last_only=True, **sizes)
    features = [np.array([summary(one.sequence) for one in part]) for part in items[:3]]
    known = np.array([one.label for one in items.training])
    neighbor = nearest_neighbor(features[0], known, features[2])
    problem = _problem(
        network,
        items,
        labels,
        batch,
        f"{network} predicts which of {len(labels)} labels each of the {what} in {path} has",
        {"the nearest neighbor by mean frames": neighbor},
        lambda batch: [" ".join(f"{v:.1f}" for v in x[0][:4]) for x in batch.inputs],
    )
    problem.remarks = [*items.remarks, *(cut if long else [])]
    return problem


def _problem(
    network: Reader,
    items: Parts,
    labels: Sequence[str],
    batch: int,
    title: str,
    baselines: dict[str, Array],
    inputs: Callable[[Batch], Sequence[str]],
) -> Problem:
    targets = np.array([one.label for one in items.test])
    commonest = int(np.bincount([one.label for one in items.training]).argmax())
    baselines = {**baselines, f"always {labels[commonest]}": np.full(len(targets), commonest)}

    def objective(batch: Batch, state: Any) -> Computed:
        (logits,) = network(batch.inputs, batch.extra)
        return final_loss(logits, batch)

    def predictions() -> Array:
        parts = [
            network(*stacked([one.sequence for one in part]))[0].numpy().argmax(-1)
            for part in chunks(items.test)
        ]
        return np.concatenate(parts)

    def loss() -> float:
        parts = chunks(items.choosing)
        losses = [objective(collate(part), None).total.item() for part in parts]
        return float(np.average(losses, weights=list(map(len, parts))))

    def measures() -> list[Measure]:
        found = predictions()
        return [
            Measure.beside(name, score(found, targets), {
                why: score(guesses, targets) for why, guesses in baselines.items()
            })
            for name, score in (("accuracy", accuracy), ("macro F1", macro_f1))
        ]  # fmt: skip

    def examples() -> Iterator[Example]:
        for one, prediction in zip(items.test, predictions()):
            yield Example(one.shown, labels[one.label], labels[prediction])

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
        labels=lambda b: [labels[b.targets[0]]],
    )


def collate(items: Sequence[Item]) -> Batch:
    """Items as a batch: sequences (T, B, ...), labels (B,), lengths (B,)."""
    steps, lengths = stacked([one.sequence for one in items])
    return Batch(steps, np.array([one.label for one in items]), extra=lengths)


def _by_count(labels: Any) -> list[str]:
    """The labels, the most frequent first."""
    return [label for label, _ in Counter(labels).most_common()]
