"""Programs with one mistake each, written with micrornn."""

from __future__ import annotations

from typing import Any

import numpy as np
from diagnosis.corpus import faulty

import micrornn as mr
from micrornn import nn, optim

F = nn.functional


def text(V: int = 5, T: int = 10, B: int = 4, seed: int = 0) -> Any:
    """Symbols (T + 1, B), and their one-hot inputs (T, B, V)."""
    ids = np.random.default_rng(seed).integers(0, V, (T + 1, B))
    return ids, np.eye(V)[ids[:-1]]


def series(T: int = 10, B: int = 4, width: int = 2, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, B, width)), rng.normal(size=(T, B))


# -- outputs ----------------------------------------------------------------------------------------


@faulty("softmax before cross-entropy")
def softmax_then_cross_entropy() -> Any:
    ids, x = text()
    rnn, head = nn.RNN(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    out, _ = rnn(x)
    probs = mr.softmax(head(out), axis=-1)  # here
    return F.cross_entropy(probs.reshape(-1, 5), ids[1:].reshape(-1))


@faulty("softmax before cross-entropy")
def softmax_module_in_the_model() -> Any:
    ids, x = text(seed=3)
    net = nn.Sequential(nn.Linear(8, 5, rng=1), nn.Softmax(-1))
    cell, h, loss = nn.GRUCell(5, 8, rng=0), None, 0.0
    for t in range(10):
        h = cell(x[t], h)
        loss = loss + F.cross_entropy(net(h), ids[t + 1])  # here
    return loss / 10


@faulty("activation before cross-entropy")
def tanh_on_the_logits() -> Any:
    ids, x = text(seed=1)
    lstm, head = nn.LSTM(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    logits = mr.tanh(head(lstm(x)[0]))  # here
    return F.cross_entropy(logits.reshape(-1, 5), ids[1:].reshape(-1))


@faulty("sigmoid before logits loss")
def sigmoid_then_bce_with_logits() -> Any:
    x, y = series()
    gru, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    p = mr.sigmoid(head(gru(x)[0][-1]))  # here
    return F.binary_cross_entropy_with_logits(p, (y[-1:].T > 0).astype(float))


@faulty("softmax over the wrong axis")
def log_softmax_over_the_batch() -> Any:
    ids, x = text()
    rnn, head = nn.RNN(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    logp = mr.log_softmax(head(rnn(x)[0])[-1], axis=0)  # here
    return F.nll_loss(logp, ids[-1])


@faulty("softmax over the wrong axis")
def softmax_over_time_then_log() -> Any:
    ids, x = text(seed=2)
    lstm, head = nn.LSTM(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    p = mr.softmax(head(lstm(x)[0]), axis=0)  # here
    picked = p[np.arange(10)[:, None], np.arange(4), ids[1:]]
    return -mr.log(picked).mean()


@faulty("probabilities in a log loss")
def softmax_into_nll() -> Any:
    ids, x = text()
    rnn, head = nn.RNN(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    p = mr.softmax(head(rnn(x)[0][-1]), axis=-1)
    return F.nll_loss(p, ids[-1])  # here


@faulty("squared error of a sigmoid")
def sigmoid_with_squared_error() -> Any:
    x, y = series(seed=4)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    head.bias.data = head.bias.data + 6.0
    p = mr.sigmoid(head(rnn(x)[0][-1]))  # here
    return F.mse_loss(p, (y[-1:].T > 0).astype(float))


# -- states -----------------------------------------------------------------------------------------


@faulty("state not passed on")
def cell_without_its_state() -> Any:
    ids, x = text()
    cell, head, loss = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0
    for t in range(10):
        h = cell(x[t])  # here
        loss = loss + F.cross_entropy(head(h), ids[t + 1])
    return loss / 10


@faulty("state not passed on")
def layer_called_step_by_step_without_hx() -> Any:
    ids, x = text(seed=5)
    lstm, head, loss = nn.LSTM(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0
    for t in range(10):
        out, _ = lstm(x[t : t + 1])  # here
        loss = loss + F.cross_entropy(head(out[0]), ids[t + 1])
    return loss / 10


@faulty("state reset in the middle")
def state_made_new_every_few_steps() -> Any:
    ids, x = text(seed=6)
    cell, head, loss = nn.RNNCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0
    for t in range(10):
        if t % 4 == 0:
            h = np.zeros((4, 8))
        h = cell(x[t], h)  # here
        loss = loss + F.cross_entropy(head(h), ids[t + 1])
    return loss / 10


@faulty("detached")
def detached_at_every_step() -> Any:
    ids, x = text(seed=7)
    cell, head, loss = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0
    h = mr.zeros((4, 8))
    for t in range(10):
        with mr.scope("gru", t=t + 1):
            h = cell(x[t], h.detach())  # here
    loss = F.cross_entropy(head(h), ids[-1])
    return loss


@faulty("copied out of the graph")
def state_rewrapped_as_data() -> Any:
    ids, x = text(seed=8)
    cell, head, loss = nn.RNNCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0
    h = mr.zeros((4, 8))
    for t in range(10):
        h = cell(x[t], mr.tensor(h.data))  # here
        loss = loss + F.cross_entropy(head(h), ids[t + 1])
    return loss / 10


@faulty("copied out of the graph")
def hidden_layer_through_numpy() -> Any:
    x, y = series(seed=9)
    rnn, middle, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 6, rng=1), nn.Linear(6, 1, rng=2)
    out, _ = rnn(x)
    features = np.tanh(middle(out[-1]).numpy())  # here
    return F.mse_loss(head(features)[:, 0] + out[-1].sum(axis=1) * 0.0, y[-1])


@faulty("rounded on the path")
def argmax_fed_to_the_next_layer() -> Any:
    ids, x = text(seed=10)
    rnn, head, second = nn.RNN(5, 8, rng=0), nn.Linear(8, 5, rng=1), nn.Linear(5, 5, rng=2)
    logits = head(rnn(x)[0][-1])  # here
    hard = np.eye(5)[logits.data.argmax(-1)]
    return F.cross_entropy(second(hard) + 0.0 * logits, ids[-1])


@faulty("rounded on the path")
def gate_by_comparison() -> Any:
    x, y = series(seed=11)
    rnn, gate, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 8, rng=1), nn.Linear(8, 1, rng=2)
    h = rnn(x)[0][-1]
    opened = mr.sigmoid(gate(h))  # here
    return F.mse_loss(
        head(h * (opened.data > 0.5).astype(float))[:, 0] + 0.0 * opened.sum(1), y[-1]
    )


@faulty("batch and time swapped")
def batch_first_forgotten() -> Any:
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(6, 9, 2)), rng.normal(size=6)  # six sequences of nine steps
    rnn, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    out, _ = rnn(x)  # here
    return F.mse_loss(head(out[:, -1])[:, 0], y)


@faulty("layers share weights")
def the_same_cell_three_times() -> Any:
    ids, _ = text(V=8, seed=13)
    x = np.eye(8)[ids[:-1]]
    cells, head, loss = [nn.RNNCell(8, 8, rng=0)] * 3, nn.Linear(8, 8, rng=1), 0.0
    states = [mr.zeros((4, 8)) for _ in cells]
    for t in range(10):
        with mr.scope("rnn", t=t + 1):
            inner = x[t]
            for k, cell in enumerate(cells):
                inner = states[k] = cell(inner, states[k])  # here
            loss = loss + F.cross_entropy(head(inner), ids[t + 1])
    return loss / 10


# -- parameters -------------------------------------------------------------------------------------


@faulty("parameter never reached")
def output_of_a_layer_dropped() -> Any:
    ids, x = text(seed=14)
    rnn, extra, head = nn.RNN(5, 8, rng=0), nn.Linear(8, 8, rng=1), nn.Linear(8, 5, rng=2)
    out = rnn(x)[0][-1]
    mr.tanh(extra(out))  # here
    return F.cross_entropy(head(out), ids[-1])


@faulty("parameter never reached")
def second_layer_reads_the_input() -> Any:
    x, y = series(seed=15)
    first, second, head = nn.RNN(2, 8, rng=0), nn.RNN(2, 8, rng=1), nn.Linear(8, 1, rng=2)
    out, _ = first(x)  # here
    out, _ = second(x)
    return F.mse_loss(head(out[-1])[:, 0], y[-1])


@faulty("all weights alike")
def weights_of_ones() -> Any:
    x, y = series(seed=16)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    for p in [*rnn.parameters(), *head.parameters()]:
        nn.init.constant_(p, 0.1)
    return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])  # here


@faulty("all weights alike", "gradient exactly zero")
def weights_of_zeros() -> Any:
    ids, x = text(seed=17)
    w_x = mr.zeros((5, 8), requires_grad=True)
    w_h = mr.zeros((8, 8), requires_grad=True)
    w_o = mr.zeros((8, 5), requires_grad=True)
    h, loss = mr.zeros((4, 8)), 0.0
    for t in range(10):
        h = mr.tanh(x[t] @ w_x + h @ w_h)  # here
        loss = loss + F.cross_entropy(h @ w_o, ids[t + 1])  # here
    return loss


@faulty("frozen weights")
def embedding_without_gradient() -> Any:
    ids, _ = text(seed=18)
    table = mr.tensor(np.random.default_rng(0).normal(size=(5, 6)))
    rnn, head = nn.GRU(6, 8, rng=0), nn.Linear(8, 5, rng=1)
    out, _ = rnn(table[ids[:-1]])  # here
    return F.cross_entropy(head(out[-1]), ids[-1])


# -- data -------------------------------------------------------------------------------------------


@faulty("NaN in the data")
def a_missing_value() -> Any:
    x, y = series(seed=19)
    x[3, 2, 1] = np.nan
    lstm, head = nn.LSTM(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(lstm(x)[0])[:, :, 0], y)


@faulty("NaN in the data")
def a_missing_target() -> Any:
    x, y = series(seed=20)
    y[-1, 1] = np.nan
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])


