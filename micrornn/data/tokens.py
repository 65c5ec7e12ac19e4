"""Words and signs of a text, in lower case."""

from __future__ import annotations

import re

# A character of a script without blanks, a word with its apostrophe, or a sign.
_TOKEN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|\w+(?:['’]\w+)*|[^\w\s]")


def tokens_of(text: str) -> list[str]:
    """The words and signs of a text, in lower case; each Chinese or Japanese character is a word.

    >>> tokens_of("It isn't bad, really!")
    ['it', "isn't", 'bad', ',', 'really', '!']
    """
    return _TOKEN.findall(text.lower())
