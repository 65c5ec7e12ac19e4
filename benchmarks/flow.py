"""What recording costs, and how long the readers of gradient flow take.

    python benchmarks/flow.py

Prints a table and exits with 1 when a limit is not kept. Recording is measured as a ratio to the plain
forward and backward pass, in rounds within one run, and of those the median counts. All of it runs with
one thread, because threads that wait for each other on a busy machine would be what is measured.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from micrornn import flow, nn
from micrornn.core.tensor import Tensor
from micrornn.diagnose import diagnose
from micrornn.recording import Recording, load_recording, recording

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
HIDDEN, INPUT, ROUNDS = 64, 64, 7
RECORDING_LIMIT = 3.0  # times plain forward + backward, 1,000 steps
READING_LIMIT = 10.0  # seconds for ledgers and credit map, 200 steps
LINEAR_LIMIT = 1.3  # memory of the ledger for twice the steps, by twice the memory


def network(steps: int) -> Callable[[], Tensor]:
    """An LSTM with a readout and a loss at every step, batch 1."""
    rng = np.random.default_rng(0)
    lstm, readout = nn.LSTM(INPUT, HIDDEN, rng=rng), nn.Linear(HIDDEN, 10, rng=rng)
    x = [*rng.normal(size=(steps, 1, INPUT))]

    def forward() -> Tensor:
        outputs, _ = lstm(x)
        _, total = nn.sequence_loss(nn.each_step(readout, outputs), [[1]] * steps)
        return total

    return forward


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def recorded(forward: Callable[[], Tensor]) -> Recording:
    """Forward and backward, recorded."""
    with recording() as rec:
        forward().backward()
    return rec


def cost_of_recording(steps: int = 1000) -> float:
    """The time of a recorded run by that of a plain one; the median of several rounds."""
    forward = network(steps)
    plain, kept = [], []
    for _ in range(ROUNDS):
        plain.append(seconds(lambda: forward().backward()))
        kept.append(seconds(lambda: recorded(forward)))
    return median(k / p for k, p in zip(kept, plain))


def memory_of_ledger(steps: int) -> int:
    """The most that making a ledger of the recurrent weight takes, beyond the recording, in bytes."""
    rec = recorded(network(steps))
    flow.ledger(rec, "weight_hh_l0")  # what a recording works out once is no part of it
    tracemalloc.start()
    book = flow.ledger(rec, "weight_hh_l0")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(book.steps) == steps
    return most


def main() -> int:
    """Measure, print, and say by the exit code whether the limits were kept."""
    rows: list[tuple[str, str, bool | None]] = []
    ratio = cost_of_recording()
    rows.append(
        (
            "record 1,000 steps, by plain forward + backward",
            f"{ratio:.2f}",
            ratio <= RECORDING_LIMIT,
        )
    )
    rec = recorded(network(1000))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.mrn"
        rows.append(("save it", f"{seconds(lambda: rec.save(path)):.2f} s", None))
        rows.append(("its file", f"{os.path.getsize(path) / 2**20:.1f} MB", None))
        rows.append(("load it", f"{seconds(lambda: load_recording(path)):.2f} s", None))
    rec = recorded(network(200))
    readers: dict[str, Callable[[], Any]] = {
        "ledgers of all weights": lambda: flow.ledgers(rec),
        "credit map": lambda: flow.credit(rec),
    }
    both = 0.0
    for name, reader in readers.items():
        took = seconds(reader)
        both += took
        rows.append((f"{name}, 200 steps", f"{took:.2f} s", None))
    rows.append(("ledgers and credit map, 200 steps", f"{both:.2f} s", both <= READING_LIMIT))
    others: dict[str, Callable[[], Any]] = {
        "ledger over losses": lambda: flow.ledger_by_loss(rec, "weight_hh_l0"),
        "why h[0]": lambda: flow.why(rec, "h[0]"),
        "path classes of c[1]": lambda: flow.paths(rec, "c[1]"),
        "heaviest paths to c[1]": lambda: flow.heaviest_paths(rec, "c[1]"),
        "Jacobian strip": lambda: flow.jacobian_strip(rec),
        "gates": lambda: flow.gates(rec),
        "diagnosis": lambda: diagnose(rec),
    }
    for name, reader in others.items():
        rows.append((f"{name}, 200 steps", f"{seconds(reader):.2f} s", None))
    small, large = memory_of_ledger(100), memory_of_ledger(200)
    growth = large / small / 2
    rows.append(
        (
            "memory of a ledger, 200 steps",
            f"{large / 2**20:.2f} MB ({growth:.2f} of twice that of 100)",
            growth <= LINEAR_LIMIT,
        )
    )
    for what, measured, kept in rows:
        verdict = "" if kept is None else "  kept" if kept else "  NOT KEPT"
        print(f"{what:50} {measured}{verdict}")
    return 0 if all(kept is not False for _, _, kept in rows) else 1


if __name__ == "__main__":
    if any(name not in os.environ for name in THREADS):  # NumPy reads them when it is loaded
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    sys.exit(main())
