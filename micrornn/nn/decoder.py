"""The decoder of a sequence-to-sequence model: one token a step, with or without attention."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.nn.attention import (
    AdditiveAttention,
    Attention,
    DotAttention,
    GeneralAttention,
    ScaledDotAttention,
)
from micrornn.nn.basic import Linear
from micrornn.nn.containers import ModuleList
from micrornn.nn.dropout import dropout
from micrornn.nn.embedding import Embedding
from micrornn.nn.generators import Seed, as_generator
from micrornn.nn.kinds import CELLS, keeps_output
from micrornn.nn.module import Module
from micrornn.ops.elementwise import tanh
from micrornn.ops.join import concatenate
from micrornn.options import check

State = list[tuple[Tensor, ...]]  # for each layer its parts, such as h and c

ATTENTIONS = ("dot", "scaled", "general", "additive")


class Memory(NamedTuple):
    """The encoder states that a decoder attends to.

    Attributes:
        states: (B, S, D) or (S, D).
        projected: their projection by the attention, computed once for all steps.
        mask: (B, S), true where the source is real, or None.
    """

    states: Tensor
    projected: Tensor | None
    mask: np.ndarray[Any, Any] | None


class Decoder(Module):
    """One step of decoding: from the last token, the state and the memory to the logits of the next token.

    Args:
        vocab_size: V, the number of target symbols.
        embedding_size: the length of a symbol's vector.
        hidden_size: H.
        cell: ``"GRU"``, ``"LSTM"``, ``"RNN"``, or another key of `kinds.LAYERS`, such as ``"MLSTM"``.
        num_layers: each reads the states of the one below.
        attention: None, ``"dot"``, ``"scaled"``, ``"general"`` or ``"additive"``.
        memory_size: D, the length of each state of the memory; H by default.
        dropout: the share of elements dropped between layers while training.
        padding_idx: as `Embedding`'s.
        gates: as the cells'.
        rng: a seed or a NumPy generator.
        dtype: float64 by default.

    Additive attention queries with the previous state and feeds the context to the cell (Bahdanau et al.
    2015). The others query with the new h, and the readout reads tanh(W [context; h]) (Luong et al. 2015,
    eq. 5). Without attention, the readout reads h.

    Called with tokens (B,) or (), the state, and what ``remember`` returned; returns the logits (B, V) or
    (V,), the next state, and the weights (B, S), (S,) or None. The caller tags the step.

    Raises:
        ValueError: an option or a size is wrong, or additive attention has no h to ask by.

    >>> import numpy as np
    >>> from micrornn import nn
    >>> decoder = nn.Decoder(7, 4, 3, attention="general", memory_size=6)
    >>> memory = decoder.remember(np.ones((2, 5, 6)))
    >>> logits, state, weights = decoder([0, 0], None, memory)
    >>> logits.shape, state[0][0].shape, weights.shape
    ((2, 7), (2, 3), (2, 5))
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        hidden_size: int,
        cell: str = "GRU",
        num_layers: int = 1,
        attention: str | None = None,
        memory_size: int | None = None,
        dropout: float = 0.0,
        padding_idx: int | None = None,
        *,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        rng = None if rng is None else as_generator(rng)
        check("Decoder", vocab_size=vocab_size, embedding_size=embedding_size, cell=cell)
        check("Decoder", hidden_size=hidden_size, num_layers=num_layers, dropout=dropout)
        if attention not in (None, *ATTENTIONS):
            raise ValueError(
                f"Decoder: attention={attention!r}; give None or one of "
                f"{', '.join(map(repr, ATTENTIONS))}"
            )
        memory_size = hidden_size if memory_size is None else memory_size
        check("Decoder", memory_size=memory_size)
        if attention in ("dot", "scaled") and memory_size != hidden_size:
            raise ValueError(
                f"Decoder: attention={attention!r} multiplies states of {hidden_size} numbers with a memory "
                f"of {memory_size}; make them equal, or take 'general' or 'additive'"
            )
        self.vocab_size, self.hidden_size, self.memory_size = vocab_size, hidden_size, memory_size
        self.cell, self.num_layers, self.dropout, self.rng = cell, num_layers, dropout, rng
        made: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.embedding = Embedding(vocab_size, embedding_size, padding_idx, **made)
        self.asks_first = attention == "additive"
        first = embedding_size + (memory_size if self.asks_first else 0)
        sizes = [first] + [hidden_size] * (num_layers - 1)
        self.cells = ModuleList(CELLS[cell](n, hidden_size, gates=gates, **made) for n in sizes)
        if self.asks_first and not keeps_output(self.cells[0]):
            raise ValueError(
                f"Decoder: attention='additive' asks by the h of the step before, which {cell}'s state "
                f"({', '.join(self.cells[0].state_names)}) does not hold; take 'general', 'dot' or 'scaled'"
            )
        self.attention = _attention(attention, hidden_size, memory_size, made)
        self.mix: Linear | None = None
        if self.attention is not None and not self.asks_first:
            self.mix = Linear(memory_size + hidden_size, hidden_size, bias=False, **made)
        self.readout = Linear(hidden_size, vocab_size, **made)

    def remember(self, states: Any, mask: Any = None) -> Memory:
        """The memory with its projection: states (B, S, D) or (S, D), mask (B, S)."""
        if self.attention is None:
            return Memory(states, None, mask)
        with scope((self.attention._path[:-1] or "attention") + " keys"):
            return Memory(states, self.attention.project(states), mask)

    def forward(
        self, tokens: Any, state: State | None, memory: Memory
    ) -> tuple[Tensor, State, Tensor | None]:
        """Logits, next state and attention weights; see the class."""
        x = self.embedding(tokens)
        weights: Tensor | None = None
        before: list[Any] = [None] * self.num_layers if state is None else list(state)
        if len(before) != self.num_layers:
            raise ValueError(
                f"Decoder: a state of {len(before)} layers was given, {self.num_layers} expected"
            )
        if self.asks_first:
            asked = before[-1][0] if before[-1] else np.zeros((*x.shape[:-1], self.hidden_size))
            context, weights = self._look(asked, memory)
            with scope(f"{self.cells[0].scope_name}.0 input"):
                x = concatenate([x, context], -1)
                x.name = "x"
        after: State = []
        for layer, (cell, own) in enumerate(zip(self.cells, before)):
            with scope(f"decoder/{cell.scope_name}.{layer}"):
                if layer and self.dropout and self.training:
                    x = dropout(x, self.dropout, generator=self.rng)
                single = own[0] if own is not None and len(own) == 1 else own
                x, new = cell.advance(x, single)
            after.append(new)
        if self.mix is not None:
            context, weights = self._look(x, memory)
            with scope(self.mix._path[:-1] or "mix"):
                both = concatenate([context, x], -1)
            mixed = self.mix(both)
            with scope(self.mix._path[:-1] or "mix"):
                x = tanh(mixed)
        return self.readout(x), after, weights

    def _look(self, query: Any, memory: Memory) -> tuple[Tensor, Tensor]:
        assert self.attention is not None
        states, projected, mask = memory
        looked: tuple[Tensor, Tensor] = self.attention(
            query, states, mask=mask, projected=projected
        )
        return looked


def _attention(
    kind: str | None, hidden: int, memory: int, made: dict[str, Any]
) -> Attention | None:
    if kind == "general":
        return GeneralAttention(hidden, memory, **made)
    if kind == "additive":
        return AdditiveAttention(hidden, memory, hidden, **made)
    return {None: None, "dot": DotAttention(), "scaled": ScaledDotAttention()}[kind]
