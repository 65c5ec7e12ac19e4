"""Early stopping: when the loss on held-out data no longer improves."""

from __future__ import annotations

import math
from typing import Any


class EarlyStopping:
    """Stop after ``patience`` validations without an improvement of more than ``min_delta``.

    >>> stopping = EarlyStopping(patience=2)
    >>> [stopping.judge(loss) for loss in (3.0, 2.0, 2.5, 2.1)]
    [False, False, False, True]
    >>> stopping.best
    2.0

    Raises:
        ValueError: ``patience`` is below 1, or ``min_delta`` below 0.
    """

    def __init__(self, patience: int = 5, min_delta: float = 0.0) -> None:
        if patience < 1 or not min_delta >= 0:
            raise ValueError(
                f"EarlyStopping: patience={patience!r}, min_delta={min_delta!r}; give at least 1 and 0"
            )
        self.patience = patience
        self.min_delta = min_delta
        self.best = math.inf
        self.waited = 0

    def judge(self, loss: float) -> bool:
        """Whether to stop, after a validation with this loss."""
        if loss < self.best - self.min_delta:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """The settings, the best loss, and the number of validations since."""
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the best loss and the number of validations since."""
        self.best, self.waited = state["best"], state["waited"]
