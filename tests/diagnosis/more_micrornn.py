"""More everyday programs in micrornn, faulty and sound: new to the checks when they were written."""

# ruff: noqa: B007, F841

from __future__ import annotations

from typing import Any

import numpy as np
from diagnosis.corpus import faulty, healthy

import micrornn as mr
from micrornn import nn, optim

F = nn.functional


def onehot(ids: Any, V: Any) -> Any:
    return np.eye(V)[ids]


def sensor(n: Any = 240, seed: Any = 0) -> Any:
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    return np.stack(
        [
            np.sin(t / 11) + 0.1 * rng.normal(size=n),
            np.cos(t / 5) * np.sin(t / 17),
            rng.normal(size=n),
            (t % 24) / 24 - 0.5,
        ],
        1,
    )


@faulty("target in the input")
def demand_is_the_first_of_four_columns() -> Any:
    d = sensor()
    rng = np.random.default_rng(1)
    W, U, v = [
        mr.tensor(rng.normal(size=s) * 0.4, requires_grad=True) for s in ((4, 8), (8, 8), (8, 1))
    ]
    h, loss = mr.zeros((5, 8)), 0.0
    X = np.stack([d[s : s + 12] for s in range(0, 60, 12)], 1)
    for x in X:
        h = mr.tanh(x @ W + h @ U)
        loss = loss + ((h @ v)[:, 0] - x[:, 0]).pow(2).mean()  # here
    return loss / 12


@faulty("target in the input")
def two_directions_predict_the_next_letter() -> Any:
    ids = np.random.default_rng(2).integers(0, 9, (13, 5))
    net, head = nn.LSTM(9, 8, bidirectional=True, rng=0), nn.Linear(16, 9, rng=1)
    out, _ = net(onehot(ids[:-1], 9))
    return F.cross_entropy(head(out[:-1]).reshape(-1, 9), ids[1:-1].reshape(-1))  # here


@faulty("mask inverted")
def where_keeps_the_wrong_side() -> Any:
    rng = np.random.default_rng(3)
    lengths = np.array([9, 7, 4, 2])
    ids = rng.integers(1, 8, (10, 4))
    x = onehot(ids[:-1], 8)
    inside = np.arange(9)[:, None] < lengths
    x[~inside] = 0
    cell, head, h, total = nn.GRUCell(8, 10, rng=0), nn.Linear(10, 8, rng=1), None, 0.0
    for t in range(9):
        h = cell(x[t], h)
        each = F.cross_entropy(head(h), ids[t + 1], reduction="none")  # here
        total = total + mr.where(inside[t], 0.0, each).sum()  # here
    return total / (~inside).sum()


@faulty("padding in the loss")
def forecasts_of_series_that_ended() -> Any:
    d = sensor(seed=4)
    lengths = np.array([15, 12, 9, 7, 5, 4])
    x = np.stack([d[s : s + 16] for s in range(0, 96, 16)], 1)
    for b, n in enumerate(lengths):
        x[n:, b] = 0.0
    rnn, head = nn.RNN(4, 10, rng=0), nn.Linear(10, 1, rng=1)
    return F.mse_loss(head(rnn(x[:-1])[0])[:, :, 0], x[1:, :, 0])  # here


@faulty("one class only")
def own_binary_loss_with_ones() -> Any:
    d = sensor(seed=5)
    x = np.stack([d[s : s + 10] for s in range(0, 200, 10)], 1)
    y = np.ones(20)
    gru, head = nn.GRU(4, 8, rng=0), nn.Linear(8, 1, rng=1)
    p = mr.sigmoid(head(gru(x)[0][-1])[:, 0])
    return -(y * mr.log(p) + (1 - y) * mr.log(1 - p)).mean()  # here


@faulty("frozen weights")
def word_vectors_looked_up_in_numpy() -> Any:
    rng = np.random.default_rng(6)
    E = rng.normal(size=(10, 7)) * 0.3
    ids = rng.integers(0, 10, (13, 6))
    lstm, head = nn.LSTM(7, 10, rng=0), nn.Linear(10, 10, rng=1)
    return F.cross_entropy(head(lstm(E[ids[:-1]])[0]).reshape(-1, 10), ids[1:].reshape(-1))


