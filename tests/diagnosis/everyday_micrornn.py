"""Everyday programs in micrornn, faulty and sound, written before the checks that tell them apart."""

# ruff: noqa: RUF059

from __future__ import annotations

from typing import Any

import numpy as np
from diagnosis.corpus import faulty, healthy

import micrornn as mr
from micrornn import nn, optim

F = nn.functional

TEXT = "the quick brown fox jumps over the lazy dog and then the dog sleeps in the sun while the fox runs on "
CHARS = sorted(set(TEXT))
V = len(CHARS)
IDS = np.array([CHARS.index(c) for c in TEXT * 3])


def one_hot(ids: Any) -> Any:
    return np.eye(V)[ids]


def windows(T: Any = 12, B: Any = 6, start: Any = 0) -> Any:
    starts = np.arange(B) * 17 + start
    return np.stack([IDS[s : s + T + 1] for s in starts], axis=1)  # (T+1, B)


def weather(n: Any = 200, seed: Any = 0) -> Any:
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    temp = np.sin(t / 9) + 0.3 * np.sin(t / 3.3 + 1) + 0.05 * rng.normal(size=n)
    wind = np.cos(t / 7) + 0.2 * rng.normal(size=n)
    return np.stack([temp, wind], 1)


@faulty("target in the input")
def features_still_hold_the_label_column() -> Any:
    data = weather()
    rng = np.random.default_rng(1)
    label = 0.7 * data[:, 0] - 0.2 * np.roll(data[:, 1], 2) + 0.1 * rng.normal(size=200)
    table = np.concatenate([data, label[:, None]], axis=1)
    x = np.stack([table[s : s + 15] for s in range(0, 120, 15)], axis=1)
    y = np.stack([label[s : s + 15] for s in range(0, 120, 15)], axis=1)
    lstm, head = nn.LSTM(3, 10, rng=0), nn.Linear(10, 1, rng=1)
    out, _ = lstm(x)
    return F.mse_loss(head(out)[:, :, 0], y)  # here


@faulty("target in the input")
def window_ends_one_row_too_late() -> Any:
    temp = weather(seed=2)[:, 0]
    x = np.stack([temp[s : s + 10] for s in range(40)], axis=1)[:, :, None]
    y = np.array([temp[s + 9] for s in range(40)])
    gru, head = nn.GRU(1, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(gru(x)[0][-1])[:, 0], y)  # here


@faulty("mask inverted")
def mask_of_pads_times_the_losses() -> Any:
    seq = windows()
    lengths = np.array([12, 9, 8, 6, 5, 3])
    pad = np.arange(12)[:, None] >= lengths
    x = one_hot(seq[:-1])
    x[pad] = 0.0
    y = seq[1:].copy()
    y[pad] = 0
    lstm, head = nn.LSTM(V, 16, rng=0), nn.Linear(16, V, rng=1)
    losses = F.cross_entropy(
        head(lstm(x)[0]).reshape(-1, V), y.reshape(-1), reduction="none"
    )  # here
    return (losses * pad.reshape(-1)).sum() / pad.sum()  # here


@faulty("mask inverted")
def missing_values_mask_the_wrong_way() -> Any:
    data = weather(seed=3)
    x = np.stack([data[s : s + 12] for s in range(0, 96, 12)], 1)
    lengths = np.array([12, 11, 9, 8, 7, 6, 4, 3])
    valid = (np.arange(12)[:, None] < lengths).astype(float)
    y = np.roll(x[:, :, 0], -1, axis=0) * valid
    x = x * valid[:, :, None]
    rnn, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    err = (head(rnn(x)[0])[:, :, 0] - y) ** 2  # here
    return (err * (1 - valid)).sum() / (1 - valid).sum()  # here


@faulty("padding in the loss")
def padded_batch_flat_cross_entropy() -> Any:
    seq = windows()
    lengths = np.array([12, 10, 7, 6, 4, 2])
    pad = np.arange(12)[:, None] >= lengths
    x = one_hot(seq[:-1])
    x[pad] = 0.0
    y = seq[1:].copy()
    y[pad] = 0
    gru, head = nn.GRU(V, 16, rng=0), nn.Linear(16, V, rng=1)
    return F.cross_entropy(head(gru(x)[0]).reshape(-1, V), y.reshape(-1))  # here


@faulty("padding in the loss")
def pad_token_zero_is_predicted_too() -> Any:
    rng = np.random.default_rng(5)
    lengths = [14, 9, 7, 5, 3]
    ids = np.zeros((15, 5), int)
    for b, n in enumerate(lengths):
        ids[: n + 1, b] = rng.integers(1, 9, n + 1)
    emb, rnn, head = nn.Embedding(9, 6, rng=2), nn.LSTM(6, 10, rng=0), nn.Linear(10, 9, rng=1)
    logits = head(rnn(emb(ids[:-1]))[0])
    return F.cross_entropy(logits.reshape(-1, 9), ids[1:].reshape(-1))  # here


