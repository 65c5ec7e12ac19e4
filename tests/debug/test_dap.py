"""The protocol of editors, spoken to the program from outside, over stdio and over a port."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from viz.terminal.dap.adapter import MOVES, Adapter
from viz.terminal.dap.wire import WireError, read

ROOT = Path(__file__).resolve().parent.parent.parent
START = "import cli; cli.main(prog_name='micrornn')"
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
        return json.loads(self.incoming.read(length))

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


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICRORNN_DAP_TOKEN": "sesame"}
    return subprocess.Popen(
        [sys.executable, "-c", START, "debug", "net.py:loss", "--dap", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    program = start(folder)
    assert program.stdin and program.stdout
    with program:
        yield Client(program.stdout, program.stdin)  # type: ignore[arg-type]
        program.stdin.close()
        program.wait(20)


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
    assert client.event("stopped")["reason"] == "entry"
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
    assert "no node" in client.ask("evaluate", expression="nothing")["message"]
    assert not client.ask("setBreakpoints")["success"]
    assert "earlier stop" in client.ask("variables", variablesReference=77)["message"]
    client.body("configurationDone")


def test_a_port_asks_for_its_token(folder: Path) -> None:
    for token, welcome in (("sesame", True), ("guess", False)):
        program = start(folder, "--port", "0")
        assert program.stdout
        with program:
            words = program.stdout.readline().decode()
            port = int(words.split(":")[1].split(",")[0])
            with (
                socket.create_connection(("127.0.0.1", port)) as connection,
                connection.makefile("rb") as incoming,
                connection.makefile("wb") as outgoing,
            ):
                client = Client(incoming, outgoing)  # type: ignore[arg-type]
                client.body("initialize")
                answer = client.ask("launch", token=token)
                assert answer["success"] is welcome
                if welcome:
                    client.body("disconnect")
                else:
                    assert "token is wrong" in answer["message"]
            assert program.wait(20) == 0


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
