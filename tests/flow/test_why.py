"""One run for each verdict, and that `why` finds it, live and loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import micrornn as mr
from micrornn import flow, nn
from micrornn.core.tensor import Tensor
from micrornn.debug.branch import rerun
from micrornn.flow.failures import FAILURES, record_failure
from micrornn.flow.verdicts import VERDICTS
from micrornn.flow.why import why
from micrornn.recording import Recording, RecordingError, load_recording, recording


class Case(NamedTuple):
    make: Callable[[], Recording]
    ask: str
    verdict: str
    says: str  # some of the evidence
    at: str = ""  # label of the node
    gate: str | None = None


def loop(step: Callable[[Tensor], Tensor], steps: int = 6, backward: bool = True) -> Recording:
    """h_t = step(h_{t-1}) from h_0 = 0.5, and the last h is the loss."""
    with recording() as rec:
        with mr.scope(t=0):
            h = mr.tensor([0.5], name="h")
        for t in range(1, steps + 1):
            with mr.scope("rnn", t=t):
                h = step(h)
                h.name = "h"
        with mr.scope("loss", t=steps):
            loss = h.sum()
        if backward:
            loss.backward()
    return rec


def weight(value: float = 0.9) -> Tensor:
    return mr.tensor([value], requires_grad=True, name="w")


def not_run() -> Recording:
    w = weight()
    return loop(lambda h: w * h, backward=False)


def not_on_a_path() -> Recording:
    w, v = weight(), mr.tensor([1.0], requires_grad=True, name="v")
    with recording() as rec:
        with mr.scope(t=1):
            unused = mr.tanh(v * 2.0)
            unused.name = "unused"
        with mr.scope(t=2):
            (w * 2.0).sum().backward()
    return rec


def not_on_a_path_beside_a_cut() -> Recording:
    w, v = weight(), mr.tensor([1.0], requires_grad=True, name="v")
    with recording() as rec, mr.scope("step", t=1):
        unused = mr.tanh(v * 2.0)
        unused.name = "unused"
        (mr.tanh(w).detach() * w).sum().backward()
    return rec


def detached() -> Recording:
    w = weight()
    with recording() as rec, mr.scope("attention", t=3):
        features = w * 2.0
        features.name = "features"
        query = mr.tanh(features.detach() * mr.tensor([3.0], requires_grad=True, name="v"))
        query.sum().backward()
    return rec


def truncated() -> Recording:
    w = weight()
    with recording() as rec:
        with mr.scope(t=0):
            h = mr.tensor([0.5], name="h")
        for t in range(1, 10):
            if t in (4, 7):
                h = h.detach()
            with mr.scope("rnn", t=t):
                h = mr.tanh(w * h + 0.1)
                h.name = "h"
        h.sum().backward()
    return rec


def truncated_in_chunks() -> Recording:
    lstm = nn.LSTM(2, 3, rng=0)
    with recording() as rec:
        with mr.scope("first chunk"):
            _, state = lstm([np.ones(2)] * 3)
        with mr.scope("second chunk"):
            output, _ = lstm([np.ones(2)] * 3, tuple(s.detach() for s in state))
        output[-1].sum().backward()
    return rec


def truncated_and_counted_anew() -> Recording:
    w = weight()
    with recording() as rec:
        with mr.scope("rnn", t=0):
            h = mr.tensor([0.5], name="h")
        for chunk in (1, 2):
            with mr.scope(f"chunk {chunk}", t=0):
                h = h.detach()
            for t in (1, 2, 3):
                with mr.scope(f"chunk {chunk}", t=t):
                    h = mr.tanh(w * h + 0.1)
                    h.name = "h"
        h.sum().backward()
    return rec


def masked() -> Recording:
    w = weight()

    def step(h: Tensor) -> Tensor:
        new = mr.tanh(w * h)
        new.name = "new"
        return mr.where([False], new, h)

    return loop(step, steps=2)


def padded() -> Recording:
    lstm = nn.LSTM(2, 3, rng=0)
    readout = nn.Linear(3, 2, rng=1)
    with recording() as rec:
        output, _ = lstm([np.ones(2)] * 4)
        logits = nn.each_step(readout, output)
        targets = [[1], [0], [-100], [-100]]
        parts = []
        for t in range(1, 5):
            with mr.scope("loss", t=t):
                row = mr.reshape(logits[t - 1], (1, 2))
                part = nn.functional.cross_entropy(row, targets[t - 1], reduction="sum")
                part.name = "loss"
            parts.append(part)
        mr.stack(parts).sum().backward()
    return rec


def dropped() -> Recording:
    w = weight()
    mask = mr.tensor([0.0], name="dropout mask")

    def step(h: Tensor) -> Tensor:
        return mr.tanh(w * h) * mask

    return loop(step, steps=2)


def zero_initial_state() -> Recording:
    rnn = nn.RNN(2, 3, rng=0)
    with recording() as rec:
        output, _ = rnn([np.ones(2)])
        output[0].sum().backward()
    return rec


def zero_readout() -> Recording:
    rnn, readout = nn.RNN(2, 3, rng=0), nn.Linear(3, 1, rng=0)
    readout.weight.data = np.zeros((1, 3))
    with recording() as rec:
        output, _ = rnn([np.ones(2)] * 3)
        readout(output[-1]).sum().backward()
    return rec


def saturated_exactly() -> Recording:
    w = weight(60.0)
    return loop(lambda h: mr.tanh(w * h), steps=3)


def dead_relu() -> Recording:
    w = weight(-1.0)
    return loop(lambda h: mr.relu(w * h), steps=1)


def saturated_gate() -> Recording:
    lstm = nn.LSTM(1, 1, rng=0, gates="separate")
    with recording() as rec:
        x = mr.tensor([[9.0]] * 4)
        for name, parameter in lstm.named_parameters():
            parameter.data = np.full(parameter.shape, 1.0 if "bias" not in name else 0.0)
        output, _ = lstm(x)
        output[-1].sum().backward()
    return rec


def cancelled_exactly() -> Recording:
    w = weight()
    with recording() as rec, mr.scope("readout", t=1):
        y = mr.tanh(w)
        y.name = "y"
        (y * 3.0 - y * 3.0).sum().backward()
    return rec


def cancelled_nearly() -> Recording:
    w = weight()
    with recording() as rec, mr.scope("readout", t=1):
        y = w * 1.0
        y.name = "y"
        (y * 3.0 - y * 2.99999).sum().backward()
    return rec


def shrunk() -> Recording:
    w = weight(0.3)
    return loop(lambda h: w * h, steps=12)


def shrunk_by_forgetting() -> Recording:
    return record_failure("forgetful")


def underflowed() -> Recording:
    w = weight(1e-30)
    return loop(lambda h: w * h, steps=14)


def underflowed_in_part() -> Recording:
    w = mr.tensor(np.array([1e-10], "float32"), requires_grad=True, name="w")
    with recording() as rec:
        h = mr.tensor(np.array([1.0], "float32"), name="h")
        for t in range(1, 6):
            with mr.scope("rnn", t=t):
                h = w * h
                h.name = "h"
        h.sum().backward()
    return rec


def grown() -> Recording:
    w = weight(3.0)
    return loop(lambda h: w * h, steps=12)


def inf_forward() -> Recording:
    w = weight(1e200)
    with np.errstate(all="ignore"):
        return loop(lambda h: w * h, steps=3)


def nan_backward() -> Recording:
    w = weight(0.0)
    with recording() as rec, mr.scope("norm", t=2), np.errstate(all="ignore"):
        (mr.sqrt(w * w) * 2.0).sum().backward()
    return rec


def healthy_in_a_long_mean() -> Recording:
    w = weight(0.1)
    with recording() as rec:
        h = mr.tensor([0.5])
        losses = []
        for t in range(1, 5001):
            with mr.scope("rnn", t=t):
                h = mr.tanh(w * h)
                h.name = "h"
                losses.append(h.sum())
        mr.stack(losses).mean().backward()
    return rec


def nan_backward_beside_an_infinite_mask() -> Recording:
    w = mr.tensor([0.0, 1.0, 2.0], requires_grad=True, name="w")
    with recording() as rec, mr.scope("attention", t=2), np.errstate(all="ignore"):
        weights = mr.softmax(w + np.array([0.0, 0.0, -np.inf]))
        (weights.sum() + mr.sqrt(w * w).sum()).backward()
    return rec


def nan_of_an_infinite_input() -> Recording:
    w = weight()
    with recording() as rec, mr.scope("own", t=1), np.errstate(all="ignore"):
        x = mr.tensor([np.inf], name="x")
        y = w * x
        (y - y * 2.0).sum().backward()
    return rec


def healthy() -> Recording:
    w = weight(0.9)
    return loop(lambda h: mr.tanh(w * h), steps=4)


def changed(by: float, at: str = "h[3]") -> Callable[[], Recording]:
    """A loop whose gradient at one state was replaced on its arrival, as a what-if of the debugger does."""

    def make() -> Recording:
        w = weight(0.9)
        rec = loop(lambda h: w * h)
        turn = next(i for i, p in enumerate(rec.passes[0].pullbacks) if p.node is rec.node(at))
        return Recording(rec.graph.outs, [rerun(rec.passes[0], turn, lambda g: g * by, {})])

    return make


CASES = {
    "not run": Case(not_run, "h[1]", "backward not run", "No backward pass was recorded"),
    "no path": Case(
        not_on_a_path,
        "v",
        "not on a path to the loss",
        "ends in unused[1], which no loss uses",
        "mul[1]",
    ),
    "no path, beside a cut": Case(
        not_on_a_path_beside_a_cut, "v", "not on a path to the loss", "ends in unused[1]"
    ),
    "truncated, counted anew": Case(
        truncated_and_counted_anew, "chunk 1/h[2]", "outside the truncation window", "as data"
    ),
    "nan backward, beside an infinite mask": Case(
        *(nan_backward_beside_an_infinite_mask, "w", "NaN or inf born here"),
        *("Backward: a gradient of norm", "sqrt[2]"),
    ),
    "nan of an infinite input": Case(
        *(nan_of_an_infinite_input, "w", "NaN or inf born here", "Forward: NaN came out of sub"),
        "sub[1]",
    ),
    "detached": Case(detached, "w", "detached here", "features[3] as data", "features[3]"),
    "truncated": Case(
        truncated, "h[2]", "outside the truncation window", "cut after the steps 3, 6", "h"
    ),
    "truncated, in chunks": Case(
        truncated_in_chunks, "first chunk/lstm.0/h[2]", "outside the truncation window", "as data"
    ),
    "masked": Case(masked, "new[2]", "masked or padded", "chose the other value", "h[2]"),
    "padded": Case(padded, "h[4]", "masked or padded", "padding", "L[4]"),
    "dropped": Case(dropped, "w", "masked or padded", "multiplied by dropout mask", "h[2]"),
    "zero initial state": Case(
        zero_initial_state,
        "weight_hh_l0",
        "multiplied by an exact zero",
        "the initial state h[0], which is all zero",
        "linear[1]",
    ),
    "zero readout": Case(
        zero_readout, "h[3]", "multiplied by an exact zero", "the weight weight, which is all zero"
    ),
    "saturated exactly": Case(
        saturated_exactly, "h[1]", "saturated", "its derivative exactly 0", "h[3]"
    ),
    "dead relu": Case(dead_relu, "w", "saturated", "relu is flat", "h[1]"),
    "saturated gate": Case(
        saturated_gate, "lstm.0/candidate/g[1]", "arrived in full", "within a factor of 1,000"
    ),
    "cancelled exactly": Case(cancelled_exactly, "y[1]", "cancelled", "exactly 0", "y[1]"),
    "cancelled nearly": Case(cancelled_nearly, "y[1]", "cancelled", "nearly cancel", "y[1]"),
    "shrunk": Case(shrunk, "h[0]", "shrunk hop by hop", "12 hops, each by a factor of 0.3"),
    "shrunk by forgetting": Case(
        *(shrunk_by_forgetting, "h[1]", "shrunk hop by hop", "multiplied by the forget gate, 0.49"),
        gate="forget gate",
    ),
    "underflowed": Case(underflowed, "h[0]", "underflowed", "Scaled up it would not be 0", "h[4]"),
    "underflowed in part": Case(
        underflowed_in_part, "h[1]", "underflowed", "what is left of it is rounding", "h[1]"
    ),
    "grown": Case(grown, "h[0]", "grown hop by hop", "12 hops, each by a factor of 3"),
    "inf forward": Case(
        inf_forward, "h[0]", "NaN or inf born here", "Forward: inf came out of mul", "h[2]"
    ),
    "nan backward": Case(
        nan_backward, "w", "NaN or inf born here", "Backward: a gradient of norm 2", "sqrt[2]"
    ),
    "healthy, in a long mean": Case(
        healthy_in_a_long_mean, "h[1]", "arrived in full", "within a factor of 1,000"
    ),
    "healthy": Case(healthy, "h[1]", "arrived in full", "within a factor of 1,000"),
    "set to zero": Case(
        changed(0.0), "h[1]", "changed by hand", "went on with a gradient of exactly 0", "h[3]"
    ),
    "scaled down": Case(
        changed(1e-6), "h[1]", "changed by hand", "went on with a gradient of norm 7.29e-07", "h[3]"
    ),
    "scaled up": Case(changed(1e6), "h[3]", "changed by hand", "add up to norm 0.729", "h[3]"),
    "few uses": Case(
        lambda: record_failure("detached"), "W_hh", "arrived from few uses", "9 of its 10 uses"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_verdict(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    rec = case.make()
    answer = why(rec, case.ask)
    assert answer.verdict == case.verdict, str(answer)
    assert case.says in " ".join(answer.evidence), str(answer)
    if case.at:
        assert answer.as_dict()["node"] == case.at.replace("L[", "loss["), str(answer)
    if case.gate:
        assert answer.gate == case.gate
    if answer.node is not None and answer.node.inputs:
        assert answer.source and answer.source[0].endswith(("test_why.py", "failures.py"))
    assert str(answer).startswith(f"{answer.label} (")
    rec.save(tmp_path / "run.mrn")
    again = why(load_recording(tmp_path / "run.mrn"), case.ask)
    mine, theirs = answer.as_dict(), again.as_dict()
    for one in (mine, theirs):
        one.pop("source")
    assert repr(mine) == repr(theirs)


def test_every_verdict_has_a_run() -> None:
    assert {case.verdict for case in CASES.values()} == set(VERDICTS)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("vanishing", "shrunk hop by hop"),
        ("exploding", "grown hop by hop"),
        ("forgetful", "shrunk hop by hop"),
        ("nan", "NaN or inf born here"),
        ("detached", "detached here"),
        ("saturated", "saturated"),
    ],
)
def test_built_in_failures(name: str, verdict: str) -> None:
    with np.errstate(all="ignore"):
        ask = FAILURES[name]().ask
    answer = why(record_failure(name), ask)
    assert answer.verdict == verdict, str(answer)
    assert json.loads(json.dumps(answer.as_dict(), allow_nan=False))["verdict"] == verdict


def test_the_powers_are_exact() -> None:
    assert why(record_failure("vanishing"), "h[0]").norm == 0.5**50
    assert why(record_failure("exploding"), "h[0]").norm == 2.0**50


def test_an_unknown_target_and_an_unknown_failure_say_what_there_is() -> None:
    with pytest.raises(RecordingError, match=r"no node 'q'.*There are: .*w"):
        why(shrunk(), "q")
    with pytest.raises(RecordingError, match="vanishing, exploding"):
        record_failure("burning")


def test_what_was_lost_at_each_cut() -> None:
    rec = truncated()
    first, second = flow.cut_places(rec)
    assert first.source is not None and first.source.step == 3 and first.norm is None
    assert second.source is not None and second.source.step == 6 and second.truncation
    whole, w, h = [], weight(), mr.tensor([0.5])
    for t in range(1, 10):
        h = mr.tanh(w * (h.detach() if t == 4 else h) + 0.1)
        whole.append(h)
    assert second.norm == pytest.approx(float(mr.grad(h.sum(), whole[5])[0]), rel=1e-12)
