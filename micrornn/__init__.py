"""micrornn: autograd on explicit unrolled graphs, so that BPTT is plain reverse-mode differentiation."""

from micrornn import display as display
from micrornn import nn, ops, optim
from micrornn import operators as operators
from micrornn.backward import Pullback, backward, grad, pullbacks
from micrornn.check import GradientMismatch, gradcheck, gradgradcheck
from micrornn.context import no_grad, scope
from micrornn.debug import debug, debugging
from micrornn.forward import hvp, jacobian, jvp
from micrornn.graph import Edge, Graph
from micrornn.ops import *  # noqa: F403
from micrornn.recording import Recording, RecordingError, load_recording, record, recording
from micrornn.tensor import Tensor, Value, tensor
from micrornn.trap import NonFiniteError, trap_nonfinite

__version__ = "0.1.0"

__all__ = [
    "Edge",
    "GradientMismatch",
    "Graph",
    "NonFiniteError",
    "Pullback",
    "Recording",
    "RecordingError",
    "Tensor",
    "Value",
    "backward",
    "debug",
    "debugging",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hvp",
    "jacobian",
    "jvp",
    "load_recording",
    "nn",
    "no_grad",
    "optim",
    "pullbacks",
    "record",
    "recording",
    "scope",
    "tensor",
    "trap_nonfinite",
]
__all__ += ops.__all__
