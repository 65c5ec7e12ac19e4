"""The losses, each as a function and as the module that calls it.

`pointwise` compares numbers one by one, `classes` logits with classes, `ctc_loss` frames with labels, and
`sequences` adds up the losses of the steps.
"""

from micrornn.nn.losses.classes import CrossEntropyLoss, NLLLoss, cross_entropy, nll_loss
from micrornn.nn.losses.ctc_loss import CTCLoss, ctc_alignment, ctc_best_path, ctc_loss
from micrornn.nn.losses.loss import Loss, LossModule
from micrornn.nn.losses.pointwise import (
    BCELoss,
    BCEWithLogitsLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    SmoothL1Loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from micrornn.nn.losses.sequences import masked_sequence_loss, sequence_loss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "LossModule",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "ctc_alignment",
    "ctc_best_path",
    "ctc_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "masked_sequence_loss",
    "mse_loss",
    "nll_loss",
    "sequence_loss",
    "smooth_l1_loss",
]
