"""Arrays in a zip file (.npz, .mrn) that may come from anywhere: each is checked before it is read.

A few kilobytes of zip can claim to be gigabytes, and the header of an array can claim any shape. Here a
member is read only if its size is within a limit, and an array only if its shape fits its bytes.
"""

from __future__ import annotations

import math
import zipfile
from typing import IO, Any

import numpy as np

Array = np.ndarray[Any, Any]
_DATE = (1980, 1, 1, 0, 0, 0)
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArchiveError(ValueError):
    """The archive is not what it should be; says what is wrong with it."""


def new_member(archive: zipfile.ZipFile, name: str, level: int | None = None) -> IO[bytes]:
    """A new member to write to, with a fixed date: the same content gives the same bytes.

    Args:
        archive: opened for writing.
        name: the name of the member.
        level: of compression; None to store it as it is.
    """
    info = zipfile.ZipInfo(name, _DATE)
    if level is not None:
        info.compress_type = zipfile.ZIP_DEFLATED
        info._compresslevel = level  # type: ignore[attr-defined]
    info.create_system = 3  # the same on every system
    info.external_attr = 0o644 << 16
    return archive.open(info, "w", force_zip64=True)


def members(archive: zipfile.ZipFile, limit: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name.

    Args:
        archive: opened for reading.
        limit: bytes that they may have together, unpacked.

    Raises:
        ArchiveError: a name occurs twice, a member is packed in an unknown way, or they are too large.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if member.filename in found:
            raise ArchiveError(f"its member {member.filename} occurs twice")
        if member.compress_type not in _KNOWN:
            raise ArchiveError(f"its member {member.filename} is compressed in an unknown way")
        found[member.filename] = member
    size = sum(member.file_size for member in found.values())
    if size > limit:
        raise ArchiveError(
            f"it takes {size / 2**20:,.0f} MiB in memory, and {limit / 2**20:,.0f} MiB are allowed"
        )
    return found


def read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """A member in the .npy format.

    Raises:
        ArchiveError: it is not in that format, holds Python objects, or is not as large as it says.
    """
    what = f"its member {member.filename}"
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream, what)
        if dtype.hasobject:
            raise ArchiveError(f"{what} holds Python objects, which are never loaded")
        if math.prod(shape) * dtype.itemsize != member.file_size - stream.tell():
            raise ArchiveError(
                f"{what} has shape {shape}, which does not fit its {member.file_size} bytes"
            )
        # Read to its end, where its checksum is compared.
        flat = np.frombuffer(stream.read(), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(stream)
    except Exception as error:  # the header is a Python literal: damaged, it fails in many ways
        raise ArchiveError(f"{what} has a damaged header") from error
    raise ArchiveError(f"{what} is in another version of the .npy format")