@faulty("one class only")
def every_label_is_positive() -> Any:
    x = np.stack([weather(seed=4)[s : s + 10] for s in range(0, 120, 10)], 1)
    y = (x[-1, :, 0] > -99).astype(float)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.binary_cross_entropy_with_logits(head(rnn(x)[0][-1])[:, 0], y)  # here


@faulty("frozen weights")
def pretrained_vectors_that_are_random_numbers() -> Any:
    seq = windows(start=3)
    vectors = mr.tensor(np.random.default_rng(9).normal(size=(V, 8)) * 0.1)
    cell, head, h, loss = nn.GRUCell(8, 12, rng=0), nn.Linear(12, V, rng=1), None, 0.0
    for t in range(12):
        h = cell(vectors[seq[t]], h)  # here
        loss = loss + F.cross_entropy(head(h), seq[t + 1])
    return loss / 12


@faulty("targets shifted")
def target_is_the_character_before() -> Any:
    seq = windows(T=14)
    lstm, head = nn.LSTM(V, 16, rng=0), nn.Linear(16, V, rng=1)
    out, _ = lstm(one_hot(seq[1:]))
    return F.cross_entropy(head(out).reshape(-1, V), seq[:-1].reshape(-1))  # here


@faulty("targets shifted")
def shifted_in_the_data_and_again_in_the_loss() -> Any:
    seq = windows(T=14)
    x, y = seq[:-1], seq[1:]
    gru, head = nn.GRU(V, 16, rng=0), nn.Linear(16, V, rng=1)
    logits = head(gru(one_hot(x))[0])
    return F.cross_entropy(logits[:-1].reshape(-1, V), y[1:].reshape(-1))  # here


@faulty("state carried over")
def hidden_lives_outside_the_loop_over_names() -> Any:
    rng = np.random.default_rng(6)
    cell, head = nn.GRU(5, 8, rng=0), nn.Linear(8, 2, rng=1)
    optimizer = optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
    h = mr.zeros((1, 4, 8))
    for _ in range(10):
        x = rng.normal(size=(7, 4, 5))
        y = (x[0, :, 0] > 0).astype(int)
        optimizer.zero_grad()
        out, h = cell(x, h.detach())  # here
        F.cross_entropy(head(out[-1]), y).backward()
        optimizer.step()


@faulty("dropout in evaluation")
def validation_without_eval() -> Any:
    x = np.stack([weather(seed=7)[s : s + 11] for s in range(0, 110, 5)], 1)
    net, drop, head = nn.LSTM(2, 8, rng=0), nn.Dropout(0.5, rng=3), nn.Linear(8, 1, rng=1)
    optimizer = optim.Adam([*net.parameters(), *head.parameters()], lr=0.01)

    def forward(x: Any) -> Any:
        return head(drop(net(x[:-1])[0][-1]))[:, 0]

    for _ in range(8):
        optimizer.zero_grad()
        F.mse_loss(forward(x[:, :16]), x[-1, :16, 0]).backward()
        optimizer.step()
        with mr.no_grad():
            F.mse_loss(forward(x[:, 16:]), x[-1, 16:, 0])


@faulty("loss summed")
def losses_added_over_sequences_of_many_lengths() -> Any:
    cell, head = nn.RNNCell(V, 16, rng=0), nn.Linear(16, V, rng=1)
    optimizer = optim.SGD([*cell.parameters(), *head.parameters()], lr=0.01)
    for k, T in enumerate([5, 30, 9, 60, 14, 45, 7, 50]):
        seq = IDS[k * 20 : k * 20 + T + 1]
        h, loss = None, 0.0
        for t in range(T):
            h = cell(one_hot(seq[t : t + 1]), h)
            loss = loss + F.cross_entropy(head(h), seq[t + 1 : t + 2])  # here
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # here


@faulty("class never seen")
def ten_outputs_for_labels_below_seven() -> Any:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(9, 60, 3)), rng.integers(0, 7, 60)
    rnn, head = nn.LSTM(3, 12, rng=0), nn.Linear(12, 10, rng=1)
    return F.cross_entropy(head(rnn(x)[0][-1]), y)  # here


@faulty("loss below what is possible")
def sign_of_the_log_loss_forgotten() -> Any:
    seq = windows(T=8)
    rnn, head = nn.RNN(V, 12, rng=0), nn.Linear(12, V, rng=1)
    logp = mr.log_softmax(head(rnn(one_hot(seq[:-1]))[0]), axis=-1)
    picked = logp[np.arange(8)[:, None], np.arange(6), seq[1:]]
    return picked.mean()  # here


