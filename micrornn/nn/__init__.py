"""Recurrent networks and what trains them, under PyTorch's names and in its parameter layout.

The cells are the textbook equations and nothing else: their backward is the engine's.
"""

from micrornn.nn import decoding, functional, init, scheduled, utils
from micrornn.nn.attention import (
    AdditiveAttention,
    Attention,
    DotAttention,
    GeneralAttention,
    ScaledDotAttention,
)
from micrornn.nn.basic import Dropout, Identity, Linear
from micrornn.nn.cells import GRUCell, LSTMCell, RNNCell
from micrornn.nn.decoder import Decoder
from micrornn.nn.embedding import Embedding
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.losses import CrossEntropyLoss, MSELoss, sequence_loss
from micrornn.nn.module import Module, ModuleList, Parameter, Sequential
from micrornn.nn.seq2seq import Encoder, Seq2Seq
from micrornn.nn.sequence import each_step

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AdditiveAttention",
    "Attention",
    "CrossEntropyLoss",
    "Decoder",
    "DotAttention",
    "Dropout",
    "Embedding",
    "Encoder",
    "GRUCell",
    "GeneralAttention",
    "Identity",
    "LSTMCell",
    "Linear",
    "MSELoss",
    "Module",
    "ModuleList",
    "Parameter",
    "RNNCell",
    "ScaledDotAttention",
    "Seq2Seq",
    "Sequential",
    "decoding",
    "each_step",
    "functional",
    "init",
    "scheduled",
    "sequence_loss",
    "utils",
]
