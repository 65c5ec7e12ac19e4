"""Lyapunov exponents: by which factor per step small changes of the state grow or shrink, by direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from micrornn.flow.jacobian import step_jacobians, top_layer
from micrornn.flow.series import plain, table
from micrornn.recording import Recording, RecordingError

Array = np.ndarray[Any, Any]

ROUNDING = 1e-14  # of the largest factor of a step: a smaller one is what rounding left of 0


@dataclass(frozen=True)
class Spectrum:
    """The Lyapunov spectrum of a layer along one run.

    Attributes:
        layer: the scope.
        states: what the state is made of.
        steps: t, in the order in which the layer ran.
        exponents: the mean growth of the logarithm per step, by direction, largest first; -inf for one in
            which nothing is passed on.
        running: (steps, exponents), the same over the steps so far: how far it has settled.

    The gradient on its way back sees the same Jacobians, transposed, and so the same factors.
    """

    layer: str
    states: tuple[str, ...]
    steps: list[int]
    exponents: Array
    running: Array

    @property
    def dimension(self) -> float:
        """Kaplan and Yorke's: of how many dimensions the attractor is; 0 where all changes die out."""
        known = self.exponents[np.isfinite(self.exponents)]
        sums = np.cumsum(known)
        count = int(np.sum(sums >= 0)) if len(sums) and known[0] >= 0 else 0
        if not count or count == len(known):
            return float(count)
        return float(count + sums[count - 1] / abs(known[count]))

    def table(self) -> str:
        """One row for each exponent."""
        rows = [[i, float(e), float(np.exp(e))] for i, e in enumerate(self.exponents, 1)]
        return table(["i", "exponent", "factor per step"], rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return plain(
            {
                "layer": self.layer,
                "states": list(self.states),
                "steps": self.steps,
                "exponents": self.exponents,
                "running": self.running,
                "dimension": self.dimension,
            }
        )

    def __str__(self) -> str:
        top = float(self.exponents[0])
        grow = int(np.sum(self.exponents > 0))
        lasting = "grows fastest" if top > 0 else "lasts longest"
        return (
            f"{self.layer or 'the network'}: the change of the state that {lasting} is multiplied by "
            f"{np.exp(top):.3g} per step (Lyapunov exponent {top:.3g}); {grow} of {len(self.exponents)} "
            "directions grow"
        )


def lyapunov(rec: Recording, layer: str | None = None) -> Spectrum:
    """The Lyapunov spectrum of a layer's whole state, by QR over the steps.

    An orthogonal frame is carried along: J_t Q_{t-1} = Q_t R_t, and the exponents are the means of log |R_ii|
    (Benettin et al. 1980; Engelken, Wolf & Abbott 2020, arXiv:2006.02427, algorithm 1). The first exponent
    says whether gradients explode or vanish over long times, the others in how many directions (Engelken
    2023).
    Over a short run it is a mean, not a limit; `Spectrum.running` shows how far it has settled.

    Args:
        rec: live or loaded; backward need not have run.
        layer: the scope; the top one by default.

    Raises:
        RecordingError: there is no state over two steps.

    >>> from micrornn.flow.failures import record_failure
    >>> spectrum = lyapunov(record_failure("vanishing"))
    >>> round(float(spectrum.exponents[0]), 4), round(float(np.log(0.5)), 4)
    (-0.6931, -0.6931)
    """
    layer = top_layer(rec) if layer is None else layer
    names, steps, jacobians = step_jacobians(rec, layer)
    if not jacobians:
        raise RecordingError(f"{layer} has one step only, so nothing grows or shrinks over steps")
    size = len(jacobians[0])
    frame: Array = np.linalg.qr(np.random.default_rng(0).normal(size=(size, size)))[0]
    logs = np.full((len(jacobians), size), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        for row, jacobian in zip(logs, jacobians):
            moved = jacobian @ frame
            if not np.isfinite(moved).all():
                raise RecordingError(f"a Jacobian of {layer or 'the network'} is not finite")
            frame, r = np.linalg.qr(moved)
            sizes = np.abs(np.diagonal(r))
            row[:] = np.log(np.where(sizes < ROUNDING * sizes.max(initial=0.0), 0.0, sizes))
        running = np.cumsum(logs, axis=0) / np.arange(1, len(logs) + 1)[:, None]
    order = np.argsort(-running[-1], kind="stable")
    return Spectrum(layer, names, steps, running[-1][order], running[:, order])
