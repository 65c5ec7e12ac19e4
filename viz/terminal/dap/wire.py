"""Messages of the Debug Adapter Protocol: JSON with its length in front."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

LONGEST = 2**24  # bytes of one message
Message = dict[str, Any]


class WireError(ValueError):
    """What came is no message of the protocol.

    Attributes:
        lost: whether it is unknown where the next message begins.
    """

    def __init__(self, words: str, lost: bool = False) -> None:
        super().__init__(words)
        self.lost = lost


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not part of JSON")


def read(stream: BinaryIO) -> Message | None:
    """The next message, or None at the end.

    Raises:
        WireError: there is no length, it is out of bounds, or what follows is no JSON object.

    >>> import io
    >>> read(io.BytesIO(b'Content-Length: 13\\r\\n\\r\\n{"seq":    1}'))
    {'seq': 1}
    """
    length = None
    while True:
        line = stream.readline(1000)
        if not line:
            return None
        line = line.strip()
        if not line:
            break
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
    if length is None or length > LONGEST:
        raise WireError("a message begins with Content-Length, of at most 16 MB", lost=True)
    body = stream.read(length)
    if len(body) < length:
        return None
    try:
        message = json.loads(body, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message is JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError("a message is a JSON object")
    return message


def write(stream: BinaryIO, message: Message) -> None:
    """Send a message."""
    body = json.dumps(message, allow_nan=False).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()
