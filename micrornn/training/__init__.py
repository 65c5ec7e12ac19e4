"""Training: the loop, truncated BPTT, online learning, early stopping, logs and checkpoints."""

from micrornn.training.checkpoint import load_checkpoint, save_checkpoint
from micrornn.training.log import Log, Report, read_log
from micrornn.training.objective import Computed, Objective, at_end, by_step
from micrornn.training.online import RTRL, UORO
from micrornn.training.stopping import EarlyStopping
from micrornn.training.trainer import Trainer, TrainingError
from micrornn.training.tree import CheckpointError
from micrornn.training.truncated import Truncation
from micrornn.training.watching import Watch

__all__ = [
    "RTRL",
    "UORO",
    "CheckpointError",
    "Computed",
    "EarlyStopping",
    "Log",
    "Objective",
    "Report",
    "Trainer",
    "TrainingError",
    "Truncation",
    "Watch",
    "at_end",
    "by_step",
    "load_checkpoint",
    "read_log",
    "save_checkpoint",
]
