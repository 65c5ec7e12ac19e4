"""Gradient clipping, weights of other libraries, and sequences of different lengths (in `rnn`)."""

from micrornn.nn.clipping import clip_grad_norm_, clip_grad_value_, get_total_norm
from micrornn.nn.gate_order import convert_gates, convert_peepholes
from micrornn.nn.utils import rnn

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "convert_gates",
    "convert_peepholes",
    "get_total_norm",
    "rnn",
]
