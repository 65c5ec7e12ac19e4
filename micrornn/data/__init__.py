"""Sequences from the outside world as arrays: texts as characters, columns of a file as series."""

from micrornn.data.series import Scaling, read_column
from micrornn.data.text import Vocabulary, pairs, quoted, read_text

__all__ = ["Scaling", "Vocabulary", "pairs", "quoted", "read_column", "read_text"]
