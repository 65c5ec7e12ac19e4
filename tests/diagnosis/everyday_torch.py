"""Everyday programs in PyTorch, faulty and sound, written before the checks that tell them apart."""

# ruff: noqa: E501, RUF059

from __future__ import annotations

from typing import Any

import torch
from diagnosis.corpus import faulty, healthy
from torch import nn, optim
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence


def prices(n: Any = 160, seed: Any = 0) -> Any:
    torch.manual_seed(seed)
    t = torch.arange(n).float()
    return torch.sin(t / 8) + 0.3 * torch.cos(t / 3) + 0.05 * torch.randn(n)


def sentences(N: Any = 6, T: Any = 14, V: Any = 20, seed: Any = 0, shortest: Any = 4) -> Any:
    torch.manual_seed(seed)
    lengths = torch.linspace(T, shortest, N).long()
    ids = torch.randint(1, V, (N, T))
    ids[torch.arange(T)[None] >= lengths[:, None]] = 0
    return ids, lengths


class Tagger(nn.Module):
    def __init__(self, V: Any = 20, E: Any = 8, H: Any = 10, K: Any = 5) -> None:
        super().__init__()
        self.emb = nn.Embedding(V, E, padding_idx=0)
        self.lstm = nn.LSTM(E, H, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * H, K)

    def forward(self, ids: Any) -> Any:
        return self.fc(self.lstm(self.emb(ids))[0])


class Forecaster(nn.Module):
    def __init__(
        self, inputs: Any = 1, hidden: Any = 16, layers: Any = 1, dropout: Any = 0.0
    ) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True, dropout=dropout)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x: Any) -> Any:
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


@faulty("target in the input")
def close_price_of_the_day_is_a_feature() -> Any:
    p = prices()
    vol = torch.randn(160)
    table = torch.stack([p, vol, torch.roll(p, 1)], 1)
    X = torch.stack([table[i : i + 12] for i in range(0, 120, 4)])
    y = torch.stack([p[i + 11] for i in range(0, 120, 4)])
    return F.mse_loss(Forecaster(3)(X).squeeze(-1), y)  # here


@faulty("target in the input")
def power_is_predicted_from_power() -> Any:
    p = prices(seed=1)
    table = torch.stack([torch.randn(160), p], 1)
    x = table.view(8, 20, 2)
    y = p.view(8, 20)
    rnn, fc = nn.GRU(2, 12, batch_first=True), nn.Linear(12, 1)
    return nn.MSELoss()(fc(rnn(x)[0])[..., 0], y)  # here


@faulty("axes mixed by a reshape", "batch and time swapped")
def view_instead_of_transpose() -> Any:
    torch.manual_seed(2)
    x = torch.randn(8, 11, 4)
    y = torch.randint(0, 3, (8,))
    emb, lstm, fc = nn.Linear(4, 6), nn.LSTM(6, 10), nn.Linear(10, 3)
    e = emb(x).view(11, 8, 6)  # here
    return F.cross_entropy(fc(lstm(e)[0][-1]), y)


@faulty("axes mixed by a reshape", "batch and time swapped")
def hn_viewed_as_batch_first() -> Any:
    torch.manual_seed(3)
    x = torch.randn(6, 9, 4)
    y = torch.randint(0, 3, (6,))
    lstm, fc = nn.LSTM(4, 10, batch_first=True, bidirectional=True), nn.Linear(20, 3)
    _, (hn, _) = lstm(x)
    return F.cross_entropy(fc(hn.view(6, 20)), y)  # here


@faulty("padding read last", "padding in the loss")
def last_output_of_padded_sentences() -> Any:
    ids, lengths = sentences(seed=4)
    y = torch.randint(0, 2, (6,))
    emb, lstm, fc = (
        nn.Embedding(20, 8, padding_idx=0),
        nn.LSTM(8, 10, batch_first=True),
        nn.Linear(10, 2),
    )
    out, _ = lstm(emb(ids))
    return F.cross_entropy(fc(out[:, -1]), y)  # here


