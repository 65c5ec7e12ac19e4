"""Encoder and decoder: one sequence in, one of any length out (Sutskever et al. 2014; Cho et al. 2014).

Without attention all information about the source passes through one vector; with it, the decoder attends to
every state of the encoder. Time continues from one to the other: a source of S steps is steps 1 to S, and the
decoder's first step is S + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import long_loop, no_grad, scope
from micrornn.core.tensor import Tensor
from micrornn.nn import decoding
from micrornn.nn.basic import Linear
from micrornn.nn.containers import ModuleList
from micrornn.nn.decoder import Decoder, Memory, State
from micrornn.nn.embedding import Embedding
from micrornn.nn.generators import Seed, as_generator, uniform
from micrornn.nn.kinds import LAYERS, has_plain_state
from micrornn.nn.lengths import as_lengths, length_mask
from micrornn.nn.module import Module
from micrornn.nn.sequence import each_step
from micrornn.ops.elementwise import tanh
from micrornn.ops.followed import fresh
from micrornn.ops.join import concatenate, stack
from micrornn.options import check, is_integer


class Encoder(Module):
    """Encodes a source: returns the memory, one state per step, and the final state.

    Args:
        vocab_size: the number of source symbols.
        embedding_size: the length of a symbol's vector.
        hidden_size: H.
        cell: ``"GRU"``, ``"LSTM"``, ``"RNN"``, or another key of `kinds.LAYERS`, such as ``"MLSTM"``.
        num_layers, bidirectional, dropout, gates: as the recurrent layer's.
        padding_idx: as `Embedding`'s.
        rng: a seed or a NumPy generator.
        dtype: float64 by default.

    Called with tokens (S, B) or (S,), and lengths (B,) of a padded batch. Returns the memory (B, S, D) or
    (S, D), where D is H, or 2H both ways; and the state: for each layer its parts, such as
    h and c, each (B, D) or (D,), or (B, D, D) of a memory that is a matrix.

    Raises:
        ValueError: the source has no steps, or a shape, a symbol or a length does not fit; or the states of
            the two directions cannot be joined.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> memory, state = nn.Encoder(10, 4, 3, bidirectional=True)(np.ones((5, 2), int))
    >>> memory.shape, state[0][0].shape
    ((2, 5, 6), (2, 6))
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        hidden_size: int,
        cell: str = "GRU",
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        padding_idx: int | None = None,
        *,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        rng = None if rng is None else as_generator(rng)
        check("Encoder", vocab_size=vocab_size, embedding_size=embedding_size, cell=cell)
        self.cell = cell
        self.embedding = Embedding(vocab_size, embedding_size, padding_idx, rng=rng, dtype=dtype)
        options: dict[str, Any] = {"bidirectional": bidirectional, "dropout": dropout}
        options |= {"num_layers": num_layers, "gates": gates, "rng": rng, "dtype": dtype}
        self.recurrent = LAYERS[cell](embedding_size, hidden_size, **options)
        if bidirectional and not has_plain_state(self.recurrent):
            raise ValueError(
                f"Encoder: {cell} has the state {', '.join(self.recurrent.state_names)}, of which those of "
                "the two directions cannot be joined; leave bidirectional out, or take RNN, LSTM or GRU"
            )
        self.output_size = hidden_size * (2 if bidirectional else 1)

    def forward(self, tokens: Any, lengths: Any = None) -> tuple[Tensor, State]:
        """The memory and the last state; see the class."""
        source = as_tokens(tokens, "Encoder")
        steps = each_step(self.embedding, list(source))
        for x in steps:
            x.name = "x"
        with scope("encoder"):
            outputs, last = self.recurrent(steps, lengths=lengths)
        parts = last if isinstance(last, tuple) else (last,)
        ways = 2 if self.recurrent.bidirectional else 1
        state: State = []
        with scope("memory", t=len(source)):  # all that is handed on, at the last step
            memory = stack(outputs, -2)
            memory.name = "memory"
            for layer in range(self.recurrent.num_layers):
                own = []
                for part, name in zip(parts, self.recurrent.state_names):
                    ends = [part[row] for row in range(layer * ways, (layer + 1) * ways)]
                    own.append(ends[0] if ways == 1 else concatenate(ends, -1))
                    own[-1].name = name
                state.append(tuple(own))
        return memory, state


