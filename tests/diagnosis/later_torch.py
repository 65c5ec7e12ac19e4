"""A third set of everyday programs in PyTorch, faulty and sound, new to the checks when it was written."""

# ruff: noqa: B007, E741, RUF059

from __future__ import annotations

from typing import Any

import torch
from diagnosis.corpus import faulty, healthy
from torch import nn, optim
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence


class Many2One(nn.Module):
    def __init__(self, i: Any = 2, h: Any = 16, o: Any = 1, kind: Any = nn.LSTM, **kw: Any) -> None:
        super().__init__()
        self.rnn = kind(i, h, batch_first=True, **kw)
        self.out = nn.Linear(h * (2 if kw.get("bidirectional") else 1), o)

    def forward(self, x: Any) -> Any:
        return self.out(self.rnn(x)[0][:, -1])


def taxi(n: Any = 300, seed: Any = 0) -> Any:
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(n) / 24.0
    return torch.stack(
        [torch.sin(6.28 * t) + 0.3 * torch.rand(n, generator=g), (t % 7) / 7 - 0.5], 1
    )


def win(d: Any, w: Any = 24, step: Any = 3, h: Any = 1) -> Any:
    idx = range(0, len(d) - w - h, step)
    return torch.stack([d[i : i + w] for i in idx]), torch.stack([d[i + w + h - 1, 0] for i in idx])


@faulty("target broadcast")
def squeeze_forgotten() -> Any:
    x, y = win(taxi())
    torch.manual_seed(0)
    return ((Many2One()(x) - y) ** 2).mean()  # here


@faulty("target in the input")
def window_includes_the_hour_to_predict() -> Any:
    d = taxi(seed=1)
    idx = range(0, 200, 4)
    torch.manual_seed(1)
    x, y = torch.stack([d[i : i + 12] for i in idx]), torch.stack([d[i + 11, :1] for i in idx])
    return F.l1_loss(Many2One(kind=nn.GRU)(x), y)  # here


@faulty("not in the optimizer")
def new_head_after_the_optimizer() -> Any:
    x, y = win(taxi(seed=2))
    torch.manual_seed(2)
    m = Many2One()
    opt = optim.Adam(m.parameters(), 1e-2)
    m.out = nn.Linear(16, 1)
    for _ in range(6):
        opt.zero_grad()
        m.zero_grad()
        F.mse_loss(m(x).squeeze(1), y).backward()
        opt.step()


@faulty("axes mixed by a reshape", "batch and time swapped")
def permute_by_reshape_after_embedding() -> Any:
    torch.manual_seed(3)
    ids, y = torch.randint(0, 30, (7, 12)), torch.randint(0, 2, (7,))
    e, r, o = nn.Embedding(30, 8), nn.GRU(8, 10), nn.Linear(10, 2)
    z = e(ids).reshape(12, 7, 8)  # here
    return F.cross_entropy(o(r(z)[1][-1]), y)


@faulty("padding read last", "padding in the loss")
def sentiment_of_the_last_token_of_the_batch() -> Any:
    torch.manual_seed(4)
    s = [torch.randint(2, 40, (n,)) for n in (15, 11, 9, 7, 6, 4, 3)]
    ids = pad_sequence(s, batch_first=True, padding_value=1)
    y = torch.randint(0, 2, (7,)).float()
    e, r, o = nn.Embedding(40, 8), nn.LSTM(8, 12, batch_first=True), nn.Linear(12, 1)
    return F.binary_cross_entropy_with_logits(o(r(e(ids))[0][:, -1, :]).squeeze(1), y)  # here


@faulty("loss summed")
def nll_sum_over_sentences_of_all_lengths() -> Any:
    torch.manual_seed(5)
    e, r, o = nn.Embedding(30, 8), nn.GRU(8, 12, batch_first=True), nn.Linear(12, 30)
    ps = [*e.parameters(), *r.parameters(), *o.parameters()]
    opt = optim.SGD(ps, lr=0.01)
    for n in (4, 33, 12, 51, 8, 27):
        ids = torch.randint(0, 30, (2, n + 1))
        opt.zero_grad()
        loss = F.nll_loss(
            F.log_softmax(o(r(e(ids[:, :-1]))[0]), -1).transpose(1, 2), ids[:, 1:], reduction="sum"
        )  # here
        loss.backward()
        opt.step()


