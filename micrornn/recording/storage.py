"""Writing the file of a recording: a zip of one JSON document and flat .npy arrays, one for each dtype.

Nothing in it is code: no pickle. The same run gives the same bytes: the members have fixed dates and a fixed
order, and the nodes are numbered from 0.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable
from typing import IO, Any

import numpy as np

from micrornn.archive import new_member
from micrornn.core.context import long_loop
from micrornn.files import written_whole
from micrornn.recording.encode import Run, encode
from micrornn.recording.pools import DTYPES, Writer

Path = str | os.PathLike[str]

DOCUMENT = "graph.json"
FORMAT = "micrornn recording"
VERSION = 1

_LEVEL = 1  # random digits compress little, and what does compress does so at any level


def save(recording: Run, path: Path) -> None:
    """Write a recording to a file. It is written aside and then renamed, so an old file is never lost.

    Raises:
        RecordingError: something in it has no form in a file, such as an unknown dtype.
        OSError: the file cannot be written.
    """
    arrays = Writer()
    with long_loop():
        document = {"format": FORMAT, "version": VERSION, **encode(recording, arrays)}
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    with written_whole(path) as file:
        _write(file, text, arrays)


def _write(file: IO[bytes], text: bytes, arrays: Writer) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        with new_member(archive, DOCUMENT, _LEVEL) as member:
            member.write(text)
        for dtype, size, chunks in arrays.pools():
            with new_member(archive, f"{dtype}.npy", _LEVEL) as member:
                header = {"descr": DTYPES[dtype].str, "fortran_order": False, "shape": (size,)}
                np.lib.format.write_array_header_1_0(member, header)
                for chunk in _joined(chunks):
                    member.write(chunk)


def _joined(chunks: Iterable[Any], size: int = 2**17) -> Iterable[bytes]:
    """The arrays' bytes in pieces of a good size to compress."""
    held: list[bytes] = []
    length = 0
    for chunk in chunks:
        held.append(chunk.tobytes())
        length += len(held[-1])
        if length >= size:
            yield b"".join(held)
            held, length = [], 0
    yield b"".join(held)
