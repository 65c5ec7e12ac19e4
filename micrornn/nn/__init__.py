"""Recurrent networks and what trains them, under PyTorch's names and in its parameter layout.

The cells are the textbook equations and nothing else: their backward is the engine's.
"""

from micrornn.nn import functional, init, utils
from micrornn.nn.basic import Dropout, Identity, Linear
from micrornn.nn.cells import GRUCell, LSTMCell, RNNCell
from micrornn.nn.embedding import Embedding
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.losses import CrossEntropyLoss, MSELoss, sequence_loss
from micrornn.nn.module import Module, ModuleList, Parameter, Sequential
from micrornn.nn.sequence import each_step

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "GRUCell",
    "Identity",
    "LSTMCell",
    "Linear",
    "MSELoss",
    "Module",
    "ModuleList",
    "Parameter",
    "RNNCell",
    "Sequential",
    "each_step",
    "functional",
    "init",
    "sequence_loss",
    "utils",
]