@faulty("padding in the loss")
def tags_of_pads_are_learned() -> Any:
    ids, lengths = sentences(seed=5)
    tags = torch.randint(1, 5, ids.shape)
    tags[ids == 0] = 0
    return nn.CrossEntropyLoss()(Tagger()(ids).view(-1, 5), tags.view(-1))  # here


@faulty("padding in the loss")
def language_model_of_padded_lines() -> Any:
    ids, lengths = sentences(seed=6, T=16)
    emb, gru, out = nn.Embedding(20, 8), nn.GRU(8, 12, batch_first=True), nn.Linear(12, 20)
    logits = out(gru(emb(ids[:, :-1]))[0])
    return F.cross_entropy(logits.transpose(1, 2), ids[:, 1:])  # here


@faulty("mask inverted")
def mask_equals_pad() -> Any:
    ids, lengths = sentences(seed=7)
    tags = torch.randint(1, 5, ids.shape)
    tags[ids == 0] = 0
    mask = (ids == 0).float()
    loss = F.cross_entropy(Tagger()(ids).transpose(1, 2), tags, reduction="none")  # here
    return (loss * mask).sum() / mask.sum()  # here


@faulty("mask inverted")
def attention_to_the_pads_only() -> Any:
    ids, lengths = sentences(seed=8)
    y = torch.randint(0, 3, (6,))
    emb, gru, score, fc = (
        nn.Embedding(20, 8, padding_idx=0),
        nn.GRU(8, 10, batch_first=True),
        nn.Linear(10, 1),
        nn.Linear(10, 3),
    )
    ids[:, -1] = 0
    states, _ = gru(emb(ids))
    s = score(states).squeeze(-1).masked_fill(ids != 0, -1e9)  # here
    w = F.softmax(s, dim=1)  # here
    return F.cross_entropy(fc((w.unsqueeze(-1) * states).sum(1)), y)


@faulty("one class only")
def labels_compared_with_the_wrong_string() -> Any:
    ids, _ = sentences(seed=9, N=16)
    raw = ["positive", "negative"] * 8
    y = torch.tensor([1.0 if r != "pos" else 0.0 for r in raw])
    emb, lstm, fc = nn.Embedding(20, 8), nn.LSTM(8, 10, batch_first=True), nn.Linear(10, 1)
    p = torch.sigmoid(fc(lstm(emb(ids))[1][0][-1])).squeeze(1)
    return nn.BCELoss()(p, y)  # here


@faulty("frozen weights")
def from_pretrained_freezes() -> Any:
    ids, _ = sentences(seed=10)
    y = torch.randint(0, 2, (6,))
    emb = nn.Embedding.from_pretrained(torch.randn(20, 8))
    lstm, fc = nn.LSTM(8, 10, batch_first=True), nn.Linear(10, 2)
    return F.cross_entropy(fc(lstm(emb(ids))[1][0][-1]), y)


@faulty("targets shifted")
def shifted_by_dataset_and_by_loss() -> Any:
    text = (
        "to be or not to be that is the question whether tis nobler in the mind to suffer the slings and arrows "
        * 2
    )
    chars = sorted(set(text))
    data = torch.tensor([chars.index(c) for c in text])
    V = len(chars)
    X = torch.stack([data[i : i + 16] for i in range(0, 96, 16)])
    Y = torch.stack([data[i + 1 : i + 17] for i in range(0, 96, 16)])
    torch.manual_seed(11)
    emb, lstm, fc = nn.Embedding(V, 8), nn.LSTM(8, 16, batch_first=True), nn.Linear(16, V)
    logits = fc(lstm(emb(X))[0])
    return F.cross_entropy(logits[:, :-1].reshape(-1, V), Y[:, 1:].reshape(-1))  # here


