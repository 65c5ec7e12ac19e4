"""The quick engine gives what the plain one gives, and stands aside when it is told to."""

from __future__ import annotations

import numpy as np
import pytest
from operations import operation

import micrornn as mr
from micrornn.core.primitive import PRIMITIVES, Primitive
from micrornn.cotangent import Part, Product

fast = pytest.importorskip("micrornn.fast")
from micrornn.fast.forwards import SCALAR  # noqa: E402

RNG = np.random.default_rng(0)
SHAPE = (4, 3)

if fast.PLAIN:
    pytest.skip("MICRORNN_PLAIN leaves out parts of micrornn.fast", allow_module_level=True)


def test_who_leaves_them_unwritten() -> None:
    w, x = (mr.tensor(RNG.normal(size=s), requires_grad=True) for s in (SHAPE, (5, 3)))
    for y, kind in (
        *((w[1], Part), (mr.take(w, [0, 0]), Part), (w[1:, :2], Part)),
        *((mr.linear(x, w), Product), (x @ w.T, Product), (w.T @ np.ones(4), Product)),
    ):
        stream = list(mr.pullbacks(y, np.ones(y.shape)))
        assert any(type(c) is kind for p in stream for c in p.contributions)
        for p in stream:
            for i, x_i in enumerate(p.node.inputs):
                assert np.shape(p.contribution(i)) == (x_i.shape if x_i.requires_grad else ())


SCALARS = [PRIMITIVES[name] for name in SCALAR]
UNUSUAL = [
    *(0.0, -0.0, 1e-300, -1e-300, 0.5, -0.5, 1.0, -1.0, 40.0, -40.0, 709.0, -745.0),
    *(1000.0, -1000.0, 1e300, -1e300, np.inf, -np.inf, np.nan),
]


@pytest.mark.parametrize("p", SCALARS, ids=lambda p: p.name)
@pytest.mark.parametrize("x", UNUSUAL)
def test_the_quick_way_for_one_number_gives_what_numpy_gives(p: Primitive, x: float) -> None:
    with np.errstate(all="ignore"):
        quick = operation(p, p.samples[0])(mr.Value(x)).data
        array = p.forward(np.array([x]))[0]
        np.testing.assert_allclose(quick, array, rtol=1e-15, atol=5e-324)
        assert isinstance(quick, float)
