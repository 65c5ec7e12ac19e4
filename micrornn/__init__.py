"""micrornn: autograd on explicit unrolled graphs, so that BPTT is plain reverse-mode differentiation."""

from importlib import import_module
from typing import TYPE_CHECKING

try:
    import micrornn.fast  # noqa: F401 - first: it replaces parts of the core before they are used
except ModuleNotFoundError as _error:
    if _error.name != "micrornn.fast":
        raise

from micrornn import nn, ops, optim
from micrornn.check import GradientMismatch, gradcheck, gradgradcheck
from micrornn.core.backward import Pullback, pullbacks
from micrornn.core.context import no_grad, scope
from micrornn.core.graph import Edge, Graph
from micrornn.core.tensor import Tensor, Value, tensor
from micrornn.debug import debug, debugging
from micrornn.forward import hvp, jacobian, jvp
from micrornn.names import missing as _missing
from micrornn.ops import *  # noqa: F403
from micrornn.ops.torch_names import ELSEWHERE, backward, grad
from micrornn.recompute import checkpoint
from micrornn.recording import Recording, RecordingError, record, recording
from micrornn.trap import NonFiniteError, trap_nonfinite
from micrornn.views import view as _view  # noqa: F401 - lets notebooks find their pictures

if TYPE_CHECKING:
    from micrornn.compiler import Compiled, CompileError, compile
    from micrornn.recording import load_recording

__version__ = "0.1.0"

__all__ = [
    "CompileError",
    "Compiled",
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
    "checkpoint",
    "compile",
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


# Names that are loaded when they are used, and where they are.
_LATER = {
    "CompileError": "compiler",
    "Compiled": "compiler",
    "compile": "compiler",
    "load_recording": "recording.load",
}


def __getattr__(name: str) -> object:
    """Load a name when it is first used; for an unknown one, raise an error that names the nearest."""
    if name in _LATER:
        globals()[name] = getattr(import_module(f"micrornn.{_LATER[name]}"), name)
        return globals()[name]
    raise _missing("micrornn", name, __all__, ELSEWHERE, "mr.")
