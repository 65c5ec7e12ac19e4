"""Where editors are listened to: stdio, or a loopback port that asks for a token."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable
from threading import Condition, Lock, Thread
from typing import Any, BinaryIO, cast

from micrornn.debug.session import Session
from viz.terminal.dap.adapter import Adapter
from viz.terminal.dap.wire import WireError, read, write

TOKEN = "MICRORNN_DAP_TOKEN"
Open = Callable[[], Session]
PATIENCE = 60.0  # seconds in which a connection has to bring the token


def serve(opened: Open, port: int | None) -> int:
    """Talk to one editor over stdio; or to any number on a port, until the last that debugged has left.

    Args:
        opened: makes the session, when an editor asks for it.
        port: a loopback port, 0 for any free one; None is stdio.
    """
    if port is None:
        # The streams are the protocol's own: what the program reads or prints goes elsewhere.
        incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        converse(opened, None, incoming, outgoing)
        return 0
    Server(opened, port).run()
    return 0


class Server:
    """A loopback port. A wrong or idle connection ends itself, and nothing else."""

    def __init__(self, opened: Open, port: int) -> None:
        self.token = os.environ.get(TOKEN) or secrets.token_urlsafe(16)
        self.socket = socket.create_server(("127.0.0.1", port))
        self._opened = opened
        self._changed = Condition()
        self._debugging = self._debugged = 0

    def run(self) -> None:
        """Accept connections until the last that debugged has left."""
        name = f"127.0.0.1:{self.socket.getsockname()[1]}"
        print(f"listening on {name}, token {self.token}", flush=True)
        Thread(target=self._accept, daemon=True).start()
        with self._changed:
            while not self._debugged or self._debugging:
                self._changed.wait(1.0)  # so that Ctrl-C is heard
        self.socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:  # closed
                return
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(PATIENCE)
        launched = False

        def opened() -> Session:
            nonlocal launched
            session = self._opened()
            connection.settimeout(None)
            launched = True
            self._count(1)
            return session

        try:
            with connection, connection.makefile("rwb") as stream:
                both = cast(BinaryIO, stream)
                converse(opened, self.token, both, both)
        except OSError:  # it went away, or said nothing for too long
            pass
        finally:
            if launched:
                self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self._debugging += change
            self._debugged += change > 0
            self._changed.notify()


def converse(opened: Open, token: str | None, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer every request, in order, until the editor leaves."""
    sequence = 0
    sending = Lock()  # a program may print from threads of its own

    def send(message: dict[str, Any]) -> None:
        nonlocal sequence
        with sending:
            sequence += 1
            write(outgoing, {"seq": sequence, **message})

    adapter = Adapter(opened, token, send)
    while not adapter.done:
        try:
            request = read(incoming)
        except WireError as error:
            print(f"micrornn debug: {error}", file=sys.stderr)
            if error.lost:
                return
            body = {"error": {"id": 1, "format": str(error), "showUser": True}}
            refused = {"request_seq": 0, "command": "", "success": False, "message": str(error)}
            send({"type": "response", **refused, "body": body})
            continue
        if request is None:
            return
        for message in adapter.answer(request):
            send(message)
