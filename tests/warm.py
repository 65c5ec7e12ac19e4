"""Programs run as readers run them, without the time that Python takes to load the same modules again.

One process loads what the commands use and waits; each program is a fork of it, with the caller's folder,
environment and standard streams. A third of a second is saved each time, and documents run hundreds.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The program that hands itself over; it has to start quickly, so it imports next to nothing.
CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([{program!r}, sys.argv[1:], os.getcwd(), dict(os.environ)])
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(request.encode())
    answer = server.recv(1)
sys.exit(answer[0] if answer else 70)
"""


class Warm:
    """The waiting process; programs written by `client` run in it."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "warm")
        self.process = subprocess.Popen(
            [sys.executable, __file__, self.address],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout and self.process.stdout.readline() == b"ready\n"

    def client(self, path: Path, program: str) -> None:
        """Write a program: ``micrornn``, or ``python`` for the files that it is given."""
        text = CLIENT.format(python=sys.executable, address=self.address, program=program)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def serve(address: str) -> None:
    """Load everything, and fork for each request."""
    importlib.import_module("matplotlib.font_manager")  # reads the fonts
    import cli
    import micrornn
    import viz

    for package in (micrornn, viz):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".torch" not in module.name:
                with suppress(ImportError, RuntimeError):  # of an extra that is not installed
                    importlib.import_module(module.name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            caller, _ = server.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                code = _answer(caller, cli)
                caller.sendall(bytes([code]))
                os._exit(0)
            caller.close()


def _answer(caller: socket.socket, cli: object) -> int:
    size, streams, *_ = socket.recv_fds(caller, 8, 3)
    text = b""
    while len(text) < int.from_bytes(size, "big"):
        text += caller.recv(1 << 16)
    program, arguments, folder, environment = json.loads(text)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin, sys.stdout, sys.stderr = [os.fdopen(i, m) for i, m in enumerate("rww")]
    try:
        if program == "micrornn":
            sys.argv = ["micrornn", *arguments]
            cli.main()  # type: ignore[attr-defined]
        else:
            if (
                environment.get("PYTHONWARNINGS") == "error"
            ):  # read when Python starts, so not by a fork
                warnings.simplefilter("error")
            sys.argv = arguments
            sys.path[0] = str(Path(arguments[0]).resolve().parent)
            runpy.run_path(arguments[0], run_name="__main__")
        return 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
