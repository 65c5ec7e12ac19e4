"""A sweep: claims trials, runs them on a pool, and stores each as it ends.

Whatever is killed, the same sweep goes on where it stopped: what ended is in the file, and what was running
is claimed again and resumes from its checkpoint.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from micrornn.files import is_file
from micrornn.sweep.cluster import Pool
from micrornn.sweep.grid import Settings, canonical
from micrornn.sweep.records import DONE, Outcome, Trial
from micrornn.sweep.search import Search
from micrornn.sweep.store import Store
from micrornn.sweep.trial import Work

BEAT = 10.0  # seconds between two heartbeats
Tell = Callable[[Trial, Outcome], None]


class Plan(NamedTuple):
    """What is swept.

    Attributes:
        source: a task, or FILE.py:NAME by absolute path.
        seeds: of each combination of settings.
        checkpoints: the folder of the trials' checkpoints; None keeps none.
    """

    source: str
    seeds: int = 1
    checkpoints: Path | None = None

    def work(self, trial: Trial) -> Work:
        """What a worker is sent for a trial."""
        path = self.source.rpartition(":")[0]
        code = Path(path).read_text(encoding="utf-8") if path and is_file(path) else ""
        checkpoint = ""
        if self.checkpoints is not None:
            name = f"{canonical(trial.settings)} {trial.seed} {self.source} {code}"
            digest = hashlib.sha256(name.encode()).hexdigest()[:20]
            checkpoint = str(self.checkpoints / f"{digest}.npz")
        return Work(self.source, trial.settings, trial.seed, code, checkpoint)


def sweep(store: Store, plan: Plan, pool: Pool, tell: Tell) -> None:
    """Run the trials of this sweep that wait, until none is left.

    Args:
        store: the file; `Store.add` has named the trials.
        tell: called with each trial as it ends.
    """
    running: dict[int, Trial] = {}
    with _beating(store):
        try:
            while True:
                if (free := pool.slots() - len(running)) > 0:
                    for trial in store.claim(free):
                        running[trial.id] = trial
                        pool.submit(trial.id, plan.work(trial))
                if not running:
                    return
                _end(store, running, pool, tell)
        finally:
            store.release()


def search(
    store: Store, plan: Plan, pool: Pool, proposals: Search, count: int, tell: Tell
) -> list[Settings]:
    """Run what a search proposes, each with every seed, until so many settings have been tried.

    The result of settings is the mean of their first figure over the seeds. Settings that the file already
    has are not run again.

    Returns:
        The settings in the order in which they were proposed.
    """
    tried: list[Settings] = []
    running: dict[int, Trial] = {}
    left: dict[str, int] = {}  # seeds still to end, by settings

    def judge(settings: Settings) -> None:
        proposals.tell(settings, store.mean(plan.source, settings, plan.seeds))

    with _beating(store):
        try:
            while len(tried) < count or running:
                while len(tried) < count and len(running) < pool.slots():
                    settings = proposals.ask()
                    tried.append(settings)
                    store.add(plan.source, [settings], plan.seeds)
                    claimed = store.claim(plan.seeds)
                    if not claimed and not left.get(canonical(settings)):
                        judge(settings)
                    for trial in claimed:
                        left[canonical(trial.settings)] = left.get(canonical(trial.settings), 0) + 1
                        running[trial.id] = trial
                        pool.submit(trial.id, plan.work(trial))
                if running:
                    ended = _end(store, running, pool, tell)
                    name = canonical(ended.settings)
                    left[name] -= 1
                    if not left[name]:
                        judge(ended.settings)
        finally:
            store.release()
    return tried


def _end(store: Store, running: dict[int, Trial], pool: Pool, tell: Tell) -> Trial:
    """Wait until a trial ends, and store it."""
    key, outcome = pool.next()
    trial = running.pop(key)
    store.end(trial, outcome)
    tell(trial, outcome)
    return trial


@contextmanager
def _beating(store: Store) -> Iterator[None]:
    """Keep the claims of this sweep alive, from a thread with its own connection."""
    over = threading.Event()

    def beat() -> None:
        own = Store(store.path)
        while not over.wait(BEAT):
            own.beat()
        own.close()

    thread = threading.Thread(target=beat, daemon=True)
    if store.path != ":memory:":
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.is_alive():
            thread.join()


def known_results(
    store: Store, plan: Plan, names: Sequence[str]
) -> Iterator[tuple[Settings, float]]:
    """The settings of these names that the file has results for with every seed, and their means."""
    seen = set()
    for trial in store.trials(plan.source):
        name = canonical(trial.settings)
        if trial.state == DONE and name not in seen and set(trial.settings) == set(names):
            seen.add(name)
            mean = store.mean(plan.source, trial.settings, plan.seeds)
            if mean is not None:
                yield trial.settings, mean
