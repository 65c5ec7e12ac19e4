"""What is plotted: one recording, or several side by side; and the names by which users ask for values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.flow.series import series
from micrornn.recording import Recording, RecordingError

Runs = Recording | Mapping[str, Recording]

_WEIGHTS = {"W_hh": "weight_hh", "W_ih": "weight_ih", "W_xh": "weight_ih", "W_hx": "weight_ih"}
_WEIGHTS |= {"b_hh": "bias_hh", "b_ih": "bias_ih"}


def as_runs(given: Runs) -> dict[str, Recording]:
    """The recordings by name; a single one has the name "".

    Raises:
        TypeError: it is neither a recording nor a mapping of them.
        ValueError: the mapping is empty.
    """
    if isinstance(given, Recording):
        return {"": given}
    runs: Any = given
    if not isinstance(runs, Mapping) or not all(isinstance(r, Recording) for r in runs.values()):
        raise TypeError(
            f"a plot is made of a recording, or of several by name, not of {type(given).__name__}; "
            "use mr.record(loss)"
        )
    if not given:
        raise ValueError("no recordings were given")
    return dict(given)


def parameter(rec: Recording, name: str | Tensor | None = None) -> Tensor:
    """The weight meant: by its own name, by the end of it, or by the textbook's: W_hh, W_ih.

    Args:
        name: None stands for the recurrent weight of the top layer, or else the parameter used most often.

    Raises:
        RecordingError: there is none of that name; says which there are.

    >>> from micrornn.flow.failures import record_failure
    >>> parameter(record_failure("saturated"), "W_hh").name
    'weight_hh_l0'
    """
    own = rec.parameters
    if not own:
        raise RecordingError("this recording has no parameters, so there is no ledger of one")
    if isinstance(name, Tensor):
        return rec.node(name)
    if name is None:
        recurrent = [p for p in own if re.search(r"weight_hh(_l\d+)?$", p.name or "")]
        return (recurrent or sorted(own, key=lambda p: len(rec.users.get(p.number, ()))))[-1]
    exact = [p for p in own if p.name == name] or [
        p for p in own if p.name and p.name.endswith(f".{name}")
    ]
    if exact:
        return exact[-1]
    match = re.fullmatch(r"([Wb]_\w\w)(?:_l(\d+))?", name)
    if match and match[1] in _WEIGHTS:
        layer = match[2] or "[0-9]+"
        pattern = rf"(.*\.)?{_WEIGHTS[match[1]]}(_l{layer})?"
        found = [p for p in own if re.fullmatch(pattern, p.name or "")]
        if found:
            return found[-1]
    names = ", ".join(p.name or f"#{p.number}" for p in own)
    raise RecordingError(f"there is no parameter {name!r} in this recording; there are: {names}")


def over_time(rec: Recording, name: str) -> list[Tensor]:
    """The nodes of a name over time, oldest first; ``x`` also finds inputs that carry a remark.

    Raises:
        RecordingError: nothing has that name.
    """
    remarked = [
        n for n in rec.nodes if n.step is not None and (n.name or "").startswith(f"{name} ")
    ]
    if not remarked or rec.find(name, exact=True):
        return series(rec, name)
    by_step = {n.step: n for n in remarked}
    return [by_step[t] for t in sorted(t for t in by_step if t is not None)]
