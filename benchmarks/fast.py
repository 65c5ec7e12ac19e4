"""What each part of `micrornn.fast` gains: the time without it, and without any, relative to all of it.

    python benchmarks/fast.py               the cases below
    python benchmarks/fast.py chain         some of them

Needs nothing beside micrornn. Every variant is a process of its own with one thread, its losses and
parameters compared to be the same; they are timed in turn, in random order, and the ratios of CPU time are
taken round by round (see run.py).
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from cases import CASES
from run import Worker

from micrornn.fast import PARTS

NAMES = ("micrograd", "chain", "hello", "min-char", "long-rnn", "char-lstm")
ROUNDS = 7


def row(name: str) -> list[float]:
    """For each part, and for all: how many times as long the case takes without it."""
    case = CASES[name]
    peer = next(iter(case.peers))
    with tempfile.TemporaryDirectory() as folder:
        workers = {
            plain: Worker(case, peer, Path(folder) / plain, MICRORNN_PLAIN=plain)
            for plain in ("", *PARTS, "all")
        }
        for plain, worker in workers.items():
            (Path(folder) / plain).mkdir(exist_ok=True)
            worker.ask("check")
            for key, value in dict(np.load(worker.results)).items():
                same = np.load(workers[""].results)[key]
                off = np.max(np.abs(value - same) / (1.0 + np.abs(same)))
                assert off <= case.tolerance, f"{name} without {plain}: {key} differs by {off:.3g}"
            worker.ask("time")
        seconds: dict[str, list[float]] = {plain: [] for plain in workers}
        for _ in range(ROUNDS):
            for plain in random.sample(list(workers), len(workers)):
                seconds[plain].append(float(workers[plain].ask("time")))
        for worker in workers.values():
            worker.close()
    quick = seconds.pop("")
    return [median(a / b for a, b in zip(s, quick)) for s in seconds.values()]


def main() -> None:
    """Print the table."""
    print("| without | " + " | ".join([*PARTS, "any of them"]) + " |")
    print("|---" * (len(PARTS) + 2) + "|")
    for name in sys.argv[1:] or NAMES:
        print(f"| {name} | " + " | ".join(f"{ratio:.2f}" for ratio in row(name)) + " |", flush=True)


if __name__ == "__main__":
    main()
