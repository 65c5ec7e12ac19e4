"""Files that are not what they say: every one gives one clear error, and none does any harm."""

from __future__ import annotations

import copy
import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from well_formed import verify

import micrornn as mr
from micrornn import nn
from micrornn.recording import RecordingError, load_recording, recording

Document = dict[str, Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    model = nn.LSTM(3, 2, rng=0)
    with recording() as rec:
        output, _ = model(np.ones((3, 3)))
        nn.functional.cross_entropy(output, [0, 1, 1]).backward()
    path = tmp_path_factory.mktemp("good") / "run.mrn"
    rec.save(path)
    return path.read_bytes()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refused(folder: Path, data: bytes, match: str, **options: Any) -> None:
    path = folder / "bad.mrn"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=match) as caught:
        load_recording(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message


def test_the_good_file_is_good(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "good.mrn"
    path.write_bytes(packed(members(good)))
    verify(load_recording(path).graph)


@pytest.mark.parametrize("kept", [0, 2, 30, 200, 0.5, 0.9, 0.99])
def test_truncated(tmp_path: Path, good: bytes, kept: float) -> None:
    refused(tmp_path, good[: int(kept if kept > 1 else kept * len(good))], "not a zip file|damaged")


def test_any_flipped_byte_is_refused_or_harmless(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "bad.mrn"
    refusals = 0
    for at in range(0, len(good), 97):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        try:
            load_recording(path)
        except RecordingError:
            refusals += 1
    assert refusals > 10


def test_any_damage_to_the_header_of_an_array_is_refused_or_harmless(
    tmp_path: Path, good: bytes
) -> None:
    path = tmp_path / "bad.mrn"
    files = members(good)
    name = next(n for n in files if n.endswith(".npy"))
    refusals = 0
    for at in range(128):
        for byte in b"({'\x00":
            damaged = files[name][:at] + bytes([byte]) + files[name][at + 1 :]
            path.write_bytes(packed({**files, name: damaged}))
            try:
                load_recording(path)
            except RecordingError:
                refusals += 1
    assert refusals > 100


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"not a zip at all, but long enough to look at", "not a zip file"),
        (pickle.dumps({"a": 1}), "not a zip file"),
        (packed({"readme.txt": b"hello"}), "has no graph.json"),
        (packed({"graph.json": b"[1, 2]"}), "does not say that it is one"),
        (packed({"graph.json": b'{"format": "something else"}'}), "does not say that it is one"),
        (packed({"graph.json": b"{"}), "damaged"),
        (packed({"graph.json": b"\xff\xfe\x00"}), "damaged"),
        (packed({"graph.json": b"[" * 100_000}), "damaged"),
        (packed({"graph.json": b'{"a": NaN}'}), "not JSON"),
    ],
    # Not by their bytes: a zip file has the time in it, and all workers must collect the same tests.
    ids=["text", "pickle", "no document", "a list", "another", "cut", "not UTF-8", "deep", "NaN"],
)
def test_foreign(tmp_path: Path, data: bytes, match: str) -> None:
    refused(tmp_path, data, match)


def test_a_member_packed_in_another_way(tmp_path: Path, good: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in members(good).items():
            archive.writestr(name, content)
    refused(tmp_path, buffer.getvalue(), "compressed in an unknown way")


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "sub/float64.npy", "object.npy"])
def test_strange_members(tmp_path: Path, good: bytes, name: str) -> None:
    refused(tmp_path, packed({**members(good), name: b"x"}), "which no recording does")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.mrn"]


def test_a_member_twice(tmp_path: Path, good: bytes) -> None:
    buffer = io.BytesIO(good)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("graph.json", b"{}")
    refused(tmp_path, buffer.getvalue(), "occurs twice")


def test_a_zip_bomb(tmp_path: Path, good: bytes) -> None:
    bomb = packed({**members(good), "float32.npy": bytes(50_000_000)})
    assert len(bomb) < 200_000
    refused(tmp_path, bomb, "takes 4. MiB in memory, and 10 MiB are allowed", limit=10 * 2**20)


def npy(array: Any, **header: Any) -> bytes:
    buffer = io.BytesIO()
    if header:
        np.lib.format.write_array_header_1_0(buffer, header)
    else:
        np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


FLAT = {"descr": "<f8", "fortran_order": False}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (npy(None, **FLAT, shape=(10**15,)), "does not fit its"),
        (npy(None, **FLAT, shape=(10**6, 10**6, 10**6, 10**6)), "does not fit its"),
        (npy(np.ones((2, 3))), r"holds float64 of shape \(2, 3\)"),
        (npy(np.ones(3, "f4")), "holds float32 of shape"),
        (npy(np.ones(3, ">f8")), "holds >f8 of shape"),
        (npy(np.array([{"a": 1}], object)), "holds Python objects"),
        (npy(np.ones(3))[:-4], "does not fit its"),
        (b"\x93NUMPY\x09\x00", "another version"),
        (b"", "damaged"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "damaged header"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8',", "damaged header"),
        (b"\x93NUMPY\x01\x00\x08\x00[1, 2, 3", "damaged header"),
        (b"\x93NUMPY\x01\x00\x04\x00\x00\x00\x00\x00", "damaged header"),
        (npy(np.ones(3)), "lies outside the file"),
    ],
)
def test_bad_arrays(tmp_path: Path, good: bytes, content: bytes, match: str) -> None:
    refused(tmp_path, packed({**members(good), "float64.npy": content}), match)