@faulty("unscaled input")
def prices_as_they_are() -> Any:
    x, y = series(seed=21)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(rnn(x * 30.0 + 180.0)[0][-1])[:, 0], y[-1])  # here


@faulty("unscaled input")
def bytes_as_they_are() -> Any:
    rng = np.random.default_rng(22)
    x = rng.integers(0, 256, (10, 4, 3)).astype(float)
    lstm, head = nn.LSTM(3, 8, rng=0), nn.Linear(8, 2, rng=1)
    return F.cross_entropy(head(lstm(x)[0][-1]), rng.integers(0, 2, 4))  # here


@faulty("inputs all alike")
def normalized_over_the_wrong_axis() -> Any:
    x, y = series(width=1, seed=23)
    x = (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + 1.0) + 1.0
    rnn, head = nn.RNN(1, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])


@faulty("inputs all alike")
def the_same_sequence_in_all_rows() -> Any:
    x, y = series(seed=24)
    x = np.repeat(x[:, :1], 4, axis=1)
    gru, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    return F.mse_loss(head(gru(x)[0][-1])[:, 0], y[-1])


@faulty("one class only")
def labels_from_a_sorted_file() -> Any:
    x, _ = series(B=16, seed=25)
    labels = np.sort(np.random.default_rng(0).integers(0, 3, 90))[:16]
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 3, rng=1)
    return F.cross_entropy(head(rnn(x)[0][-1]), labels)  # here


