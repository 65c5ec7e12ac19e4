"""A hundred networks drawn at random, compiled, equal the engine: loss and every gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compiled import alike

from micrornn import nn
from micrornn.compiler import step, write

KINDS: dict[str, tuple[dict[str, Any], ...]] = {
    "RNN": ({}, {"nonlinearity": "relu"}),
    "LSTM": ({}, {"proj_size": 2}, {"peepholes": True}, {"layer_norm": True}),
    "GRU": ({}, {"reset_after": False}),
}
FORMS = ("steps", "whole", "symbols", "lengths", "last state")
INPUTS, HIDDEN, SYMBOLS, CLASSES = 3, 4, 7, 5


@pytest.mark.parametrize("seed", range(100))
def test_random_networks(seed: int) -> None:
    check_network(seed)


@pytest.mark.parametrize("seed", range(0, 100, 3))
def test_number_by_number(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Numba would compile, run by Python."""
    texts: list[str] = []

    def interpreted(text: str) -> Any:
        texts.append(text)
        namespace: dict[str, Any] = {"np": np}
        exec(text, namespace)
        return namespace["loop"]

    monkeypatch.setattr(write, "compiled", interpreted)
    monkeypatch.setattr(step, "find_spec", lambda name: name)
    check_network(seed, "numba")
    assert texts, "every loop was left to NumPy"


@pytest.mark.parametrize("seed", (0, 3, 5))
def test_by_numba(seed: int) -> None:
    pytest.importorskip("numba", reason="numba is not installed; .ci/run has it")
    check_network(seed, "numba")


def check_network(seed: int, backend: str = "numpy") -> None:
    """Compile a random network and compare it with the engine."""
    rng = np.random.default_rng(seed)

    def pick(*choices: Any) -> Any:
        return choices[rng.integers(len(choices))]

    kind, layers, ways = pick(*KINDS), pick(1, 2, 3), bool(pick(0, 1))
    options = pick(*KINDS[kind])
    batch, steps, form = pick(None, 1, 3), int(rng.integers(3, 9)), pick(*FORMS)
    form = "whole" if form == "lengths" and batch is None else form
    first = bool(batch) and bool(pick(0, 1))
    dtype = pick("float64", "float64", "float32")
    net = getattr(nn, kind)(
        *(INPUTS, HIDDEN, layers),
        batch_first=first,
        bidirectional=ways,
        gates=pick("stacked", "separate"),
        rng=seed,
        dtype=dtype,
        **options,
    )
    width = options.get("proj_size", HIDDEN) * (2 if ways else 1)
    readout = nn.Linear(width, CLASSES, rng=seed, dtype=dtype)
    table = nn.Embedding(SYMBOLS, INPUTS, rng=seed, dtype=dtype)
    lead = (steps,) if batch is None else (batch, steps) if first else (steps, batch)

    def data() -> tuple[Any, ...]:
        x: Any = rng.normal(size=(*lead, INPUTS)).astype(dtype)
        if form == "symbols":
            x = rng.integers(SYMBOLS, size=lead)
        given = (x, rng.integers(CLASSES, size=lead))
        return (*given, rng.integers(1, steps + 1, size=batch)) if form == "lengths" else given

    def loss(x: Any, y: Any, lengths: Any = None) -> Any:
        if form == "steps":
            cut = [(x[:, t], y[:, t]) if first else (x[t], y[t]) for t in range(steps)]
            states, _ = net([now for now, _ in cut])
            outputs = [readout(h) for h in states]
            return nn.sequence_loss(outputs, [target for _, target in cut])[1]
        states, last = net(table(x) if form == "symbols" else x, lengths=lengths)
        if form == "last state":
            h = last[0] if isinstance(last, tuple) else last
            return (h * h).sum()
        logits = readout(states).reshape((-1, CLASSES))
        return nn.functional.cross_entropy(logits, y.reshape(-1))

    parameters = [*net.parameters(), *readout.parameters(), *table.parameters()]
    tolerance = 1e-11 if dtype == "float64" else 1e-4
    compiled = alike(loss, data, parameters, tolerance=tolerance, backend=backend)
    assert not compiled.eager and compiled.programs == 1
    assert "for " in compiled.text() or steps < 4
