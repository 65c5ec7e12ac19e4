"""What is done to gradients as a whole, to weights of other libraries, and to sequences of many lengths."""

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