@faulty("target in the input")
def targets_not_shifted() -> Any:
    ids, x = text(seed=26)
    cell, head, loss, h = nn.RNNCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0, None
    for t in range(10):
        with mr.scope("rnn", t=t + 1):
            h = cell(x[t], h)
            loss = loss + F.cross_entropy(head(h), ids[t])  # here
    return loss / 10


@faulty("target in the input")
def the_price_to_predict_is_a_column() -> Any:
    rng = np.random.default_rng(27)
    frame = rng.normal(size=(12, 3))
    cell, head, loss, h = nn.GRUCell(3, 8, rng=0), nn.Linear(8, 1, rng=1), 0.0, None
    for t in range(12):
        with mr.scope("gru", t=t + 1):
            h = cell(frame[t], h)
            loss = loss + ((head(h)[0] - frame[t, 2]) ** 2)  # here
    return loss / 12


@faulty("mask inverted")
def mask_keeps_the_padding() -> Any:
    ids, x = text(seed=28)
    lengths = np.array([10, 7, 5, 3])
    mask = (np.arange(10)[:, None] >= lengths).astype(float)
    x = x * (1.0 - mask)[:, :, None]
    cell, head, loss, h = nn.GRUCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0, None
    for t in range(10):
        with mr.scope("gru", t=t + 1):
            h = cell(x[t], h)
            each = F.cross_entropy(head(h), ids[t + 1], reduction="none")  # here
            loss = loss + (each * mask[t]).sum()
    return loss / mask.sum()


@faulty("padding in the loss")
def no_mask_at_all() -> Any:
    ids, x = text(seed=29)
    lengths = np.array([10, 7, 5, 3])
    x = x * (np.arange(10)[:, None] < lengths)[:, :, None]
    cell, head, loss, state = nn.LSTMCell(5, 8, rng=0), nn.Linear(8, 5, rng=1), 0.0, None
    for t in range(10):
        with mr.scope("lstm", t=t + 1):
            state = cell(x[t], state)
            loss = loss + F.cross_entropy(head(state[0]), ids[t + 1])  # here
    return loss / 10


@faulty("target broadcast")
def a_column_minus_a_row() -> Any:
    x, y = series(seed=43)
    gru, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    error = head(gru(x)[0][-1]) - y[-1]  # here
    return (error * error).mean()


# -- over time --------------------------------------------------------------------------------------


