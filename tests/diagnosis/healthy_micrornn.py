"""Programs without a mistake, written with micrornn: also those that look a little odd."""

from __future__ import annotations

from typing import Any

import numpy as np
from diagnosis.corpus import healthy
from diagnosis.faulty_micrornn import F, series, text

import micrornn as mr
from micrornn import nn, optim


@healthy
def character_model() -> Any:
    ids, x = text()
    lstm, head = nn.LSTM(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    return F.cross_entropy(head(lstm(x)[0]).reshape(-1, 5), ids[1:].reshape(-1))


@healthy
def trained_with_adam() -> Any:
    ids, x = text()
    gru, head = nn.GRU(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    optimizer = optim.Adam([*gru.parameters(), *head.parameters()], lr=0.01)
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(head(gru(x)[0]).reshape(-1, 5), ids[1:].reshape(-1))
        loss.backward()
        optimizer.step()


@healthy
def deep_stack_with_dropout() -> Any:
    x, y = series()
    lstm, head = nn.LSTM(2, 8, 3, dropout=0.3, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(lstm(x)[0][-1])[:, 0], y[-1])


@healthy
def loss_at_the_end_only() -> Any:
    x, y = series(T=12)
    gru, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 2, rng=1)
    return F.cross_entropy(head(gru(x)[0][-1]), (y[-1] > 0).astype(int))


@healthy
def occasional_clipping() -> Any:
    x, y = series(seed=2)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = optim.SGD(parameters, lr=0.05)
    for _ in range(10):
        optimizer.zero_grad()
        F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1]).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()


@healthy
def masked_and_right() -> Any:
    ids, x = text(seed=3)
    mask = (np.arange(10)[:, None] < np.array([10, 7, 5, 3])).astype(float)
    x = x * mask[:, :, None]
    cell, head, loss, h = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0, None
    for t in range(10):
        with mr.scope("gru", t=t + 1):
            h = cell(x[t], h)
            each = F.cross_entropy(head(h), ids[t + 1], reduction="none")
            loss = loss + (each * mask[t]).sum()
    return loss / mask.sum()


@healthy
def attention_over_the_steps() -> Any:
    ids, x = text(seed=4)
    rnn, score, head = nn.GRU(5, 8, rng=0), nn.Linear(8, 1, rng=2), nn.Linear(8, 5, rng=1)
    states = rnn(x)[0]
    weights = mr.softmax(score(states), axis=0)
    return F.cross_entropy(head((weights * states).sum(axis=0)), ids[-1])


@healthy
def micrograd_loop() -> Any:
    w, u = mr.Value(0.5, "w"), mr.Value(0.3, "u")
    h = mr.tensor(0.0)
    for x in (0.5, -0.3, 0.8, 0.1):
        h = mr.tanh(w * h + u * x)
    return (h - 0.2) * (h - 0.2)


@healthy
def zero_initialized_head() -> Any:
    x, y = series(seed=5)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    head.bias.data = np.zeros(1)
    return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])


@healthy
def truncated_by_hand_in_a_training() -> Any:
    ids, x = text(T=12, seed=6)
    cell, head, h = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), mr.zeros((4, 8))
    optimizer = optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
    for k in range(3):
        loss, h = 0.0, h.detach()
        for t in range(4 * k, 4 * k + 4):
            h = cell(x[t], h)
            loss = loss + F.cross_entropy(head(h), ids[t + 1])
        optimizer.zero_grad()
        (loss / 4).backward()
        optimizer.step()


@healthy
def bidirectional_tagger() -> Any:
    ids, x = text(seed=7)
    lstm, head = nn.LSTM(5, 6, bidirectional=True, rng=0), nn.Linear(12, 3, rng=1)
    return F.cross_entropy(head(lstm(x)[0]).reshape(-1, 3), (ids[:-1].reshape(-1) * 7 + 1) % 3)


@healthy
def embedding_that_is_trained() -> Any:
    ids, _ = text(seed=8)
    table, rnn, head = nn.Embedding(5, 6, rng=2), nn.GRU(6, 8, rng=0), nn.Linear(8, 5, rng=1)
    return F.cross_entropy(head(rnn(table(ids[:-1]))[0]).reshape(-1, 5), ids[1:].reshape(-1))


@healthy
def one_sequence_without_a_batch() -> Any:
    ids, x = text(B=1, seed=9)
    cell, head, loss, h = nn.LSTMCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0, None
    for t in range(10):
        state = cell(x[t, 0], h)
        h = state
        loss = loss + F.cross_entropy(head(state[0]), int(ids[t + 1, 0]))
    return loss


@healthy
def forecast_by_sgd_with_a_schedule() -> Any:
    x, y = series(width=1, seed=10)
    gru, head = nn.GRU(1, 8, rng=0), nn.Linear(8, 1, rng=1)
    optimizer = optim.SGD([*gru.parameters(), *head.parameters()], lr=0.1, momentum=0.9)
    schedule = optim.lr_scheduler.StepLR(optimizer, 4)
    for _ in range(10):
        optimizer.zero_grad()
        F.mse_loss(head(gru(x)[0][-1])[:, 0], y[-1]).backward()
        optimizer.step()
        schedule.step()


@healthy
def gradients_accumulated_on_purpose() -> Any:
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.05)
    for k in range(4):
        optimizer.zero_grad()
        for part in range(2):
            x, y = series(seed=20 + 2 * k + part)
            (F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1]) / 2).backward()
        optimizer.step()