@faulty("state carried over")
def hidden_kept_between_epochs_and_batches() -> Any:
    torch.manual_seed(6)
    X = torch.randn(30, 8, 3)
    Y = X[:, :, 0].cumsum(1)[:, -1].gt(0).long()
    r, o = nn.RNN(3, 10, batch_first=True), nn.Linear(10, 2)
    opt = optim.Adam([*r.parameters(), *o.parameters()], 0.01)
    h = torch.zeros(1, 10, 10)
    for ep in range(4):
        for i in range(0, 30, 10):
            out, h = r(X[i : i + 10], h)  # here
            h = h.data
            loss = F.cross_entropy(o(out[:, -1]), Y[i : i + 10])
            opt.zero_grad()
            loss.backward()
            opt.step()


@faulty("copied out of the graph", "detached")
def context_through_numpy() -> Any:
    x, y = win(taxi(seed=7))
    torch.manual_seed(7)
    enc, dec, o = nn.GRU(2, 8, batch_first=True), nn.GRUCell(1, 8), nn.Linear(8, 1)
    h = torch.from_numpy(enc(x)[1][0].detach().numpy())  # here
    h = dec(x[:, -1, :1], h)
    return F.mse_loss(o(h).squeeze(1), y)


@faulty("activation before cross-entropy")
def relu_scores() -> Any:
    torch.manual_seed(8)
    x, y = torch.randn(12, 9, 2), torch.randint(0, 4, (12,))
    m = Many2One(o=4)
    return F.cross_entropy(F.relu(m(x)), y)  # here


@faulty("targets shifted")
def labels_lag_by_two() -> Any:
    s = "in the beginning was the word and the word was with the reader and the word was short " * 3
    c = sorted(set(s))
    a = torch.tensor([c.index(k) for k in s])
    V = len(c)
    torch.manual_seed(9)
    x = torch.stack([a[i : i + 20] for i in range(0, 160, 20)])
    y = torch.stack([a[i + 2 : i + 22] for i in range(0, 160, 20)])
    e, r, o = nn.Embedding(V, 8), nn.LSTM(8, 16, batch_first=True), nn.Linear(16, V)
    return F.cross_entropy(o(r(e(x))[0]).flatten(0, 1), y.flatten())  # here


@faulty("dropout in evaluation")
def train_called_once_and_never_eval() -> Any:
    x, y = win(taxi(seed=10))
    torch.manual_seed(10)
    m = Many2One(num_layers=2, dropout=0.3)
    opt = optim.Adam(m.parameters(), 1e-2)
    m.train()
    for _ in range(5):
        opt.zero_grad()
        F.mse_loss(m(x[:60]).squeeze(1), y[:60]).backward()
        opt.step()
        with torch.inference_mode():
            F.mse_loss(m(x[60:]).squeeze(1), y[60:])


@faulty("unscaled input")
def timestamps_as_features() -> Any:
    d = taxi(seed=11)
    d[:, 1] = torch.arange(300) * 3600.0
    x, y = win(d)
    torch.manual_seed(11)
    return F.mse_loss(Many2One()(x).squeeze(1), y)


@faulty("softmax before cross-entropy")
def predict_proba_in_the_loss() -> Any:
    torch.manual_seed(12)
    x, y = torch.randn(12, 9, 2), torch.randint(0, 4, (12,))
    m = Many2One(o=4)
    p = torch.exp(F.log_softmax(m(x), 1))  # here
    return nn.CrossEntropyLoss()(p, y)


@faulty("mask inverted")
def keep_where_pad() -> Any:
    torch.manual_seed(13)
    s = [torch.randint(1, 25, (n,)) for n in (13, 10, 8, 5)]
    ids = pad_sequence(s, batch_first=True)
    e, r, o = (
        nn.Embedding(25, 8, padding_idx=0),
        nn.LSTM(8, 12, batch_first=True),
        nn.Linear(12, 25),
    )
    x, y = ids[:, :-1], ids[:, 1:]
    l = F.cross_entropy(o(r(e(x))[0]).flatten(0, 1), y.flatten(), reduction="none")  # here
    return l[(x == 0).flatten()].mean()  # here


@faulty("learning rate too small")
def rate_of_a_billionth() -> Any:
    x, y = win(taxi(seed=14))
    torch.manual_seed(14)
    m = Many2One()
    opt = optim.SGD(m.parameters(), 1e-9)
    for _ in range(10):
        opt.zero_grad()
        F.mse_loss(m(x).squeeze(1), y).backward()
        opt.step()


