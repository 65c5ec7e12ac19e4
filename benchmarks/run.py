"""How fast micrornn is beside PyTorch and micrograd, as ratios measured within one run.

    python benchmarks/run.py                  every case
    python benchmarks/run.py hello chain      some of them
    python benchmarks/run.py --write          and store the tables in benchmarks/results.md

Needs `pip install torch micrograd` beside micrornn itself. Each peer lives in a process of its own with one
thread. All of a case's peers first run the same training steps, and their losses and parameters are
compared; only then are they timed, one round after the other, in random order within each round. What is
reported is the ratio of CPU times in each round, and of those the median and the range.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cases import CASES, IMPORT_LIMIT, Case

HERE = Path(__file__).resolve().parent
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# Some machines hold OpenBLAS to older instructions by the first two, and not PyTorch's own library; with
# the third, an import would compile all files each time, which no user waits for.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")


def environment() -> dict[str, str]:
    """The environment of every measured process."""
    kept = {k: v for k, v in os.environ.items() if k not in UNSET}
    path = os.pathsep.join([str(HERE.parent), kept.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**kept, **dict.fromkeys(THREADS, "1"), "PYTHONPATH": path, "PYTHONHASHSEED": "0"}


class Worker:
    """One peer of one case, in a process of its own, that answers on a pipe."""

    def __init__(self, case: Case, peer: str, folder: Path, **settings: str) -> None:
        self.results = folder / f"{case.name}-{peer}.npz"
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), case.name, peer, str(self.results)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment() | settings,
        )

    def ask(self, question: str) -> str:
        """One line there, one line back."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise SystemExit(f"{self.results.stem} stopped; its own message is above")
        return answer

    def close(self) -> None:
        """Let the process end."""
        self.process.communicate()


def compare(case: Case, workers: dict[str, Worker]) -> None:
    """Stop unless all peers computed the same losses and parameters."""
    for worker in workers.values():
        worker.ask("check")
    ours, *others = [dict(np.load(worker.results)) for worker in workers.values()]
    for peer, theirs in zip(list(workers)[1:], others):
        if ours.keys() != theirs.keys():
            raise SystemExit(
                f"{case.name}: {sorted(ours)} cannot be compared with {sorted(theirs)}"
            )
        for name, value in ours.items():
            off = float(np.max(np.abs(value - theirs[name]) / (1.0 + np.abs(theirs[name]))))
            if not off <= case.tolerance:
                raise SystemExit(f"{case.name}: {name} differs from {peer}'s by {off:.3g}")


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """The median seconds of each peer, and the ratios of ours to the other's, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        workers = {peer: Worker(case, peer, Path(folder)) for peer in case.peers}
        compare(case, workers)
        for worker in workers.values():
            worker.ask("time")  # warm up
        seconds: dict[str, list[float]] = {peer: [] for peer in workers}
        for _ in range(rounds):
            for peer in random.sample(list(workers), len(workers)):
                seconds[peer].append(float(workers[peer].ask("time")))
        for worker in workers.values():
            worker.close()
    ours, theirs = seconds.values()
    ratios = [a / b for a, b in zip(ours, theirs)]
    return {"seconds": {p: median(s) for p, s in seconds.items()}, "ratios": ratios}


def row(case: Case, found: dict[str, Any]) -> str:
    """One line of the table."""
    ours, theirs = found["seconds"].values()
    peer = list(found["seconds"])[1]
    ratio, low, high = median(found["ratios"]), min(found["ratios"]), max(found["ratios"])
    verdict = "met" if ratio <= case.target else "**missed**"
    return (
        f"| {case.name} | {case.title} | {1e3 * ours:.4g} ms | {1e3 * theirs:.4g} ms ({peer}) "
        f"| {ratio:.2g} ({low:.2g} to {high:.2g}) | {case.target:g} | {verdict} |"
    )


def import_row(rounds: int) -> str:
    """What `import micrornn` takes beyond what importing NumPy takes, in a fresh process."""
    program = (
        "import numpy, time; start = time.process_time(); import micrornn; "
        "print(time.process_time() - start)"
    )
    seconds = []
    for _ in range(rounds):
        command = [sys.executable, "-c", program]
        run = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        seconds.append(float(run.stdout))
    found = median(seconds)
    verdict = "met" if found <= IMPORT_LIMIT else "**missed**"
    return (
        f"| import | `import micrornn`, beyond NumPy's own | {1e3 * found:.4g} ms | "
        f"| | {1e3 * IMPORT_LIMIT:g} ms | {verdict} |"
    )


HEAD = """\
| case | what | micrornn | peer | ratio, median (range) | target | |
|---|---|---|---|---|---|---|"""


def versions() -> str:
    """What the figures were measured with."""
    from importlib.metadata import version

    peers = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "micrograd"))
    return f"CPython {platform.python_version()}, {peers}; one thread, {platform.machine()}."


def main() -> None:
    """Measure the named cases and print, or store, the table."""
    parser = argparse.ArgumentParser(description="Benchmarks of micrornn, as ratios in one run.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join([*CASES, 'import'])}")
    parser.add_argument("--rounds", type=int, default=9, help="how often each peer is timed")
    parser.add_argument("--write", action="store_true", help="store benchmarks/results.md")
    given = parser.parse_args()
    unknown = set(given.names) - {*CASES, "import"}
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}, import")
    names = given.names or [*CASES, "import"]
    lines = [HEAD]
    print(HEAD, flush=True)
    for name in names:
        if name == "import":
            lines.append(import_row(given.rounds))
        else:
            lines.append(row(CASES[name], measure(CASES[name], given.rounds)))
        print(lines[-1], flush=True)
    if given.write:
        if given.names:
            parser.error("--write stores all cases; leave the names out")
        table = "\n".join(lines)
        costs = subprocess.run(
            [sys.executable, str(HERE / "costs.py")],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (HERE / "results.md").write_text(
            "# Benchmarks\n\nWritten by `python benchmarks/run.py --write`; `run.py` says how it is "
            "measured. A ratio of 0.5 means\nthat micrornn takes half the CPU time of its peer for the "
            f"same training step on the same graph.\n\n{versions()}\n\n{table}\n\n"
            "## What one operation costs\n\nOn 8 numbers, by `python benchmarks/costs.py`: the whole call, "
            f"and the whole turn in backward.\n\n{costs}",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
