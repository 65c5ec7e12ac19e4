"""Contributions that stay unwritten: parts, products, and their sums."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn.core.backward import dense
from micrornn.cotangent import Part, Product, Sum, _tiles

RNG = np.random.default_rng(0)
SHAPE = (4, 3)


def part(index: Any, shape: tuple[int, ...] = SHAPE) -> tuple[Part, Any]:
    whole = np.zeros(shape)
    gradient = RNG.normal(size=whole[index].shape)
    np.add.at(whole, index, gradient)
    return Part(gradient, index, shape), whole


def product(*rows: int) -> tuple[Product, Any]:
    left, right = RNG.normal(size=(*rows, 4)), RNG.normal(size=(*rows, 3))
    return Product(left, right), np.einsum("ri,rj->ij", left.reshape(-1, 4), right.reshape(-1, 3))


def written() -> tuple[Any, Any]:
    array = RNG.normal(size=SHAPE)
    return array, array.copy()


UNITS = {
    **{"row": part(1), "rows": part(slice(1, 3)), "columns": part((slice(None), slice(0, 2)))},
    **{"one element": part((2, 1)), "with ellipsis": part((Ellipsis, 0))},
    **{"repeated rows": part(np.array([2, 0, 2, 2])), "mask": part(np.eye(4, 3) > 0)},
    **{"elements": part((np.array([0, 0, 3]), np.array([1, 1, 2])))},
    **{"outer product": product(), "batch": product(5), "batch of batches": product(2, 3)},
    **{"no rows": product(0), "written": written(), "number": (0.5, 0.5)},
}


@pytest.mark.parametrize("name", UNITS)
def test_each_is_written_out(name: str) -> None:
    unit, expected = UNITS[name]
    np.testing.assert_allclose(dense(unit), expected, rtol=1e-13)
    if isinstance(unit, (Part, Product)):
        assert unit.shape == SHAPE
        assert dense(unit) is not dense(unit)


@pytest.mark.parametrize("names", list(itertools.permutations(UNITS, 2)), ids=" + ".join)
def test_any_two_add_up_in_any_order(names: tuple[str, str]) -> None:
    (a, x), (b, y) = UNITS[names[0]], UNITS[names[1]]
    np.testing.assert_allclose(dense(a + b), x + y, rtol=1e-12, atol=1e-14)


def test_all_of_them_add_up_and_so_do_sums() -> None:
    units = [u for name, u in UNITS.items() if name != "number"]
    expected = np.sum([x for _, x in units], axis=0)
    for order in (units, units[::-1]):
        total: Any = order[0][0]
        for unit, _ in order[1:]:
            total = total + unit
        assert isinstance(total, Sum) and total.shape == SHAPE
        np.testing.assert_allclose(total.dense(), expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(total.dense(), total.dense())  # asked twice
    half = len(units) // 2
    left, right = Sum(units[0][0]), Sum(units[half][0])
    for unit, _ in units[1:half]:
        left = left + unit
    for unit, _ in units[half + 1 :]:
        right = right + unit
    np.testing.assert_allclose((left + right).dense(), expected, rtol=1e-12, atol=1e-13)


def test_a_sum_changes_nothing_that_it_was_given() -> None:
    array, (p, whole) = np.ones(SHAPE), part(1)
    gradient = p.gradient.copy()
    total = Sum(p) + array + array
    np.testing.assert_allclose(total.dense(), whole + 2.0)
    assert (array == 1.0).all() and (p.gradient == gradient).all()
    assert not np.shares_memory(total.dense(), array)


def test_many_products_are_multiplied_out_in_bounded_pieces() -> None:
    for rows in ([], [2], [3, 2]):
        total: Any = np.zeros(SHAPE)
        expected, kept = np.zeros(SHAPE), []
        for _ in range(2000):
            unit, x = product(*rows)
            total = total + unit
            expected += x
            kept.append(total.rows)
        assert 100 < max(kept) < 520
        np.testing.assert_allclose(total.dense(), expected, rtol=1e-10)


def test_float32_stays_float32() -> None:
    left, right = RNG.normal(size=(2, 5, 3)).astype(np.float32)
    narrow = Part(left[:2, 0], (0, slice(2)), (3, 3))
    total = Sum(Product(left, right)) + Product(left[0], right[0]) + narrow + narrow
    assert total.dense().dtype == np.float32


# -- where they come from -----------------------------------------------------------------------------


def used(w: mr.Tensor) -> mr.Tensor:
    """One weight, used in every way that matters."""
    x, batch = np.linspace(-1, 1, 3), np.linspace(-1, 1, 6).reshape(2, 3)
    y = mr.tanh(mr.linear(x, w)).sum() + mr.tanh(mr.linear(batch, w)).sum()
    y = y + mr.tanh(w @ x).sum() + mr.tanh(np.ones(4) @ w).sum() + mr.tanh(batch @ w.T).sum()
    y = y + mr.sin(w[1]).sum() + mr.sin(w[0:3, 1:]).sum() + mr.sin(w[1:, :2]).sum()
    y = y + mr.sin(mr.take(w, [3, 0, 3])).sum() + (w * w).sum() + w[2, 2] ** 2
    return y + mr.tanh(mr.linear(batch.reshape(2, 1, 3), w)).sum() + (w @ w.T @ w).sum()


def test_one_weight_used_in_every_way() -> None:
    w = mr.tensor(np.random.default_rng(5).normal(size=SHAPE), requires_grad=True)
    mr.gradcheck(used, w)
    mr.gradgradcheck(used, w, atol=1e-4)
    loss = used(w)
    parts: Any = 0.0
    for pullback in mr.pullbacks(loss):
        for i, x in enumerate(pullback.node.inputs):
            if x is w:
                parts = parts + pullback.contribution(i)
    np.testing.assert_allclose(parts, mr.grad(loss, w), rtol=1e-12)


def test_slices_of_a_slice_and_of_what_was_computed() -> None:
    def f(x: mr.Tensor) -> mr.Tensor:
        gates = mr.tanh(x)
        i, f, o = (gates[..., 2 * k : 2 * k + 2] for k in range(3))
        return (i * f + o[..., ::-1]).sum() + gates[..., :3][..., 1:].sum() + (gates * x).sum()

    for shape in ((6,), (4, 6)):
        x = mr.tensor(RNG.normal(size=shape), requires_grad=True)
        mr.gradcheck(f, x)
        mr.gradgradcheck(f, x, atol=1e-5)


def test_rows_that_are_looked_up_again_and_again() -> None:
    table = mr.tensor(RNG.normal(size=(5, 3)), requires_grad=True)
    index = RNG.integers(5, size=(20, 4))
    total: Any = 0.0
    for row in index:
        total = total + (mr.take(table, row) ** 2).sum()
    expected = 2 * table.data * np.bincount(index.ravel(), minlength=5)[:, None]
    np.testing.assert_allclose(mr.grad(total, table), expected, rtol=1e-12)


ALL = slice(None)
CUTS: list[tuple[list[Any], tuple[int, list[int]] | None]] = [
    # slices, and whether they tile (4, 3): the axis, and the order in which they stand
    ([slice(2, 4), slice(0, 2)], (0, [1, 0])),
    ([(Ellipsis, slice(1, 3)), (Ellipsis, slice(0, 1))], (1, [1, 0])),
    ([(ALL, slice(0, 2)), (Ellipsis, slice(2, None))], (1, [0, 1])),
    ([slice(None)], (0, [0])),
    ([slice(0, 2), slice(2, 2), slice(2, 4)], (0, [0, 1, 2])),
    ([slice(0, -2), slice(-2, None)], (0, [0, 1])),
    ([slice(0, 2), slice(1, 4)], None),  # overlapping
    ([slice(0, 2), slice(3, 4)], None),  # a gap
    ([slice(1, 4)], None),
    ([slice(0, 3)], None),
    ([slice(0, 4), slice(0, 4)], None),
    ([slice(None, None, 2)], None),
    ([slice(0, 4, 3), slice(4, 4)], None),
    ([slice(None, None, -1)], None),
    ([slice(0, 2), (ALL, slice(0, 3))], None),  # of two axes
    ([slice(0, 4), (ALL, slice(0, 3))], None),
    ([slice(0, 2), (ALL, slice(2, 3))], None),
    ([(slice(0, 2), slice(0, 3)), slice(2, 4)], None),
    ([(0, slice(0, 3))], None),
    ([0, slice(1, 4)], None),
    ([np.array([0, 1, 2, 3])], None),
    ([(ALL, np.array([0, 1, 2]))], None),
    ([(Ellipsis, None, slice(0, 3))], None),
    ([(Ellipsis, ALL, slice(0, 3))], None),
    ([()], None),
    ([Ellipsis], None),
]


@pytest.mark.parametrize(("cuts", "tiles"), CUTS, ids=[str(c) for c, _ in CUTS])
def test_slices_that_tile_are_joined_and_others_are_added(cuts: list[Any], tiles: Any) -> None:
    assert _tiles(tuple(cuts), SHAPE) == tiles
    x = mr.tensor(RNG.normal(size=SHAPE), requires_grad=True)
    expected = np.zeros(SHAPE)
    total: Any = 0.0
    for k, cut in enumerate(cuts, 1):
        total = total + (x[cut] * float(k)).sum()
        np.add.at(expected, cut, float(k))
    np.testing.assert_array_equal(mr.grad(total, x), expected)
    assert mr.grad(total, x).flags.owndata


def test_a_total_that_was_given_away_is_not_added_to() -> None:
    total = Sum(product()[0])
    first = total.dense()
    kept = first.copy()
    total = total + product()[0]
    total.dense()
    np.testing.assert_array_equal(first, kept)


def test_a_wide_contribution_widens_the_sum() -> None:
    narrow = Product(np.ones(4, np.float32), np.ones(3, np.float32))
    total = Sum(narrow)
    total.dense()
    assert (Sum(narrow) + np.ones(SHAPE) + narrow).dense().dtype == np.float64
    assert (Sum(narrow) + product()[0] + narrow).dense().dtype == np.float64
    mixed = Sum(Product(np.ones((600, 4), np.float32), np.ones((600, 3), np.float32)))
    assert (mixed + product(600)[0]).dense().dtype == np.float64
