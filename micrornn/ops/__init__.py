"""Every primitive of the engine, one block each, by kind; what they offer is what `micrornn` exports.

elementwise, piecewise: acting on each element by itself. product, reduce, softmax: summing. shape, join,
index: moving elements. mark: leaving the value as it is. compose, create: made of the others, and leaves
made from nothing. protocols, torch_names: what Python, NumPy, and PyTorch's users do with a tensor.
"""

from micrornn.core.operators import FUNCTIONS
from micrornn.ops import (  # noqa: F401 - they declare what is offered
    compose,
    create,
    elementwise,
    index,
    inverse,
    join,
    mark,
    piecewise,
    product,
    protocols,
    reduce,
    shape,
    softmax,
    torch_names,  # last: it looks at all the others
)

globals().update(FUNCTIONS)
__all__ = sorted(FUNCTIONS)
