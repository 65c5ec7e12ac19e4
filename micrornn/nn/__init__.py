"""Recurrent networks and what trains them, under PyTorch's names and in its parameter layout.

The cells are the textbook equations and nothing else: their backward is the engine's.
"""

from typing import TYPE_CHECKING

from micrornn.names import no_such_name
from micrornn.nn import decoding, families, functional, init, scheduled, utils
from micrornn.nn.activations import (
    Flatten,
    LeakyReLU,
    LogSigmoid,
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
from micrornn.nn.basic import Identity, Linear
from micrornn.nn.cells import GRUCell, LSTMCell, RNNCell
from micrornn.nn.concat import ConcatRNNCell
from micrornn.nn.containers import (
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Sequential,
)
from micrornn.nn.convolution import Conv1d, Conv2d
from micrornn.nn.ctc_decoding import ctc_beam, ctc_greedy
from micrornn.nn.decoder import Decoder
from micrornn.nn.dropout import Dropout
from micrornn.nn.embedding import Embedding
from micrornn.nn.families import (
    IRNN,
    LRU,
    MLSTM,
    RWKV,
    S6,
    SLSTM,
    GatedDelta,
    MinGRU,
    MinLSTM,
    OrthogonalRNN,
)
from micrornn.nn.layers import GRU, LSTM, RNN
from micrornn.nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    CTCLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
    ctc_alignment,
    ctc_best_path,
    masked_sequence_loss,
    sequence_loss,
)
from micrornn.nn.module import Module
from micrornn.nn.normalization import BatchNorm1d, LayerNorm
from micrornn.nn.pooling import MaxPool2d
from micrornn.nn.registry import Parameter
from micrornn.nn.seq2seq import Encoder, Seq2Seq
from micrornn.nn.sequence import each_step
from micrornn.nn.weights import load_file, save_file

__all__ = [
    "GRU",
    "IRNN",
    "LRU",
    "LSTM",
    "MLSTM",
    "RNN",
    "RWKV",
    "S6",
    "SLSTM",
    "AdditiveAttention",
    "Attention",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "CTCLoss",
    "ConcatRNNCell",
    "Conv1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Decoder",
    "DotAttention",
    "Dropout",
    "Embedding",
    "Encoder",
    "Flatten",
    "GRUCell",
    "GatedDelta",
    "GeneralAttention",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "MinGRU",
    "MinLSTM",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "OrthogonalRNN",
    "Parameter",
    "ParameterDict",
    "ParameterList",
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
    "families",
    "functional",
    "init",
    "load_file",
    "masked_sequence_loss",
    "save_file",
    "scheduled",
    "sequence_loss",
    "utils",
]

# PyTorch's names that do not exist here, and what to use instead.
INSTEAD = {
    "AvgPool2d": "nn.MaxPool2d, or mr.mean over the axes",
    "BatchNorm2d": "nn.BatchNorm1d on (B, C, H * W)",
    "Buffer": "module.register_buffer",
    "ELU": "nn.LeakyReLU or nn.Softplus",
    "GELU": "nn.ReLU or nn.Softplus",
    "GroupNorm": "nn.LayerNorm",
    "MaxPool1d": "nn.MaxPool2d on (..., 1, L)",
    "MultiheadAttention": "nn.ScaledDotAttention",
    "NLLLoss2d": "nn.NLLLoss",
    "SiLU": "nn.ReLU or nn.Softplus",
    "SyncBatchNorm": "nn.BatchNorm1d",
    "Transformer": "nn.Seq2Seq",
    "TransformerDecoder": "nn.Decoder",
    "TransformerEncoder": "nn.Encoder",
    "UninitializedParameter": "nn.Parameter",
}
if not TYPE_CHECKING:  # so that a type checker reports names that do not exist
    __getattr__ = no_such_name("nn", __all__, INSTEAD)
