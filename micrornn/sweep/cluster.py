"""Where trials run: in this process, or on a cluster of Dask.

By default the cluster is local, one process for each core. Any other is named by the address of its
scheduler; Dask sends a trial again when its worker dies.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from micrornn.sweep.records import FAILED, Outcome, SweepError
from micrornn.sweep.trial import Work, run

CONNECT = 20.0  # seconds to reach a scheduler


class Pool(Protocol):
    """Runs trials."""

    def slots(self) -> int:
        """How many trials are worth having here at once."""

    def submit(self, key: int, work: Work) -> None:
        """Run a trial, known by a key."""

    def next(self) -> tuple[int, Outcome]:
        """Wait until a trial ends."""

    def __enter__(self) -> Pool: ...

    def __exit__(self, *error: Any) -> None: ...


class Here:
    """Runs one trial at a time in this process.

    >>> with Here() as pool:
    ...     pool.submit(7, Work("recall", {"steps": 3, "iterations": 1}, seed=0))
    ...     key, outcome = pool.next()
    >>> key, outcome.state
    (7, 'done')
    """

    def __init__(self) -> None:
        self._works: list[tuple[int, Work]] = []

    def slots(self) -> int:
        """One."""
        return 1

    def submit(self, key: int, work: Work) -> None:
        """Keep it until somebody waits for it."""
        self._works.append((key, work))

    def next(self) -> tuple[int, Outcome]:
        """Run the oldest."""
        key, work = self._works.pop(0)
        return key, run(work)

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *error: Any) -> None:
        self._works.clear()


class Cluster:
    """Runs trials on a cluster of Dask.

    Args:
        address: of its scheduler, as ``tcp://host:8786``; by default a local cluster is started.
        workers: of a local cluster; by default one for each core.

    Raises:
        SweepError: Dask is not installed, or no scheduler answers at the address.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        try:
            import distributed
        except ImportError:
            raise SweepError(
                "a sweep on several workers needs Dask: pip install 'micrornn[sweep]'; without it, "
                "--workers 0 runs the trials one after another"
            ) from None
        self._cluster: Any = None
        try:
            if address is None:
                self._cluster = distributed.LocalCluster(
                    n_workers=workers or len(_cores()),
                    threads_per_worker=1,  # a trial is one thread; NumPy's own are set to one by Dask
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            self._client = distributed.Client(self._cluster or address, timeout=CONNECT)
        except (OSError, ValueError, TimeoutError) as error:
            raise SweepError(
                f"no Dask scheduler answers at {address} ({error}); start one with: dask scheduler"
            ) from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._ended = distributed.as_completed(with_results=False, raise_errors=False)

    def slots(self) -> int:
        """A trial for each thread of each worker, and as many ready to follow."""
        threads: dict[str, int] = self._client.nthreads()
        return 2 * max(1, sum(threads.values()))

    def submit(self, key: int, work: Work) -> None:
        """Send it to the scheduler."""
        future = self._client.submit(
            run, work, key=f"trial-{key}-{os.urandom(4).hex()}", pure=False
        )
        self._ended.add(future)

    def next(self) -> tuple[int, Outcome]:
        """Wait for a worker; a trial whose workers keep dying has failed."""
        future = next(self._ended)
        key = int(str(future.key).split("-")[1])
        try:
            return key, future.result()
        except Exception as error:  # of Dask: a trial's own comes back as its outcome
            return key, Outcome(FAILED, error="".join(traceback.format_exception(error)))
        finally:
            future.release()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close: list[Callable[[], Any]] = [self._client.close]
        if self._cluster is not None:
            close.append(self._cluster.close)
        for one in close:
            one()


def _cores() -> set[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def pool(address: str | None, workers: int | None) -> Pool:
    """The pool that an address and a number of workers name; 0 workers is this process.

    Raises:
        SweepError: both are given, or the cluster cannot be used.
    """
    if address is not None and workers is not None:
        raise SweepError(
            "--scheduler and --workers exclude each other: a cluster has its own workers"
        )
    return Here() if workers == 0 else Cluster(address, workers)