def change(good: bytes, edit: Callable[[Document], Any]) -> bytes:
    parts = members(good)
    document = json.loads(parts["graph.json"])
    before = copy.deepcopy(document)
    edit(document)
    assert document != before, "the edit changed nothing"
    return packed({**parts, "graph.json": json.dumps(document).encode()})


def put(*path: Any) -> Callable[[Document], None]:
    """Set what is found by following the path; the last of it is the new value."""
    *way, last, value = path

    def edit(document: Any) -> None:
        for key in way:
            document = document[key]
        document[last] = value

    return edit


def computed(document: Document) -> int:
    return next(i for i, row in enumerate(document["nodes"]) if row[1])


def on_computed(*path: Any) -> Callable[[Document], None]:
    return lambda document: put("nodes", computed(document), *path)(document)


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (put("version", 2), "newer version of micrornn"),
        (put("version", "1"), "version is '1'"),
        (put("nodes", []), "damaged|no nodes|no node"),
        (put("nodes", {}), "list of nodes is missing"),
        (put("nodes", 0, []), "node 0: its row has the wrong length"),
        (put("primitives", 0, "os.system"), "'os.system' is not known"),
        (put("primitives", 0, ["a"]), "damaged|not known"),
        (put("places", 0, ["", "now"]), "no scope and step"),
        (put("names", 0, 7), "a name is not a text"),
        (put("sources", 0, ["a.py", -1]), "no source line"),
        (on_computed(1, [10**6]), "not all older nodes"),
        (on_computed(1, [-1]), "not all older nodes"),
        (on_computed(1, ["0"]), "not all older nodes"),
        (lambda d: put("nodes", computed(d), 1, [computed(d)])(d), "not all older nodes"),
        (on_computed(0, -1), "no primitive made it"),
        (on_computed(0, 10**6), "there is no primitive"),
        (on_computed(1, [0] * 7), "does not take 7 inputs"),
        (on_computed(2, [0, -5, [2]]), "lies outside the file"),
        (on_computed(2, [0, 0, [10**9, 10**9]]), "lies outside the file"),
        (on_computed(2, [0, 0, [-1]]), "no shape"),
        (on_computed(2, [0, 0, [1] * 1000]), "no shape"),
        (on_computed(2, [0, 0, "x"]), "no shape"),
        (on_computed(2, [99, 0, []]), "no dtype number"),
        (on_computed(2, [6, 0, []]), "of dtype int16 is missing"),
        (on_computed(2, "x"), "no reference"),
        (on_computed(3, {"shell": "rm"}), "takes the params"),
        (on_computed(3, {"axis": {"eval": "1"}}), "no argument"),
        (on_computed(3, {"axis": {"float": "x"}}), "damaged"),
        (on_computed(4, 999), "there is no place"),
        (on_computed(5, 999), "there is no name"),
        (on_computed(6, 2), "wants a gradient"),
        (on_computed(6, 0), "has a history and needs no gradient"),
        (on_computed(7, 999), "there is no source line"),
        (put("passes", [[]]), "has no pullbacks"),
        (put("passes", 0, 0, 0, 0), "does not fit the graph"),
        (put("passes", 0, 1, 0, 10**6), "there is no node"),
        (put("passes", 0, 0, 2, []), "does not fit the graph"),
        (put("passes", 0, 0, 1, [0, 0, [3]]), "another shape than the node"),
        (put("passes", 0, 0, 2, 0, [0, 0, [7]]), "is sent to a node of shape"),
        (put("passes", 0, 0, 2, 0, {"pickle": 1}), "in no known form"),
        (lambda d: d["passes"][0].reverse(), "does not fit the graph or the order"),
        (lambda d: d["passes"][0].insert(0, d["passes"][0][0]), "does not fit the graph or the"),
        (put("losses", [-1]), "there is no node"),
        (put("recomputed", [[-1, 1]]), "there is no node"),
        (put("recomputed", [[0, 0]]), "how many times it was computed again"),
        (put("recomputed", [[0, "1"]]), "how many times it was computed again"),
        (put("recomputed", 7), "damaged"),
    ],
)
def test_bad_documents(
    tmp_path: Path, good: bytes, edit: Callable[[Document], None], match: str
) -> None:
    refused(tmp_path, change(good, edit), match)


def test_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_recording(tmp_path / "none.mrn")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.mrn"
    path.write_bytes(b"old")
    with recording() as rec:
        (mr.Value(0.5, "w") * 2.0).backward()

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(sys.modules["micrornn.recording.storage"], "_write", full)
    with pytest.raises(OSError, match="no space"):
        rec.save(path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_what_has_no_form_in_a_file_is_named(tmp_path: Path) -> None:
    x = mr.tensor(np.ones(2, np.longdouble), requires_grad=True)
    with recording() as rec:
        x.sum().backward()
    with pytest.raises(RecordingError, match=r"dtype float128 cannot be saved|longdouble"):
        rec.save(tmp_path / "run.mrn")
    assert list(tmp_path.iterdir()) == []
