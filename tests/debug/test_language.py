"""The command language: whatever is typed is carried out or refused in words, and nothing is evaluated."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import micrornn as mr
from micrornn import nn
from micrornn.debug.complete import completions
from micrornn.debug.conditions import matches
from micrornn.debug.errors import DebuggerError
from micrornn.debug.grammar import parse_condition, parse_value
from micrornn.debug.registry import COMMANDS, NAMES
from micrornn.debug.session import Session
from micrornn.recording import Recording, record
from micrornn.tasks.source import recorded
from viz.terminal.line import LineDebugger
from viz.terminal.start import run_rc

WORDS = (
    *(
        "h[1]",
        "h[3].grad",
        "w",
        "W_hh",
        "grad",
        "sent",
        "value",
        "node",
        "#3",
        "#99",
        "h9",
        "t=2",
        "t=9",
    ),
    *(
        "norm",
        "<",
        ">",
        "=",
        "!=",
        "1e-6",
        "-1",
        "0",
        "3",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ":",
        "if",
    ),
    *(
        "nan",
        "vanish",
        "explode",
        "tanh",
        "rnn.0",
        "loss",
        "main",
        "branch1",
        "to",
        "by",
        "params",
        "gates",
    ),
    *(
        "x.csv",
        "'a b'",
        ".",
        "..",
        "[0]",
        "[:, 1]",
        "[h]",
        "+",
        "-",
        "*",
        "/",
        "layer",
        "forward",
        "$",
        "é",
    ),
    *(
        "share",
        "max",
        "op",
        "sign",
        "scope",
        "name",
        "zero",
        "L3",
        "end",
        "1",
        "2",
        "99999999999999999999",
    ),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(NAMES)),
            st.one_of(
                st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), st.text(max_size=8)
            ),
        ),
        max_size=6,
    ),
    st.sampled_from(["loop", "rnn", "lstm"]),
)
def test_whatever_is_typed_is_carried_out_or_refused_in_words(
    recorded: Callable[[str], Recording], lines: list[tuple[str, str]], name: str
) -> None:
    session = Session(recorded(name))
    for command, rest in lines:
        line = f"{command} {rest}"
        completions(session, line)
        before = session.state
        try:
            outcome = session.execute(line)
        except DebuggerError as error:
            assert str(error)
            assert session.state is before
        else:
            assert session.state is outcome.state


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "().__class__",
        "h[3].__class__",
        "lambda: 1",
        "h[3].grad.tofile('x')",
        "1; 2",
        "h[open]",
    ],
)
def test_nothing_is_evaluated(text: str, session: Session) -> None:
    with pytest.raises(DebuggerError):
        session.execute(f"print {text}")


def test_and_binds_stronger_than_or_and_not_strongest() -> None:
    assert parse_condition("nan or inf and zero")[0] == "or"
    assert parse_condition("(nan or inf) and zero")[0] == "and"
    assert parse_condition("not nan and zero")[0] == "and"
    assert parse_value("1 + 2 * 3")[1] == "+"
    assert parse_condition("1 < t < 3")[0] == "and"


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("norm < 2", lambda c: c.norm < 2),
        ("2 > norm", lambda c: c.norm < 2),
        ("1 < norm <= 3", lambda c: (c.norm > 1) & (c.norm <= 3)),
        ("t = 2 or t = 3", lambda c: (c.t == 2) | (c.t == 3)),
        ("not op = tanh", lambda c: c.op != "tanh"),
        ("op != tanh and t >= 2", lambda c: (c.op != "tanh") & (c.t >= 2)),
        ("sign = mixed", lambda c: c.sign == "±"),
        ("sign = +", lambda c: c.sign == "+"),
        ("max > 1 and scope = rnn.0", lambda c: (c.max > 1) & (c.scope == "rnn.0")),
        ("name = h or zero", lambda c: (c.name == "h") | c.zero),
        ("not t >= 0", lambda c: np.isnan(c.t)),
    ],
)
def test_conditions_mean_what_they_say(
    recorded: Callable[[str], Recording], condition: str, wanted: Callable[..., object]
) -> None:
    line = Session(recorded("rnn")).line
    found = matches(line, condition)
    assert found.tolist() == np.asarray(wanted(line.columns)).tolist()
    assert 0 < found.sum() < len(found) or condition == "name = h or zero", "the test says nothing"


def test_shares_are_those_of_the_ledger(recorded: Callable[[str], Recording]) -> None:
    session = Session(recorded("loop"))
    uses = session.line.columns.share
    assert uses.sum() == pytest.approx(1)
    assert (uses != 0).sum() == 4


def test_aliases_lead_to_one_command_each() -> None:
    assert NAMES["s"] == "step"
    assert {NAMES[word] for word in ("rs", "rn", "ru", "rf", "rc")} == {
        one for one in COMMANDS if one.startswith("reverse-")
    }
    assert all(NAMES[alias] == one.name for one in COMMANDS.values() for alias in one.aliases)


# -- nothing ends a session ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "print weight_hh.value[::0]",
        f"print {'(' * 1500}1{')' * 1500}",
        f"print {'-' * 3000}1",
        f"goto {'9' * 4000}",
        f"print h[3].value[{'9' * 400}]",
        f"b {'7' * 5000}",
    ],
)
def test_a_wild_line_is_one_short_answer(line: str) -> None:
    session = Session(recorded("hello", {}).recording)
    with pytest.raises(DebuggerError) as refused:
        session.execute(line)
    assert "\n" not in str(refused.value)
    assert session.execute("where").lines


def test_a_watch_stops_nowhere_in_the_forward_pass() -> None:
    session = Session(recorded("hello", {}).recording)
    for line in ("watch W_hh.grad", "direction forward", "restart", "continue"):
        answer = session.execute(line)
    assert "over" in answer.text


def test_what_hands_from_pdb_type_works_or_is_answered() -> None:
    session = Session(recorded("hello", {}).recording)
    assert "shape" in session.execute("whatis h[1]").text
    assert session.execute("advance h[2]").state == session.execute("start ;; until h[2]").state
    both = session.execute("start ;; step ;; step")
    assert both.text.count("pullback") >= 3
    assert session.execute("!where").text == session.execute("where").text
    assert session.execute("h[1].value").text == session.execute("p h[1].value").text
    for word, says in (("interact", "print"), ("retval", "sent"), ("end", "commands N")):
        with pytest.raises(DebuggerError, match=says):
            session.execute(word)


def test_a_line_number_alone_is_enough_where_one_file_has_it(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import micrornn as mr\nw = mr.Value(0.5)\n\n\ndef loss():\n    h = w * 2.0\n    return h.tanh()\n"
    )
    session = Session(recorded(f"{tmp_path}/net.py:loss", {}).recording)
    assert "net.py:6" in session.execute("b 6").text
    with pytest.raises(DebuggerError, match="no node was made on a line 66"):
        session.execute("b 66")


def test_commands_without_a_number_mean_the_last_breakpoint(session: Session) -> None:
    with pytest.raises(DebuggerError, match="None is set yet; write break tanh"):
        session.execute("commands")
    for line in ("break tanh", "break mul"):
        session.execute(line)
    assert session.execute("commands print grad.norm").lines == ["at breakpoint 2: print grad.norm"]
    session.execute("delete 2")
    assert "breakpoint 1" in session.execute("commands silent").text


def test_a_gradient_of_which_parts_are_missing_says_so(session: Session) -> None:
    session.execute("watch w.grad")
    session.execute("continue")
    assert session.execute("print w.grad.norm").lines[0].endswith("parts so far)")
    session.execute("goto end")
    assert "so far" not in session.execute("print w.grad").text


def test_the_only_loss_is_loss_whatever_made_it() -> None:
    session = Session(record(mr.mean(mr.tensor([1.0, 2.0], requires_grad=True, name="w"))))
    assert "mean(w)" in session.execute("print loss").text
    assert "arrived in full" in session.execute("why loss").text


def test_a_question_is_led_to_why(session: Session) -> None:
    for line in ("what is wrong?", "is it h[1]?"):
        with pytest.raises(DebuggerError, match="why NAME"):
            session.execute(line)
    session.execute("dprintf tanh, small?")
    assert session.execute("?").text.startswith("moving")


def test_x_of_gdb_says_what_to_type_here(session: Session) -> None:
    for line in ("x 1/0", "x/4 h[1]"):
        with pytest.raises(DebuggerError, match=r"print 1/0.*print NAME.value"):
            session.execute(line)


def test_two_commands_that_write_files_in_one_line_ask_for_both(session: Session) -> None:
    found = session.execute("save a.mrn ;; render b.svg")
    assert [effect.path for effect in found.effects] == ["a.mrn", "b.svg"]
    assert "wrote a.mrn" in found.text


def test_up_and_down_come_back_to_where_they_began() -> None:
    session = Session(recorded("hello", {}).recording)
    session.execute("goto h[3]")
    for way, back in (("up", "down"), ("down", "up")):
        seen = []
        for _ in range(3):
            seen.append(session.moment.node.number)
            session.execute(way)
        for number in reversed(seen):
            session.execute(back)
            assert session.moment.node.number == number
        assert session.state.frames == ()
    session.execute("up")
    assert session.state.frames
    session.execute("step")
    assert session.state.frames == ()


def test_a_name_by_its_only_ending_and_by_a_step_without_brackets() -> None:
    session = Session(recorded("hello", {}).recording)
    places = session.places
    assert places.node("weight_hh").name == "rnn.weight_hh_l0"
    assert places.node("h1") is places.node("h[1]") is places.node("h_1")
    with pytest.raises(DebuggerError, match=r"may be rnn\.weight_hh_l0, rnn\.bias_hh_l0"):
        places.node("hh_l0")


@pytest.mark.parametrize(
    "line",
    [
        *(
            "print W_hh.value[::0]",
            "print " + "(" * 1500,
            "print " + "-" * 1500 + "1",
            "next 99999999999",
        ),
        *(
            "break " + "(" * 900,
            "break " + "not " * 400 + "nan",
            "goto " + "9" * 4000,
            "step " + "9" * 1900,
        ),
        *(
            "break t=" + "9" * 1900,
            "tbreak tanh " + "9" * 1900,
            "list 1," + "9" * 1900,
            "print #" + "9" * 1900,
        ),
        *(
            "ignore 1 " + "9" * 1900,
            "info gates " + "9" * 1900,
            "up " + "9" * 1900,
            "print h[" + "9" * 1900 + "]",
        ),
        *(
            "alias a a;;a",
            "commands " + "9" * 1900,
            "history " + "9" * 1900,
            "print 9" + "9" * 400 + " * h[1]",
        ),
        *(
            "render \0.svg",
            "set grad h[1] = " + "9" * 1900,
            "break vanish 1e999",
            "print h[1].value[...,...]",
        ),
    ],
    ids=lambda line: line[:16],
)
def test_a_line_too_long_or_too_deep_is_answered_in_a_few_lines(line: str) -> None:
    session = Session(recorded("hello", {}).recording)
    session.execute("break t=3")
    try:
        answer = session.execute(line).text
    except DebuggerError as error:
        answer = str(error)
    assert len(answer) < 2500
    assert session.execute("goto 3").state is session.state


def test_five_hundred_malformed_lines_end_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(0)
    pieces = [
        *sorted(NAMES),
        *WORDS,
        "%1",
        ";;",
        "!",
        "#",
        "silent",
        "end",
        "9" * 30,
        "\x00",
        "h" * 300,
        "1e400",
        ".",
    ]
    lines = [" ".join(rng.choices(pieces, k=rng.randint(1, 6))) for _ in range(500)]
    lines = [line for line in lines if not set(line.split()) & {"quit", "q", "exit"}]
    lines += ["".join(map(chr, rng.choices(range(1, 0x3000), k=20))) for _ in range(50)]
    out = io.StringIO()
    debugger = LineDebugger(Session(recorded("hello", {"cell": "lstm"}).recording), out)
    asked = iter(lines)

    class Typed:
        interactive = True

        def read(self, prompt: str) -> str:
            for line in asked:
                return line
            raise EOFError

    debugger.interact(Typed())
    assert next(asked, None) is None, "a line ended the session"
    assert "Traceback" not in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) < 1000


def test_a_file_of_commands(session: Session, tmp_path: Path) -> None:
    (tmp_path / "checks.txt").write_text("# to h[2]\nbreak h[2]\nrun\nprint h[2].grad\n")
    (tmp_path / "itself.txt").write_text(f"source {tmp_path}/itself.txt\n")
    out = io.StringIO()
    debugger = LineDebugger(session, out)
    debugger.do(f"source {tmp_path}/checks.txt")
    assert "breakpoint 1: h[2]" in out.getvalue()
    assert "h[2].grad = " in out.getvalue()
    debugger.do(f"source {tmp_path}/itself.txt")
    assert "inside each other" in out.getvalue()
    with pytest.raises(DebuggerError, match=r"no file gone\.txt"):
        debugger.do("source gone.txt")


def test_what_the_rc_file_says_holds_and_it_writes_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / ".micrornnrc").write_text("alias n2 next 2\nsave stolen.mrn\nstpe\nbreak h[2]\n")
    out = io.StringIO()
    run_rc(LineDebugger(session, out))
    assert "writes no files" in out.getvalue().replace("\n  ", " ")
    assert ".micrornnrc, line 3: there is no command 'stpe'" in out.getvalue()
    assert not (tmp_path / "stolen.mrn").exists()
    assert session.execute("n2").state.stops[0].words == "h[2]"


def test_a_node_that_a_checkpoint_did_not_keep_is_called_recomputed() -> None:
    layer = nn.RNN(2, 3, rng=0, checkpoint=1)
    session = Session(record(lambda: layer(np.ones((4, 1, 2)))[1].sum()))
    session.execute("goto h[1]")
    for command in ("where", "list", "print h[1]", "info node h[1]"):
        assert any(
            "h[1] = tanh(add[1])" in line and line.endswith(", recomputed 3 times")
            for line in session.execute(command).lines
        )
    assert not any("recomputed" in line for line in session.execute("print h[4]").lines)
    assert session.execute("where").data["node"]["recomputed"] == 3
    line = session.line
    again = [line.rec.recomputed.get(node.number, 0) > 0 for node in line.nodes]
    assert matches(line, "recomputed").tolist() == again and any(again) and not all(again)


def test_the_ending_of_a_name_means_the_only_one_that_has_it() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = nn.LSTM(2, 3, rng=0), nn.LSTM(3, 3, rng=1)
            self.head = nn.Linear(3, 1, rng=2)

        def forward(self, x: list[np.ndarray[Any, Any]]) -> mr.Tensor:
            return self.head(self.decoder(self.encoder(x)[0])[0][-1])

    net = Net()
    session = Session(record(lambda: net([*np.ones((30, 2))]).sum()))
    for text, name in {
        "head.weight": "head.weight",
        "weight": "head.weight",
        "ad.weight": "head.weight",
        "encoder.weight_hh": "encoder.weight_hh_l0",
        "encoder.W_hh": "encoder.weight_hh_l0",
        "decoder.b_ih": "decoder.bias_ih_l0",
    }.items():
        assert session.places.node(text).name == name
    for text in ("weight_hh_l0", "weight_hh", "W_hh", "hh_l0", "b_ih"):
        for command in (f"print {text}", f"break {text}", f"watch {text}", f"why {text}"):
            with pytest.raises(DebuggerError, match=r"may be encoder\..*; write more of it"):
                session.execute(command)
    with pytest.raises(DebuggerError, match=r"no node 'encoder\.W_xx'; did you mean"):
        session.execute("print encoder.W_xx.grad")
    with pytest.raises(DebuggerError, match=r"there is no step 999; there are 1 to 30"):
        session.execute("info steps 999")
    assert "info steps 21 shows the next" in session.execute("info steps 1").text
    assert "20 of 31 steps, 12 to none" in session.execute("info steps 25").text
