"""The sum rules: whatever the graph, the parts of a gradient add up to it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from flow.random_graphs import KINDS, Drawn, drawn_runs, run
from hypothesis import given, settings
from well_formed import verify

import micrornn as mr
from micrornn.flow.by_loss import ledger_by_loss
from micrornn.flow.credit import NO_PATH, NOT_APPLICABLE, credit
from micrornn.flow.ledger import Ledger, ledger, ledgers
from micrornn.flow.series import series
from micrornn.recording import record

quick = settings(max_examples=40, deadline=None)
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def make_one(shares: Any, own: Ledger, whole: Any = 1.0, more: Any = ()) -> None:
    """Shares add up, to the digits that they have: parts that cancel are many times the whole.

    What cancelled further up, in the gradient that arrived, leaves an error in units of 1, not of the whole.
    """
    parts = (sum(use.norm for use in own.uses) + float(np.nansum(more))) / own.norm
    largest = max(1.0, parts, np.abs(shares).max(initial=0.0))
    np.testing.assert_allclose(
        *(np.sum(shares, axis=0), whole),
        rtol=1e-10 * largest,
        atol=1e-12 * largest + 1e-14 / own.norm,
    )


def test_every_kind_is_what_it_says() -> None:
    for kind in KINDS:
        rng = np.random.default_rng(0)
        drawn = run(kind, 4, 3, 2, "separate", "mean", rng)
        verify(drawn.rec.graph)
        assert series(drawn.rec, "h")


@quick
@given(drawn_runs())
def test_the_ledger_adds_up(drawn: Drawn) -> None:
    found = ledgers(drawn.rec)
    assert found
    for name, own in found.items():
        gradient = drawn.rec.gradient(name)
        np.testing.assert_allclose(own.total, gradient, **CLOSE)
        parts = sum(own.contribution(step) for step in own.steps)
        np.testing.assert_allclose(parts, gradient, **CLOSE)
        if own.norm:
            make_one(own.shares, own)
            make_one(np.array([use.share for use in own.uses]), own)
            if own.gates:
                make_one(own.gate_shares.T, own, own.shares)
        for step, size in zip(own.steps, own.norms):
            np.testing.assert_allclose(np.linalg.norm(own.contribution(step)), size, **CLOSE)


@quick
@given(drawn_runs())
def test_a_step_of_the_ledger_is_the_gradient_of_that_copy(drawn: Drawn) -> None:
    """Differentiated by hand: only the contributions that the nodes of one step sent."""
    for name, own in ledgers(drawn.rec).items():
        leaf = drawn.rec.node(name)
        for step in own.steps:
            by_hand = np.zeros(leaf.shape)
            direct = True
            for walked in drawn.rec.passes:
                for pullback, slot in walked.received.get(leaf.number, ()):
                    direct = direct and pullback.node.step is not None
                    if pullback.node.step == step:
                        by_hand = by_hand + pullback.contribution(slot)
            if direct:
                np.testing.assert_allclose(own.contribution(step), by_hand, **CLOSE)


@quick
@given(drawn_runs())
def test_both_readings_agree_in_total(drawn: Drawn) -> None:
    for name, own in ledgers(drawn.rec).items():
        if not own.norm:
            continue
        other = ledger_by_loss(drawn.rec, name)
        np.testing.assert_allclose(other.norm, own.norm, **CLOSE)
        make_one(other.shares, own, more=other.norms)
        make_one(other.both, own, own.shares, other.norms)
        leaf = drawn.rec.node(name)
        for loss, size in zip(drawn.rec.losses, other.norms):
            alone = mr.grad(loss, leaf)
            weight = drawn.rec.gradient(loss)
            expected = 0.0 if alone is None else np.linalg.norm(np.asarray(alone) * weight)
            np.testing.assert_allclose(size, expected, **CLOSE)


@quick
@given(drawn_runs())
def test_the_credit_map_is_what_separate_backward_passes_say(drawn: Drawn) -> None:
    nodes = series(drawn.rec, "h")
    found = credit(drawn.rec, "h")
    assert found.norms.shape == (len(drawn.losses), len(nodes))
    for t, loss in enumerate(drawn.rec.losses):
        wanted = [n for n in nodes if n.requires_grad]
        separate = dict(zip([n.number for n in wanted], mr.grad(loss, wanted)))
        for k, node in enumerate(nodes):
            if node.number not in separate:
                continue  # the initial state is data: a backward pass does not go there
            expected = separate[node.number]
            if expected is None:
                assert np.isnan(found.norms[t, k])
                later = None not in (node.step, loss.step) and node.step > loss.step
                assert found.states[t, k] == (NOT_APPLICABLE if later else NO_PATH)
            else:
                np.testing.assert_allclose(found.norms[t, k], np.linalg.norm(expected), **CLOSE)


@quick
@given(drawn_runs(kinds=("rnn", "lstm", "gru", "stacked", "masked", "attention")))
def test_credit_reaches_inputs_and_initial_states(drawn: Drawn) -> None:
    """They want no gradient, so backward says nothing of them unless they are made to."""
    for name in ("x", "h"):
        nodes = series(drawn.rec, name)
        found = credit(drawn.rec, name)
        first = nodes[0]
        assert not first.requires_grad
        first.requires_grad = True
        for t, loss in enumerate(drawn.rec.losses):
            expected = mr.grad(loss, first)
            if expected is None:
                assert found.states[t, 0] in (NO_PATH, NOT_APPLICABLE)
            else:
                np.testing.assert_allclose(found.norms[t, 0], np.linalg.norm(expected), **CLOSE)
        first.requires_grad = False


def test_of_an_infinite_gradient_the_shares_are_nan_without_a_warning() -> None:
    w = mr.tensor(1e200, requires_grad=True)
    with np.errstate(over="ignore"):  # without micrornn/fast, NumPy says that it overflows
        rec = record(w * w * w)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(ledger(rec, w).shares).all()
