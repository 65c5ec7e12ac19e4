"""Figures of a watched training, for the tools in which people follow theirs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def writer(to: Any) -> Callable[[dict[str, Any]], None]:
    """What gives the figures of an entry to another tool; does nothing for None.

    Args:
        to: a TensorBoard ``SummaryWriter``, a run of Weights & Biases or Trackio, or the module ``mlflow``:
            what has ``add_scalar``, ``log_metrics`` or ``log``.

    Raises:
        ValueError: it has none of these methods.
    """
    if to is None:
        return lambda line: None
    if hasattr(to, "add_scalar"):

        def scalars(line: dict[str, Any]) -> None:
            for name, value in figures(line).items():
                to.add_scalar(name, value, line["iteration"])

        return scalars
    log = getattr(to, "log_metrics", None) or getattr(to, "log", None)
    if log is None:
        raise ValueError(
            f"to={to!r} has none of the methods add_scalar, log_metrics and log; give a TensorBoard "
            "SummaryWriter, a run of Weights & Biases or Trackio, or the module mlflow"
        )
    return lambda line: log(figures(line), step=line["iteration"])


def figures(line: dict[str, Any]) -> dict[str, float]:
    """The few numbers of an entry that are worth a curve; those that are not known are left out.

    >>> layers, weights = {"rnn.0": {"norms": [0.1, 1.0]}}, {"w": {"gradient": 2.0}}
    >>> figures({"layers": layers, "gates": {}, "weights": weights})
    {'micrornn/first step to last': 0.1, 'micrornn/gradient norm': 2.0}
    """
    norms = [*line["layers"].values()][-1]["norms"] if line["layers"] else []
    weights = line["weights"].values()
    stuck = [g["shut"] + g["open"] for own in line["gates"].values() for g in own.values()]
    found = {
        "first step to last": norms[0] / norms[-1] if norms and norms[-1] else math.nan,
        "gradient norm": math.hypot(*(entry["gradient"] for entry in weights)),
        "largest update to weight": max(
            (e["update"] for e in weights if "update" in e), default=math.nan
        ),
        "saturated gates": max(stuck, default=math.nan),
    }
    return {f"micrornn/{name}": value for name, value in found.items() if math.isfinite(value)}
