"""Learning-rate schedules, under PyTorch's names: what the learning rate is as training goes on."""

from typing import TYPE_CHECKING

from micrornn.names import no_such_name
from micrornn.optim.lr_scheduler.base import LRScheduler, rates
from micrornn.optim.lr_scheduler.formulas import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
    WarmUp,
)
from micrornn.optim.lr_scheduler.one_cycle import OneCycleLR
from micrornn.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "StepLR",
    "WarmUp",
    "rates",
]

SCHEDULES = ("step", "exponential", "cosine", "warmup", "plateau")  # as the command line names them

# Names of PyTorch that are not here, and what does their work.
INSTEAD = {
    "ChainedScheduler": "several schedules on one optimizer: they multiply",
    "ConstantLR": "optim.lr_scheduler.MultiStepLR",
    "CosineAnnealingWarmRestarts": "optim.lr_scheduler.LambdaLR",
    "CyclicLR": "optim.lr_scheduler.OneCycleLR or LambdaLR",
    "MultiplicativeLR": "optim.lr_scheduler.LambdaLR",
    "PolynomialLR": "optim.lr_scheduler.LambdaLR",
    "SequentialLR": "optim.lr_scheduler.WarmUp(optimizer, updates, after=...)",
}
if not TYPE_CHECKING:  # a type checker is to report the names that are not here
    __getattr__ = no_such_name("optim.lr_scheduler", __all__, INSTEAD)