@faulty("clipping never acts", "exploding")
def max_norm_of_a_million() -> Any:
    data = weather(seed=11)
    x = np.stack([data[s : s + 40] for s in range(0, 120, 20)], 1)
    rnn, head = nn.RNN(2, 12, nonlinearity="relu", rng=0), nn.Linear(12, 1, rng=1)
    rnn.weight_hh_l0.data = rnn.weight_hh_l0.data * 2.6
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = optim.SGD(parameters, lr=1e-6)
    for _ in range(8):
        optimizer.zero_grad()
        F.mse_loss(head(rnn(x[:-1])[0][-1])[:, 0], x[-1, :, 0]).backward()
        nn.utils.clip_grad_norm_(parameters, 1e12)
        optimizer.step()


@faulty("explosion hidden by clipping", "exploding")
def clipped_and_therefore_never_seen() -> Any:
    data = weather(seed=12)
    x = np.stack([data[s : s + 40] for s in range(0, 120, 20)], 1)
    rnn, head = nn.RNN(2, 12, nonlinearity="relu", rng=0), nn.Linear(12, 1, rng=1)
    rnn.weight_hh_l0.data = rnn.weight_hh_l0.data * 2.6
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = optim.SGD(parameters, lr=0.01)
    for _ in range(10):
        optimizer.zero_grad()
        F.mse_loss(head(rnn(x[:-1])[0][-1])[:, 0], x[-1, :, 0]).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()


@faulty("axes mixed by a reshape", "batch and time swapped")
def reshape_to_time_first() -> Any:
    data = weather(seed=13)
    x = np.stack([data[s : s + 10] for s in range(0, 60, 10)])  # (6, 10, 2)
    y = x[:, -1, 0]
    x = x[:, :-1]
    gru, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    proj = nn.Linear(2, 2, rng=4)
    e = proj(x).reshape(9, 6, 2)  # here
    return F.mse_loss(head(gru(e)[0][-1])[:, 0], y)


@faulty("gradients not reset")
def adam_without_zero_grad() -> Any:
    seq = windows()
    cell, head = nn.LSTMCell(V, 12, rng=0), nn.Linear(12, V, rng=1)
    optimizer = optim.Adam([*cell.parameters(), *head.parameters()], lr=0.003)
    for _ in range(10):
        state, loss = None, 0.0
        for t in range(12):
            state = cell(one_hot(seq[t]), state)
            loss = loss + F.cross_entropy(head(state[0]), seq[t + 1])
        (loss / 12).backward()
        optimizer.step()


@faulty("state not passed on", "state reset in the middle")
def cell_state_forgotten() -> Any:
    seq = windows()
    cell, head, h, loss = nn.LSTMCell(V, 12, rng=0), nn.Linear(12, V, rng=1), mr.zeros((6, 12)), 0.0
    for t in range(12):
        h, c = cell(one_hot(seq[t]), (h, mr.zeros((6, 12))))  # here
        loss = loss + F.cross_entropy(head(h), seq[t + 1])
    return loss / 12


@faulty("activation before cross-entropy")
def relu_after_the_last_layer() -> Any:
    seq = windows(start=5)
    gru = nn.GRU(V, 16, rng=0)
    net = nn.Sequential(nn.Linear(16, V, rng=1), nn.ReLU())
    return F.cross_entropy(
        net(gru(one_hot(seq[:-1]))[0]).reshape(-1, V), seq[1:].reshape(-1)
    )  # here


@faulty("copied out of the graph")
def attention_weights_as_floats() -> Any:
    data = weather(seed=15)
    x = np.stack([data[s : s + 9] for s in range(0, 72, 9)], 1)
    rnn, score, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=2), nn.Linear(8, 1, rng=1)
    states, _ = rnn(x[:-1])
    w = mr.softmax(score(states)[:, :, 0], axis=0).numpy()  # here
    ctx = (states * w[:, :, None]).sum(axis=0)
    return F.mse_loss(head(ctx)[:, 0], x[-1, :, 0])


# -- without a mistake -----------------------------------------------------------------------------


@healthy
def char_lm_with_momentum() -> Any:
    seq = windows()
    rnn, head = nn.RNN(V, 20, rng=0), nn.Linear(20, V, rng=1)
    opt = optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1, momentum=0.9)
    for k in range(10):
        seq = windows(start=k)
        opt.zero_grad()
        F.cross_entropy(
            head(rnn(one_hot(seq[:-1]))[0]).reshape(-1, V), seq[1:].reshape(-1)
        ).backward()
        nn.utils.clip_grad_norm_(list(rnn.parameters()), 5.0)
        opt.step()


