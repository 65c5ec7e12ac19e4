"""Two runs compared step by step, also of different cells and lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.roles import GATES, layer_of
from micrornn.flow.series import norm, plain, table
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]


class Difference(NamedTuple):
    """One role at one step in both runs; None where a run has no such value or gradient.

    ``value_off`` and ``gradient_off`` are the largest absolute differences, None where they cannot be taken
    (one is missing, or the shapes differ); ``ratio`` is the second gradient's norm by the first's.
    """

    step: int | None
    role: str
    norms: tuple[float | None, float | None]
    gradients: tuple[float | None, float | None]
    value_off: float | None
    gradient_off: float | None
    ratio: float | None


@dataclass(frozen=True)
class Diff:
    """Two recordings aligned by (step, role).

    Attributes:
        entries: what occurs in both, in the order of the steps and within one as it was made; parameters,
            which have no step, come last.
        only: what occurs in the first, or in the second, alone: (step, role).
        first: the first entry whose values differ, else the first whose gradients do; None if none does.
        equal: whether the runs are the same: the same roles at the same steps, with the same values and
            gradients to the tolerance.
    """

    entries: list[Difference]
    only: tuple[list[tuple[int | None, str]], list[tuple[int | None, str]]]
    first: Difference | None
    equal: bool

    @property
    def exit_code(self) -> int:
        """0 when they are equal, 1 when they differ, as diff does."""
        return 0 if self.equal else 1

    def ratios(self, role: str) -> dict[int | None, float | None]:
        """By step, the second run's gradient norm of a role by the first's."""
        return {d.step: d.ratio for d in self.entries if d.role == role}

    def table(self) -> str:
        """One row for each step and role: the norms of value and gradient in both runs, and the ratio."""
        head = ["step", "role", "value", "value'", "gradient", "gradient'", "ratio"]
        rows = [
            [
                "" if d.step is None else d.step,
                d.role,
                *("-" if x is None else f"{x:.3g}" for x in (*d.norms, *d.gradients, d.ratio)),
            ]
            for d in self.entries
        ]
        return table(head, rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return plain(
            {
                "equal": self.equal,
                "first": None if self.first is None else self.first._asdict(),
                "entries": [d._asdict() for d in self.entries],
                "only_first": self.only[0],
                "only_second": self.only[1],
            }
        )

    def __str__(self) -> str:
        if self.equal:
            return f"equal: {len(self.entries)} values and gradients agree"
        words = []
        if self.first is not None:
            d = self.first
            where = d.role if d.step is None else f"{d.role}[{d.step}]"
            what = "values" if d.value_off is None or d.value_off > 0 else "gradients"
            off = d.value_off if what == "values" else d.gradient_off
            by = "in shape" if off is None else f"by up to {off:.3g}"
            words.append(f"first difference at {where}: the {what} differ {by}")
        for run, only in zip(("first", "second"), self.only):
            if only:
                step, role = only[0]
                more = f" and {len(only) - 1} more" if len(only) > 1 else ""
                words.append(
                    f"only in the {run}: {role}{'' if step is None else f'[{step}]'}{more}"
                )
        return "; ".join(words)


def diff(one: Recording, two: Recording, rtol: float = 0.0, atol: float = 0.0) -> Diff:
    """Compare two recordings by what has the same role at the same step.

    The role is the name of a node (h, c, x, loss, a gate) with the place of its layer among the layers, so
    the h of an LSTM is compared with the h of a GRU. Nodes without a name are not compared.

    Args:
        one, two: live or loaded.
        rtol, atol: tolerances, relative and absolute; 0 by default.

    >>> from micrornn.flow.failures import exploding, vanishing
    >>> from micrornn.recording import record
    >>> found = diff(record(lambda: vanishing(2).loss), record(lambda: exploding(3).loss))
    >>> print(found)
    first difference at h[1]: the values differ by up to 1.5; only in the second: h[3]
    >>> found.ratios("h")[1]  # 2 * 2 by 0.5
    8.0
    """
    first, second = _roles(one), _roles(two)
    entries = []
    for key in [k for k in first if k in second]:
        entries.append(_difference(key, (one, first[key]), (two, second[key])))
    entries.sort(key=lambda d: (d.step is None, d.step or 0))

    def differs(off: float | None, sizes: tuple[float | None, float | None]) -> bool:
        if off is None:
            return sizes != (None, None)
        return not off <= atol + rtol * max(x or 0.0 for x in sizes)

    by_value = [d for d in entries if differs(d.value_off, d.norms)]
    by_gradient = [d for d in entries if differs(d.gradient_off, d.gradients)]
    different = by_value or by_gradient
    only = ([k for k in first if k not in second], [k for k in second if k not in first])
    return Diff(
        entries, only, different[0] if different else None, not (different or only[0] or only[1])
    )


def _roles(rec: Recording) -> dict[tuple[int | None, str], Tensor]:
    """The named nodes by step and role; of several that share both, the newest."""
    places: dict[str, dict[str, int]] = {}
    found: dict[tuple[int | None, str], Tensor] = {}
    for node in rec.nodes:
        if node.name is None or (node.step is None and not (node.is_leaf and node.requires_grad)):
            continue
        role = GATES.get(node.name, node.name)
        if node.step is not None and node.inputs:
            layers = places.setdefault(role, {})
            at = layers.setdefault(layer_of(node), len(layers))
            if at:
                role = f"{role} of layer {at}"
        found[node.step, role] = node
    return found


def _difference(
    key: tuple[int | None, str], one: tuple[Recording, Tensor], two: tuple[Recording, Tensor]
) -> Difference:
    values = [np.asarray(rec.value(node), dtype=float) for rec, node in (one, two)]
    gradients = [rec.gradient(node) for rec, node in (one, two)]
    sizes = [None if g is None else norm(g) for g in gradients]
    ratio = None
    if sizes[0] is not None and sizes[1] is not None and sizes[0] > 0:
        ratio = sizes[1] / sizes[0]
    return Difference(
        *key,
        (norm(values[0]), norm(values[1])),
        (sizes[0], sizes[1]),
        _off(values[0], values[1]),
        _off(gradients[0], gradients[1]),
        ratio,
    )


def _off(a: Any, b: Any) -> float | None:
    """The largest absolute difference; nan and inf agree with themselves."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return None
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    with np.errstate(invalid="ignore"):
        off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    return float(np.max(off, initial=0.0)) if not np.isnan(off).any() else float("inf")
