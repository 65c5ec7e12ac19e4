"""What all tests share: stored results, and the one flag that writes them anew.

A test that pins a whole text or file asks for the ``golden`` fixture:

    def test_picture_of_hello(golden):
        golden("hello/lstm.svg", svg)

compares ``svg`` with ``tests/golden/hello/lstm.svg``. After a change that is meant, run the tests
with ``--regenerate`` and read what ``git diff`` says before committing it.
"""

from __future__ import annotations

import difflib
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from warm import Warm

# The matrices here are small, and on a busy machine OpenBLAS's threads wait for one another: up to a
# hundred times longer. Read when NumPy is first imported, which is later than this; programs inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

GOLDEN = Path(__file__).parent / "golden"
LONGEST_DIFF = 80  # lines; the stored file and the test say the rest

# Programs that once wrote reference values, with libraries that the tests do not need.
collect_ignore_glob = ["reference/*.py"]


def pytest_configure() -> None:
    """Let Ctrl-C interrupt: a shell that runs something in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores for ``-n auto``: a tenth of the time is spent waiting for terminals."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under ``-n``, a process that has no tests left takes some of another's."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the stored results in tests/golden/ instead of comparing with them",
    )


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm | None]:
    """A process that has everything loaded; None where there is no fork."""
    if not hasattr(os, "fork"):
        yield None
        return
    process = Warm(tmp_path_factory.mktemp("warm"))
    yield process
    process.close()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str | bytes], None]:
    """``golden(name, content)`` compares text or bytes with the file ``tests/golden/<name>``."""
    regenerate = request.config.getoption("--regenerate")
    again = f"python -m pytest {request.node.nodeid.split('[')[0]!r} --regenerate"

    def compare_or_write(name: str, content: str | bytes) -> None:
        if regenerate:
            write_golden(GOLDEN, name, content)
        elif complaint := compare_golden(GOLDEN, name, content):
            advice = f"If the new result is right, store it, and read the diff:\n    {again}"
            pytest.fail(f"{complaint}\n{advice}", pytrace=False)

    return compare_or_write


def golden_file(folder: Path, name: str) -> Path:
    """The stored file of that name; a name that leads out of the folder is refused."""
    path = (folder / name).resolve()
    if folder.resolve() not in path.parents:
        raise ValueError(f"{name!r} is not a file inside {folder}")
    return path


def write_golden(folder: Path, name: str, content: str | bytes) -> None:
    """Store it, whole or not at all: test processes side by side may write the same file."""
    path = golden_file(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(as_bytes(content))
    os.chmod(aside, 0o644)
    os.replace(aside, path)


def compare_golden(folder: Path, name: str, content: str | bytes) -> str | None:
    """None when ``content`` is what is stored, else a message that shows the difference."""
    path = golden_file(folder, name)
    if not path.is_file():
        return f"There is no stored result {name}."
    new, old = as_bytes(content), path.read_bytes()
    if new == old:
        return None
    title = f"The result differs from the stored {name} ({len(old)} bytes stored, {len(new)} new)."
    try:
        before, after = old.decode().splitlines(), new.decode().splitlines()
    except UnicodeDecodeError:
        first = next(
            (i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new))
        )
        return f"{title}\nThe first byte that differs is number {first}."
    diff = list(difflib.unified_diff(before, after, f"stored {name}", "new", lineterm=""))
    if not diff:
        return f"{title}\nOnly the line ends differ."
    if len(diff) > LONGEST_DIFF:
        diff[LONGEST_DIFF:] = [f"... and {len(diff) - LONGEST_DIFF} more lines of difference"]
    return "\n".join([title, *diff])


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
