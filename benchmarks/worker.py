"""One peer of one benchmark case: answers `check` and `time` on standard input, line by line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from cases import CASES

ENOUGH = 0.15  # seconds of CPU time in one timing, at least


def main(name: str, peer: str, results: str) -> None:
    """Run the peer until standard input ends."""
    case = CASES[name]
    step, state = case.peers[peer]()
    repeat = 0
    for line in sys.stdin:
        if line.strip() == "check":
            for _ in range(case.checked_steps):
                step()
            np.savez(results, **state())
            print("done", flush=True)
        else:
            repeat = repeat or repeats(step)
            print(timed(step, repeat) / repeat, flush=True)


def timed(step: Callable[[], object], repeat: int) -> float:
    """CPU seconds of so many steps."""
    start = time.process_time()
    for _ in range(repeat):
        step()
    return time.process_time() - start


def repeats(step: Callable[[], object]) -> int:
    """How many steps take long enough to be timed."""
    repeat = 1
    while (seconds := timed(step, repeat)) < ENOUGH:
        repeat = max(repeat + 1, int(1.2 * repeat * ENOUGH / max(seconds, 1e-4)))
    return repeat


if __name__ == "__main__":
    main(*sys.argv[1:])