@faulty("state carried over")
def self_hidden_over_shuffled_batches() -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.fc = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 2)
            self.hidden = (torch.zeros(1, 6, 8), torch.zeros(1, 6, 8))

        def forward(self, x: Any) -> Any:
            out, hidden = self.lstm(x, self.hidden)  # here
            self.hidden = tuple(h.detach() for h in hidden)
            return self.fc(out[:, -1])

    torch.manual_seed(12)
    net = Net()
    opt = optim.Adam(net.parameters(), lr=0.01)
    X = torch.randn(48, 9, 3)
    Y = (X[:, 0, 0] > 0).long()
    for _ in range(2):
        perm = torch.randperm(48)
        for i in range(0, 48, 6):
            idx = perm[i : i + 6]
            opt.zero_grad()
            F.cross_entropy(net(X[idx]), Y[idx]).backward()
            opt.step()


@faulty("dropout in evaluation")
def test_loss_in_train_mode() -> Any:
    p = prices(seed=13)
    X = torch.stack([p[i : i + 12] for i in range(120)]).unsqueeze(-1)
    Y = torch.stack([p[i + 12] for i in range(120)])
    net = Forecaster(1, 8, 2, dropout=0.4)
    opt = optim.Adam(net.parameters(), lr=0.01)
    for _ in range(6):
        opt.zero_grad()
        F.mse_loss(net(X[:90]).squeeze(1), Y[:90]).backward()
        opt.step()
        with torch.no_grad():
            F.mse_loss(net(X[90:]).squeeze(1), Y[90:])


@faulty("loss summed")
def reduction_sum_and_lengths_that_change() -> Any:
    torch.manual_seed(14)
    net = Tagger()
    opt = optim.SGD(net.parameters(), lr=0.01)
    crit = nn.CrossEntropyLoss(reduction="sum")
    for T in (5, 40, 11, 70, 8, 50):
        ids = torch.randint(1, 20, (4, T))
        tags = torch.randint(0, 5, (4, T))
        opt.zero_grad()
        loss = crit(net(ids).reshape(-1, 5), tags.reshape(-1))  # here
        loss.backward()
        opt.step()


@faulty("class never seen")
def labels_start_at_one() -> Any:
    torch.manual_seed(15)
    X = torch.randn(40, 8, 3)
    Y = torch.randint(1, 5, (40,))
    lstm, fc = nn.LSTM(3, 10, batch_first=True), nn.Linear(10, 5)
    return F.cross_entropy(fc(lstm(X)[0][:, -1]), Y)  # here


@faulty("loss below what is possible")
def bce_with_targets_of_one_and_two() -> Any:
    torch.manual_seed(16)
    X = torch.randn(20, 8, 3)
    Y = torch.randint(1, 3, (20,)).float()
    gru, fc = nn.GRU(3, 10, batch_first=True), nn.Linear(10, 1)
    return F.binary_cross_entropy_with_logits(fc(gru(X)[0][:, -1]).squeeze(1), Y)  # here


@faulty("optimizer never steps")
def zero_grad_right_before_step() -> Any:
    p = prices(seed=17)
    X = torch.stack([p[i : i + 12] for i in range(60)]).unsqueeze(-1)
    Y = torch.stack([p[i + 12] for i in range(60)])
    net = Forecaster()
    opt = optim.Adam(net.parameters(), lr=0.01)
    for _ in range(8):
        loss = F.mse_loss(net(X).squeeze(1), Y)
        loss.backward()
        opt.zero_grad()
        opt.step()


@faulty("not in the optimizer")
def layers_kept_in_a_python_list() -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = [nn.GRUCell(3, 8), nn.GRUCell(8, 8)]
            self.fc = nn.Linear(8, 2)

        def forward(self, x: Any) -> Any:
            h = [torch.zeros(x.size(0), 8), torch.zeros(x.size(0), 8)]
            for t in range(x.size(1)):
                h[0] = self.cells[0](x[:, t], h[0])
                h[1] = self.cells[1](h[0], h[1])
            return self.fc(h[1])

    torch.manual_seed(18)
    net = Net()
    opt = optim.Adam(net.parameters(), lr=0.01)
    X = torch.randn(12, 7, 3)
    Y = torch.randint(0, 2, (12,))
    for _ in range(6):
        opt.zero_grad()
        F.cross_entropy(net(X), Y).backward()
        opt.step()


