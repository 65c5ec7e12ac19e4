"""Products that sum over an axis: matmul, the linear layer's product, einsum."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from numpy import ndarray

from micrornn.cotangent import Product
from micrornn.ops.shape import broadcast_to, expand_dims, swapaxes
from micrornn.primitive import Operation, primitive, sample
from micrornn.pull import unbroadcast
from micrornn.tensor import Data, Tensor, shape_of


def _matmul_forward(a: Data, b: Data) -> Data:
    # .dot is the cheaper call where it means the same
    if type(a) is type(b) is ndarray and 0 < a.ndim <= 2 and 0 < b.ndim <= 2:
        return a.dot(b)
    return np.matmul(a, b)


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        if a.ndim == 1:
            return g * b
        return Product(g, b) if a.ndim == 2 else expand_dims(g, -1) * b
    if a.ndim == 1:
        return b.dot(g) if b.ndim == 2 else (b @ expand_dims(g, -1))[..., 0]
    return g.dot(b.T) if b.ndim == 2 else g @ swapaxes(b, -1, -2)


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        if b.ndim == 1:
            return g * a
        return Product(a, g) if b.ndim == 2 else expand_dims(a, -1) * expand_dims(g, -2)
    if b.ndim == 1:
        if a.ndim == 2:
            return g.dot(a)
        return (swapaxes(a, -1, -2) @ expand_dims(g, -1))[..., 0]
    if b.ndim == 2:
        return Product(a, g)
    return swapaxes(a, -1, -2) @ g


matmul = primitive(
    "matmul",
    "a @ b",
    forward=_matmul_forward,
    vjp=(_matmul_left, _matmul_right),
    jvp=(lambda d, y, a, b: d @ b, lambda d, y, a, b: a @ d),
    broadcasts=True,
    samples=(
        *(sample((3,), (3,)), sample((2, 3), (3,)), sample((3,), (3, 4)), sample((2, 3), (3, 4))),
        *(sample((5, 2, 3), (3,)), sample((3,), (5, 3, 2)), sample((5, 2, 3), (3, 4))),
        *(sample((5, 2, 3), (5, 3, 4)), sample((1, 2, 3), (5, 3, 2)), sample((2, 3), (5, 3, 2))),
    ),
    symbol="@",
    doc=">>> import micrornn as mr\n"
    ">>> mr.matmul(mr.tensor([[1.0, 2.0]]), [3.0, 4.0])\ntensor([11.], matmul)",
)


def _linear_forward(x: Data, w: Data, b: Data = None) -> Data:
    if type(x) is not ndarray or type(w) is not ndarray or w.ndim != 2 or not x.ndim:
        raise ValueError(
            f"x must have the shape (..., in) and W (out, in), not {shape_of(x)} and {shape_of(w)}"
        )
    y = w.dot(x) if x.ndim == 1 else x.dot(w.T)
    if b is None:
        return y
    try:
        if type(b) is ndarray and b.dtype is y.dtype:
            y += b
            return y
        z = y + b
        if z.shape == y.shape:
            return z
    except ValueError:
        pass
    raise ValueError(f"the bias must have the shape ({len(w)},), not {shape_of(b)}")


linear: Operation = primitive(
    "linear",
    "x Wᵀ + b",
    forward=_linear_forward,
    vjp=(
        lambda g, y, x, w, b=None: g.dot(w),
        lambda g, y, x, w, b=None: Product(g, x),
        lambda g, y, x, w, b: unbroadcast(g, b.shape),
    ),
    jvp=(
        lambda d, y, x, w, b=None: linear(d, w),
        lambda d, y, x, w, b=None: linear(x, d),
        lambda d, y, x, w, b: d,
    ),
    samples=(
        *(sample((3,), (2, 3)), sample((3,), (2, 3), (2,)), sample((4, 3), (2, 3), (2,))),
        *(sample((5, 4, 3), (2, 3)), sample((5, 4, 3), (2, 3), (2,))),
    ),
    symbol="@",
    doc="x (..., in), W (out, in), b (out,) or none; y (..., out).\n\n"
    ">>> import micrornn as mr\n"
    ">>> mr.linear(mr.tensor([1.0, 2.0]), [[3.0, 4.0]], [0.5])\ntensor([11.5], linear)",
)


def _einsum_rule(g: Any, y: Any, *xs: Any, subscripts: str) -> list[Any]:
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    contributions = []
    for i, term in enumerate(terms):
        others = [(t, x) for j, (t, x) in enumerate(zip(terms, xs, strict=True)) if j != i]
        seen = set(output).union(*[t for t, _ in others])
        found = "".join([letter for letter in term if letter in seen])
        spec = ",".join([output, *[t for t, _ in others]]) + "->" + found
        part = einsum(spec, g, *[x for _, x in others])
        # A letter that only this operand has was summed away: its cotangent is the same all along it.
        for axis, letter in enumerate(term):
            if letter not in seen:
                part = expand_dims(part, axis)
        stretched = zip(shape_of(part), shape_of(xs[i]), term, strict=True)
        shape = tuple([n if letter not in seen else m for m, n, letter in stretched])
        contributions.append(unbroadcast(broadcast_to(part, shape), shape_of(xs[i])))
    return contributions


def _einsum_tangent(ds: Any, y: Any, *xs: Any, subscripts: str) -> Any:
    total: Any = None
    for i, d in enumerate(ds):
        if d is not None:
            part = einsum(subscripts, *[d if j == i else x for j, x in enumerate(xs)])
            total = part if total is None else total + part
    return total


_einsum = primitive(
    "einsum",
    "Einstein's sum",
    forward=lambda *xs, subscripts: np.einsum(subscripts, *xs),
    vjp=_einsum_rule,
    jvp=_einsum_tangent,
    samples=(
        *(sample((2, 3), (3, 4), subscripts="ij,jk->ik"), sample((2, 3), subscripts="ij->ji")),
        *(sample((2, 3), (3,), subscripts="ij,j->i"), sample((2, 3), subscripts="ij->")),
        sample((5, 2, 3), (5, 4, 3), (3,), subscripts="bij,bkj,j->bik"),
    ),
    symbol="Σ",
)


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """Einstein's summation, as NumPy's, with explicit or implied output and with ellipsis.

    Raises:
        ValueError: a letter stands twice in one operand (take the diagonal first).

    >>> import micrornn as mr
    >>> mr.einsum("ij,j->i", mr.tensor([[1.0, 2.0]]), [3.0, 4.0])
    tensor([11.], einsum)
    """
    return _einsum(
        *operands, subscripts=_explicit(subscripts, [len(shape_of(x)) for x in operands])
    )


def _explicit(subscripts: str, ndims: list[int]) -> str:
    """Subscripts with the output written out and the ellipsis spelled in letters."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, {len(ndims)} given")
    if not arrow:
        letters = inputs.replace(",", "").replace(".", "")
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
        output = ("..." if "..." in inputs else "") + output
    free = [c for c in string.ascii_letters if c not in subscripts]
    deepest = max(
        [n - len(t.replace("...", "")) for t, n in zip(terms, ndims, strict=True) if "..." in t]
        or [0]
    )
    spelled = []
    for term, ndim in zip(terms, ndims, strict=True):
        hidden = ndim - len(term.replace("...", "")) if "..." in term else 0
        term = term.replace("...", "".join(free[deepest - hidden : deepest]))
        if len(set(term)) != len(term):
            raise ValueError(
                f"einsum: a letter stands twice in {term!r} of {subscripts!r}; take the diagonal first"
            )
        spelled.append(term)
    return ",".join(spelled) + "->" + output.replace("...", "".join(free[:deepest]))
