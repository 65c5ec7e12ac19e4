"""The file of a sweep: trials, their settings, results, curves and failures, in one SQLite database.

Every change is one transaction, so the file is whole after `kill -9` of anything. A trial is claimed before
it runs, with a heartbeat: several sweeps may share the file, and a claim whose owner is dead is free again.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from micrornn.sweep.grid import Settings, canonical
from micrornn.sweep.records import (
    DONE,
    FAILED,
    REFUSED,
    RUNNING,
    WAITING,
    Outcome,
    Result,
    SweepError,
    Trial,
)

VERSION = 1
LEASE = 60.0  # seconds without a heartbeat until a claim from another machine is free again

_SCHEMA = f"""
CREATE TABLE trial (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,       -- the task, or FILE.py:NAME by absolute path
    settings TEXT NOT NULL,     -- JSON, sorted by name
    seed INTEGER NOT NULL,
    state TEXT NOT NULL,        -- {WAITING}, {RUNNING}, {DONE}, {FAILED} or {REFUSED}
    owner TEXT,                 -- host:process of the sweep that runs it
    beat REAL,                  -- the last sign of life of that sweep, seconds since 1970
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,                 -- the traceback of a failed trial
    seconds REAL,               -- processor time of the run that ended
    worker TEXT,                -- where it ran
    versions TEXT,              -- JSON: micrornn, numpy, python
    checkpoint TEXT,
    ended TEXT,
    UNIQUE (source, settings, seed)
);
CREATE TABLE result (
    trial INTEGER NOT NULL REFERENCES trial (id),
    name TEXT NOT NULL,
    value REAL,                 -- NULL is NaN
    goal TEXT,
    reached INTEGER,
    UNIQUE (trial, name)
);
CREATE TABLE curve (
    trial INTEGER NOT NULL REFERENCES trial (id),
    iteration INTEGER NOT NULL,
    loss REAL,
    validation REAL,
    PRIMARY KEY (trial, iteration)
) WITHOUT ROWID;
CREATE INDEX trial_state ON trial (source, state);
PRAGMA user_version = {VERSION};
"""
# The trials that this sweep runs, of all that the file has.
_WANTED = """
CREATE TEMP TABLE wanted (source TEXT, settings TEXT, seed INTEGER, PRIMARY KEY (source, settings, seed))
"""
_IS_WANTED = """EXISTS (SELECT 1 FROM wanted AS w
    WHERE w.source = trial.source AND w.settings = trial.settings AND w.seed = trial.seed)"""


class Store:
    """The database of a sweep.

    Args:
        path: the file; it is made if it is missing and ``new`` allows it.
        new: whether a missing file is made.

    Raises:
        SweepError: the file is not the database of a sweep, or is missing and not to be made.
        OSError: it cannot be opened.

    >>> store = Store(":memory:")
    >>> store.add("recall", [{"cell": "lstm"}], seeds=2)
    2
    >>> [trial.seed for trial in store.claim(9)], store.counts()["running"]
    ([0, 1], 2)
    """

    def __init__(self, path: str | Path, new: bool = True) -> None:
        self.path = str(path)
        self.owner = f"{platform.node()}:{os.getpid()}"
        if self.path != ":memory:" and not new and not Path(path).is_file():
            raise SweepError(
                f"there is no file {path}; run a sweep first: micrornn sweep -o {path}"
            )
        try:
            # A transaction is written out below, so Python opens none by itself.
            self._db = sqlite3.connect(self.path, timeout=60.0, isolation_level=None)
            self._db.execute("PRAGMA foreign_keys = ON")
            self._open()
            self._db.execute(_WANTED)
        except sqlite3.Error as error:
            raise SweepError(f"{path}: {error}; give the file of a sweep, or a new one") from None

    def _open(self) -> None:
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not version and not tables:
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
            elif version != VERSION:
                what = f"version {version} of the format" if version else "another database"
                raise SweepError(f"{self.path} is {what}; give the file of a sweep, or a new one")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- trials ------------------------------------------------------------------------------------

    def add(self, source: str, settings: Iterable[Settings], seeds: int) -> int:
        """Make these trials those of this sweep; return how many of them the file did not have."""
        rows = [(source, canonical(one), seed) for one in settings for seed in range(seeds)]
        columns = "(source, settings, seed"
        with self._transaction():
            self._db.executemany("INSERT OR IGNORE INTO wanted VALUES (?, ?, ?)", rows)
            before = self._db.total_changes
            self._db.executemany(
                f"INSERT OR IGNORE INTO trial {columns}, state) VALUES (?, ?, ?, '{WAITING}')", rows
            )
            return self._db.total_changes - before

    def retry(self) -> int:
        """Let the failed and refused trials of this sweep wait again, and return how many."""
        with self._transaction():
            return self._db.execute(
                f"UPDATE trial SET state = ?, error = NULL WHERE state IN (?, ?) AND {_IS_WANTED}",
                (WAITING, FAILED, REFUSED),
            ).rowcount

    def claim(self, most: int) -> list[Trial]:
        """Claim trials of this sweep to run, at most so many: waiting ones, and those whose owner is dead."""
        query = (
            "SELECT id, source, settings, seed, owner, beat FROM trial "
            f"WHERE state = ? AND {_IS_WANTED} ORDER BY id"
        )
        with self._transaction():
            rows = self._db.execute(f"{query} LIMIT {most}", (WAITING,)).fetchall()
            if len(rows) < most:
                for row in self._db.execute(query, (RUNNING,)).fetchall():
                    if row[4] != self.owner and not _alive(*row[4:]):
                        rows.append(row)
            rows = rows[:most]
            self._db.executemany(
                "UPDATE trial SET state = ?, owner = ?, beat = ?, attempts = attempts + 1 WHERE id = ?",
                [(RUNNING, self.owner, time.time(), row[0]) for row in rows],
            )
        return [Trial(i, source, json.loads(s), n, RUNNING) for i, source, s, n, _, _ in rows]

    def beat(self) -> None:
        """Say that this sweep is alive, so that no other sweep claims what it runs."""
        with self._transaction():
            self._db.execute(
                "UPDATE trial SET beat = ? WHERE state = ? AND owner = ?",
                (time.time(), RUNNING, self.owner),
            )

    def release(self) -> None:
        """Let the trials that this sweep claimed and did not end wait again."""
        with self._transaction():
            self._db.execute(
                "UPDATE trial SET state = ?, owner = NULL WHERE state = ? AND owner = ?",
                (WAITING, RUNNING, self.owner),
            )

    def end(self, trial: Trial, outcome: Outcome) -> None:
        """Store how a trial ended; results of an earlier run of it are replaced."""
        with self._transaction():
            self._db.execute(
                "UPDATE trial SET state = ?, owner = NULL, error = ?, seconds = ?, worker = ?, versions = ?, "
                "checkpoint = ?, ended = ? WHERE id = ?",
                (
                    *(outcome.state, outcome.error or None, outcome.seconds, outcome.worker),
                    *(json.dumps(dict(outcome.versions)), outcome.checkpoint or None),
                    *(time.strftime("%Y-%m-%d %H:%M:%S"), trial.id),
                ),
            )
            for table in ("result", "curve"):
                self._db.execute(f"DELETE FROM {table} WHERE trial = ?", (trial.id,))
            self._db.executemany(
                "INSERT INTO result VALUES (?, ?, ?, ?, ?)",
                [(trial.id, r.name, r.value, r.goal, r.reached) for r in outcome.results],
            )
            self._db.executemany(
                "INSERT INTO curve VALUES (?, ?, ?, ?)",
                [(trial.id, *point) for point in outcome.curve],
            )

    # -- reading -----------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """The number of trials of this sweep in each state that occurs."""
        rows = self._db.execute(
            f"SELECT state, count(*) FROM trial WHERE {_IS_WANTED} GROUP BY state"
        )
        return dict(rows.fetchall())

    def mean(self, source: str, settings: Settings, seeds: int) -> float | None:
        """The mean of the first figure over the seeds; None while a seed has no result."""
        rows = self._db.execute(
            "SELECT value FROM trial JOIN result ON result.trial = trial.id WHERE source = ? AND "
            "settings = ? AND seed < ? AND state = ? GROUP BY trial.id HAVING min(result.rowid)",
            (source, canonical(settings), seeds, DONE),
        ).fetchall()
        values = [math.nan if value is None else value for (value,) in rows]
        return math.fsum(values) / seeds if len(values) == seeds else None

    def sources(self) -> list[str]:
        """The sources that were swept, in the order of their first trial."""
        rows = self._db.execute("SELECT source FROM trial GROUP BY source ORDER BY min(id)")
        return [source for (source,) in rows]

    def trials(self, source: str) -> list[Trial]:
        """All trials of a source."""
        rows = self._db.execute(
            "SELECT id, source, settings, seed, state, coalesce(error, ''), seconds, "
            "coalesce(ended, ''), coalesce(versions, '{}') FROM trial WHERE source = ? ORDER BY id",
            (source,),
        )
        return [
            Trial(i, of, json.loads(text), seed, state, error, seconds, ended, json.loads(versions))
            for i, of, text, seed, state, error, seconds, ended, versions in rows
        ]

    def results(self, source: str) -> dict[int, list[Result]]:
        """The figures of the trials of a source that are done, by trial."""
        rows = self._db.execute(
            "SELECT trial, name, value, goal, reached FROM result JOIN trial ON trial.id = trial "
            "WHERE source = ? AND state = ? ORDER BY result.rowid",
            (source, DONE),
        )
        found: dict[int, list[Result]] = {}
        for trial, name, value, goal, reached in rows:
            one = Result(
                name,
                math.nan if value is None else value,
                goal or "",
                None if reached is None else bool(reached),
            )
            found.setdefault(trial, []).append(one)
        return found

    def curves(self, source: str) -> dict[int, list[tuple[int, float, float | None]]]:
        """The losses over the iterations of the trials of a source that are done, by trial."""
        rows = self._db.execute(
            "SELECT trial, iteration, loss, validation FROM curve JOIN trial ON trial.id = trial "
            "WHERE source = ? AND state = ? ORDER BY trial, iteration",
            (source, DONE),
        )
        found: dict[int, list[tuple[int, float, float | None]]] = {}
        for trial, iteration, loss, validation in rows:
            point = iteration, math.nan if loss is None else loss, validation
            found.setdefault(trial, []).append(point)
        return found


def opened(path: str | Path, new: bool = True) -> closing[Store]:
    """A `Store` that is closed at the end of a ``with`` block."""
    return closing(Store(path, new))


def _alive(owner: str | None, beat: float | None) -> bool:
    """Whether the owner of a claim still runs: on this machine by its process, elsewhere by its heartbeat."""
    host, _, process = (owner or "").rpartition(":")
    # Signal 0 asks; on Windows it would interrupt.
    if os.name == "posix" and host == platform.node() and process.isdigit():
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return beat is not None and time.time() - beat < LEASE
