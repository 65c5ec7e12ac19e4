"""Watching a training: every so many iterations one is recorded, and its figures go to a small file.

So that afterwards one can see *when* it broke, and at which time step; `micrornn.flow.trend` reads the file.
"""

from __future__ import annotations

import contextvars
import json
import math
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from micrornn.core.backward import dense
from micrornn.core.tensor import Tensor
from micrornn.flow import gates
from micrornn.flow.roles import state_names
from micrornn.flow.series import layers, norm, series
from micrornn.flow.trend import FILE
from micrornn.recording import Recording, RecordingError
from micrornn.recording.observe import record, recording
from micrornn.training.writers import writer

JUMP = 10.0  # times the median of the last losses
_MEDIAN = 50  # losses, and at least a tenth of them


class Watch:
    """Use it around each training step: ``with watch: loss = ...; loss.backward(); optimizer.step()``.

    All but every n-th step run as they always do. The n-th is recorded: its loss, the norm of the gradient at
    each time step, how shut and open the gates are, and each weight's size, gradient and update go to
    ``watch.jsonl``; the last recordings stay as files that every command opens. When the loss is no longer
    finite, they are kept.

    Between two recorded steps ``watch.note(loss)``, before backward, sees a loss that is NaN or jumps to ten
    times the usual: the last ``keep`` steps are then saved as ``broke-*.mrn``, from their graphs, which stay
    in memory until then. A `Trainer` takes a watch as a callback, and does all of this.

    Args:
        folder: where the file and the recordings go; made if it is missing, continued if it has some.
        every: how many steps lie between two that are recorded.
        keep: how many recordings stay.
        record: what records; `micrornn.torch.recording` for a model in PyTorch (see `micrornn.torch.Watch`).
        to: another tool that gets a few figures: a TensorBoard ``SummaryWriter``, a run of Weights & Biases
            or Trackio, or the module ``mlflow``.

    Raises:
        ValueError: ``every`` or ``keep`` is less than 1, or ``to`` is no such tool.

    >>> import tempfile
    >>> import micrornn as mr
    >>> w, watch = mr.Value(2.0, "w"), Watch(tempfile.mkdtemp(), every=10)
    >>> for _ in range(21):
    ...     with watch:
    ...         w.grad = None
    ...         (w * w).backward()
    ...     w.data -= 0.1 * w.grad
    >>> [(line["iteration"], round(line["loss"], 4)) for line in watch.lines()]
    [(1, 4.0), (11, 0.0461), (21, 0.0005)]
    """

    def __init__(
        self,
        folder: str | Path,
        every: int = 100,
        keep: int = 3,
        record: Callable[[], AbstractContextManager[Recording]] = recording,
        to: Any = None,
    ) -> None:
        if every < 1 or keep < 1:
            raise ValueError(f"every={every}, keep={keep}; give numbers from 1 on")
        self.folder, self.every, self.keep = Path(folder), every, keep
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broken = False  # whether a loss was not finite
        self._send = writer(to)
        self._record = record
        self._last: deque[tuple[int, Any]] = deque(maxlen=keep)  # iterations, with their losses
        self._losses: deque[float] = deque(maxlen=_MEDIAN)
        self._left = 0  # iterations to save, where the graphs of the last ones are gone
        self._jumped = False
        self._running: AbstractContextManager[Recording] | None = None
        self._rec: Recording | None = None
        earlier = self.lines()
        self.iteration = earlier[-1]["iteration"] + every - 1 if earlier else 0
        self._before: tuple[int, dict[str, Any]] | None = None

    def lines(self) -> list[dict[str, Any]]:
        """What was noted so far, one entry for each recorded step."""
        path = self.folder / FILE
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def __enter__(self) -> Watch:
        if self._left or (self.iteration % self.every == 0 and not self.broken):
            self._running = self._record()
            self._rec = self._running.__enter__()
        self.iteration += 1
        return self

    def __exit__(self, *error: Any) -> bool | None:
        if self._running is None or self._rec is None:
            return None
        running, rec, self._running, self._rec = self._running, self._rec, None, None
        done = running.__exit__(*error)
        if error[0] is None:
            self._note(rec)
        return done

    def __call__(self, trainer: Any, report: Any) -> None:
        """What a `Trainer` calls after an iteration: all is done by then."""

    def note(self, loss: Any) -> None:
        """Look at the loss of a step, before backward.

        Args:
            loss: a tensor with one element.
        """
        value = float(loss.item())
        self._last.append((self.iteration, loss if isinstance(loss, Tensor) else None))
        usual = float(np.median(self._losses)) if len(self._losses) >= _MEDIAN // 10 else math.inf
        jumped = not math.isfinite(value) or value > JUMP * abs(usual)
        if jumped and not self._jumped and not self.broken:
            self._breaks(value)
        self._jumped = jumped
        if math.isfinite(value):
            self._losses.append(value)

    def _breaks(self, loss: float) -> None:
        rec = None
        for iteration, kept in self._last:
            if kept is not None and kept.inputs:
                # In a context of its own: a recording that runs is not told of it.
                rec = contextvars.Context().run(_recorded, kept)
                rec.save(self.folder / f"broke-{iteration:08}.mrn")
        if self._running is None:
            with np.errstate(all="ignore"):
                self._write(self._line(rec, loss))
        self._left = 0 if rec else self.keep
        self.broken = not math.isfinite(loss)

    def _note(self, rec: Recording) -> None:
        if self._left:
            self._left -= 1
            rec.save(self.folder / f"broke-{self.iteration:08}.mrn")
        loss = float(sum(np.sum(np.asarray(run.out._value, dtype=float)) for run in rec.passes))
        self.broken = not math.isfinite(loss)
        line = self._line(rec, loss)
        self._write(line)
        self._send(line)
        rec.save(self.folder / f"run-{self.iteration:08}.mrn")
        for old in sorted(self.folder.glob("run-*.mrn"))[: -self.keep]:
            old.unlink()

    def _line(self, rec: Recording | None, loss: float) -> dict[str, Any]:
        """The entry of a step; of one that was not recorded, its loss alone."""
        known = layers(rec) if rec else []
        return {
            "iteration": self.iteration,
            "loss": loss,
            "layers": {layer: _states(rec, layer) for layer in known if rec},
            "gates": {layer: _gates(rec, layer) for layer in known if rec},
            "weights": self._weights(rec) if rec else {},
        }

    def _write(self, line: dict[str, Any]) -> None:
        with open(self.folder / FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _weights(self, rec: Recording) -> dict[str, dict[str, float]]:
        """By parameter: its norm, its gradient's, and the update since the last record, per step."""
        now = {p.name or f"#{p.number}": np.array(rec.value(p)) for p in rec.parameters}
        found = {}
        for p in rec.parameters:
            name = p.name or f"#{p.number}"
            size, g = norm(now[name]), rec.gradient(p)
            entry = {"norm": size, "gradient": math.nan if g is None else norm(dense(g))}
            if self._before is not None and name in self._before[1] and size:
                steps = self.iteration - self._before[0]
                entry["update"] = norm(now[name] - self._before[1][name]) / size / steps
            found[name] = entry
        self._before = self.iteration, now
        return found


def _recorded(loss: Tensor) -> Recording:
    with np.errstate(all="ignore"):
        return record(loss)


def _states(rec: Recording, layer: str) -> dict[str, list[Any]]:
    """The norm of the gradient at each step's state."""
    nodes = [node for node in series(rec, state_names(rec, layer)[0], layer) if node.step]
    arrived = [rec.gradient(node) for node in nodes]
    return {
        "steps": [node.step for node in nodes],
        "norms": [0.0 if g is None else norm(g) for g in arrived],
    }


def _gates(rec: Recording, layer: str) -> dict[str, dict[str, float]]:
    try:
        traces = gates(rec, layer)
    except RecordingError:
        return {}
    return {
        role: {name: float(np.mean(getattr(t, name))) for name in ("mean", "shut", "open")}
        for role, t in traces.items()
    }
