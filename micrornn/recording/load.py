"""Reading the file of a recording, which somebody else may have written.

No member is ever unpacked to disk, and what a file claims about itself is checked before anything is made
of it.
"""

from __future__ import annotations

import json
import os
import struct
import tokenize
import zipfile
import zlib
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any

from micrornn.archive import ArchiveError, members, read_array
from micrornn.core.context import long_loop
from micrornn.recording.decode import decode
from micrornn.recording.passes import RecordingError
from micrornn.recording.pools import DTYPES, Pools
from micrornn.recording.run import Recording
from micrornn.recording.storage import DOCUMENT, FORMAT, VERSION, Path

LIMIT = 4 * 2**30  # bytes, unpacked
_MOST_TEXT = 2**28  # bytes of them that describe the graph: some 500,000 nodes

_TOO_NEW = "it was written by a newer version of micrornn (format {}, this one reads {}); update"
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, KeyError, TypeError),
    *(IndexError, AttributeError, OverflowError, RecursionError, MemoryError, RuntimeError),
    *(SyntaxError, tokenize.TokenError),  # NumPy reads a header as Python
)


def load_recording(path: Path | IO[bytes], limit: int = LIMIT) -> Recording:
    """Read a recording that `Recording.save` wrote.

    The nodes are new tensors with numbers of their own, in the old order; readers see no other difference.

    Args:
        path: the file, by name or open for reading.
        limit: bytes that it may take in memory, so that a small file cannot fill it.

    Raises:
        RecordingError: the file is not a recording, is damaged, or was made by a newer version.
        OSError: there is no such file, or it cannot be read.

    >>> import micrornn as mr, os, tempfile
    >>> from micrornn.recording import record
    >>> rec = record(lambda: mr.tanh(mr.Value(0.5, "w") * 2.0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "run.mrn")
    ...     rec.save(path)
    ...     load_recording(path).gradient("w") == rec.gradient("w")
    True
    """
    name = path if isinstance(path, (str, os.PathLike)) else getattr(path, "name", "the file")
    name = os.fspath(name) if isinstance(name, os.PathLike) else name
    try:
        with _binary(path) as file, zipfile.ZipFile(file) as archive:
            document, pools = _read(archive, limit)
        with long_loop():
            return decode(document, pools)
    except (RecordingError, ArchiveError) as error:
        raise RecordingError(f"{name} cannot be read as a recording: {error}") from None
    except _DAMAGE as error:
        what = "it is not a zip file" if isinstance(error, zipfile.BadZipFile) else "it is damaged"
        first = str(error).partition("\n")[0]
        detail = f"{type(error).__name__}: {first}" if first else type(error).__name__
        raise RecordingError(
            f"{name} cannot be read as a recording: {what} ({detail}). Record it again, or copy it again "
            "from where it was made"
        ) from error


def _binary(path: Path | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    return open(path, "rb") if isinstance(path, (str, os.PathLike)) else nullcontext(path)


def _read(archive: zipfile.ZipFile, limit: int) -> tuple[dict[str, Any], Pools]:
    names = archive.namelist()
    allowed = {DOCUMENT, *(f"{dtype}.npy" for dtype in DTYPES)}
    if DOCUMENT not in names:
        raise RecordingError(f"it has no {DOCUMENT}, so it is not a recording")
    if strange := [name for name in names if name not in allowed]:
        raise RecordingError(f"it holds {strange[0]!r}, which no recording does")
    found = members(archive, limit)
    described = found.pop(DOCUMENT)
    if described.file_size > min(limit, _MOST_TEXT):
        raise RecordingError(
            f"its {DOCUMENT} takes {described.file_size / 2**20:.0f} MiB, and {_MOST_TEXT / 2**20:.0f} MiB "
            "are allowed"
        )
    document = json.loads(archive.read(described), parse_constant=_no_constant)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RecordingError(f"its {DOCUMENT} does not say that it is one")
    version = document.get("version")
    if not isinstance(version, int) or version < 1:
        raise RecordingError(f"its format version is {version!r}")
    if version > VERSION:
        raise RecordingError(_TOO_NEW.format(version, VERSION))
    pools = {}
    for name, member in found.items():
        dtype = name.removesuffix(".npy")
        array = read_array(archive, member)
        if array.dtype != DTYPES[dtype] or array.ndim != 1:
            raise RecordingError(f"its member {name} holds {array.dtype} of shape {array.shape}")
        pools[dtype] = array
    return document, Pools(pools)


def _no_constant(name: str) -> None:
    raise RecordingError(f"its {DOCUMENT} holds {name}, which is not JSON")
