"""Recurrent networks after 2014, a file for each family: the paper's equations first, then the layer."""

from micrornn.nn.families.minimal import MinGRU, MinLSTM
from micrornn.nn.families.scan import linear_scan
from micrornn.nn.families.unitary import IRNN, OrthogonalRNN, cayley

__all__ = ["IRNN", "MinGRU", "MinLSTM", "OrthogonalRNN", "cayley", "linear_scan"]
