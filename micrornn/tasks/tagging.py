"""tagging: each character of a Python program is labelled by what it is part of; same length in and out.

It stands in for the tagging of parts of speech, for which no free data come with Python: the programs are
those of the standard library, the labels are made by its tokenizer. A bidirectional network sees what comes
after as well, which one needs to know at its first letter that a word is ``for`` and not ``forge``.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.data.feeds import Batch, Shuffled
from micrornn.tasks.models import Symbols, likeliest
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.training.objective import by_step

KINDS = ("blank", "keyword", "name", "number", "string", "comment", "operator")
LETTERS = "_KnNsc+"
SOURCES = ("heapq", "bisect", "textwrap", "shlex", "fnmatch", "colorsys", "queue", "sched")
DRAWN = {"steps": 8, "hidden": 4}


def labelled(program: str) -> np.ndarray[Any, Any]:
    """For every character of a program, the number of its kind.

    >>> "".join(LETTERS[k] for k in labelled("for x in 'ab': # go"))
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


def problem(
    cell: str = "gru",
    hidden: int = 24,
    layers: int = 1,
    bidirectional: bool = True,
    steps: int = 40,
    batch: int = 16,
    seed: int = 0,
) -> Problem:
    """Learn to tell keywords, names, numbers, strings, comments and operators apart.

    Args:
        steps: how long the pieces of a program are.

    Raises:
        ValueError: no step.
    """
    at_least(1, steps=steps)
    folder = Path(heapq_file()).parent
    programs = [(folder / f"{name}.py").read_text(encoding="utf-8") for name in SOURCES]
    codes, kinds = zip(*[(_codes(text), labelled(text)) for text in programs])
    learnt = _pieces(codes[:-1], kinds[:-1], steps)
    kept = _pieces(codes[-1:], kinds[-1:], steps)[:100]
    options: dict[str, Any] = {"hidden": hidden, "layers": layers, "seed": seed}
    model = Symbols(cell, 96, len(KINDS), bidirectional=bidirectional, **options)
    objective = by_step(model)
    test = together(kept)

    def said() -> np.ndarray[Any, Any]:
        return likeliest(model(test.inputs)[0])

    def measures() -> list[Measure]:
        alone = _by_character(learnt, test)
        right = float((said() == test.targets).mean())
        return [Measure.above("right labels", right, alone, "each character's most frequent label")]

    def show(count: int) -> list[Shown]:
        answers = said()
        return [
            Shown(
                "".join(chr(c + 31) if c else "\n" for c in test.inputs[:, i]),
                "".join(LETTERS[k] for k in test.targets[:, i]),
                "".join(LETTERS[k] for k in answers[:, i]),
            )
            for i in range(min(count, test.inputs.shape[1]))
        ]

    return Problem(
        f"what each character of a Python program is part of: {', '.join(KINDS)}",
        model,
        Shuffled(learnt, batch, together, seed),
        objective,
        measures,
        show,
        iterations=200,
        inputs=lambda b: [chr(c + 31) if c else "\n" for c in b.inputs[:, 0]],
        labels=lambda b: [KINDS[k] for k in b.targets[:, 0]],
    )


def heapq_file() -> str:
    """Where the sources of the standard library are.

    Raises:
        ValueError: this Python came without them.
    """
    import heapq

    if not heapq.__file__ or not heapq.__file__.endswith(".py"):
        raise ValueError("this Python came without the sources of its library; tagging reads them")
    return heapq.__file__


def together(pieces: list[tuple[Any, Any]]) -> Batch:
    """Pieces of one length side by side."""
    return Batch(np.array([c for c, _ in pieces]).T, np.array([k for _, k in pieces]).T)


def _codes(text: str) -> np.ndarray[Any, Any]:
    """Printable characters from 1 up; everything else, the end of a line among it, is 0."""
    return np.array([ord(c) - 31 if " " <= c <= "~" else 0 for c in text])


def _pieces(codes: Any, kinds: Any, steps: int) -> list[tuple[Any, Any]]:
    return [
        (c[a : a + steps], k[a : a + steps])
        for c, k in zip(codes, kinds)
        for a in range(0, len(c) - steps + 1, steps)
    ]


def _by_character(learnt: list[tuple[Any, Any]], test: Batch) -> float:
    counts: dict[int, Counter[int]] = {}
    for codes, kinds in learnt:
        for code, kind in zip(codes.tolist(), kinds.tolist()):
            counts.setdefault(code, Counter())[kind] += 1
    best = {code: counter.most_common(1)[0][0] for code, counter in counts.items()}
    guesses = np.vectorize(lambda code: best.get(code, 0))(test.inputs)
    return float((guesses == test.targets).mean())
