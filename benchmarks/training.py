"""Whole iterations of training: the trainer's loop on a task, beside the loop one writes in PyTorch.

PyTorch takes its own layers here, ``torch.nn.GRU`` and its like, whose steps are one compiled call: what one
loses by an explicit graph of every operation is part of the figure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# inputs, hidden, outputs, steps, batch
ADDING = (2, 64, 1, 100, 32)
# symbols in, symbols out, embedding, hidden, steps of the source, steps of the target, batch
TRANSLATE = (30, 12, 16, 32, 6, 4, 32)
# inputs, hidden, symbols, steps, labels, batch
CTC = (4, 24, 5, 60, 5, 16)
CLIP = 1.0


# ------------------------------------------------------------------------- the adding problem, by a GRU


def _adding(inputs: int, steps: int, batch: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.random((steps, batch, inputs)), rng.random((batch, 1))


def adding_micrornn(inputs: int, hidden: int, outputs: int, steps: int, batch: int) -> Any:
    """The model, the feed and the trainer that `micrornn train adding` has."""
    from micrornn import optim
    from micrornn.nn.functional import mse_loss
    from micrornn.tasks.network import Network
    from micrornn.training import at_end

    model = Network("gru", inputs, outputs, hidden=hidden, last_only=True, seed=0)
    data = _adding(inputs, steps, batch)
    adam = optim.Adam(model.parameters(), lr=0.01)
    return _trained(model, adam, data, at_end(model, mse_loss))


def adding_pytorch(inputs: int, hidden: int, outputs: int, steps: int, batch: int) -> Any:
    """``torch.nn.GRU`` and a Linear."""
    import torch

    start = _values("adding", (inputs, hidden, outputs, steps, batch))
    gru = torch.nn.GRU(inputs, hidden).double()
    readout = torch.nn.Linear(hidden, outputs).double()
    model = torch.nn.ModuleDict({"gru": gru, "readout": readout})
    x, y = map(torch.tensor, _adding(inputs, steps, batch))

    def loss() -> Any:
        states, _ = gru(x)
        return torch.nn.functional.mse_loss(readout(states[-1]), y)

    return _looped(model, start, loss)


# ---------------------------------------------------------------- encoder, decoder and additive attention


def _pairs(symbols: int, outputs: int, source: int, target: int, batch: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.integers(2, symbols, (source, batch)), rng.integers(1, outputs, (target, batch))


def _translator(symbols: int, outputs: int, embedding: int, hidden: int) -> Any:
    from micrornn import nn

    encoder = nn.Encoder(symbols, embedding, hidden, rng=0)
    decoder = nn.Decoder(outputs, embedding, hidden, attention="additive", rng=1)
    return nn.Seq2Seq(encoder, decoder, 0, 1, rng=2)


def translate_micrornn(
    symbols: int, outputs: int, embedding: int, hidden: int, source: int, target: int, batch: int
) -> Any:
    """`micrornn.nn.Seq2Seq`, fed the truth."""
    from micrornn import nn, optim
    from micrornn.training import Computed

    net = _translator(symbols, outputs, embedding, hidden)

    def objective(batch: Any, state: Any) -> Computed:
        said = net(batch.inputs, batch.targets)
        losses, total = nn.sequence_loss(said.logits, batch.targets)
        return Computed(losses, total, None)

    adam = optim.Adam(net.parameters(), lr=0.01)
    return _trained(net, adam, _pairs(symbols, outputs, source, target, batch), objective)


def translate_pytorch(
    symbols: int, outputs: int, embedding: int, hidden: int, source: int, target: int, batch: int
) -> Any:
    """``torch.nn.GRU`` to read, a GRUCell and attention to write, as in the usual tutorials."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    shape = (symbols, outputs, embedding, hidden, source, target, batch)
    start = _values("translate", shape)
    p = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in start.items()}
    reader = torch.nn.GRU(embedding, hidden).double()
    writer = torch.nn.GRUCell(embedding + hidden, hidden).double()
    for module, prefix, suffix in (
        (reader, "encoder.recurrent.", "_l0"),
        (writer, "decoder.cells.0.", ""),
    ):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(module, name + suffix, p[prefix + name + suffix])
    words, digits = map(torch.tensor, _pairs(symbols, outputs, source, target, batch))
    fed = torch.cat([torch.zeros(1, batch, dtype=torch.long), digits[:-1]])

    def loss() -> Any:
        states, last = reader(p["encoder.embedding.weight"][words])
        memory, h = states.transpose(0, 1), last[0]
        keys = linear(memory, p["decoder.attention.key_weight"])
        total = 0.0
        for token, wanted in zip(fed, digits):
            asked = linear(h, p["decoder.attention.query_weight"])
            scores = torch.tanh(asked[:, None] + keys) @ p["decoder.attention.v"]
            context = (scores.softmax(-1)[:, None] @ memory)[:, 0]
            x = torch.cat([p["decoder.embedding.weight"][token], context], -1)
            h = writer(x, h)
            logits = linear(h, p["decoder.readout.weight"], p["decoder.readout.bias"])
            total = total + cross_entropy(logits, wanted)
        return total / target

    return _looped(p, None, loss)