@faulty("targets shifted", "target in the input")
def roll_by_plus_one() -> Any:
    ids = np.random.default_rng(7).integers(0, 8, (14, 4))
    gru, head = nn.GRU(8, 12, rng=0), nn.Linear(12, 8, rng=1)
    target = np.roll(ids, 1, axis=0)
    return F.cross_entropy(head(gru(onehot(ids, 8))[0]).reshape(-1, 8), target.reshape(-1))  # here


@faulty("state carried over")
def state_of_the_last_review() -> Any:
    rng = np.random.default_rng(8)
    lstm, head = nn.LSTM(6, 9, rng=0), nn.Linear(9, 2, rng=1)
    opt = optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
    state = None
    for k in range(8):
        ids = rng.integers(0, 6, (11, 5))
        y = (ids[3] > 2).astype(int)
        if state is not None:
            state = tuple(s.detach() for s in state)
        opt.zero_grad()
        out, state = lstm(onehot(ids, 6), state)  # here
        F.cross_entropy(head(out[-1]), y).backward()
        opt.step()


@faulty("dropout in evaluation")
def functional_dropout_is_always_on() -> Any:
    d = sensor(seed=9)
    x = np.stack([d[s : s + 9] for s in range(0, 180, 9)], 1)
    gru, head = nn.GRU(4, 8, rng=0), nn.Linear(8, 1, rng=1)
    opt = optim.SGD([*gru.parameters(), *head.parameters()], lr=0.05)

    def model(x: Any) -> Any:
        return head(F.dropout(gru(x)[0][-1], 0.3))[:, 0]  # here

    for epoch in range(6):
        opt.zero_grad()
        F.mse_loss(model(x[:-1, :12]), x[-1, :12, 0]).backward()
        opt.step()
        with mr.no_grad():
            val = F.mse_loss(model(x[:-1, 12:]), x[-1, 12:, 0])


@faulty("loss summed", "learning rate too large")
def sum_of_all_errors_and_a_usual_rate() -> Any:
    d = sensor(seed=10)
    x = np.stack([d[s : s + 31] for s in range(0, 160, 5)], 1)
    rnn, head = nn.RNN(4, 12, rng=0), nn.Linear(12, 1, rng=1)
    opt = optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.05)
    for _ in range(12):
        opt.zero_grad()
        loss = ((head(rnn(x[:-1])[0])[:, :, 0] - x[1:, :, 0]) ** 2).sum()  # here
        loss.backward()
        opt.step()


@faulty("class never seen")
def tags_counted_from_one() -> Any:
    rng = np.random.default_rng(11)
    x, tags = rng.normal(size=(12, 7, 5)), rng.integers(1, 6, (12, 7))
    lstm, head = nn.LSTM(5, 8, bidirectional=True, rng=0), nn.Linear(16, 6, rng=1)
    return F.cross_entropy(head(lstm(x)[0]).reshape(-1, 6), tags.reshape(-1))  # here


@faulty("loss below what is possible")
def minus_the_error() -> Any:
    d = sensor(seed=12)
    x = np.stack([d[s : s + 11] for s in range(0, 110, 11)], 1)
    gru, head = nn.GRU(4, 8, rng=0), nn.Linear(8, 1, rng=1)
    return -F.mse_loss(head(gru(x[:-1])[0][-1])[:, 0], x[-1, :, 0])  # here


@faulty("axes mixed by a reshape")
def all_states_of_a_sequence_by_reshape() -> Any:
    d = sensor(seed=13)
    x = np.stack([d[s : s + 9] for s in range(0, 63, 9)], 1)
    lstm, head = nn.LSTM(4, 6, rng=0), nn.Linear(48, 1, rng=1)
    flat = lstm(x[:-1])[0].reshape(7, 48)  # here
    return F.mse_loss(head(flat)[:, 0], x[-1, :, 0])


