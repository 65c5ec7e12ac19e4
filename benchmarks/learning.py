"""Whether the networks learn what the literature says they do, measured with several seeds.

    python benchmarks/learning.py                   every experiment
    python benchmarks/learning.py adding copy       some of them
    python benchmarks/learning.py --write           and store the figures and the table
    python benchmarks/learning.py --write --resume  the same, without what is stored already
    python benchmarks/learning.py --quick           tiny, to try whether it runs

With --write each run is stored in benchmarks/learning.json as it ends, so that an interruption loses
nothing, and benchmarks/learning.md is written from that file: the rows of other experiments stay.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is loaded, by the imports below

from learning_experiments import EXPERIMENTS
from learning_experiments.frame import Experiment
from learning_experiments.page import lines_of, page, short
from learning_experiments.stored import Run, Stored, made_with

HERE = Path(__file__).resolve().parent


def measure(experiment: Experiment, variant: str, seed: int, quick: bool) -> Run:
    """One variant with one seed."""
    settings = experiment.settings_of(variant, quick)
    start = time.process_time()
    figures = experiment.measure(seed=seed, **settings)
    seconds = time.process_time() - start
    return Run(experiment.name, variant, seed, settings, figures, round(seconds, 2), made_with())


def run(experiment: Experiment, seeds: int, given: argparse.Namespace, stored: Stored) -> None:
    """All variants with all seeds, one line for each."""
    for seed in range(seeds):
        for variant in experiment.variants:
            settings = experiment.settings_of(variant, given.quick)
            name = f"{experiment.name}: {variant}, seed {seed}"
            if given.resume and stored.has(experiment.name, variant, seed, settings):
                print(f"{name}: stored already", flush=True)
                continue
            done = measure(experiment, variant, seed, given.quick)
            stored.add(done)
            print(f"{name}: {short(done.figures)} ({done.seconds:.0f} s)", flush=True)
    for line in lines_of(experiment, stored.results(experiment, given.quick)):
        print(f"    {line}", flush=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(description="What micrornn's networks learn.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--seeds", type=int, help="how many; by default each experiment's own")
    parser.add_argument("--quick", action="store_true", help="tiny, one seed: does it run?")
    parser.add_argument("--write", action="store_true", help="store learning.json and learning.md")
    parser.add_argument("--resume", action="store_true", help="skip what learning.json has")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in EXPERIMENTS]:
        wrong(f"no experiment {', '.join(unknown)}; there are {', '.join(EXPERIMENTS)}")
    if given.seeds is not None and given.seeds < 1:
        wrong(f"--seeds {given.seeds}: give at least 1")
    if given.quick and (given.write or given.resume):
        wrong("--quick measures nothing worth storing; leave --write and --resume out")
    return given


def wrong(what: str) -> NoReturn:
    """End with one line that says what is wrong with the command."""
    print(f"learning.py: {what}", file=sys.stderr)
    raise SystemExit(2)


def main(arguments: list[str] | None = None, folder: Path = HERE) -> int:
    """Measure the named experiments and print, or store, what came out."""
    given = parsed(arguments)
    reading = given.write or given.resume
    stored = Stored(folder / "learning.json", reading=reading, writing=given.write)
    try:
        for name in given.names or EXPERIMENTS:
            experiment = EXPERIMENTS[name]
            run(experiment, given.seeds or (1 if given.quick else experiment.seeds), given, stored)
    except KeyboardInterrupt:
        kept = "what has ended is stored, and --resume goes on" if given.write else "nothing stored"
        print(f"\nstopped; {kept}", file=sys.stderr)
        return 130
    finally:
        if given.write:
            (folder / "learning.md").write_text(page(EXPERIMENTS, stored), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