@faulty("target broadcast")
def column_against_vector_l1() -> Any:
    p = prices(seed=19)
    X = torch.stack([p[i : i + 12] for i in range(30)]).unsqueeze(-1)
    Y = torch.stack([p[i + 12] for i in range(30)])
    return F.smooth_l1_loss(Forecaster()(X), Y)  # here


@faulty("explosion hidden by clipping", "exploding")
def clip_grad_norm_one_and_a_wild_relu_rnn() -> Any:
    torch.manual_seed(20)
    X = torch.randn(10, 50, 2).abs()
    Y = torch.randn(10)
    rnn, fc = nn.RNN(2, 12, nonlinearity="relu", batch_first=True), nn.Linear(12, 1)
    with torch.no_grad():
        rnn.weight_hh_l0.mul_(5.0)
    params = [*rnn.parameters(), *fc.parameters()]
    opt = optim.SGD(params, lr=0.01)
    for _ in range(10):
        opt.zero_grad()
        F.mse_loss(fc(rnn(X)[0][:, -1]).squeeze(1), Y).backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()


@faulty("rounded on the path")
def decoder_fed_with_argmax_embedding() -> Any:
    torch.manual_seed(21)
    src = torch.randint(0, 9, (5, 6))
    tgt = torch.randint(0, 9, (5, 6))
    emb, enc, out1, demb, dec, out2 = (
        nn.Embedding(9, 8),
        nn.GRU(8, 10, batch_first=True),
        nn.Linear(10, 9),
        nn.Embedding(9, 8),
        nn.GRU(8, 10, batch_first=True),
        nn.Linear(10, 9),
    )
    states, _ = enc(emb(src))
    guess = out1(states).argmax(-1)  # here
    return F.cross_entropy(out2(dec(demb(guess))[0]).reshape(-1, 9), tgt.reshape(-1))


# -- without a mistake -----------------------------------------------------------------------------


@healthy
def tagger_with_ignore_index() -> Any:
    ids, lengths = sentences(seed=30)
    tags = torch.randint(0, 5, ids.shape)
    tags[ids == 0] = -100
    return nn.CrossEntropyLoss()(Tagger()(ids).view(-1, 5), tags.view(-1))


@healthy
def packed_sentiment_with_adam() -> Any:
    ids, lengths = sentences(seed=31, N=8)
    emb, lstm, fc = (
        nn.Embedding(20, 8, padding_idx=0),
        nn.LSTM(8, 10, batch_first=True),
        nn.Linear(10, 2),
    )
    opt = optim.Adam([*emb.parameters(), *lstm.parameters(), *fc.parameters()], lr=0.01)
    y = torch.randint(0, 2, (8,))
    for _ in range(8):
        opt.zero_grad()
        _, (h, _) = lstm(pack_padded_sequence(emb(ids), lengths, batch_first=True))
        F.cross_entropy(fc(h[-1]), y).backward()
        opt.step()


@healthy
def language_model_of_real_text() -> Any:
    text = (
        "to be or not to be that is the question whether tis nobler in the mind to suffer the slings and arrows "
        * 2
    )
    chars = sorted(set(text))
    data = torch.tensor([chars.index(c) for c in text])
    V = len(chars)
    torch.manual_seed(32)
    X = torch.stack([data[i : i + 16] for i in range(0, 96, 16)])
    Y = torch.stack([data[i + 1 : i + 17] for i in range(0, 96, 16)])
    emb, lstm, fc = nn.Embedding(V, 8), nn.LSTM(8, 16, batch_first=True), nn.Linear(16, V)
    opt = optim.Adam([*emb.parameters(), *lstm.parameters(), *fc.parameters()], lr=0.01)
    for _ in range(8):
        opt.zero_grad()
        F.cross_entropy(fc(lstm(emb(X))[0]).reshape(-1, V), Y.reshape(-1)).backward()
        opt.step()