@faulty("loss below what is possible")
def log_likelihood_is_minimized() -> Any:
    torch.manual_seed(15)
    x, y = torch.randn(12, 9, 2), torch.randint(0, 4, (12,))
    m = Many2One(o=4)
    return torch.gather(F.log_softmax(m(x), 1), 1, y[:, None]).mean()  # here


@faulty("targets out of reach")
def sigmoid_for_counts() -> Any:
    x, y = win(taxi(seed=16))
    torch.manual_seed(16)
    return F.mse_loss(torch.sigmoid(Many2One()(x)).squeeze(1), (y * 40 + 60).round())  # here


@faulty("class never seen")
def stars_from_one_to_five_with_six_outputs() -> Any:
    torch.manual_seed(17)
    ids, stars = torch.randint(0, 50, (80, 9)), torch.randint(1, 6, (80,))
    e, r, o = nn.Embedding(50, 8), nn.GRU(8, 12, batch_first=True), nn.Linear(12, 6)
    return F.cross_entropy(o(r(e(ids))[1][-1]), stars)  # here


@faulty("optimizer never steps")
def parameters_given_as_copies() -> Any:
    x, y = win(taxi(seed=18))
    torch.manual_seed(18)
    m = Many2One()
    opt = optim.SGD([p.detach().clone().requires_grad_() for p in m.parameters()], 0.1)
    for _ in range(6):
        opt.zero_grad()
        m.zero_grad()
        F.mse_loss(m(x).squeeze(1), y).backward()
        opt.step()


@faulty("state not passed on")
def lstm_called_on_single_steps() -> Any:
    x, y = win(taxi(seed=19))
    torch.manual_seed(19)
    r, o = nn.LSTM(2, 12, batch_first=True), nn.Linear(12, 1)
    for t in range(24):
        out, (h, c) = r(x[:, t : t + 1])  # here
    return F.mse_loss(o(out[:, -1]).squeeze(1), y) + 0 * h.sum()


@faulty("unscaled input")
def prices_in_dollars_saturate_every_gate() -> Any:
    torch.manual_seed(14)
    price = 30000 + 500 * torch.randn(200).cumsum(0)
    x, y = price[:-1].unfold(0, 20, 5).unsqueeze(2), price[20::5].unsqueeze(1)
    m = Many2One(1)
    opt = optim.Adam(m.parameters(), 1e-3)
    for _ in range(6):
        loss = F.mse_loss(m(x[: len(y)]), y)
        opt.zero_grad()
        loss.backward()
        opt.step()


@faulty("rounded on the path")
def a_count_is_rounded_before_the_loss() -> Any:
    torch.manual_seed(11)
    c, o = nn.GRUCell(2, 10), nn.Linear(10, 1)
    opt = optim.Adam([*c.parameters(), *o.parameters()], 1e-2)
    x = torch.randn(12, 8, 2)
    y = (x[:, :, 0] > 0).float().sum(0)[:, None]
    for _ in range(4):
        h = torch.zeros(8, 10)
        for t in range(12):
            h = c(x[t], h)
        count = torch.round(o(h))  # here
        opt.zero_grad()
        F.mse_loss(count, y).backward()
        opt.step()


@faulty("parameter never reached")
def the_encoder_runs_under_no_grad() -> Any:
    torch.manual_seed(12)
    enc, dec, o = (
        nn.LSTM(6, 16, batch_first=True),
        nn.LSTM(6, 16, batch_first=True),
        nn.Linear(16, 6),
    )
    opt = optim.Adam([*enc.parameters(), *dec.parameters(), *o.parameters()], 1e-2)
    s, y = torch.randn(8, 9, 6), torch.randint(0, 6, (8, 5))
    x = F.one_hot(torch.cat([torch.zeros(8, 1).long(), y[:, :-1]], 1), 6).float()
    for _ in range(3):
        with torch.no_grad():
            _, state = enc(s)
        out, _ = dec(x, state)
        opt.zero_grad()
        F.cross_entropy(o(out).flatten(0, 1), y.flatten()).backward()
        opt.step()