class Translated(NamedTuple):
    """The predictions of a decoder at every step.

    Attributes:
        logits: T tensors, each (B, V) or (V,), made at steps S + 1 to S + T.
        attention: T tensors, each (B, S) or (S,), rows that add up to 1; empty without attention.
        fed: (T, B) or (T,), the tokens that the decoder read: START, then targets or its own predictions.
    """

    logits: list[Tensor]
    attention: list[Tensor]
    fed: np.ndarray[Any, Any]


class Seq2Seq(Module):
    """An encoder and a decoder: trained on pairs, used by `translate`.

    Args:
        encoder: made with the decoder's kind of cell and number of layers.
        decoder: its ``memory_size`` is the encoder's ``output_size``.
        start: the first token that the decoder reads.
        end: the token that ends a target.
        rng: a seed or a NumPy generator, for the bridge's initial values and for sampling.

    Where the encoder's state is longer than the decoder's (it is bidirectional), a bridge projects it:
    tanh(W [h; h reverse]) (Bahdanau et al. 2015, appendix A.2.2).

    Called with source (S, B) or (S,), target (T, B) or (T,), END included; returns
    `Translated`, whose logits go into `sequence_loss` with the target.

    Raises:
        ValueError: encoder and decoder do not fit together, or a shape, symbol or length does not fit.

    >>> from micrornn import nn
    >>> net = nn.Seq2Seq(nn.Encoder(9, 4, 3), nn.Decoder(8, 4, 3, attention="dot"), start=0, end=1)
    >>> predicted = net([5, 6, 7], [2, 3, 1])
    >>> [y.shape for y in predicted.logits], predicted.attention[0].shape, predicted.logits[0].step
    ([(8,), (8,), (8,)], (3,), 4)
    >>> losses, total = nn.sequence_loss(predicted.logits, [2, 3, 1])
    """

    def __init__(
        self, encoder: Encoder, decoder: Decoder, start: int, end: int, *, rng: Seed = None
    ) -> None:
        super().__init__()
        self.rng = None if rng is None else as_generator(rng)
        for name, token in (("start", start), ("end", end)):
            if not is_integer(token) or not 0 <= token < decoder.vocab_size:
                raise ValueError(
                    f"Seq2Seq: {name}={token!r}; give a token of the decoder, from 0 to "
                    f"{decoder.vocab_size - 1}"
                )
        self.encoder, self.decoder, self.start, self.end = encoder, decoder, start, end
        one, two = encoder.recurrent, decoder
        if (encoder.cell, one.num_layers) != (two.cell, two.num_layers):
            raise ValueError(
                f"Seq2Seq: the encoder has {one.num_layers} layers of {encoder.cell}, the decoder "
                f"{two.num_layers} of {two.cell}; make them equal"
            )
        if two.memory_size != encoder.output_size:
            raise ValueError(
                f"Seq2Seq: the decoder expects a memory of {two.memory_size} numbers a step, the encoder "
                f"makes {encoder.output_size}; give Decoder(memory_size={encoder.output_size})"
            )
        self.bridge: ModuleList | None = None
        if encoder.output_size != two.hidden_size:
            sizes = (encoder.output_size, two.hidden_size)
            count = len(one.state_names) * one.num_layers
            dtype = encoder.embedding.weight.dtype
            self.bridge = ModuleList(
                Linear(*sizes, rng=self.rng, dtype=dtype) for _ in range(count)
            )

    def encode(self, source: Any, lengths: Any = None) -> tuple[Memory, State]:
        """The memory for the decoder, and its initial state."""
        tokens = as_tokens(source, "Seq2Seq")
        with long_loop():
            memory, state = self.encoder(tokens, lengths)
            mask = None
            if lengths is not None:
                counts = as_lengths(lengths, tokens.shape[1], len(tokens), "Seq2Seq")
                mask = length_mask(counts, len(tokens)).T
            if self.bridge is not None:
                across = iter(self.bridge)
                with scope(t=len(tokens)):
                    state = [tuple(tanh(next(across)(part)) for part in own) for own in state]
                for own in state:
                    for part, name in zip(own, self.encoder.recurrent.state_names):
                        part.name = name
            with scope(t=len(tokens)):
                return self.decoder.remember(memory, mask), state

    def forward(
        self,
        source: Any,
        target: Any,
        lengths: Any = None,
        teacher_forcing: float = 1.0,
        feed: str = "argmax",
    ) -> Translated:
        """The logits of every step of the target.

        Args:
            source: (S, B) or (S,), integers.
            target: (T, B) or (T,), integers.
            lengths: (B,), the true lengths of a padded source.
            teacher_forcing: the probability that the decoder reads the target, drawn for every token
                (Bengio et al. 2015): 1 is teacher forcing, 0 is free running.
            feed: what it reads otherwise: ``"argmax"``, its most likely token, or ``"sample"``, a draw.
        """
        check("Seq2Seq", teacher_forcing=teacher_forcing, feed=feed)
        truth, tokens = as_tokens(target, "Seq2Seq"), as_tokens(source, "Seq2Seq")
        if truth.shape[1:] != tokens.shape[1:]:
            raise ValueError(
                f"Seq2Seq: a source of shape {tokens.shape} and a target of shape {truth.shape}; give as "
                "many sequences of each, time first"
            )
        with long_loop():
            memory, state = self.encode(tokens, lengths)
            logits: list[Tensor] = []
            attention: list[Tensor] = []
            fed: list[Any] = [np.full(truth.shape[1:], self.start)]
            for k in range(len(truth)):
                if k:
                    fed.append(self._next(truth[k - 1], logits[-1], teacher_forcing, feed))
                with scope(t=len(tokens) + k + 1):
                    predicted, state, weights = self.decoder(fed[k], state, memory)
                logits.append(predicted)
                attention += [] if weights is None else [weights]
        return Translated(logits, attention, np.stack(fed))

    def _next(self, truth: Any, logits: Tensor, share: float, feed: str) -> Any:
        if share == 1.0:
            return truth
        own = np.argmax(logits._value, -1)
        if feed == "sample":  # Gumbel's trick: the argmax of logits plus such noise is a draw
            noise = -np.log(-np.log(uniform(self.rng, logits.shape)))
            own = np.argmax(logits._value + noise, -1)
        return np.where(uniform(self.rng, np.shape(truth)) < share, truth, own) if share else own

    def translate(
        self, source: Sequence[int], method: str = "greedy", max_length: int = 50, **options: Any
    ) -> list[decoding.Hypothesis]:
        """Translate one source (S,): hypotheses, the best first, without recording and without dropout.

        Args:
            source: integers.
            method: ``"greedy"``, ``"beam"`` (``width``, ``length_power``) or ``"sample"``
                (``temperature``, ``top_k``, ``rng``); see `decoding`.
            max_length: the maximum number of tokens.
        """
        check("translate", method=method)
        training = [module for module in self.modules() if module.training]
        self.eval()
        try:
            with no_grad():
                memory, state = self.encode(source)

            def step(token: int, state: State) -> tuple[Tensor, State]:
                logits, state, _ = self.decoder(np.array(token), state, memory)
                return logits, state

            given: Any = (step, state, self.start, self.end)
            options["max_length"] = max_length
            if method == "beam":
                return decoding.beam_search(*given, **({"width": 4} | options))
            return [(decoding.greedy if method == "greedy" else decoding.sample)(*given, **options)]
        finally:
            for module in training:
                module.training = True


def as_tokens(tokens: Any, what: str) -> np.ndarray[Any, Any]:
    """Tokens as integers (T,) or (T, B), with at least one step."""
    array = fresh(tokens._value if isinstance(tokens, Tensor) else tokens)
    if array.ndim not in (1, 2) or not array.size or array.dtype.kind not in "iu":
        raise ValueError(
            f"{what}: tokens of shape {array.shape} and {array.dtype} were given; give integers, (steps,) "
            "or (steps, batch), at least one step"
        )
    return array
