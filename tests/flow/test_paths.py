"""Classes of paths, and the heaviest single ones: they add up, and they are the right ones."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from flow.random_graphs import Drawn, drawn_runs, run
from hypothesis import given, settings

import micrornn as mr
from micrornn import nn
from micrornn.core.tensor import Tensor
from micrornn.flow.heaviest import heaviest_paths, routes_to
from micrornn.flow.paths import paths
from micrornn.flow.pieces import assemble, one
from micrornn.flow.series import series
from micrornn.flow.stacked import pull_rows
from micrornn.flow.traffic import Traffic
from micrornn.recording import Recording, RecordingError, record

quick = settings(max_examples=30, deadline=None)
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def targets(drawn: Drawn) -> list[Tensor]:
    states = series(drawn.rec, "h")
    return [states[0], states[-1], drawn.rec.parameters[0], drawn.rec.parameters[-1]]


@quick
@given(drawn_runs())
def test_classes_add_up(drawn: Drawn) -> None:
    for target in targets(drawn):
        whole = Traffic(drawn.rec, target).gradient
        for by in ("first", "last"):
            split = paths(drawn.rec, target, by=by)  # type: ignore[arg-type]
            assert len(set(split.classes)) == len(split.classes)
            if whole is None:
                assert split.classes == []
                continue
            np.testing.assert_allclose(split.parts.sum(axis=0), whole, **CLOSE)
            if np.abs(whole).max() > 1e-300:
                room = max(1.0, np.abs(split.shares).max())
                np.testing.assert_allclose(split.shares.sum(), 1.0, rtol=1e-10 * room)


@quick
@given(drawn_runs())
def test_the_heaviest_paths_and_the_rest_add_up(drawn: Drawn) -> None:
    for target in targets(drawn):
        whole = Traffic(drawn.rec, target).gradient
        for beam in (1, 64):
            found = heaviest_paths(drawn.rec, target, k=2, beam=beam)
            parts = sum((p.gradient for p in found.paths), found.rest)
            np.testing.assert_allclose(
                parts, np.zeros(target.shape) if whole is None else whole, **CLOSE
            )
            for path in found.paths:
                assert len(path.factors) == len(path.nodes) - 1
            if whole is not None and np.abs(whole).max() > 1e-300:
                shares = np.array([*(p.share for p in found.paths), found.rest_share])
                room = max(1.0, np.abs(shares).max())
                np.testing.assert_allclose(shares.sum(), 1.0, rtol=1e-10 * room)


def every_path(rec: Recording, target: Tensor) -> dict[tuple[str, ...], Any]:
    """All paths over states, one by one: what no product of ours would do."""
    found: dict[tuple[str, ...], Any] = {}

    def walk(node: Tensor, g: Any, way: tuple[Tensor, ...]) -> None:
        if node is target:
            key = tuple(f"{n.name}[{n.step}]" for n in way)
            found[key] = found.get(key, 0.0) + g
            return
        if node.name in ("h", "c"):
            way = (*way, node)
        for slot, x in enumerate(node.inputs):
            piece = pull_rows(node, one(g), [slot])[0]
            walk(x, assemble([piece], x.shape).values[0], way)

    walk(rec.passes[0].out, np.asarray(1.0), ())
    return found


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "attention", "residual"])
def test_against_every_path(kind: str) -> None:
    drawn = run(kind, 3, 2, 1, "stacked", "sum", np.random.default_rng(3))
    target = series(drawn.rec, "h")[0]
    by_hand = every_path(drawn.rec, target)
    found = heaviest_paths(drawn.rec, target, k=len(by_hand) + 3, beam=1000)
    ours = {tuple(p.nodes[1:-1]): p for p in found.paths}
    assert set(ours) == set(by_hand)
    for way, gradient in by_hand.items():
        np.testing.assert_allclose(ours[way].gradient, gradient, **CLOSE)
        product = float(np.prod(ours[way].factors))
        np.testing.assert_allclose(product, np.linalg.norm(gradient), **CLOSE)
    assert not np.abs(found.rest).max() > 1e-15
    sizes = [p.norm for p in found.paths]
    assert all(a >= b for a, b in pairwise(sizes))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "attention", "residual"])
def test_both_in_one_walk_are_both(kind: str) -> None:
    drawn = run(kind, 4, 2, 1, "stacked", "sum", np.random.default_rng(5))
    target = series(drawn.rec, "h")[0]
    heaviest, kinds = routes_to(drawn.rec, target, 3, beam=4)
    alone, split = heaviest_paths(drawn.rec, target, 3, beam=4), paths(drawn.rec, target)
    assert [p.nodes for p in heaviest.paths] == [p.nodes for p in alone.paths]
    for ours, theirs in zip(heaviest.paths, alone.paths):
        np.testing.assert_allclose(ours.gradient, theirs.gradient, **CLOSE)
    np.testing.assert_allclose(heaviest.rest, alone.rest, **CLOSE)
    assert heaviest.left_out == alone.left_out
    assert kinds.classes == split.classes
    np.testing.assert_allclose(kinds.parts, split.parts, **CLOSE)


def test_what_was_not_followed_is_said() -> None:
    drawn = run("lstm", 4, 2, 1, "stacked", "sum", np.random.default_rng(6))
    target = series(drawn.rec, "h")[0]
    narrow, wide = (heaviest_paths(drawn.rec, target, k=2, beam=beam) for beam in (2, 1000))
    assert "the 2 heaviest partial paths were followed further" in str(narrow)
    assert narrow.left_out > 0
    assert wide.left_out == 0
    assert wide.followed == ""


def test_with_one_unit_a_narrow_beam_finds_the_heaviest() -> None:
    drawn = run("lstm", 4, 1, 1, "stacked", "sum", np.random.default_rng(4))
    target = series(drawn.rec, "c")[0]
    by_hand = every_path(drawn.rec, target)
    best = sorted((abs(float(g.sum())) for g in by_hand.values()), reverse=True)[:3]
    found = heaviest_paths(drawn.rec, target, k=3, beam=3)
    np.testing.assert_allclose([p.norm for p in found.paths], best, **CLOSE)


@pytest.mark.parametrize("gates", ["stacked", "separate"])
def test_the_highway_of_an_lstm_is_the_product_of_its_forget_gates(gates: str) -> None:
    lstm = nn.LSTM(2, 3, gates=gates, rng=0)
    x = np.random.default_rng(0).normal(size=(5, 2))

    def forward() -> Tensor:
        _, (_, c) = lstm([*x])
        return c.sum()

    rec = record(forward)
    split = paths(rec, "c[0]")
    highway = split.parts[split.classes.index("highway")]
    forget = np.prod([n._value for n in rec.find("f", exact=True)], axis=0)
    np.testing.assert_allclose(highway, forget, **CLOSE)
    # The loss is on c: a path can come to an output gate only by way of another gate.
    assert set(split.classes) == {"highway", "forget gate", "input gate", "candidate"}
    assert set(paths(rec, "c[0]", by="last").classes) == {*split.classes, "output gate"}


def test_the_highway_of_a_gru_is_the_product_of_its_update_gates() -> None:
    gru = nn.GRU(2, 3, rng=0)
    x = np.random.default_rng(0).normal(size=(4, 2))
    rec = record(lambda: gru([*x])[0][-1].sum())
    split = paths(rec, "h[0]")
    update = np.prod([n._value for n in rec.find("z", exact=True)], axis=0)
    np.testing.assert_allclose(split.parts[split.classes.index("highway")], update, **CLOSE)
    # The reset gate stands behind the candidate.
    assert set(split.classes) == {"highway", "update gate", "candidate"}
    assert set(paths(rec, "h[0]", by="last").classes) == {*split.classes, "reset gate"}


def test_the_highway_of_a_residual_net_is_the_skip() -> None:
    drawn = run("residual", 4, 3, 1, "stacked", "last", np.random.default_rng(0))
    split = paths(drawn.rec, "h[0]")
    assert split.classes == ["highway", "through tanh"]
    seed = drawn.rec.passes[0].gradient(series(drawn.rec, "h")[-1])
    np.testing.assert_allclose(split.parts[0], seed, **CLOSE)


def test_attention_by_its_values_and_by_its_weights() -> None:
    w = mr.tensor([0.3, -0.2], requires_grad=True, name="scores")
    v = mr.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True, name="v")

    def forward() -> Tensor:
        with mr.scope("attention", t=1):
            scores = (v * w).sum(axis=-1)
            weights = mr.softmax(scores)
            return (mr.expand_dims(weights, -1) * v).sum() + v.sum()

    rec = record(forward)
    split = paths(rec, "v")
    parts = dict(zip(split.classes, split.parts))
    assert set(parts) == {"highway", "attention weights", "attention values"}
    np.testing.assert_allclose(parts["highway"], np.ones((2, 2)))
    p = np.exp(v.data @ w.data) / np.exp(v.data @ w.data).sum()
    np.testing.assert_allclose(parts["attention values"], np.outer(p, [1, 1]), **CLOSE)


def test_a_path_that_ends_at_an_activation_has_not_gone_through_it() -> None:
    drawn = run("rnn", 4, 3, 1, "stacked", "last", np.random.default_rng(0))
    *_, before, last = series(drawn.rec, "h")
    assert paths(drawn.rec, last).classes == ["highway"]
    assert paths(drawn.rec, before).classes == ["through tanh"]


def test_classes_of_ones_own() -> None:
    drawn = run("rnn", 4, 2, 1, "stacked", "last", np.random.default_rng(0))
    split = paths(drawn.rec, "h[1]", classes={"late": lambda n: n.step == 4})
    assert split.classes == ["late"]
    with pytest.raises(RecordingError, match="no node 'q'"):
        paths(drawn.rec, "q")
