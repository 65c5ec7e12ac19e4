"""A trainer whose objective is a program: the same training, and what makes it go on eagerly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn, optim
from micrornn.data.feeds import Batch, Drawn
from micrornn.training import Computed, Trainer, Truncation, by_step


def trainer(compile: str, steps: Any = lambda k: 6, objective: Any = None) -> Trainer:
    net = nn.RNN(2, 3, rng=0)
    count = iter(range(10**6))

    def draw(rng: np.random.Generator) -> Batch:
        t = steps(next(count))
        return Batch(rng.normal(size=(t, 4, 2)), rng.normal(size=(t, 4, 3)))

    return Trainer(
        net,
        optim.Adam(net.parameters(), lr=0.01),
        Drawn(draw, seed=1),
        objective(net) if objective else by_step(net, nn.functional.mse_loss),
        clip_norm=1.0,
        compile=compile,
    )


def test_the_training_is_the_same() -> None:
    ours, eager = (trainer(mode).run(20) for mode in ("on", "off"))
    assert [a.loss for a in ours] == pytest.approx([b.loss for b in eager], rel=1e-9)
    assert [a.norm for a in ours] == pytest.approx([b.norm for b in eager], rel=1e-9)
    assert ours[-1].losses == pytest.approx(eager[-1].losses, rel=1e-9)


def test_numba_trains_the_same_with_loops_as_machine_code() -> None:
    pytest.importorskip("numba")
    numba, eager = trainer("numba"), trainer("off")
    ours, theirs = numba.run(5), eager.run(5)
    assert [a.loss for a in ours] == pytest.approx([b.loss for b in theirs], rel=1e-9)
    assert numba.compiled is not None and "@njit" in numba.compiled.run.text()


def test_numba_that_is_not_installed_is_said_before_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("micrornn.compiler.step.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs Numba\. Install it: pip install"):
        trainer("numba")


def test_auto_goes_on_eagerly_where_every_batch_has_another_length() -> None:
    auto = trainer("auto", steps=lambda k: 3 + k)
    auto.run(10)
    assert auto.compiled is not None and "programs were written" in auto.compiled.why


def test_auto_goes_on_eagerly_where_the_objective_branches() -> None:
    def branching(net: Any) -> Any:
        def objective(batch: Batch, state: Any) -> Computed:
            outputs, state = net(list(batch.inputs), state)
            total = mr.stack(outputs).mean()
            return Computed([total], total if total.item() > 0 else total * total, state)

        return objective

    auto = trainer("auto", objective=branching)
    auto.run(3)
    assert auto.compiled is not None and "decides something" in auto.compiled.why
    with pytest.raises(mr.CompileError):
        trainer("on", objective=branching).run(1)


def test_what_excludes_compiling() -> None:
    with pytest.raises(ValueError, match="give 'auto', 'on', 'off' or 'numba'"):
        trainer("always")
    net = nn.RNN(2, 3, rng=0)
    arguments: Any = (net, optim.SGD(net.parameters(), lr=0.1), None, by_step(net))
    with pytest.raises(ValueError, match="is eager; leave compile out"):
        Trainer(*arguments, truncation=Truncation(2, 2), compile="on")
    with pytest.raises(ValueError, match="is eager; leave compile out"):
        Trainer(*arguments, truncation=Truncation(2, 2), compile="numba")
    assert Trainer(*arguments, truncation=Truncation(2, 2), compile="auto").compiled is None
