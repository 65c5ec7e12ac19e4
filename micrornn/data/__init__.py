"""Data: texts as characters, columns of CSV files as series, and small real data sets with their sources."""

from micrornn.data.series import Scaling, read_column
from micrornn.data.text import Vocabulary, pairs, quoted, read_text

__all__ = ["Scaling", "Vocabulary", "pairs", "quoted", "read_column", "read_text"]
