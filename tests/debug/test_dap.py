"""The protocol of editors, spoken to the program from outside, over stdio and over a port."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any, BinaryIO

import pytest

from viz.terminal.dap.adapter import MOVES, Adapter
from viz.terminal.dap.output import printing
from viz.terminal.dap.wire import WireError, read, write

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 60.0  # seconds, after which nothing more is waited for
NET = """import micrornn as mr

print("a word on stdout")
w = mr.Value(0.5, "w")


def loss():
    h = mr.tensor(1.0, name="h")
    for t in range(1, 4):
        with mr.scope("cell", t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    return h
"""


class Client:
    """As small an editor as there can be: it asks, and waits for the answer; events are kept."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self.incoming, self.outgoing = incoming, outgoing
        self.sequence = 0
        self.events: list[dict[str, Any]] = []
        self.said: list[tuple[str, str]] = []  # categories and texts of output

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        self.sequence += 1
        request = {
            "seq": self.sequence,
            "type": "request",
            "command": command,
            "arguments": arguments,
        }
        body = json.dumps(request).encode()
        self.outgoing.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.outgoing.flush()
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            else:
                assert message["request_seq"] == self.sequence
                assert message["command"] == command
                return message

    def receive(self) -> dict[str, Any]:
        length = int(self.incoming.readline().split(b":")[1])
        assert self.incoming.readline() == b"\r\n"
        message = json.loads(self.incoming.read(length))
        if message.get("event") == "output":
            self.said.append((message["body"]["category"], message["body"]["output"]))
        return message

    def event(self, name: str) -> dict[str, Any]:
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["event"] == name:
                    return event["body"]
            self.events.append(self.receive())

    def body(self, command: str, **arguments: Any) -> dict[str, Any]:
        answer = self.ask(command, **arguments)
        assert answer["success"], answer
        return answer["body"]

    def launch(self, **arguments: Any) -> None:
        assert self.body("initialize", adapterID="micrornn")["supportsStepBack"]
        self.body("launch", **arguments)
        self.event("initialized")

    def moved(self, command: str) -> tuple[str, str]:
        self.body(command, threadId=1)
        stopped = self.event("stopped")
        return stopped["reason"], self.body("stackTrace", threadId=1)["stackFrames"][0]["name"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    return tmp_path


def start(
    folder: Path, *arguments: str, source: str = "net.py:loss", stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICRORNN_DAP_TOKEN": "sesame"}
    return subprocess.Popen(
        [sys.executable, "-m", "micrornn", "debug", source, "--dap", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


@pytest.fixture
def client_of(folder: Path) -> Iterator[Callable[[str], Client]]:
    """An editor over stdio, for a source."""
    programs: list[tuple[subprocess.Popen[bytes], Timer]] = []

    def start_on(source: str) -> Client:
        program = start(folder, source=source)
        alarm = Timer(LIMIT, program.kill)
        alarm.start()
        programs.append((program, alarm))
        return Client(program.stdout, program.stdin)  # type: ignore[arg-type]

    yield start_on
    for program, alarm in programs:
        alarm.cancel()
        program.kill()
        program.communicate()


@pytest.fixture
def client(client_of: Callable[[str], Client]) -> Client:
    return client_of("net.py:loss")


def test_an_editor_goes_forth_and_back(client: Client, folder: Path) -> None:
    client.launch()
    file = str(folder / "net.py")
    found = client.body(
        "setBreakpoints", source={"path": file}, breakpoints=[{"line": 11}, {"line": 3}]
    )
    assert [one["verified"] for one in found["breakpoints"]] == [True, False]
    assert "made no node" in found["breakpoints"][1]["message"]
    names = [{"name": "t=1", "condition": "op = tanh"}, {"name": "nonsense"}]
    found = client.body("setFunctionBreakpoints", breakpoints=names)
    assert [one["verified"] for one in found["breakpoints"]] == [True, False]
    client.body("setExceptionBreakpoints", filters=["nan"])
    client.body("setBreakpoints", source={"path": file}, breakpoints=[])
    client.body("configurationDone")
    stopped = client.event("stopped")
    assert stopped["reason"] == "entry"
    assert stopped["description"] == "pullback 1 of 6: h[3] = tanh(mul[3])  t=3 in cell"
    assert client.body("threads")["threads"][0]["name"] == "backward pass"
    assert client.moved("stepIn") == ("step", "mul(w, h[2])")
    assert client.moved("stepBack") == ("step", "h[3] = tanh(mul[3])")
    assert client.moved("next") == ("step", "h[2] = tanh(mul[2])")
    assert client.moved("stepOut") == ("breakpoint", "h[1] = tanh(mul[1])")
    assert client.moved("continue") == ("pause", "the backward pass is over")
    assert client.moved("reverseContinue") == ("breakpoint", "h[1] = tanh(mul[1])")
    frames = client.body("stackTrace", threadId=1)["stackFrames"]
    assert [frame["name"] for frame in frames] == ["h[1] = tanh(mul[1])", "cell", "step 1"]
    assert (frames[0]["source"]["path"], frames[0]["line"]) == (file, 11)
    assert client.moved("restart") == ("entry", "h[3] = tanh(mul[3])")
    client.body("disconnect")
    assert client.event("terminated") == {}


def test_an_editor_stops_at_a_line_and_at_data(client: Client, folder: Path) -> None:
    client.launch(stopOnEntry=False)
    file = str(folder / "net.py")
    client.body(
        "setBreakpoints", source={"path": file}, breakpoints=[{"line": 11, "condition": "t < 3"}]
    )
    client.body("configurationDone")
    assert client.event("stopped")["reason"] == "breakpoint"
    assert client.body("stackTrace", threadId=1)["stackFrames"][0]["name"] == "h[2] = tanh(mul[2])"
    client.body("setBreakpoints", source={"path": file}, breakpoints=[])
    scopes = client.body("scopes", frameId=1)["scopes"]
    assert [one["name"] for one in scopes] == ["Pullback", "Parameters"]
    below = scopes[1]["variablesReference"]
    (w,) = client.body("variables", variablesReference=below)["variables"]
    assert (w["name"], w["value"]) == ("w", "gradient 0.224 (1 of 3 parts)")
    info = client.body("dataBreakpointInfo", name="w", variablesReference=below)
    assert info["dataId"] == "w"
    found = client.body("setDataBreakpoints", breakpoints=[{"dataId": "w"}, {"dataId": "h[0]"}])
    assert [one["verified"] for one in found["breakpoints"]] == [True, False]
    client.body("continue", threadId=1)
    stopped = client.event("stopped")
    assert stopped["reason"] == "data breakpoint"
    assert "w.grad: norm 0.224 -> " in stopped["text"]
    assert stopped["description"].startswith("pullback 5 of 6")


def test_an_editor_looks(client: Client) -> None:
    client.launch()
    client.body("configurationDone")
    turn, parameters = client.body("scopes", frameId=1)["scopes"]
    found = client.body("variables", variablesReference=turn["variablesReference"])["variables"]
    assert [one["name"] for one in found] == [
        "value",
        "gradient",
        "sent to mul[3]",
        "input 0: mul[3]",
    ]
    (w,) = client.body("variables", variablesReference=parameters["variablesReference"])[
        "variables"
    ]
    inside = client.body("variables", variablesReference=w["variablesReference"])["variables"]
    assert [one["name"] for one in inside] == ["value", "ledger"]
    rows = client.body("variables", variablesReference=inside[1]["variablesReference"])["variables"]
    assert [one["name"] for one in rows] == ["step 1", "step 2", "step 3"]
    assert (
        client.body("evaluate", expression="h[3].grad", context="watch")["result"]
        == "h[3].grad = 1"
    )
    words = client.body("evaluate", expression="why h[1]", context="repl")["result"]
    assert words.startswith("h[1] (gradient norm")
    client.body("evaluate", expression="step", context="repl")
    assert client.event("stopped")["reason"] in ("entry", "step")
    targets = client.body("completions", text="break ta", column=9)["targets"]
    assert [one["label"] for one in targets] == ["tanh"]


def test_what_an_editor_asks_wrongly_is_refused_and_not_fatal(client: Client) -> None:
    assert "send launch" in client.ask("stackTrace")["message"]
    client.launch()
    assert "not supported" in client.ask("readMemory")["message"]
    refused = client.ask("evaluate", expression="nothing")
    assert "no node" in refused["message"]
    assert not refused["body"]["error"]["showUser"]  # a pointer over any word of the source asks
    assert not client.ask("setBreakpoints")["success"]
    assert "earlier stop" in client.ask("variables", variablesReference=77)["message"]
    client.body("configurationDone")


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    """A server on a loopback port, which ends when the last editor has left."""
    program = start(folder, "--port", "0")
    assert program.stdout
    with program:
        try:
            yield int(program.stdout.readline().decode().split(":")[1].split(",")[0])
            assert program.wait(20) == 0
        finally:
            program.kill()


@contextmanager
def connected(port: int) -> Iterator[Client]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection,
        connection.makefile("rb") as incoming,
        connection.makefile("wb") as outgoing,
    ):
        yield Client(incoming, outgoing)  # type: ignore[arg-type]


def test_a_port_asks_for_its_token(port: int) -> None:
    with connected(port) as wrong:
        wrong.body("initialize")
        assert "token is wrong" in wrong.ask("launch", token="guess")["message"]
        assert wrong.incoming.read(1) == b"", "the connection is closed"
    with connected(port) as client:
        client.launch(token="sesame")
        client.body("disconnect")


def test_editors_do_not_wait_for_each_other(port: int) -> None:
    with connected(port), connected(port) as one, connected(port) as other:
        one.launch(token="sesame")
        other.launch(token="sesame")
        for client in (one, other):
            client.body("configurationDone")
            assert client.event("stopped")["reason"] == "entry"
        assert one.moved("next") == ("step", "h[2] = tanh(mul[2])")
        assert other.moved("stepIn") == ("step", "mul(w, h[2])")
        one.body("disconnect")
        assert other.moved("stepBack") == ("step", "h[3] = tanh(mul[3])")
        other.body("disconnect")


def test_a_connection_that_breaks_off_ends_alone(folder: Path) -> None:
    program = start(folder, "--port", "0", stderr=subprocess.PIPE)
    assert program.stdout
    with program:
        try:
            port = int(program.stdout.readline().decode().split(":")[1].split(",")[0])
            with connected(port) as other:
                other.launch(token="sesame")
                for token in ("", "sesame"):
                    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as broken:
                        with broken.makefile("rb") as incoming, broken.makefile("wb") as outgoing:
                            client = Client(incoming, outgoing)  # type: ignore[arg-type]
                            if token:
                                client.launch(token=token)
                            body = b'{"seq": 1, "command": "initialize"}'
                            message = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                            outgoing.write(message * 300)
                        # Closed with a reset, in the middle of the answers.
                        linger = struct.pack("ii", 1, 0)
                        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                other.body("configurationDone")
                assert other.event("stopped")["reason"] == "entry"
                assert other.moved("next")[0] == "step"
                other.body("disconnect")
            assert program.communicate(timeout=20)[1] == b""
            assert program.returncode == 0
        finally:
            program.kill()


def test_programs_that_run_at_once_print_to_their_own_editors() -> None:
    first, second = [], []  # type: ignore[var-annotated]
    outer, inside, leaves = sys.stdout, Event(), Event()

    def run() -> None:
        with printing(lambda _, text: first.append(text)):
            inside.set()
            leaves.wait(LIMIT)
            print("one")

    thread = Thread(target=run)
    thread.start()
    assert inside.wait(LIMIT)
    Timer(0.2, leaves.set).start()
    with printing(lambda _, text: second.append(text)):
        print("two")
        thread.join(LIMIT)
    assert (first, second) == (["one\n"], ["two\n"])
    assert sys.stdout is outer


def test_what_is_typed_stays_and_what_is_set_again_replaces_itself(client: Client) -> None:
    client.launch()
    client.body("evaluate", expression="break t=1", context="repl")
    for _ in range(2):
        client.body("setFunctionBreakpoints", breakpoints=[{"name": "nan"}, {"name": "tanh"}])
    client.body("setExceptionBreakpoints", filters=[])
    shown = client.body("evaluate", expression="info break", context="repl")["result"]
    assert [shown.count(one) for one in ("break  t=1", "born", "tanh")] == [1, 1, 1]
    client.body("setFunctionBreakpoints", breakpoints=[])
    shown = client.body("evaluate", expression="info break", context="repl")["result"]
    assert "t=1" in shown and "tanh" not in shown and "born" not in shown


def test_quit_in_the_console_ends_the_session(client: Client) -> None:
    client.launch()
    client.body("evaluate", expression="quit", context="repl")
    client.event("terminated")
    assert client.incoming.read(1) == b""


def test_half_a_surrogate_can_be_sent() -> None:
    sent = io.BytesIO()
    write(sent, {"output": "\ud800"})
    assert read(io.BytesIO(sent.getvalue())) == {"output": "\ud800"}


def test_what_the_program_prints_and_reads_is_not_the_protocol(
    folder: Path, client_of: Callable[[str], Client]
) -> None:
    (folder / "loud.py").write_text(
        "import os, sys\n" + NET + "\n\nquiet = loss\n\n\ndef loss():\n"
        "    print('one', end=''), print(' line')\n    print('aside', file=sys.stderr)\n"
        "    sys.stdout.buffer.write(b'bytes\\n')\n    sys.stdout.flush()\n"
        "    os.write(1, b'Content-Length: 7')\n    assert os.read(0, 1) == b''\n    return quiet()\n",
        encoding="utf-8",
    )
    client = client_of("loud.py:loss")
    client.launch()
    told = [text for category, text in client.said if category != "console"]
    assert told == ["a word on stdout\n", "one line\n", "aside\n", "bytes\n"]


def test_a_gradient_is_set_from_the_variables(client: Client) -> None:
    client.launch()
    client.body("configurationDone")
    client.event("stopped")
    turn, _ = client.body("scopes", frameId=1)["scopes"]
    reference = turn["variablesReference"]
    found = client.body("variables", variablesReference=reference)["variables"]
    fixed = {one["name"] for one in found if "readOnly" in str(one.get("presentationHint"))}
    assert fixed == {one["name"] for one in found} - {"gradient"}
    assert (
        "as it was computed"
        in client.ask("setVariable", variablesReference=reference, name="value", value="1")[
            "message"
        ]
    )
    assert (
        "'junk'"
        in client.ask("setVariable", variablesReference=reference, name="gradient", value="junk")[
            "message"
        ]
    )
    set_ = client.body("setVariable", variablesReference=reference, name="gradient", value="0")
    assert set_["value"] == "0"
    stopped = client.event("stopped")
    assert stopped["preserveFocusHint"], "what is typed does not go into the source"
    assert client.said[-1][1].startswith("branch1: h[3].grad = 0")
    client.body("evaluate", expression="goto end", context="repl")
    assert client.event("stopped")["preserveFocusHint"]
    assert client.body("evaluate", expression="w.grad", context="watch")["result"] == "w.grad = 0"
    assert (
        "can: h[2].grad"
        in client.ask("setExpression", expression="h[2].data", value="1")["message"]
    )
    client.body("restart")
    assert client.body("setExpression", expression="h[2].grad", value="0.5")["value"] == "0.5"


def test_one_number_of_an_array_is_set(folder: Path, client_of: Callable[[str], Client]) -> None:
    (folder / "wide.py").write_text(
        "import micrornn as mr\nw = mr.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name='w')\n"
        "def loss():\n    return (mr.tanh(w * 0.1)).sum()\n",
        encoding="utf-8",
    )
    client = client_of("wide.py:loss")
    client.launch()
    client.body("configurationDone")
    client.event("stopped")
    client.moved("stepIn")

    def inside(reference: int, name: str) -> int:
        found = client.body("variables", variablesReference=reference)["variables"]
        return next(one["variablesReference"] for one in found if one["name"] == name)

    scope = client.body("scopes", frameId=1)["scopes"][0]["variablesReference"]
    row = inside(inside(scope, "gradient"), "[1]")
    client.body("variables", variablesReference=row)
    answer = client.body("setVariable", variablesReference=row, name="[0]", value="7")
    assert answer["value"] == "7"
    result = client.body("evaluate", expression="tanh.grad", context="watch")["result"]
    assert "7" in result, result


def test_messages_and_counts_of_hits(client: Client, folder: Path) -> None:
    client.launch()
    client.body("configurationDone")
    client.event("stopped")
    where = {"source": {"path": str(folder / "net.py")}}
    client.body("setBreakpoints", breakpoints=[{"line": 11, "logMessage": "t={t}"}], **where)
    assert client.moved("continue")[0] == "pause"
    assert [text for _, text in client.said[-3:]] == ["t=2\n", "t=1\n", "t=1\n"]
    for text, names in (
        ("2", ["h[2] = tanh(mul[2])", "the backward pass is over"]),
        (">= 2", ["h[2] = tanh(mul[2])", "mul(w, h[1])"]),
        ("% 2", ["h[2] = tanh(mul[2])", "h[1] = tanh(mul[1])"]),
    ):
        client.moved("restart")
        found = client.body(
            "setBreakpoints", breakpoints=[{"line": 11, "hitCondition": text}], **where
        )
        assert found["breakpoints"][0]["verified"]
        assert [client.moved("continue")[1] for _ in names] == names, text
    found = client.body("setBreakpoints", breakpoints=[{"line": 11, "hitCondition": "x"}], **where)
    assert "no count of hits" in found["breakpoints"][0]["message"]


def test_places_to_go_to_and_a_pause(client: Client, folder: Path) -> None:
    client.launch()
    client.body("configurationDone")
    client.event("stopped")
    targets = client.body("gotoTargets", source={"path": str(folder / "net.py")}, line=11)[
        "targets"
    ]
    assert [one["label"].split(": ")[1] for one in targets][-2] == "h[1] = tanh(mul[1])"
    client.body("goto", threadId=1, targetId=targets[-2]["id"])
    assert client.event("stopped")["reason"] == "goto"
    assert client.body("stackTrace")["stackFrames"][0]["name"] == "h[1] = tanh(mul[1])"
    client.body("pause", threadId=1)
    assert client.event("stopped")["reason"] == "pause"
    assert "no NaN" in client.ask("exceptionInfo", threadId=1)["message"]


def test_a_nan_is_an_exception(folder: Path, client_of: Callable[[str], Client]) -> None:
    (folder / "nan.py").write_text(
        "import micrornn as mr\nw = mr.tensor(0.0, requires_grad=True, name='w')\n"
        "def loss():\n    return (w / w) * 2.0\n",
        encoding="utf-8",
    )
    client = client_of("nan.py:loss")
    client.launch(stopOnEntry=False)
    client.body("setExceptionBreakpoints", filters=["nan"])
    client.body("configurationDone")
    assert client.event("stopped")["reason"] == "exception"
    info = client.body("exceptionInfo", threadId=1)
    assert info["exceptionId"] == "NaN or infinity"
    assert "div" in info["description"]


def test_errors_are_answers_and_never_the_end(client: Client) -> None:
    assert "send launch" in client.ask("scopes", frameId=1)["message"]
    client.outgoing.write(b'Content-Length: 17\r\n\r\n{"seq": Infinity}')
    client.outgoing.write(b"Content-Length: 5\r\n\r\n[1,2]")
    client.outgoing.flush()
    for words in ("not part of JSON", "JSON object"):
        assert words in client.receive()["message"]
    for body in (b"[" * 100_000, b'{"seq": 1e999, "command": "threads"}'):
        client.outgoing.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        client.outgoing.flush()
        assert not client.receive()["success"]
    client.launch()
    assert "already" in client.ask("launch")["message"]
    client.body("configurationDone")
    client.event("stopped")
    for arguments in ({"variablesReference": 10**400}, {"variablesReference": [1]}, {}):
        assert not client.ask("variables", **arguments)["success"]
    assert not client.ask("goto", targetId="x")["success"]
    assert client.moved("stepIn")[0] == "step"


@pytest.mark.parametrize(
    "sent", [b"\r\n", b"Content-Length: 99999999999\r\n\r\n", b"Content-Length: 2\r\n\r\n[]"]
)
def test_what_is_no_message_is_refused(sent: bytes) -> None:
    with pytest.raises(WireError):
        read(io.BytesIO(sent))


def test_every_move_of_the_protocol_is_offered() -> None:
    wanted = {"continue", "next", "stepIn", "stepOut", "stepBack", "reverseContinue"}
    assert wanted <= set(MOVES)
    assert hasattr(Adapter, "on_setDataBreakpoints")