@faulty("softmax over the wrong axis")
def attention_normalized_over_the_batch() -> Any:
    d = sensor(seed=14)
    x = np.stack([d[s : s + 9] for s in range(0, 63, 9)], 1)
    gru, score, head = nn.GRU(4, 6, rng=0), nn.Linear(6, 1, rng=2), nn.Linear(6, 1, rng=1)
    H = gru(x[:-1])[0]
    a = mr.softmax(score(H)[:, :, 0], axis=1)  # here
    return F.mse_loss(head((a[:, :, None] * H).sum(axis=0))[:, 0], x[-1, :, 0])


@faulty("targets out of reach")
def tanh_output_for_degrees() -> Any:
    d = sensor(seed=15)
    x = np.stack([d[s : s + 9] for s in range(0, 180, 9)], 1)
    y = 15 + 8 * x[-1, :, 0]
    gru, head = nn.GRU(4, 6, rng=0), nn.Linear(6, 1, rng=1)
    return F.mse_loss(mr.tanh(head(gru(x[:-1])[0][-1]))[:, 0], y)  # here


@faulty("not in the optimizer")
def layers_side_by_side_and_the_embedding_forgotten() -> Any:
    emb, rnn, out = nn.Embedding(30, 8, rng=0), nn.RNN(8, 16, rng=1), nn.Linear(16, 2, rng=2)
    opt = optim.Adam([*rnn.parameters(), *out.parameters()], lr=1e-2)
    ids = np.random.default_rng(5).integers(0, 30, (10, 12))
    y = (ids[0] > 14).astype(int)
    for _ in range(5):
        o, _ = rnn(emb(ids))  # here
        loss = F.cross_entropy(out(o[-1]), y)
        opt.zero_grad()
        loss.backward()
        opt.step()


# -- without a mistake -----------------------------------------------------------------------------


@healthy
def copy_memory() -> Any:
    rng = np.random.default_rng(20)
    sym = rng.integers(1, 7, (4, 8))
    T = 4 + 10 + 4
    x = np.zeros((T, 8), int)
    x[:4] = sym
    x[13] = 7
    y = np.zeros((T, 8), int)
    y[-4:] = sym
    lstm, head = nn.LSTM(8, 16, rng=0), nn.Linear(16, 8, rng=1)
    return F.cross_entropy(head(lstm(onehot(x, 8))[0]).reshape(-1, 8), y.reshape(-1))


@healthy
def adding_problem() -> Any:
    rng = np.random.default_rng(21)
    x = np.zeros((20, 16, 2))
    x[:, :, 0] = rng.random((20, 16))
    for b in range(16):
        x[rng.choice(20, 2, replace=False), b, 1] = 1
    y = (x[:, :, 0] * x[:, :, 1]).sum(0)
    gru, head = nn.GRU(2, 12, rng=0), nn.Linear(12, 1, rng=1)
    return F.mse_loss(head(gru(x)[0][-1])[:, 0], y)


@healthy
def echo_after_three_steps() -> Any:
    ids = np.random.default_rng(22).integers(0, 2, (20, 6))
    y = np.concatenate([np.zeros((3, 6), int), ids[:-3]])
    rnn, head = nn.RNN(2, 10, rng=0), nn.Linear(10, 2, rng=1)
    return F.cross_entropy(head(rnn(onehot(ids, 2))[0]).reshape(-1, 2), y.reshape(-1))


@healthy
def a_clip_that_waits_for_the_worst() -> Any:
    data = np.tile([0, 3, 1, 2, 2, 4], 60)
    emb, gru, head = nn.Embedding(5, 8, rng=0), nn.GRU(8, 12, rng=1), nn.Linear(12, 5, rng=2)
    params = [*emb.parameters(), *gru.parameters(), *head.parameters()]
    opt = optim.Adam(params, lr=5e-3)
    for k in range(0, 240, 30):
        out, _ = gru(emb(data[k : k + 30, None]))
        opt.zero_grad()
        F.cross_entropy(head(out)[:, 0], data[k + 1 : k + 31]).backward()
        nn.utils.clip_grad_norm_(params, 5.0)
        opt.step()


