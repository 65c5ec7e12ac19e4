"""Recurrent layers unrolled: layers, directions, and the loop over time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from micrornn.core.context import long_loop, scope
from micrornn.core.tensor import Tensor
from micrornn.nn.dropout import dropout
from micrornn.nn.generators import Seed
from micrornn.nn.lengths import as_lengths, held, length_mask, silenced
from micrornn.nn.packing import PackedSequence, pack_padded_sequence, pad_packed_sequence
from micrornn.nn.recurrent import Recurrent
from micrornn.nn.schedules import Plan, scheduled
from micrornn.nn.sequence import as_input, as_steps, each_step, part
from micrornn.ops.followed import followed
from micrornn.ops.join import concatenate, stack
from micrornn.options import check


class Unrolled(Recurrent):
    """A recurrent network over a sequence: layers, directions, and the loop over time.

    Args:
        input_size: I, the length of each step's input.
        hidden_size: H, the length of the state.
        num_layers: each layer reads the states of the one below.
        bias: whether to add biases.
        batch_first: tensors of input and output are (B, T, ...) and not (T, B, ...).
        dropout: the share of elements dropped between layers while training.
        bidirectional: a second network per layer reads the sequence from its end.
        gates: ``"stacked"`` (fast) or ``"separate"`` (one scope per gate).
        rng: a seed or a NumPy generator for the initial values and for dropout.
        dtype: float64 by default.
        checkpoint: None keeps the graph of all steps for backward. ``"sqrt"`` keeps about √T states and
            computes the rest again in backward (Chen et al. 2016); a number of slots keeps the graphs of so
            many steps, by the schedule that computes least (Gruslys et al. 2016). Gradients stay the same,
            bit for bit; it may be changed at any time. See `nn.schedules`.

    Layer k works in the scope ``lstm.k`` (``rnn.k``, ``gru.k``), its second direction in
    ``lstm.k.reverse``, and what joins the two in ``lstm.k.both``; the nodes of step t carry t, counted from
    1, and the initial state carries 0 (T + 1 where the sequence is read from its end).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *variant: Any,
        gates: str = "stacked",
        rng: Seed = None,
        dtype: Any = None,
        checkpoint: Plan = None,
        **options: Any,
    ) -> None:
        kind = type(self).__name__
        check(kind, num_layers=num_layers, batch_first=batch_first, dropout=dropout)
        check(kind, bidirectional=bidirectional)
        super().__init__(input_size, hidden_size, bias, gates, rng, variant, options)
        if dropout and num_layers == 1:
            warnings.warn(
                f"{kind}: dropout={dropout} acts between layers, and there is only one",
                stacklevel=2,
            )
        self.checkpoint = checkpoint
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self._directions = ("", "_reverse") if bidirectional else ("",)
        for layer in range(num_layers):
            size = self._size("h") * len(self._directions) if layer else input_size
            for direction in self._directions:
                self._make_weights(f"_l{layer}{direction}", size, dtype)

    def forward(self, input: Any, hx: Any = None, lengths: Any = None) -> Any:
        """Run over a sequence from a state, zero by default.

        Args:
            input: (T, B, I), or (B, T, I) with ``batch_first``, or (T, I); or a list of T steps, each (B, I)
                or (I,), in which case the output is such a list as well: the graph without the nodes
                that cut and join whole sequences; or a `PackedSequence`, and the output is one as well.
            hx: h0, or (h0, c0) for an LSTM, each (layers * directions, B, H), or unbatched without B.
            lengths: (B,), the true length of each sequence of a padded batch. In the padding the state does
                not change and the output is 0; the second direction starts at each sequence's own end.

        Returns:
            The top layer's states at every step, and the last state of each layer and direction in the
            shape of ``hx``: with ``lengths``, the state at each sequence's own last step.

        Raises:
            TypeError: the lengths are not integers.
            ValueError: a shape or a length does not fit, or the sequence has no steps.
        """
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise ValueError(
                    f"{type(self).__name__}: a packed sequence has its lengths; leave lengths= out"
                )
            padded, lengths = pad_packed_sequence(input, self.batch_first)
            whole, last = self.forward(padded, hx, lengths)
            return pack_padded_sequence(whole, lengths, self.batch_first, False), last
        with long_loop():
            listed = isinstance(input, (list, tuple))
            steps = self._steps(input)
            real = self._real(lengths, steps)
            rows = self.num_layers * len(self._directions)
            batch = steps[0].shape[:-1]
            names = tuple(f"{name}0" for name in self.state_names)
            begin = self._states(hx, names, (rows, *batch))
            ends: list[tuple[Tensor, ...]] = []
            for layer in range(self.num_layers):
                if layer and self.dropout and self.training:
                    with scope(f"{self.scope_name}.{layer - 1}"):
                        steps = each_step(self._drop, steps)
                ways = []
                for direction in self._directions:
                    outputs, end = self._run(layer, direction, steps, begin, len(ends), real)
                    ways.append(outputs)
                    ends.append(end)
                steps = ways[0] if len(ways) == 1 else self._joined(layer, *ways)
            output: Any = steps
            if not listed:
                output = stack(steps, axis=1 if self.batch_first and batch else 0)
                output.name = "output"
            last = []
            top = f"{self.scope_name}.{self.num_layers - 1}" + (
                ".both" if self.bidirectional else ""
            )
            with scope(
                top, t=len(steps)
            ):  # all final states are known at the last step of the top layer
                for name, parts in zip(self.state_names, zip(*ends)):
                    last.append(stack(parts))
                    last[-1].name = f"{name}_n"
        return output, last[0] if len(last) == 1 else tuple(last)

    @property
    def checkpoint(self) -> Plan:
        """Which steps are kept, and which are computed again; see the class."""
        return self._checkpoint

    @checkpoint.setter
    def checkpoint(self, plan: Plan) -> None:
        check(type(self).__name__, checkpoint=plan)
        self._checkpoint = plan

    def _steps(self, x: Any) -> list[Tensor]:
        """x as its steps, checked."""
        size, name = self.input_size, type(self).__name__
        if isinstance(x, (list, tuple)):
            steps = as_steps(x, self.dtype, 0)
            shapes = {step.shape for step in steps}
            if len(shapes) > 1 or any(len(s) not in (1, 2) or s[-1] != size for s in shapes):
                raise ValueError(
                    f"{name}: a list of steps of shape {' and '.join(map(str, shapes))} was given; all "
                    f"must have one shape, (batch, {size}) or ({size},), by input_size={size}"
                )
        else:
            x = as_input(x, self.dtype, "x")
            if x.ndim not in (2, 3) or x.shape[-1] != size:
                layout = "batch, steps" if self.batch_first else "steps, batch"
                raise ValueError(
                    f"{name}: x of shape {x.shape} was given, ({layout}, {size}) or (steps, {size}) "
                    f"expected, by input_size={size} and batch_first={self.batch_first}"
                )
            steps = as_steps(x, self.dtype, 1 if self.batch_first and x.ndim == 3 else 0)
        if not steps:
            raise ValueError(f"{name}: the sequence has no steps; give at least one")
        return steps

    def _real(self, lengths: Any, steps: list[Tensor]) -> list[Any]:
        """For each step, for which sequences it is real: (B,) truth values, or None for all of them."""
        if lengths is None:
            return [None] * len(steps)
        name = type(self).__name__
        if steps[0].ndim != 2:
            raise ValueError(
                f"{name}: lengths were given for one sequence without a batch; cut it to its length instead"
            )
        mask = length_mask(as_lengths(lengths, len(steps[0]), len(steps), name), len(steps))
        return [row if followed(row) or not row.all() else None for row in mask]

    def _run(
        self,
        layer: int,
        direction: str,
        steps: list[Tensor],
        begin: list[Tensor | None],
        row: int,
        real: list[Any],
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """One layer in one direction: its h at every step, in order of time, and its last state."""
        with scope(f"{self.scope_name}.{layer}{direction.replace('_', '.')}"):
            with scope(t=len(steps) + 1 if direction else 0):  # before its first step
                lead = steps[0].shape[:-1]
                state = tuple(
                    self._zeros(name, lead) if whole is None else part(whole, row, name)
                    for name, whole in zip(self.state_names, begin)
                )
            suffix = f"_l{layer}{direction}"
            times = range(len(steps), 0, -1) if direction else range(1, len(steps) + 1)
            at_once = self._at_once(suffix)
            if at_once is not None:
                outputs, state = at_once(times, steps, state, real)
                return outputs[::-1] if direction else outputs, state
            step = self._equation(suffix)

            def advance(
                times: Sequence[int], state: tuple[Tensor, ...]
            ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
                outputs = []
                for t in times:
                    with scope(t=t):
                        new = step(steps[t - 1], *state)
                        read, new = new[0], new[-len(state) :]  # h itself, or an output before it
                        state = held(new, state, real[t - 1])
                        read = state[0] if read is new[0] else read
                        outputs.append(silenced(read, real[t - 1]))
                return outputs, state

            outputs, state = scheduled(advance, times, state, self.checkpoint)
        if direction:
            outputs.reverse()
        return outputs, state

    def _joined(self, layer: int, there: list[Tensor], back: list[Tensor]) -> list[Tensor]:
        def join(h: Tensor, h_reverse: Tensor) -> Tensor:
            both = concatenate([h, h_reverse], -1)
            both.name = "output"
            return both

        with scope(f"{self.scope_name}.{layer}.both"):  # of neither direction
            return each_step(join, there, back)

    def _drop(self, h: Tensor) -> Tensor:
        return dropout(h, self.dropout, generator=self.rng)

    def extra_repr(self) -> str:
        """The sizes, and what is not the default."""
        usual = [("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0.0)]
        return self._changed(*usual, ("bidirectional", False), ("checkpoint", None))