@faulty("softmax over the wrong axis")
def a_decoder_by_hand_attends_over_the_batch() -> Any:
    torch.manual_seed(7)
    enc, dec, o = nn.GRU(6, 16), nn.GRUCell(6, 16), nn.Linear(32, 6)
    s, y = torch.randn(7, 8, 6), torch.randint(0, 6, (5, 8))
    states, h = enc(s)
    h, x, loss = h[0], torch.zeros(8, 6), 0.0
    for t in range(5):
        h = dec(x, h)
        a = torch.softmax((states * h).sum(2), dim=1)  # here
        context = (a[:, :, None] * states).sum(0)
        loss = loss + F.cross_entropy(o(torch.cat([h, context], 1)), y[t])
        x = F.one_hot(y[t], 6).float()
    return loss / 5


@healthy
def a_decoder_by_hand_attends_over_the_steps() -> Any:
    torch.manual_seed(7)
    enc, dec, o = nn.GRU(6, 16), nn.GRUCell(6, 16), nn.Linear(32, 6)
    s, y = torch.randn(7, 8, 6), torch.randint(0, 6, (5, 8))
    states, h = enc(s)
    h, x, loss = h[0], torch.zeros(8, 6), 0.0
    for t in range(5):
        h = dec(x, h)
        a = torch.softmax((states * h).sum(2), dim=0)
        context = (a[:, :, None] * states).sum(0)
        loss = loss + F.cross_entropy(o(torch.cat([h, context], 1)), y[t])
        x = F.one_hot(y[t], 6).float()
    return loss / 5


@faulty("not finite", "exploding")
def a_relu_network_overflows_after_its_first_update() -> Any:
    torch.manual_seed(4)
    m, o = nn.RNN(2, 64, nonlinearity="relu"), nn.Linear(64, 1)
    with torch.no_grad():
        m.weight_hh_l0.normal_(0, 0.4)
    opt = optim.SGD([*m.parameters(), *o.parameters()], lr=1e-4)
    x, y = torch.randn(40, 8, 2), torch.randn(8, 1)
    for _ in range(3):
        opt.zero_grad()
        F.mse_loss(o(m(x)[0][-1]), y).backward()
        opt.step()


# -- without a mistake -----------------------------------------------------------------------------


@healthy
def usual_forecast() -> Any:
    x, y = win(taxi(seed=30))
    torch.manual_seed(30)
    m = Many2One(num_layers=2, dropout=0.2)
    opt = optim.Adam(m.parameters(), 3e-3)
    for i in range(0, 90, 15):
        opt.zero_grad()
        F.mse_loss(m(x[i : i + 15]).squeeze(1), y[i : i + 15]).backward()
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        opt.step()


@healthy
def padded_and_packed_classifier() -> Any:
    torch.manual_seed(31)
    s = [torch.randint(2, 40, (n,)) for n in (15, 11, 9, 7, 6, 4, 3)]
    ids = pad_sequence(s, batch_first=True)
    y = torch.randint(0, 2, (7,)).float()
    e, r, o = (
        nn.Embedding(40, 8, padding_idx=0),
        nn.LSTM(8, 12, batch_first=True, bidirectional=True),
        nn.Linear(24, 1),
    )
    _, (h, _) = r(
        pack_padded_sequence(e(ids), [len(q) for q in s], batch_first=True, enforce_sorted=False)
    )
    return F.binary_cross_entropy_with_logits(o(torch.cat([h[0], h[1]], 1)).squeeze(1), y)


@healthy
def padded_gather_of_the_last_real_state() -> Any:
    torch.manual_seed(32)
    n = torch.tensor([12, 10, 7, 5, 4])
    x = torch.randn(5, 12, 3)
    x[torch.arange(12)[None] >= n[:, None]] = 0
    r, o = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 3)
    out, _ = r(x)
    last = out[torch.arange(5), n - 1]
    return F.cross_entropy(o(last), torch.tensor([0, 1, 2, 1, 0]))


@healthy
def language_model_with_ignored_padding() -> Any:
    torch.manual_seed(33)
    s = [torch.randint(1, 25, (n,)) for n in (13, 10, 8, 5)]
    ids = pad_sequence(s, batch_first=True)
    e, r, o = (
        nn.Embedding(25, 8, padding_idx=0),
        nn.LSTM(8, 12, batch_first=True),
        nn.Linear(12, 25),
    )
    return F.cross_entropy(
        o(r(e(ids[:, :-1]))[0]).flatten(0, 1), ids[:, 1:].flatten(), ignore_index=0
    )


