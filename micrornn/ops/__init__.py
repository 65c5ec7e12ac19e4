"""Every primitive of the engine, one block each, by kind; what they offer is what `micrornn` exports.

elementwise, piecewise   acting on each element by itself
product, reduce          summing
shape, index             moving elements
mark                     leaving the value as it is
protocols                what Python and NumPy do with a tensor
"""

from micrornn.core.operators import FUNCTIONS
from micrornn.ops import (  # noqa: F401 - they declare what is offered
    elementwise,
    index,
    mark,
    piecewise,
    product,
    protocols,
    reduce,
    shape,
)

globals().update(FUNCTIONS)
__all__ = sorted(FUNCTIONS)
