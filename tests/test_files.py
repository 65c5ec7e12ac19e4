"""Files are read within limits, written whole or not at all, and what is no file is not replaced."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from micrornn import files
from micrornn.files import check_writable, read_whole, written_whole

ROOT = Path(files.__file__).resolve().parents[1]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), written_whole(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with written_whole(link) as file:
        file.write(b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_the_old_permissions_stay_and_new_ones_are_the_usual(tmp_path: Path) -> None:
    old, new, usual = (tmp_path / name for name in ("old", "new", "usual"))
    old.touch()
    old.chmod(0o640)
    usual.touch()
    for path in (old, new):
        with written_whole(path) as file:
            file.write(b"content")
    assert old.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode == usual.stat().st_mode


@pytest.fixture(params=["without a name", "with a name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The two kinds of temporary files; systems without the first use the second."""
    if request.param == "with a name":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("every file has a name here")
    yield request.param


def test_a_new_file_does_not_replace_an_old_one(tmp_path: Path, way: str) -> None:
    path = tmp_path / "a.txt"
    with written_whole(path, new=True) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError) as error, written_whole(path, new=True) as file:
        file.write(b"second")
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"first" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("at", ["replace", "chmod"])
def test_an_error_names_the_file_and_not_the_one_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, at: str
) -> None:
    """As where the file is immutable: it is found out last, when the new one should take its name."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def refuse(name: str | Path, *_: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(name), None, str(path))

    monkeypatch.setattr(os, at, refuse)
    with pytest.raises(PermissionError) as error, written_whole(path) as file:
        file.write(b"new")
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


KILLED = """
import os, signal, sys
from micrornn.files import written_whole
with written_whole(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="every file has a name here")
def test_a_kill_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    if not _has_nameless_files(tmp_path):
        pytest.skip("every file has a name on this file system")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def _has_nameless_files(folder: Path) -> bool:
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        return False
    return True


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with written_whole(pipe) as file:
            file.write(b"through")
        assert os.read(reader, 100) == b"through"
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_a_folder_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder"), written_whole(tmp_path):
        pass
    with (
        pytest.raises(FileNotFoundError, match="make it first"),
        written_whole(tmp_path / "no" / "a"),
    ):
        pass


def test_a_file_that_is_read_only_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.touch(mode=0o444)
    if os.access(path, os.W_OK):  # for the superuser nothing is read-only, unless it is immutable
        monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match=r"a\.txt is read-only; name another file"):
        check_writable(path)


@pytest.mark.skipif(not shutil.which("chattr"), reason="no file can be made immutable here")
def test_an_immutable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    if subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
        pytest.skip("this user or this file system cannot make a file immutable")
    try:
        with pytest.raises(ValueError, match=r"a\.txt is read-only; name another file"):
            check_writable(path)
        with pytest.raises(PermissionError) as error, written_whole(path) as file:
            file.write(b"new")
        assert error.value.filename == str(path)
        assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


# --------------------------------------------------------------------------------------- reading


def test_a_file_a_pipe_and_standard_input_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"content")
    assert read_whole(tmp_path / "a.txt", "a text") == b"content"
    reading, writing = os.pipe()
    os.write(writing, b"through")
    os.close(writing)
    assert read_whole(f"/dev/fd/{reading}", "a text") == b"through"
    os.close(reading)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed")))
    assert read_whole("-", "a text") == b"typed"


def test_standard_input_that_is_closed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ValueError, match="standard input is closed; give a text"):
        read_whole("-", "a text")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null", "/dev/random"])
def test_a_device_is_refused_at_once(device: str) -> None:
    if not Path(device).exists():
        pytest.skip("there is no such device here")
    with pytest.raises(ValueError, match=f"{device} is a device; give a text"):
        read_whole(device, "a text")


def test_what_is_endless_or_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 101)
    with pytest.raises(ValueError, match=r"a\.txt is larger than 0 MiB, the most"):
        read_whole(tmp_path / "a.txt", "a text", limit=100)
    endless = "import os\nwhile True: os.write(1, b'y' * 100)"
    with subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        with pytest.raises(ValueError, match="is larger than"):
            read_whole(f"/dev/fd/{program.stdout.fileno()}", "a text", limit=10_000)
        program.kill()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("none", "no file .*none; give a text"),
        ("", "is a folder; give a text"),
        ("\0", "cannot be"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises((OSError, ValueError), match=complaint):
        read_whole(f"{tmp_path}/{name}", "a text")