@healthy
def mean_pool_with_a_mask() -> Any:
    torch.manual_seed(34)
    n = torch.tensor([12, 10, 7, 5])
    x = torch.randn(4, 12, 3)
    m = (torch.arange(12)[None] < n[:, None]).float()
    x = x * m[..., None]
    r, o = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 2)
    h = (r(x)[0] * m[..., None]).sum(1) / n[:, None]
    return F.cross_entropy(o(h), torch.tensor([0, 1, 1, 0]))


@healthy
def reconstruct_the_input_backwards() -> Any:
    d = taxi(seed=35)
    x = torch.stack([d[i : i + 10] for i in range(0, 200, 10)])
    torch.manual_seed(35)
    enc, dec, o = (
        nn.LSTM(2, 12, batch_first=True),
        nn.LSTM(2, 12, batch_first=True),
        nn.Linear(12, 2),
    )
    _, hc = enc(x)
    back = x.flip(1)
    inp = torch.cat([torch.zeros(20, 1, 2), back[:, :-1]], 1)
    return F.mse_loss(o(dec(inp, hc)[0]), back)


@healthy
def residual_forecast_adds_the_last_value() -> Any:
    x, y = win(taxi(seed=36))
    torch.manual_seed(36)
    return F.mse_loss(x[:, -1, 0] + Many2One()(x).squeeze(1), y)


@healthy
def multi_task_of_two_heads() -> Any:
    torch.manual_seed(37)
    x = torch.randn(16, 9, 2)
    r, a, b = nn.GRU(2, 10, batch_first=True), nn.Linear(10, 3), nn.Linear(10, 1)
    h = r(x)[1][0]
    return F.cross_entropy(
        a(h), torch.randint(0, 3, (16,))
    ) + 0.5 * F.binary_cross_entropy_with_logits(
        b(h).squeeze(1), torch.randint(0, 2, (16,)).float()
    )


@healthy
def stateful_over_rows_of_a_long_series() -> Any:
    d = taxi(480, seed=38)
    X = d.view(4, 120, 2)
    torch.manual_seed(38)
    r, o = nn.GRU(2, 8, batch_first=True), nn.Linear(8, 1)
    opt = optim.Adam([*r.parameters(), *o.parameters()], 0.01)
    h = torch.zeros(1, 4, 8)
    for k in range(0, 110, 10):
        out, h = r(X[:, k : k + 10], h.detach())
        opt.zero_grad()
        F.mse_loss(o(out)[..., 0], X[:, k + 1 : k + 11, 0]).backward()
        opt.step()


@healthy
def tiny_gradients_late_in_training() -> Any:
    torch.manual_seed(39)
    x = torch.randn(20, 6, 2)
    y = x[:, -1, 0] * 0.5
    m = Many2One(h=8)
    opt = optim.Adam(m.parameters(), 1e-3)
    for _ in range(12):
        opt.zero_grad()
        F.mse_loss(m(x).squeeze(1), y).backward()
        opt.step()


@faulty("direction read at its start")
def bilstm_sentiment_from_the_last_output() -> Any:
    torch.manual_seed(41)
    ids = torch.randint(1, 50, (8, 15))
    emb, lstm = nn.Embedding(50, 8), nn.LSTM(8, 12, 2, batch_first=True, bidirectional=True)
    fc = nn.Linear(24, 2)
    out, _ = lstm(emb(ids))
    return F.cross_entropy(fc(out[:, -1, :]), (ids[:, 0] % 2))  # here


@healthy
def bilstm_sentiment_from_both_ends() -> Any:
    torch.manual_seed(41)
    ids = torch.randint(1, 50, (8, 15))
    emb, lstm = nn.Embedding(50, 8), nn.LSTM(8, 12, 2, batch_first=True, bidirectional=True)
    fc = nn.Linear(24, 2)
    _, (h, _) = lstm(emb(ids))
    return F.cross_entropy(fc(torch.cat([h[-2], h[-1]], dim=1)), (ids[:, 0] % 2))


@faulty("CTC of logits")
def speech_scores_straight_into_ctc() -> Any:
    torch.manual_seed(42)
    x, target = torch.randn(20, 3, 4), torch.randint(1, 6, (3, 5))
    rnn, fc = nn.GRU(4, 8), nn.Linear(8, 6)
    scores = fc(rnn(x)[0])  # here
    loss: Any = nn.CTCLoss()(scores, target, torch.full((3,), 20), torch.full((3,), 5))
    return loss