@faulty("vanishing")
def small_recurrent_weights() -> Any:
    x, y = series(T=30, seed=30)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    rnn.weight_hh_l0.data = rnn.weight_hh_l0.data * 0.3
    return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])


@faulty("exploding")
def large_recurrent_weights_of_a_relu_net() -> Any:
    x, y = series(T=30, seed=31)
    rnn, head = nn.RNN(2, 8, nonlinearity="relu", rng=0), nn.Linear(8, 1, rng=1)
    rnn.weight_hh_l0.data = np.abs(rnn.weight_hh_l0.data) * 1.5
    return F.mse_loss(head(rnn(np.abs(x))[0][-1])[:, 0], y[-1])


@faulty("forgetful")
def forget_gate_biased_shut() -> Any:
    x, y = series(T=30, seed=32)
    lstm, head = nn.LSTM(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    nn.init.forget_bias_(lstm, -1.0)
    return F.mse_loss(head(lstm(x)[0][-1])[:, 0], y[-1])


@faulty("saturated gates")
def input_gate_shut() -> Any:
    x, y = series(seed=33)
    lstm, head = nn.LSTM(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    bias = lstm.bias_ih_l0.data.copy()
    bias[:8] -= 9.0
    lstm.bias_ih_l0.data = bias
    return F.mse_loss(head(lstm(x)[0][-1])[:, 0], y[-1])


@faulty("dead units")
def relu_units_that_died() -> Any:
    x, y = series(seed=34)
    rnn, head = nn.RNN(2, 8, nonlinearity="relu", rng=0), nn.Linear(8, 1, rng=1)
    bias = rnn.bias_ih_l0.data.copy()
    bias[:5] -= 20.0
    rnn.bias_ih_l0.data = bias
    return F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])


@faulty("not finite")
def log_of_zero() -> Any:
    _, x = text(seed=35)
    rnn, head = nn.RNN(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    p = mr.softmax(head(rnn(x)[0][-1]) * 2000.0, axis=-1)
    return -mr.log(p).mean()  # here


# -- training ---------------------------------------------------------------------------------------


@faulty("gradients not reset")
def no_zero_grad() -> Any:
    x, y = series(seed=36)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.01)
    for _ in range(12):
        loss = F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])
        loss.backward()
        optimizer.step()


@faulty("gradients not reset")
def no_reset_in_a_loop_of_ones_own() -> Any:
    x, y = series(seed=37)
    w = [
        mr.tensor(np.random.default_rng(k).normal(size=s) * 0.4, requires_grad=True)
        for k, s in enumerate([(2, 6), (6, 6), (6, 1)])
    ]
    for _ in range(12):
        h = mr.zeros((4, 6))
        for t in range(10):
            h = mr.tanh(x[t] @ w[0] + h @ w[1])
        loss = ((h @ w[2])[:, 0] - y[-1]).pow(2).mean()
        loss.backward()
        for p in w:
            p.data -= 0.01 * p.grad


@faulty("optimizer never steps")
def step_forgotten() -> Any:
    x, y = series(seed=38)
    rnn, head = nn.GRU(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    optimizer = optim.Adam([*rnn.parameters(), *head.parameters()])
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])
        loss.backward()


@faulty("not in the optimizer")
def only_the_head_is_trained() -> Any:
    x, y = series(seed=39)
    rnn, head = nn.LSTM(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    optimizer = optim.Adam(head.parameters(), lr=0.01)
    for _ in range(8):
        optimizer.zero_grad()
        loss = F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])
        loss.backward()
        optimizer.step()


@faulty("learning rate too large", "not finite")
def learning_rate_of_ten() -> Any:
    x, y = series(seed=40)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=10.0)
    for _ in range(15):
        optimizer.zero_grad()
        loss = F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])
        loss.backward()
        optimizer.step()


@faulty("learning rate too small")
def learning_rate_of_a_millionth() -> Any:
    ids, x = text(seed=41)
    rnn, head = nn.GRU(5, 8, rng=0), nn.Linear(8, 5, rng=1)
    optimizer = optim.SGD([*rnn.parameters(), *head.parameters()], lr=1e-6)
    for _ in range(15):
        optimizer.zero_grad()
        loss = F.cross_entropy(head(rnn(x)[0]).reshape(-1, 5), ids[1:].reshape(-1))
        loss.backward()
        optimizer.step()


@faulty("clipping always on")
def clipped_to_a_thousandth() -> Any:
    x, y = series(seed=42)
    rnn, head = nn.RNN(2, 8, rng=0), nn.Linear(8, 1, rng=1)
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = optim.SGD(parameters, lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.mse_loss(head(rnn(x)[0][-1])[:, 0], y[-1])
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1e-3)
        optimizer.step()
