"""Products that sum over an axis: matmul, the linear layer's product, einsum."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from micrornn.core.operators import offer
from micrornn.core.primitive import Operation, primitive, sample, unbroadcast
from micrornn.core.tensor import Data, Tensor, shape_of
from micrornn.ops.shape import broadcast_to, expand_dims, reshape, swapaxes


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return expand_dims(g, -1) * b
    if a.ndim == 1:
        return (b @ expand_dims(g, -1))[..., 0]
    return g @ swapaxes(b, -1, -2)


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return g * a if a.ndim == 1 else (swapaxes(a, -1, -2) @ expand_dims(g, -1))[..., 0]
    if a.ndim == 1:
        return expand_dims(a, -1) * expand_dims(g, -2)
    return swapaxes(a, -1, -2) @ g


matmul = primitive(
    "matmul",
    "a @ b",
    forward=np.matmul,
    vjp=(_matmul_left, _matmul_right),
    jvp=(lambda d, y, a, b: d @ b, lambda d, y, a, b: a @ d),
    broadcasts=True,
    samples=(
        *(sample((3,), (3,)), sample((2, 3), (3,)), sample((3,), (3, 4)), sample((2, 3), (3, 4))),
        *(sample((5, 2, 3), (3,)), sample((3,), (5, 3, 2)), sample((5, 2, 3), (3, 4))),
        *(sample((5, 2, 3), (5, 3, 4)), sample((1, 2, 3), (5, 3, 2)), sample((2, 3), (5, 3, 2))),
    ),
    symbol="@",
    methods="__matmul__ __rmatmul__",
    numpy=[np.matmul],
    doc=">>> import micrornn as mr\n"
    ">>> mr.matmul(mr.tensor([[1.0, 2.0]]), [3.0, 4.0])\ntensor([11.], matmul)",
    kind="product",
)


def _linear_forward(x: Data, w: Data, b: Data = None) -> Data:
    if np.ndim(w) != 2 or not np.ndim(x):
        raise ValueError(
            f"x must have the shape (..., in) and W (out, in), not {shape_of(x)} and {shape_of(w)}"
        )
    y = x @ w.T
    if b is None:
        return y
    if np.broadcast_shapes(y.shape, shape_of(b)) != y.shape:
        raise ValueError(f"the bias must have the shape ({len(w)},), not {shape_of(b)}")
    return y + b


def _rows(x: Any) -> Any:
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


linear: Operation = primitive(
    "linear",
    "x Wᵀ + b",
    forward=_linear_forward,
    vjp=(
        lambda g, y, x, w, b=None: g @ w,
        lambda g, y, x, w, b=None: _rows(g).T @ _rows(x),
        lambda g, y, x, w, b: unbroadcast(g, shape_of(b)),
    ),
    jvp=(
        lambda d, y, x, w, b=None: linear(d, w),
        lambda d, y, x, w, b=None: linear(x, d),
        lambda d, y, x, w, b: broadcast_to(d, y.shape),
    ),
    samples=(
        *(sample((3,), (2, 3)), sample((3,), (2, 3), (2,)), sample((4, 3), (2, 3), (2,))),
        *(sample((5, 4, 3), (2, 3)), sample((5, 4, 3), (2, 3), (2,))),
    ),
    symbol="@",
    methods="",
    doc="x (..., in), W (out, in), b (out,) or none; y (..., out).\n\n"
    ">>> import micrornn as mr\n"
    ">>> mr.linear(mr.tensor([1.0, 2.0]), [[3.0, 4.0]], [0.5])\ntensor([11.5], linear)",
    kind="product",
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


_einsum: Operation = primitive(
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
    kind="product",
)


def einsum(subscripts: Any, *operands: Any) -> Tensor:
    """Einstein's summation, as NumPy's: ``einsum("ij,jk->ik", a, b)`` or ``einsum(a, [0, 1], b, [1, 2], [0,
    2])``.

    The output may be implied, and an ellipsis may stand for further axes.

    Raises:
        ValueError: a letter stands twice in one operand (take the diagonal first).

    >>> import micrornn as mr
    >>> mr.einsum("ij,j->i", mr.tensor([[1.0, 2.0]]), [3.0, 4.0])
    tensor([11.], einsum)
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _in_letters(subscripts, *operands)
    return _einsum(
        *operands, subscripts=_explicit(subscripts, [len(shape_of(x)) for x in operands])
    )


offer(einsum, numpy=[np.einsum])


def _in_letters(*given: Any) -> tuple[str, tuple[Any, ...]]:
    """Operands that each come with a list of axis numbers, as subscripts and operands."""

    def letters(axes: Any) -> str:
        return "".join("..." if i is Ellipsis else string.ascii_letters[i] for i in axes)

    pairs = len(given) // 2
    subscripts = ",".join(letters(axes) for axes in given[1 : 2 * pairs : 2])
    if len(given) % 2:  # the last list is the output's
        subscripts += "->" + letters(given[-1])
    return subscripts, given[: 2 * pairs : 2]


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
