"""One step of each family, for a loop that is not over the steps of an input: the decoder's."""

from __future__ import annotations

from micrornn.nn.cells import Cell
from micrornn.nn.families.delta import Delta
from micrornn.nn.families.lru import Rotations
from micrornn.nn.families.minimal import MinimalGated, MinimalLongShortTerm
from micrornn.nn.families.rwkv import TimeMixing
from micrornn.nn.families.selective import Selective
from micrornn.nn.families.unitary import IdentityStart, Orthogonal
from micrornn.nn.families.xlstm import MatrixMemory, ScalarMemory


class IRNNCell(IdentityStart, Cell):
    """One step of `IRNN`."""


class OrthogonalRNNCell(Orthogonal, Cell):
    """One step of `OrthogonalRNN`."""


class MinGRUCell(MinimalGated, Cell):
    """One step of `MinGRU`."""


class MinLSTMCell(MinimalLongShortTerm, Cell):
    """One step of `MinLSTM`."""


class LRUCell(Rotations, Cell):
    """One step of `LRU`."""


class S6Cell(Selective, Cell):
    """One step of `S6`."""


class SLSTMCell(ScalarMemory, Cell):
    """One step of `SLSTM`."""


class MLSTMCell(MatrixMemory, Cell):
    """One step of `MLSTM`."""


class GatedDeltaCell(Delta, Cell):
    """One step of `GatedDelta`."""


class RWKVCell(TimeMixing, Cell):
    """One step of `RWKV`."""
