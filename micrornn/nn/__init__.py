"""Recurrent networks and what trains them, under PyTorch's names and in its parameter layout.

The cells are the textbook equations and nothing else: their backward is the engine's.
"""

from micrornn.nn import decoding, functional, init, scheduled, utils
from micrornn.nn.activations import (
    Flatten,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from micrornn.nn.attention import (
    AdditiveAttention,
    Attention,
    DotAttention,
    GeneralAttention,
    ScaledDotAttention,
)
from micrornn.nn.basic import Dropout, Identity, Linear
from micrornn.nn.cells import GRUCell, LSTMCell, RNNCell
from micrornn.nn.concat import ConcatRNNCell
from micrornn.nn.ctc_decoding import ctc_beam, ctc_greedy
from micrornn.nn.ctc_loss import CTCLoss, ctc_alignment, ctc_best_path
from micrornn.nn.decoder import Decoder
from micrornn.nn.embedding import Embedding
from micrornn.nn.images import Conv2d, MaxPool2d
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.loss_modules import BCELoss, BCEWithLogitsLoss, HuberLoss, NLLLoss, SmoothL1Loss
from micrornn.nn.losses import CrossEntropyLoss, MSELoss, sequence_loss
from micrornn.nn.masked_loss import masked_sequence_loss
from micrornn.nn.module import Module, ModuleList, Parameter, Sequential
from micrornn.nn.normalization import LayerNorm
from micrornn.nn.seq2seq import Encoder, Seq2Seq
from micrornn.nn.sequence import each_step

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AdditiveAttention",
    "Attention",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "ConcatRNNCell",
    "Conv2d",
    "CrossEntropyLoss",
    "Decoder",
    "DotAttention",
    "Dropout",
    "Embedding",
    "Encoder",
    "Flatten",
    "GRUCell",
    "GeneralAttention",
    "HuberLoss",
    "Identity",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "RNNCell",
    "ReLU",
    "ScaledDotAttention",
    "Seq2Seq",
    "Sequential",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "ctc_alignment",
    "ctc_beam",
    "ctc_best_path",
    "ctc_greedy",
    "decoding",
    "each_step",
    "functional",
    "init",
    "masked_sequence_loss",
    "scheduled",
    "sequence_loss",
    "utils",
]
