"""tagging: label each character of a Python program by its kind (many to many, of the same length).

It stands in for part-of-speech tagging, for which no free data come with Python: the programs are modules of
the standard library, the last one to measure on and the one before it to choose by; the labels come from its
tokenizer. A bidirectional network also sees what follows,
which it takes to know at the first letter that a word is ``for`` and not ``forge``.
"""

from __future__ import annotations

import heapq
import io
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.data.conll import read_conll
from micrornn.data.feeds import Batch, Shuffled
from micrornn.tasks.network import Network, predicted
from micrornn.tasks.parts import needs_file
from micrornn.tasks.problem import Example, Measure, Problem, accuracy, at_least
from micrornn.tasks.stepwise import sentences
from micrornn.training.objective import by_step

Array = np.ndarray[Any, Any]
KINDS = ("blank", "keyword", "name", "number", "string", "comment", "operator")
LETTERS = "_KnNsc+"
STEPS = 40  # characters of a piece
SOURCES = ("heapq", "bisect", "textwrap", "shlex", "fnmatch", "colorsys", "queue", "sched")


def labels_of(program: str) -> Array:
    """The kind of every character of a program, as an index into `KINDS`.

    >>> letters(labels_of("for x in 'ab': # go"))
    'KKK_n_KK_ssss+_cccc'
    """
    kinds = np.zeros(len(program), dtype=int)
    starts = np.cumsum([0, *(len(line) for line in program.splitlines(keepends=True))])
    for token in tokenize.generate_tokens(io.StringIO(program).readline):
        a = starts[token.start[0] - 1] + token.start[1]
        b = starts[min(token.end[0] - 1, len(starts) - 1)] + token.end[1]
        kinds[a:b] = _kind(token)
    return kinds


def _kind(token: tokenize.TokenInfo) -> int:
    name = tokenize.tok_name[token.type]
    if name == "NAME":
        return KINDS.index("keyword" if keyword.iskeyword(token.string) else "name")
    if name.startswith("FSTRING"):
        return KINDS.index("string")
    known = {"NUMBER": "number", "STRING": "string", "COMMENT": "comment", "OP": "operator"}
    return KINDS.index(known.get(name, "blank"))


def letters(labels: Any) -> str:
    """Kinds as letters, ``_`` for a blank."""
    return "".join(LETTERS[label] for label in labels)


def problem(
    conll: str | None = None,
    tag: int | None = None,
    encoding: str | None = None,
    cell: str = "gru",
    hidden: int = 24,
    layers: int = 1,
    bidirectional: bool = True,
    steps: int | None = None,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn to tell keywords, names, numbers, strings, comments and operators apart, or a user's own tags.

    Args:
        conll, tag, encoding: see `micrornn.data.conll.read_conll`.
        steps: the length of the pieces of a program, 40; at most 60 tokens of a user's sentence.

    Raises:
        ValueError: no step, an unusable file, or a Python without the source code of its library.
    """
    if steps is not None:
        at_least(1, steps=steps)
    if conll is not None:
        own: dict[str, Any] = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
        return sentences(read_conll(conll, tag, encoding), conll, steps, bidirectional, own, batch)
    needs_file("conll", tag=tag, encoding=encoding)
    steps = steps or STEPS
    *training, choose, last = [_pieces(text, steps) for text in programs()]
    pieces = [piece for module in training for piece in module]
    if not pieces or not choose or not last:
        raise ValueError(f"steps={steps} is longer than the programs; give fewer steps")
    sizes: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    network = Network(cell, 96, len(KINDS), bidirectional=bidirectional, symbols=True, **sizes)
    objective = by_step(network)
    choosing, test = collate(choose[:100]), collate(last[:100])
    truth = test.targets

    def predictions() -> Array:
        return predicted(network(test.inputs)[0])

    def measures() -> list[Measure]:
        right = accuracy(predictions(), test.targets)
        baselines = {
            "the usual label of each character": accuracy(_by_characters(pieces, test, 0), truth),
            "of three characters": accuracy(_by_characters(pieces, test, 1), truth),
        }
        return [Measure.beside("accuracy", right, baselines)]

    def examples() -> Iterator[Example]:
        for row, target, prediction in zip(test.inputs.T, test.targets.T, predictions().T):
            yield Example("".join(map(_character, row)), letters(target), letters(prediction))

    return Problem(
        f"{network} predicts the kind of each character of a Python program",
        network,
        Shuffled(pieces, batch, collate, seed),
        objective,
        measures,
        examples,
        validate=lambda: objective(choosing, None).total.item(),
        iterations=200,
        inputs=lambda b: list(map(_character, b.inputs[:, 0])),
        labels=lambda b: [KINDS[k] for k in b.targets[:, 0]],
    )


def programs() -> list[str]:
    """The source code of some modules of the standard library.

    Raises:
        ValueError: this Python came without them.
    """
    folder = Path(heapq.__file__).parent
    try:
        return [(folder / f"{name}.py").read_text(encoding="utf-8") for name in SOURCES]
    except FileNotFoundError:
        raise ValueError(
            f"this Python has no source code of its library in {folder}, which the task reads"
        ) from None


def collate(pieces: list[tuple[Array, Array]]) -> Batch:
    """Pieces of one length as a batch."""
    return Batch(np.array([c for c, _ in pieces]).T, np.array([k for _, k in pieces]).T)


def _pieces(text: str, steps: int) -> list[tuple[Array, Array]]:
    """Codes and labels: printable characters have codes from 1 up, all others 0."""
    codes = np.array([ord(c) - 31 if " " <= c <= "~" else 0 for c in text])
    kinds = labels_of(text)
    starts = range(0, len(codes) - steps + 1, steps)
    return [(codes[a : a + steps], kinds[a : a + steps]) for a in starts]


def _character(code: int) -> str:
    return chr(code + 31) if code else "\n"


def _by_characters(pieces: list[tuple[Array, Array]], test: Batch, around: int) -> Array:
    """The most frequent label of each character between so many neighbors, or where unseen, of it alone."""
    counts: dict[bytes, Counter[int]] = {}
    for codes, kinds in pieces:
        for keys in (_windows(codes, around), _windows(codes, 0)):
            for key, kind in zip(keys, kinds.tolist()):
                counts.setdefault(key, Counter())[kind] += 1
    best = {key: counter.most_common(1)[0][0] for key, counter in counts.items()}
    columns = [
        [
            best.get(wide, best.get(alone, 0))
            for wide, alone in zip(_windows(row, around), _windows(row, 0))
        ]
        for row in test.inputs.T
    ]
    return np.array(columns).T


def _windows(codes: Array, around: int) -> list[bytes]:
    filled = np.pad(codes, around, constant_values=-1)
    views = np.lib.stride_tricks.sliding_window_view(filled, 2 * around + 1)
    return [view.tobytes() for view in views]