# ------------------------------------------------------------------------- frames to labels, both ways


def _frames(inputs: int, symbols: int, steps: int, labels: int, batch: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(steps, batch, inputs)), rng.integers(1, symbols, (batch, labels))


def ctc_micrornn(
    inputs: int, hidden: int, symbols: int, steps: int, labels: int, batch: int
) -> Any:
    """The model of `micrornn train ctc`."""
    import micrornn as mr
    from micrornn import nn, optim
    from micrornn.tasks.network import Network
    from micrornn.training import Computed

    model = Network("gru", inputs, symbols, hidden=hidden, bidirectional=True, seed=0)

    def objective(batch: Any, state: Any) -> Computed:
        outputs, _ = model(batch.inputs)
        logs = mr.log_softmax(mr.stack(outputs), axis=-1)
        loss = nn.functional.ctc_loss(logs, batch.targets)
        return Computed([loss], loss, None)

    adam = optim.Adam(model.parameters(), lr=0.01)
    return _trained(model, adam, _frames(inputs, symbols, steps, labels, batch), objective)


def ctc_pytorch(inputs: int, hidden: int, symbols: int, steps: int, labels: int, batch: int) -> Any:
    """``torch.nn.GRU`` both ways, and its ``ctc_loss``."""
    import torch

    start = _values("ctc", (inputs, hidden, symbols, steps, labels, batch))
    gru = torch.nn.GRU(inputs, hidden, bidirectional=True).double()
    readout = torch.nn.Linear(2 * hidden, symbols).double()
    model = torch.nn.ModuleDict({"gru": gru, "readout": readout})
    x, y = map(torch.tensor, _frames(inputs, symbols, steps, labels, batch))
    lengths = torch.full((batch,), steps), torch.full((batch,), labels)

    def loss() -> Any:
        states, _ = gru(x)
        return torch.nn.functional.ctc_loss(readout(states).log_softmax(-1), y, *lengths)

    return _looped(model, start, loss)


# ------------------------------------------------------------------------------- what they share


def _trained(model: Any, optimizer: Any, data: tuple[Any, Any], objective: Any) -> Any:
    """One iteration of the trainer as a step, always on the same batch; losses and parameters as state."""
    from micrornn.data.feeds import Batch, Drawn
    from micrornn.training import Trainer

    batch = Batch(*data)
    trainer = Trainer(model, optimizer, Drawn(lambda rng: batch), objective, clip_norm=CLIP)
    losses: list[float] = []

    def step() -> None:
        losses.append(trainer.step().loss)

    return step, lambda: {"loss": losses, **model.state_dict()}


def _looped(model: Any, start: Any, loss: Any) -> Any:
    """The same in PyTorch: a loop over a model, or over parameters by name."""
    import torch

    if start is not None:
        model.load_state_dict({name: torch.tensor(value) for name, value in start.items()})
    named = dict(model if isinstance(model, dict) else model.named_parameters())
    adam = torch.optim.Adam(named.values(), lr=0.01)
    losses: list[float] = []

    def step() -> None:
        adam.zero_grad()
        found = loss()
        found.backward()
        torch.nn.utils.clip_grad_norm_(named.values(), CLIP)
        adam.step()
        losses.append(found.item())

    return step, lambda: {"loss": losses, **{k: v.detach().numpy() for k, v in named.items()}}


def _values(case: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """The initial values of our model, by PyTorch's names."""
    ours = {"adding": adding_micrornn, "translate": translate_micrornn, "ctc": ctc_micrornn}
    _, state = ours[case](*shape)
    values = state()
    del values["loss"]
    return values
