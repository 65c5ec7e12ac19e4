"""Compiling: the objective of a training as a program, where that is possible and worth it."""

from __future__ import annotations

from typing import Any

from micrornn.data.feeds import Batch
from micrornn.training.objective import Computed, Objective

MODES = ("auto", "on", "off", "numba")
PATIENCE = 4  # programs that "auto" writes before it wants each to be used this often


class CompiledObjective:
    """An objective that also leaves the gradients of its total in ``.grad``.

    Args:
        objective: from a batch and a state to losses.
        mode: ``"auto"`` continues eagerly where the objective cannot be compiled, or is given another
            shape again and again; ``"on"`` raises `CompileError` instead, and so does ``"numba"``,
            which makes loops over small arrays machine code.

    Attributes:
        why: why it goes on eagerly; "" while it is compiled.

    Raises:
        ImportError: Numba is asked for and is not installed.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> from micrornn.training import by_step
    >>> rnn = nn.RNN(3, 4, rng=0)
    >>> compiled = CompiledObjective(by_step(rnn, nn.functional.mse_loss), "on")
    >>> computed = compiled(Batch(np.ones((5, 2, 3)), np.zeros((5, 2, 4))), None)
    >>> len(computed.losses), rnn.weight_hh_l0.grad.shape, compiled.why
    (5, (4, 4), '')
    """

    def __init__(self, objective: Objective, mode: str) -> None:
        from micrornn.compiler import compile  # loaded when it is used

        self.objective, self.mode, self.why = objective, mode, ""
        self.calls = 0

        def run(batch: Batch, state: Any) -> Any:
            computed = objective(batch, state)
            return computed.total, list(computed.losses), computed.state

        self.run = compile(run, "numba" if mode == "numba" else "numpy")

    def __call__(self, batch: Batch, state: Any) -> Computed:
        """The losses; the gradients are added to ``.grad``."""
        from micrornn.compiler import CompileError

        if not self.why:
            self.calls += 1
            try:
                total, losses, last = self.run(batch, state)
            except CompileError as error:
                if self.mode != "auto":
                    raise
                self.why = str(error)
            else:
                written = self.run.programs
                if self.mode == "auto" and written > PATIENCE and written * PATIENCE > self.calls:
                    self.why = f"{written} programs were written in {self.calls} iterations"
                return Computed(losses, total, last)
        computed = self.objective(batch, state)
        computed.total.backward()
        return computed