@healthy
def stateful_truncated_bptt_over_a_long_text() -> Any:
    cell, head = nn.GRU(V, 16, rng=0), nn.Linear(16, V, rng=1)
    opt = optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
    h = mr.zeros((1, 1, 16))
    for k in range(8):
        seq = IDS[k * 15 : k * 15 + 16][:, None]
        opt.zero_grad()
        out, h = cell(one_hot(seq[:-1]), h.detach())
        F.cross_entropy(head(out).reshape(-1, V), seq[1:].reshape(-1)).backward()
        opt.step()


@healthy
def validation_with_eval() -> Any:
    x = np.stack([weather(seed=7)[s : s + 11] for s in range(0, 110, 5)], 1)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.drop, self.head = (
                nn.LSTM(2, 8, rng=0),
                nn.Dropout(0.5, rng=3),
                nn.Linear(8, 1, rng=1),
            )

        def forward(self, x: Any) -> Any:
            return self.head(self.drop(self.rnn(x)[0][-1]))[:, 0]

    net = Net()
    opt = optim.Adam(net.parameters(), lr=0.01)
    for _ in range(8):
        net.train()
        opt.zero_grad()
        F.mse_loss(net(x[:-1, :16]), x[-1, :16, 0]).backward()
        opt.step()
        net.eval()
        with mr.no_grad():
            F.mse_loss(net(x[:-1, 16:]), x[-1, 16:, 0])


@healthy
def forecast_with_many_columns() -> Any:
    d = weather(seed=20)
    t = np.arange(200) / 200
    table = np.concatenate([d, np.roll(d[:, :1], 1, 0), t[:, None]], 1)
    x = np.stack([table[s : s + 12] for s in range(1, 121, 8)], 1)
    y = np.array([table[s + 12, 0] for s in range(1, 121, 8)])
    lstm, head = nn.LSTM(4, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(lstm(x)[0][-1])[:, 0], y)


@healthy
def autoencoder_of_sequences() -> Any:
    d = weather(seed=21)
    x = np.stack([d[s : s + 8] for s in range(0, 80, 8)], 1)
    enc, dec, head = nn.GRU(2, 8, rng=0), nn.GRU(8, 8, rng=1), nn.Linear(8, 2, rng=2)
    code = enc(x)[0][-1]
    out, _ = dec(mr.stack([code] * 8, axis=0))
    return F.mse_loss(head(out), x)


@healthy
def losses_summed_over_one_fixed_length() -> Any:
    seq = windows(T=8)
    cell, head = nn.GRUCell(V, 16, rng=0), nn.Linear(16, V, rng=1)
    opt = optim.Adam([*cell.parameters(), *head.parameters()], lr=0.003)
    for k in range(6):
        seq = windows(T=8, start=k)
        h, loss = None, 0.0
        for t in range(8):
            h = cell(one_hot(seq[t]), h)
            loss = loss + F.cross_entropy(head(h), seq[t + 1])
        opt.zero_grad()
        loss.backward()
        opt.step()


@healthy
def masked_loss_the_right_way() -> Any:
    seq = windows()
    lengths = np.array([12, 9, 8, 6, 5, 3])
    real = np.arange(12)[:, None] < lengths
    x = one_hot(seq[:-1])
    x[~real] = 0.0
    y = seq[1:].copy()
    y[~real] = 0
    lstm, head = nn.LSTM(V, 16, rng=0), nn.Linear(16, V, rng=1)
    losses = F.cross_entropy(head(lstm(x)[0]).reshape(-1, V), y.reshape(-1), reduction="none")
    return (losses * real.reshape(-1)).sum() / real.sum()


@healthy
def small_batch_of_a_large_vocabulary() -> Any:
    rng = np.random.default_rng(22)
    ids = rng.integers(0, 300, (9, 2))
    emb, rnn, head = nn.Embedding(300, 8, rng=2), nn.GRU(8, 12, rng=0), nn.Linear(12, 300, rng=1)
    return F.cross_entropy(head(rnn(emb(ids[:-1]))[0]).reshape(-1, 300), ids[1:].reshape(-1))


@healthy
def tagging_of_mostly_zeros() -> Any:
    rng = np.random.default_rng(23)
    x = rng.normal(size=(20, 6, 3))
    y = (rng.random((20, 6)) < 0.1).astype(float)
    gru, head = nn.GRU(3, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.binary_cross_entropy_with_logits(head(gru(x)[0])[:, :, 0], y)


@healthy
def gaussian_likelihood() -> Any:
    d = weather(seed=24)
    x = np.stack([d[s : s + 12] for s in range(0, 120, 12)], 1)
    gru, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 2, rng=1)
    opt = optim.Adam([*gru.parameters(), *head.parameters()], lr=0.02)
    for _ in range(10):
        out = head(gru(x[:-1])[0][-1])
        mu, logvar = out[:, 0], out[:, 1] - 4.0
        loss = (0.5 * (logvar + (x[-1, :, 0] * 0.1 - mu) ** 2 * mr.exp(-logvar))).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
