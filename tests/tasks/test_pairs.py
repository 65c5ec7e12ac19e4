"""Pairs of sequences: filling up changes nothing, and what is said freely is what greedy decoding says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from micrornn.data.feeds import Batch
from micrornn.optim import Adam
from micrornn.tasks import reverse, task
from micrornn.tasks.pairs import END, batch_of, decoded, encoder_decoder, teacher_forced
from micrornn.training import Trainer

RNG = np.random.default_rng
ATTENTIONS = ("none", "dot", "scaled", "general", "additive")
PAIRS = [([2, 3, 4, 5], [4]), ([3], [2, 3, 4]), ([5, 2], [3, 3])]


def net(attention: str = "dot", cell: str = "gru", seed: int = 0) -> Any:
    return encoder_decoder(6, 5, cell, 4, 1, attention, seed)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_loss_of_a_batch_is_the_mean_over_all_true_symbols(attention: str, cell: str) -> None:
    objective = teacher_forced(net(attention, cell))
    together = objective(batch_of(PAIRS), None).total.item()
    alone = [objective(batch_of([pair]), None).total.item() for pair in PAIRS]
    counts = [len(target) + 1 for _, target in PAIRS]
    assert together == pytest.approx(np.dot(alone, counts) / sum(counts), rel=1e-12)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_what_is_said_freely_is_what_greedy_decoding_says(attention: str) -> None:
    sources = [source for source, _ in PAIRS]
    ends = 0
    for seed in range(8):
        model = net(attention, seed=seed)
        model.decoder.readout.bias.data = np.array([-9.0, 0.3, 0.0, 0.2, 0.1])
        said = decoded(model, batch_of(PAIRS), 6)
        for source, answer in zip(sources, said):
            tokens = list(model.translate(source, max_length=6)[0].tokens)
            assert answer == [token for token in tokens if token != END]
            ends += END in tokens or len(answer) < 6
    assert ends, "one should end by itself"


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no attention 'aditive'; did you mean 'additive'"):
        task("reverse").problem({"attention": "aditive"})
    with pytest.raises(ValueError, match=r"no cell 'gur'; choose from rnn, lstm, gru"):
        task("reverse").problem({"cell": "gur"})


# ---------------------------------------------------------------------------------------- reverse


def test_reverse_asks_for_what_it_says() -> None:
    turned = reverse.draw(RNG(0), 4, 10)
    assert (turned.inputs[::-1] == turned.targets[:-1]).all()
    assert (turned.targets[-1] == END).all()
    assert turned.inputs.min() >= reverse.FIRST


def test_guessing_costs_what_is_said_of_it() -> None:
    problem = reverse.problem(hidden=2, steps=4)
    model: Any = problem.model
    readout = model.decoder.readout
    readout.weight.data = np.zeros(readout.weight.shape)
    measured = []
    for end in (-50.0, 50.0):  # at the symbols END is out of the question, after them it is certain
        readout.bias.data = np.array([-50.0, end, *[0.0] * reverse.SYMBOLS])
        batch = reverse.draw(RNG(0), 4, 30)
        losses = problem.objective(batch, None).losses
        measured.append([loss.item() for loss in losses])
    cost = (sum(measured[0][:-1]) + measured[1][-1]) / 5
    bound = float(problem.evaluate()[0].goal.split()[1])
    assert bound == pytest.approx(0.5 * cost, rel=1e-3)


def test_attention_makes_the_same_sequence_easier() -> None:
    reached = []
    for attention in ("none", "dot"):
        problem = task("reverse").problem({"steps": 6, "hidden": 24, "attention": attention})
        optimizer = Adam(problem.model.parameters(), lr=problem.lr)
        Trainer(problem.model, optimizer, problem.feed, problem.objective, clip_norm=1.0).run(150)
        reached.append(problem.evaluate()[0].value)
    assert reached[1] < 0.5 * reached[0]


def test_one_sequence_alone_can_be_read() -> None:
    assert len(decoded(net(), Batch(np.array([[2], [3]]), None), 3)) == 1
