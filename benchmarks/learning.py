"""Whether the networks learn what the literature says they do, measured with several seeds.

    python benchmarks/learning.py               every experiment
    python benchmarks/learning.py adding copy   some of them
    python benchmarks/learning.py --workers 4   on four processes (needs Dask)
    python benchmarks/learning.py -o again.db   measure again, into another file
    python benchmarks/learning.py --quick       tiny, to try whether it runs

It is a sweep: each run is a trial in benchmarks/learning.db, so the same command continues after an
interruption, and a run whose settings changed is measured again. learning.md is written from that file.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is loaded, by the imports below

from learning_experiments import EXPERIMENTS
from learning_experiments.page import lines_of, page
from learning_experiments.stored import SOURCE, Stored, flat

from micrornn.sweep import runner
from micrornn.sweep.cluster import pool
from micrornn.sweep.records import Outcome, SweepError, Trial, reason
from micrornn.sweep.store import opened

HERE = Path(__file__).resolve().parent


def measure(experiment: str, variant: str, seed: int, **settings: object) -> dict[str, float]:
    """One trial: one variant of an experiment with one seed."""
    return flat(EXPERIMENTS[experiment].measure(seed=seed, **settings))


def tell(trial: Trial, outcome: Outcome) -> None:
    """Print one line for a trial that ended."""
    name = f"{trial.settings['experiment']}: {trial.settings['variant']}, seed {trial.seed}"
    what = reason(outcome.error) if outcome.error else f"{outcome.seconds:.0f} s"
    print(f"{name}: {outcome.state}, {what}", flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(description="What micrornn's networks learn.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--seeds", type=int, help="how many; by default each experiment's own")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 (default): this one")
    parser.add_argument("--quick", action="store_true", help="tiny, one seed: does it run?")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "learning.db")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in EXPERIMENTS]:
        wrong(f"no experiment {', '.join(unknown)}; there are {', '.join(EXPERIMENTS)}")
    if given.seeds is not None and given.seeds < 1:
        wrong(f"--seeds {given.seeds}: give at least 1")
    if given.workers < 0:
        wrong(f"--workers {given.workers}: give 0 or more")
    given.output = ":memory:" if given.quick else given.output.resolve()
    return given


def wrong(what: str) -> NoReturn:
    """End with one line that says what is wrong with the command."""
    print(f"learning.py: {what}", file=sys.stderr)
    raise SystemExit(2)


def main(arguments: list[str] | None = None) -> int:
    """Measure the named experiments, print what came out, and write the page."""
    given = parsed(arguments)
    os.chdir(HERE.parent)  # the trials name this file relative to it, the same on every machine
    try:
        with opened(given.output) as store, pool(None, given.workers) as workplace:
            named = [EXPERIMENTS[name] for name in given.names or EXPERIMENTS]
            for one in named:
                seeds = given.seeds or (1 if given.quick else one.seeds)
                store.add(SOURCE, [one.settings_of(v, given.quick) for v in one.variants], seeds)
            try:
                runner.sweep(store, runner.Plan(SOURCE), workplace, tell)
            finally:
                stored = Stored(store)
                if not given.quick:
                    text = page(EXPERIMENTS, stored)
                    given.output.with_suffix(".md").write_text(text, encoding="utf-8")
            for one in named:
                print("\n".join(lines_of(one, stored.results(one, given.quick))), flush=True)
            return 1 if store.counts().get("failed") else 0
    except SweepError as error:
        wrong(str(error))
    except KeyboardInterrupt:
        print("\nstopped; the same command continues", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
