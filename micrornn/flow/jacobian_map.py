"""The Jacobian of every state with respect to every earlier one, over all paths between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.jacobian import largest
from micrornn.flow.rows import Rows, sweep
from micrornn.flow.series import label, plain, series, table
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class JacobianMap:
    """|dv_t / dv_k| for one named value over time.

    Attributes:
        name, scope: of v.
        labels: of v_0, v_1, ...; ``steps`` their steps.
        spectral: shape (n, n), row t and column k: the largest singular value; nan where there is no path.
        frobenius: shape (n, n), likewise.
    """

    name: str
    scope: str
    labels: list[str]
    steps: list[int]
    spectral: Array
    frobenius: Array

    def as_dict(self) -> dict[str, Any]:
        """Plain lists for JSON; None where there is no path."""
        return plain(
            {
                "name": self.name,
                "scope": self.scope,
                "steps": self.steps,
                "spectral": [
                    [x if x == x else None for x in row] for row in self.spectral.tolist()
                ],
                "frobenius": [
                    [x if x == x else None for x in row] for row in self.frobenius.tolist()
                ],
            }
        )

    def table(self) -> str:
        """The spectral norms as text."""
        rows = [
            [name, *("" if x != x else f"{x:.3g}" for x in row)]
            for name, row in zip(self.labels, self.spectral.tolist())
        ]
        return table(["", *self.labels], rows)

    def __str__(self) -> str:
        far = self.spectral[-1, 0]
        size = "no path" if far != far else f"{far:.3g}"
        return f"|d{self.labels[-1]}/d{self.labels[0]}|: {size}"


def jacobian_map(
    rec: Recording, of: str | Sequence[Tensor] = "h", scope: str | None = None
) -> JacobianMap:
    """|dv_t/dv_k| for all steps of a value, over all paths of the graph, the indirect ones included.

    One sweep carries a row for every unit of every v_t. What it holds grows with (steps x units)^2; for
    hundreds of steps of wide states, ask for some of the nodes.

    Args:
        rec: live or loaded; backward need not have run.
        of: ``h``, ``c`` or any name; or the nodes themselves.
        scope: the layer; the top one by default.

    Raises:
        RecordingError: nothing has that name.

    >>> from micrornn.flow.failures import record_failure
    >>> jacobian_map(record_failure("vanishing")).spectral[3, :5]
    array([0.125, 0.25 , 0.5  , 1.   ,   nan])
    """
    nodes = series(rec, of, scope) if isinstance(of, str) else list(of)
    seeds, size = {}, 0
    owner: list[int] = []
    for i, node in enumerate(nodes):
        unit = np.eye(node.size, dtype=node.dtype).reshape(node.size, *node.shape)
        seeds[node.number] = Rows(np.arange(size, size + node.size), unit)
        size += node.size
        owner += [i] * node.size
    found = sweep(rec.nodes, seeds, list(seeds))
    spectral = np.full((len(nodes), len(nodes)), np.nan)
    frobenius = spectral.copy()
    owners = np.array(owner)
    for k, node in enumerate(nodes):
        labels, values = found[node.number]
        flat = values.reshape(len(labels), -1).astype(float)
        for t in np.unique(owners[labels]):
            block = flat[owners[labels] == t]
            spectral[t, k] = largest(block)
            frobenius[t, k] = float(np.linalg.norm(block))
    name = of if isinstance(of, str) else (nodes[0].name or label(nodes[0]))
    return JacobianMap(
        name,
        nodes[-1].scope,
        [label(n) for n in nodes],
        [n.step or 0 for n in nodes],
        spectral,
        frobenius,
    )