@healthy
def streams_of_a_long_text() -> Any:
    data = np.random.default_rng(23).integers(0, 9, 4 * 81).reshape(4, 81).T
    gru, head = nn.GRU(9, 10, rng=0), nn.Linear(10, 9, rng=1)
    opt = optim.Adam([*gru.parameters(), *head.parameters()], lr=0.01)
    h = None
    for k in range(0, 80, 10):
        x, y = data[k : k + 10], data[k + 1 : k + 11]
        opt.zero_grad()
        out, h = gru(onehot(x, 9), None if h is None else h.detach())
        F.cross_entropy(head(out).reshape(-1, 9), y.reshape(-1)).backward()
        nn.utils.clip_grad_norm_([*gru.parameters(), *head.parameters()], 1.0)
        opt.step()


@healthy
def residual_stack_with_norms() -> Any:
    d = sensor(seed=24)
    x = np.stack([d[s : s + 11] for s in range(0, 110, 11)], 1)
    inp, a, b, n1, n2, head = (
        nn.Linear(4, 8, rng=5),
        nn.GRU(8, 8, rng=0),
        nn.GRU(8, 8, rng=1),
        nn.LayerNorm(8),
        nn.LayerNorm(8),
        nn.Linear(8, 1, rng=2),
    )
    e = inp(x[:-1])
    e = n1(e + a(e)[0])
    e = n2(e + b(e)[0])
    return F.mse_loss(head(e)[:, :, 0], x[1:, :, 0])


@healthy
def rare_class_is_missing_from_this_batch() -> Any:
    rng = np.random.default_rng(26)
    x = rng.normal(size=(8, 24, 3))
    y = (rng.random(24) < 0.15).astype(int)
    lstm, head = nn.LSTM(3, 8, rng=0), nn.Linear(8, 3, rng=1)
    return F.cross_entropy(head(lstm(x)[0][-1]), y)


@healthy
def policy_gradient() -> Any:
    rng = np.random.default_rng(26)
    x = rng.normal(size=(10, 6, 3))
    act = rng.integers(0, 4, (10, 6))
    adv = rng.normal(size=(10, 6))
    gru, head = nn.GRU(3, 8, rng=0), nn.Linear(8, 4, rng=1)
    logp = mr.log_softmax(head(gru(x)[0]), axis=-1)[np.arange(10)[:, None], np.arange(6), act]
    return -(logp * adv).mean()


@healthy
def lengths_given_to_the_layer() -> Any:
    d = sensor(seed=27)
    x = np.stack([d[s : s + 12] for s in range(0, 60, 12)], 1)
    lengths = np.array([12, 10, 7, 5, 3])
    for b, n in enumerate(lengths):
        x[n:, b] = 0.0
    gru, head = nn.GRU(4, 8, rng=0), nn.Linear(8, 2, rng=1)
    _, h = gru(x, lengths=lengths)
    return F.cross_entropy(head(h[-1]), np.array([0, 1, 0, 1, 1]))


@faulty("direction read at its start")
def both_ways_read_at_the_last_step() -> Any:
    d = sensor(seed=31)
    x = np.stack([d[s : s + 12] for s in range(0, 96, 12)])
    gru, head = nn.GRU(4, 6, batch_first=True, bidirectional=True, rng=0), nn.Linear(12, 2, rng=1)
    out, _ = gru(x)
    return F.cross_entropy(head(out[:, -1]), (x[:, 0, 0] > 0).astype(int))  # here


@healthy
def both_ways_read_where_they_end() -> Any:
    d = sensor(seed=31)
    x = np.stack([d[s : s + 12] for s in range(0, 96, 12)])
    gru, head = nn.GRU(4, 6, batch_first=True, bidirectional=True, rng=0), nn.Linear(12, 2, rng=1)
    _, h = gru(x)
    last = mr.concatenate([h[0], h[1]], axis=1)
    return F.cross_entropy(head(last), (x[:, 0, 0] > 0).astype(int))


@faulty("CTC of logits")
def transcribed_without_log_softmax() -> Any:
    rng = np.random.default_rng(32)
    x, labels = rng.normal(size=(20, 3, 4)), rng.integers(1, 6, size=(3, 5))
    rnn, head = nn.GRU(4, 8, rng=0), nn.Linear(8, 6, rng=1)
    scores = head(rnn(x)[0])  # here
    return F.ctc_loss(scores, labels, [20] * 3, [5, 4, 3])
