"""Where an editor is listened to: stdio, or a loopback port that asks for a token."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from micrornn.debug.session import Session
from viz.terminal.dap.adapter import Adapter
from viz.terminal.dap.wire import WireError, read, write

TOKEN = "MICRORNN_DAP_TOKEN"
Open = Callable[[], Session]


def serve(opened: Open, port: int | None) -> int:
    """Talk to one editor until it leaves.

    Args:
        opened: makes the session, when the editor asks for it.
        port: a loopback port, 0 for any free one; None is stdio.
    """
    if port is None:
        # What the user's program prints must not get between the messages.
        out, sys.stdout = sys.stdout.buffer, sys.stderr
        converse(Adapter(opened, None), sys.stdin.buffer, out)
        return 0
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(16)
    with socket.create_server(("127.0.0.1", port)) as server:
        print(f"listening on 127.0.0.1:{server.getsockname()[1]}, token {token}", flush=True)
        connection, _ = server.accept()
        with connection, connection.makefile("rwb") as stream:
            both = cast(BinaryIO, stream)
            converse(Adapter(opened, token), both, both)
    return 0


def converse(adapter: Adapter, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer every request, in order, until the editor leaves."""
    sequence = 0

    def send(message: dict[str, Any]) -> None:
        nonlocal sequence
        sequence += 1
        write(outgoing, {"seq": sequence, **message})

    while not adapter.done:
        try:
            request = read(incoming)
        except WireError as error:
            print(f"micrornn debug: {error}", file=sys.stderr)
            return
        if request is None:
            return
        for message in adapter.answer(request):
            send(message)
