"""Optimizers, by PyTorch's formulas and with its names; learning-rate schedules in `lr_scheduler`."""

from typing import TYPE_CHECKING

from micrornn.names import no_such_name
from micrornn.optim import lr_scheduler
from micrornn.optim.algorithms import SGD, Adagrad, Adam, AdamW, RMSprop
from micrornn.optim.optimizer import Optimizer

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]

# Names of PyTorch that are not here, and what does their work.
INSTEAD = {
    "ASGD": "optim.SGD",
    "Adadelta": "optim.RMSprop",
    "Adamax": "optim.Adam",
    "LBFGS": "optim.Adam",
    "Muon": "optim.AdamW",
    "NAdam": "optim.Adam",
    "RAdam": "optim.Adam with optim.lr_scheduler.WarmUp",
    "Rprop": "optim.RMSprop",
    "SparseAdam": "optim.Adam",
}
if not TYPE_CHECKING:  # a type checker is to report the names that are not here
    __getattr__ = no_such_name("optim", __all__, INSTEAD)
