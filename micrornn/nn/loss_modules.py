"""More losses as modules, under PyTorch's names; each keeps its function's options and names its result."""

from __future__ import annotations

from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.nn import elementwise_losses as functions
from micrornn.nn.cross_entropy import check_reduction
from micrornn.nn.module import Module


class _Loss(Module):
    """A loss with a reduction; its result is named ``loss``."""

    def __init__(self, reduction: str) -> None:
        super().__init__()
        check_reduction(reduction, type(self).__name__)
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of an input against a target."""
        loss = self._of(input, target)
        loss.name = "loss"
        return loss

    def _of(self, input: Any, target: Any) -> Tensor:
        raise NotImplementedError


class BCELoss(_Loss):
    """`functional.binary_cross_entropy`, of probabilities.

    >>> import micrornn as mr
    >>> mr.nn.BCELoss()(mr.tensor([0.5]), [1.0]).item()
    0.6931
    """

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def _of(self, input: Any, target: Any) -> Tensor:
        return functions.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """`functional.binary_cross_entropy_with_logits`, of logits of any size.

    >>> import micrornn as mr
    >>> mr.nn.BCEWithLogitsLoss()(mr.tensor([0.0]), [1.0]).item()
    0.6931
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight, self.pos_weight = weight, pos_weight

    def _of(self, input: Any, target: Any) -> Tensor:
        options = (self.weight, self.reduction, self.pos_weight)
        return functions.binary_cross_entropy_with_logits(input, target, *options)


class NLLLoss(_Loss):
    """`functional.nll_loss`, of log-probabilities.

    >>> import micrornn as mr
    >>> mr.nn.NLLLoss()(mr.tensor([[-1.0, -2.0]]), [1]).item()
    2.0
    """

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.weight, self.ignore_index = weight, ignore_index

    def _of(self, input: Any, target: Any) -> Tensor:
        return functions.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class HuberLoss(_Loss):
    """`functional.huber_loss`: a parabola up to delta, a line beyond.

    >>> import micrornn as mr
    >>> mr.nn.HuberLoss()(mr.tensor([3.0]), [0.0]).item()
    2.5
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def _of(self, input: Any, target: Any) -> Tensor:
        return functions.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(_Loss):
    """`functional.smooth_l1_loss`: `HuberLoss` divided by beta.

    >>> import micrornn as mr
    >>> mr.nn.SmoothL1Loss(beta=2.0)(mr.tensor([3.0]), [0.0]).item()
    2.0
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def _of(self, input: Any, target: Any) -> Tensor:
        return functions.smooth_l1_loss(input, target, self.reduction, self.beta)