@healthy
def eval_and_train_in_turns() -> Any:
    p = prices(seed=33)
    X = torch.stack([p[i : i + 12] for i in range(120)]).unsqueeze(-1)
    Y = torch.stack([p[i + 12] for i in range(120)])
    net = Forecaster(1, 8, 2, dropout=0.4)
    opt = optim.Adam(net.parameters(), lr=0.01)
    for _ in range(6):
        net.train()
        opt.zero_grad()
        F.mse_loss(net(X[:90]).squeeze(1), Y[:90]).backward()
        opt.step()
        net.eval()
        with torch.no_grad():
            F.mse_loss(net(X[90:]).squeeze(1), Y[90:])


@healthy
def multi_step_forecast_from_returns() -> Any:
    p = prices(seed=34)
    r = (p[1:] - p[:-1]) / 0.1
    X = torch.stack([r[i : i + 10] for i in range(100)]).unsqueeze(-1)
    Y = torch.stack([r[i + 10 : i + 13] for i in range(100)])
    lstm, fc = nn.LSTM(1, 12, batch_first=True), nn.Linear(12, 3)
    return F.mse_loss(fc(lstm(X)[0][:, -1]), Y)


@healthy
def seq2seq_teacher_forcing() -> Any:
    torch.manual_seed(35)
    src = torch.randint(3, 12, (5, 7))
    tgt = torch.cat([torch.full((5, 1), 1), src.flip(1), torch.full((5, 1), 2)], 1)
    emb, enc, dec, out = (
        nn.Embedding(12, 8),
        nn.GRU(8, 16, batch_first=True),
        nn.GRU(8, 16, batch_first=True),
        nn.Linear(16, 12),
    )
    _, h = enc(emb(src))
    states, _ = dec(emb(tgt[:, :-1]), h)
    return F.cross_entropy(out(states).reshape(-1, 12), tgt[:, 1:].reshape(-1))


@healthy
def attention_with_a_right_mask() -> Any:
    ids, lengths = sentences(seed=36)
    y = torch.randint(0, 3, (6,))
    emb, gru, score, fc = (
        nn.Embedding(20, 8, padding_idx=0),
        nn.GRU(8, 10, batch_first=True),
        nn.Linear(10, 1),
        nn.Linear(10, 3),
    )
    states, _ = gru(emb(ids))
    w = F.softmax(score(states).squeeze(-1).masked_fill(ids == 0, -1e9), dim=1)
    return F.cross_entropy(fc((w.unsqueeze(-1) * states).sum(1)), y)


@healthy
def stacked_bidirectional_concat_of_last_states() -> Any:
    torch.manual_seed(37)
    x = torch.randn(6, 9, 4)
    y = torch.randint(0, 3, (6,))
    lstm, fc = (
        nn.LSTM(4, 10, 2, batch_first=True, bidirectional=True, dropout=0.2),
        nn.Linear(20, 3),
    )
    _, (hn, _) = lstm(x)
    return F.cross_entropy(fc(torch.cat([hn[-2], hn[-1]], 1)), y)


@healthy
def clip_that_rarely_acts() -> Any:
    p = prices(seed=38)
    X = torch.stack([p[i : i + 12] for i in range(60)]).unsqueeze(-1)
    Y = torch.stack([p[i + 12] for i in range(60)])
    net = Forecaster()
    opt = optim.RMSprop(net.parameters(), lr=0.005)
    for _ in range(10):
        opt.zero_grad()
        F.mse_loss(net(X).squeeze(1), Y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()


@healthy
def stateful_on_consecutive_chunks() -> Any:
    torch.manual_seed(39)
    p = prices(n=200, seed=39)
    lstm, fc = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)
    h = None
    opt = optim.Adam([*lstm.parameters(), *fc.parameters()], lr=0.01)
    for k in range(8):
        x, y = p[k * 20 : k * 20 + 20][None, :, None], p[k * 20 + 1 : k * 20 + 21][None]
        if h is not None:
            h = tuple(s.detach() for s in h)
        out, h = lstm(x, h)
        opt.zero_grad()
        F.mse_loss(fc(out)[..., 0], y).backward()
        opt.step()
