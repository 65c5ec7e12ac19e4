"""Text for messages: input from outside made printable, and the word that a user may have meant.

Whatever comes from a file, a recording, a user's program or the command line can hold escape sequences,
which a terminal obeys. `printable` is the one place where they are written out instead.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable


def printable(text: str) -> str:
    """Text with every control character, format character and lone surrogate written as an escape.

    >>> print(printable("a\\x1b[31mb\\n"))
    a\\x1b[31mb\\n
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """`printable` for a text of several lines: line ends and tabs stay.

    >>> printable_lines("a\\n\\x07b")
    'a\\n\\\\x07b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def printable_json(text: str) -> str:
    r"""A JSON document in which such characters are escaped, which means the same.

    >>> print(printable_json('{"name": "a\x9bb"}'))
    {"name": "a\u009bb"}
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def quoted(text: str, longest: int = 40) -> str:
    """Text in quotation marks, in one line; a long text is cut and its length added.

    >>> quoted("hell")
    '"hell"'
    >>> print(quoted("one\\ntwo and so on", 8))
    "one\\ntwo …" (17 characters)
    """
    if len(text) <= longest:
        return f'"{printable(text)}"'
    return f'"{printable(text[:longest])}…" ({len(text):,} characters)'


def percent(share: float) -> str:
    """A share in percent, in two digits, and in three where it is nearly all.

    >>> [percent(x) for x in (0.1102, 0.9971, 0.00012, 1.0, 0.0)]
    ['11%', '99.7%', '0.012%', '100%', '0%']
    """
    digits = 3 if 0.99 <= abs(share) < 1.0 else 2
    return f"{float(f'{100 * share:.{digits}g}'):,g}%"


def flag(option: str) -> str:
    """An option as it is written on the command line.

    >>> flag("forget_bias")
    '--forget-bias'
    """
    return f"--{option.replace('_', '-')}"


def flags(options: Iterable[str]) -> str:
    """Several options as they are written on the command line, with commas between them."""
    return ", ".join(map(flag, options))


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that may have been meant, as a question, or else all there are.

    >>> nearest("lsmt", ["rnn", "lstm", "gru"])
    "did you mean 'lstm'?"
    >>> nearest("transformer", ["rnn", "lstm", "gru"])
    'choose from rnn, lstm, gru'
    """
    words = list(words)
    close = difflib.get_close_matches(word[:100].lower(), words, 1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(words)}"
