"""The state machine: going back is exact, watches add up, breakpoints stop where they should, first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import micrornn as mr
from micrornn.debug import columns
from micrornn.debug.columns import size_of
from micrornn.debug.errors import DebuggerError
from micrornn.debug.partial import BLOCK, Partial
from micrornn.debug.session import Session
from micrornn.recording import Recording, record, recording

NAMES = ("loop", "lstm", "rnn")
Recorded = Callable[[str], Recording]
few = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(st.sampled_from(NAMES), st.integers(0, 100), st.integers(1, 60))
def test_n_steps_and_n_reverse_steps_are_the_identity(
    recorded: Recorded, name: str, start: int, n: int
) -> None:
    session = Session(recorded(name))
    size = len(session.line)
    session.execute(f"goto {min(start, size - 1) + 1}")
    n = min(n, size - session.state.position)
    before = session.digest(), session.state.position
    session.execute(f"step {n}")
    assert session.digest() != before[0]
    session.execute(f"rs {n}")
    assert (session.digest(), session.state.position) == before


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_is_the_same_however_one_came_there(recorded: Recorded, name: str) -> None:
    rec = recorded(name)
    there = Session(rec)
    forth = [there.digest()]
    for _ in range(len(there.line)):
        there.execute("step")
        forth.append(there.digest())
    assert len(set(forth)) == len(forth), "two positions look the same"
    back = [there.digest()]
    while there.state.position:
        there.execute("rs")
        back.append(there.digest())
    assert back[::-1] == forth


@few
@given(
    st.lists(
        st.sampled_from(
            [
                "s",
                "n",
                "finish",
                "until tanh",
                "c",
                "rs",
                "rn",
                "rf",
                "ru tanh",
                "rc",
                "goto 3",
                "run",
            ]
        ),
        max_size=12,
    )
)
def test_moves_stay_inside_and_land_where_they_say(recorded: Recorded, words: list[str]) -> None:
    session = Session(recorded("loop"))
    session.execute("break norm < 0.2")
    for word in words:
        before = session.state.position
        try:
            outcome = session.execute(word)
        except DebuggerError:
            assert session.state.position == before
            continue
        assert 0 <= session.state.position <= len(session.line)
        assert outcome.data["position"] == session.state.position
        if word in ("s", "n", "finish", "c", "until tanh"):
            assert session.state.position >= before
        if word in ("rs", "rn", "rf", "rc", "ru tanh"):
            assert session.state.position <= before


@pytest.mark.parametrize("name", NAMES)
def test_a_watch_sees_every_contribution_and_ends_at_the_gradient(
    recorded: Recorded, name: str
) -> None:
    rec = recorded(name)
    parameter = rec.parameters[0]
    session = Session(rec)
    label = session.places.label(parameter)
    session.execute(f"watch {label}.grad")
    seen, shares = [], []
    while True:
        reasons = session.execute("c").data["reasons"]
        if not reasons:
            break
        seen.append(session.moment.gradient(parameter))
        shares.append(reasons[0]["share"])
    assert len(seen) == len(session.line.received[parameter.number])
    np.testing.assert_allclose(seen[-1], rec.gradient(parameter), rtol=1e-12)
    assert sum(shares) == pytest.approx(1)
    back = []
    while session.execute("rc").data["reasons"]:
        back.append(session.state.position)
    assert len(back) == len(seen)


@few
@given(st.integers(0, 20), st.floats(0.3, 3.0), st.floats(1e-6, 2.0))
def test_vanish_and_explode_stop_at_the_first_crossing(
    seed: int, scale: float, limit: float
) -> None:
    rng = np.random.default_rng(seed)
    w = mr.tensor(rng.normal(size=(3, 3)) * scale, requires_grad=True, name="W")
    h = mr.tensor(rng.normal(size=3))
    for t in range(1, 9):
        with mr.scope(t=t):
            h = mr.tanh(w @ h)
    rec = record(mr.sum(h))
    norms = [size_of(p.gradient) for p in rec.passes[0].pullbacks]
    for verb, crossed in (("vanish", lambda x: x < limit), ("explode", lambda x: x > limit)):
        session = Session(rec)
        first = next((i for i, norm in enumerate(norms) if crossed(norm)), len(norms))
        session.execute(f"break {verb} {limit!r}")
        session.execute("run")
        assert session.state.position == first


def test_a_nan_is_found_where_it_is_born_in_both_directions() -> None:
    x = mr.Value(0.0, "x")
    with np.errstate(all="ignore"):
        with mr.scope(t=1):
            y = mr.sqrt(x)
        with mr.scope(t=2):
            z = y * 2.0
        rec = record(z)
    session = Session(rec)
    session.execute("break nan")
    assert "sqrt" in session.execute("run").text
    with np.errstate(all="ignore"):
        forward = Session(record((mr.log(x * 1.0) * 0.0) + 1.0))
    forward.execute("direction forward")
    forward.execute("break nan")
    assert "log" in forward.execute("run").text


def test_what_is_set_goes_on_from_there_as_if_it_had_always_been(recorded: Recorded) -> None:
    rec = recorded("rnn")
    session = Session(rec)
    session.execute("goto h[3]")
    before = session.digest()
    session.execute("scale grad h[3] by 10")
    session.execute("goto h[2]")
    session.execute("set grad h[1] = 0")
    main, branch = session.branches["main"].line, session.line
    turn = main.turn_of(rec.node("h[3]"), 0)
    assert turn is not None
    assert all(branch.amounts[i] is main.amounts[i] for i in range(turn)), "copies were made"
    # h[2] gets its own loss's part, and 10 times what came from h[3].
    own = 2 * rec.value("h[2]")
    wanted = own + 10 * (rec.gradient("h[2]") - own)
    at = branch.turn_of(rec.node("h[2]"), 0)
    np.testing.assert_allclose(branch.amounts[at], wanted)
    at = branch.turn_of(rec.node("h[1]"), 0)
    assert not np.any(branch.amounts[at])
    session.execute("switch main")
    session.execute("goto h[3]")
    assert session.digest() == before


def test_a_change_further_on_survives_one_made_before_it(recorded: Recorded) -> None:
    session = Session(recorded("rnn"))
    session.execute("set grad h[1] = 0")
    session.execute("scale grad h[4] by 2")
    node = session.rec.node("h[1]")
    assert not np.any(session.line.amounts[session.line.turn_of(node, 0)])


def test_sums_are_the_same_whatever_was_asked_before() -> None:
    rng = np.random.default_rng(0)
    parts = list(rng.normal(size=3 * BLOCK + 7))
    asked = [1, BLOCK, BLOCK + 1, 2 * BLOCK - 1, 3 * BLOCK, len(parts)]
    alone = {k: Partial(parts).upto(k) for k in asked}
    together = Partial(parts)
    assert {k: together.upto(k) for k in reversed(asked)} == alone
    assert alone[len(parts)] == pytest.approx(sum(parts))


def test_many_passes_are_gone_through_in_order() -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec:
        for t in (1, 2, 3):
            with mr.scope(t=t):
                mr.tanh(w * float(t)).backward()
    session = Session(rec)
    session.execute("watch w.grad")
    seen = []
    while session.execute("c").data["reasons"]:
        seen.append(session.moment.gradient(rec.parameters[0]))
    assert len(seen) == 3
    assert seen[-1] == pytest.approx(w.grad)
    session.execute("goto 1")
    session.execute("set grad #4 = 0")  # the tanh of the first pass
    assert session.execute("diff").data["first"] == 0


def test_hundred_thousand_pullbacks_need_no_python_for_each_stop() -> None:
    w, h = mr.Value(0.9999, "w"), mr.tensor(1.0)
    for t in range(1, 20001):
        with mr.scope(t=t):
            h = mr.tanh(w * h)
    session = Session(record(h))
    session.execute("break t=1")
    assert session.execute("c").data["node"]["step"] == 1
    kept = session.line._partials
    session.execute("watch w.grad")
    for _ in range(20):
        session.execute("rc")
    assert sum(len(partial._kept) for partial in kept.values()) <= 17, "memory grows with stops"


def test_an_interrupted_command_leaves_the_state_as_it_was(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(recorded("loop"))
    before = session.state
    monkeypatch.setattr(columns, "size_of", lambda x: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        session.execute("break norm < 1")
    assert session.state is before
    monkeypatch.undo()
    session.execute("break norm < 1")


def test_without_backward_there_is_the_forward_pass_and_a_clear_word() -> None:
    w = mr.Value(0.5, "w")
    with recording() as rec, mr.scope(t=1):
        mr.tanh(w * 2.0)
    session = Session(rec)
    assert session.state.direction == "forward"
    with pytest.raises(DebuggerError, match="backward has not run"):
        session.execute("print w.grad")
    with pytest.raises(DebuggerError, match="backward has not run"):
        session.execute("direction backward")


def test_a_check_of_a_node_with_very_many_inputs_takes_a_few_of_them() -> None:
    w = mr.Value(0.5, "w")
    session = Session(record(mr.sum(mr.stack([w * float(i) for i in range(3000)]))))
    answer = session.execute("check stack").text
    assert "10 of its 3000 inputs" in answer
    assert "WRONG" not in answer


def test_an_empty_graph_is_refused() -> None:
    with pytest.raises(DebuggerError, match="nothing to step through"):
        Session(Recording([mr.Value(1.0)]))
