"""Recurrent networks after 2014, one file per family: the paper's equations first, then the layer."""

from micrornn.nn.families.delta import GatedDelta
from micrornn.nn.families.lru import LRU
from micrornn.nn.families.minimal import MinGRU, MinLSTM
from micrornn.nn.families.rwkv import RWKV
from micrornn.nn.families.scan import linear_scan
from micrornn.nn.families.selective import S6
from micrornn.nn.families.unitary import IRNN, OrthogonalRNN, cayley
from micrornn.nn.families.xlstm import MLSTM, SLSTM

__all__ = [
    "IRNN",
    "LRU",
    "MLSTM",
    "RWKV",
    "S6",
    "SLSTM",
    "GatedDelta",
    "MinGRU",
    "MinLSTM",
    "OrthogonalRNN",
    "cayley",
    "linear_scan",
]
