"""More everyday programs in PyTorch, faulty and sound: new to the checks when they were written."""

# ruff: noqa: B007

from __future__ import annotations

from typing import Any

import torch
from diagnosis.corpus import faulty, healthy
from torch import nn, optim
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, TensorDataset


def signal(n: Any = 200, seed: Any = 0) -> Any:
    torch.manual_seed(seed)
    t = torch.arange(n).float()
    return torch.stack(
        [torch.sin(t / 9) + 0.1 * torch.randn(n), torch.cos(t / 4), torch.randn(n)], 1
    )


@faulty("state carried over")
def gru_state_over_a_shuffled_loader() -> Any:
    d = signal()
    X = torch.stack([d[i : i + 10] for i in range(160)])
    Y = torch.stack([d[i + 10, 0] for i in range(160)])
    loader = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
    gru, fc = nn.GRU(3, 12, batch_first=True), nn.Linear(12, 1)
    opt = optim.Adam([*gru.parameters(), *fc.parameters()], lr=0.01)
    hidden = torch.zeros(1, 16, 12)
    for xb, yb in loader:
        hidden = hidden.detach()
        opt.zero_grad()
        out, hidden = gru(xb, hidden)  # here
        loss = F.mse_loss(fc(out[:, -1]).squeeze(-1), yb)
        loss.backward()
        opt.step()


@faulty("dropout in evaluation")
def evaluate_forgets_eval() -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.emb, self.lstm, self.drop, self.fc = (
                nn.Embedding(15, 8),
                nn.LSTM(8, 10, 2, batch_first=True, dropout=0.5),
                nn.Dropout(0.5),
                nn.Linear(10, 2),
            )

        def forward(self, x: Any) -> Any:
            return self.fc(self.drop(self.lstm(self.emb(x))[0][:, -1]))

    torch.manual_seed(1)
    net = Net()
    opt = optim.Adam(net.parameters(), lr=0.01)
    X, Y = torch.randint(0, 15, (40, 9)), torch.randint(0, 2, (40,))

    @torch.no_grad()
    def evaluate() -> Any:
        return (net(X[30:]).argmax(1) == Y[30:]).float().mean().item()

    for epoch in range(5):
        opt.zero_grad()
        F.cross_entropy(net(X[:30]), Y[:30]).backward()
        opt.step()
        evaluate()


@faulty("targets shifted")
def inputs_and_targets_exchanged() -> Any:
    torch.manual_seed(2)
    ids = torch.randint(0, 11, (5, 15))
    emb, gru, fc = nn.Embedding(11, 6), nn.GRU(6, 10, batch_first=True), nn.Linear(10, 11)
    logits = fc(gru(emb(ids[:, 1:]))[0])
    return F.cross_entropy(logits.reshape(-1, 11), ids[:, :-1].reshape(-1))  # here


@faulty("mask inverted")
def not_mask() -> Any:
    torch.manual_seed(3)
    seqs = [torch.randn(n, 3) for n in (10, 8, 5, 3)]
    x = pad_sequence(seqs, batch_first=True)
    mask = pad_sequence([torch.ones(len(s), dtype=torch.bool) for s in seqs], batch_first=True)
    y = x.sum(-1)
    lstm, fc = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
    err = (fc(lstm(x)[0]).squeeze(-1) - y).abs()  # here
    return err[~mask].mean()  # here


@faulty("parameter never reached")
def state_of_the_first_layer_is_read() -> Any:
    torch.manual_seed(4)
    x, y = torch.randn(8, 7, 3), torch.randint(0, 3, (8,))
    gru, fc = nn.GRU(3, 8, 2, batch_first=True), nn.Linear(8, 3)
    _, h = gru(x)
    return F.cross_entropy(fc(h[0]), y)


@faulty("padding in the loss")
def pad_sequence_and_mse() -> Any:
    d = signal(seed=5)
    seqs = [d[i * 20 : i * 20 + n] for i, n in enumerate((16, 12, 9, 6, 4))]
    x = pad_sequence([s[:-1] for s in seqs], batch_first=True)
    y = pad_sequence([s[1:, 0] for s in seqs], batch_first=True)
    rnn, fc = nn.RNN(3, 10, batch_first=True), nn.Linear(10, 1)
    return nn.MSELoss()(fc(rnn(x)[0]).squeeze(-1), y)  # here


@faulty("one class only")
def every_answer_is_yes() -> Any:
    torch.manual_seed(6)
    X = torch.randn(24, 8, 3)
    Y = torch.ones(24, 1)
    lstm, fc = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
    return nn.BCEWithLogitsLoss()(fc(lstm(X)[0][:, -1]), Y)  # here


@faulty("frozen weights")
def embedding_inside_no_grad() -> Any:
    torch.manual_seed(7)
    ids, y = torch.randint(0, 12, (10, 9)), torch.randint(0, 2, (10,))
    emb, gru, fc = nn.Embedding(12, 6), nn.GRU(6, 8, batch_first=True), nn.Linear(8, 2)
    with torch.no_grad():
        e = emb(ids)
    return F.cross_entropy(fc(gru(e)[1][0]), y)


@faulty("not in the optimizer")
def optimizer_of_the_head_and_its_norm() -> Any:
    torch.manual_seed(8)
    X, Y = torch.randn(16, 8, 3), torch.randint(0, 3, (16,))
    rnn, head = nn.LSTM(3, 8, batch_first=True), nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 3))
    opt = optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
    for _ in range(7):
        opt.zero_grad()
        rnn.zero_grad()
        F.cross_entropy(head(rnn(X)[0][:, -1]), Y).backward()
        opt.step()


@faulty("learning rate too large")
def adam_with_a_rate_of_ten() -> Any:
    d = signal(seed=9)
    X = torch.stack([d[i : i + 10] for i in range(60)])
    Y = torch.stack([d[i + 10, 0] for i in range(60)])
    gru, fc = nn.GRU(3, 10, batch_first=True), nn.Linear(10, 1)
    opt = optim.Adam([*gru.parameters(), *fc.parameters()], lr=10.0)
    for _ in range(12):
        opt.zero_grad()
        F.mse_loss(fc(gru(X)[0][:, -1]).squeeze(-1), Y).backward()
        opt.step()


@faulty("detached", "copied out of the graph")
def decoder_state_detached() -> Any:
    torch.manual_seed(10)
    src, tgt = torch.randint(0, 9, (6, 5)), torch.randint(0, 9, (6, 6))
    emb, enc, dec, out = (
        nn.Embedding(9, 8),
        nn.GRU(8, 10, batch_first=True),
        nn.GRUCell(8, 10),
        nn.Linear(10, 9),
    )
    h = enc(emb(src))[1][0]
    loss = 0
    for t in range(5):
        h = dec(emb(tgt[:, t]), h.detach())  # here
        loss = loss + F.cross_entropy(out(h), tgt[:, t + 1])
    return loss / 5


@faulty("axes mixed by a reshape", "targets in another order")
def time_first_logits_and_batch_first_targets() -> Any:
    torch.manual_seed(11)
    ids = torch.randint(0, 11, (5, 15))
    emb, gru, fc = nn.Embedding(11, 6), nn.GRU(6, 10), nn.Linear(10, 11)
    x, y = ids[:, :-1], ids[:, 1:]
    logits = fc(gru(emb(x).transpose(0, 1))[0])
    return F.cross_entropy(logits.reshape(-1, 11), y.reshape(-1))  # here


@faulty("batch and time swapped")
def loop_over_the_first_axis() -> Any:
    torch.manual_seed(12)
    x, y = torch.randn(6, 9, 3), torch.randint(0, 3, (6,))
    cell, fc = nn.LSTMCell(3, 8), nn.Linear(8, 3)
    h = c = torch.zeros(9, 8)
    outs = []
    for step in x:
        h, c = cell(step, (h, c))  # here
        outs.append(h)  # here
    return F.cross_entropy(fc(torch.stack(outs)[:, -1]), y)  # here


@faulty("NaN in the data")
def constant_column_divided_by_its_deviation() -> Any:
    d = signal(seed=13)
    d[:, 1] = 4.0
    d = (d - d.mean(0)) / d.std(0)
    X = torch.stack([d[i : i + 10] for i in range(40)])
    lstm, fc = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
    return F.mse_loss(fc(lstm(X)[0][:, -1]).squeeze(-1), d[10:50, 0])


@faulty("gradients not reset")
def zero_grad_outside_the_loop() -> Any:
    d = signal(seed=14)
    X = torch.stack([d[i : i + 10] for i in range(60)])
    Y = torch.stack([d[i + 10, 0] for i in range(60)])
    rnn, fc = nn.RNN(3, 10, batch_first=True), nn.Linear(10, 1)
    opt = optim.SGD([*rnn.parameters(), *fc.parameters()], lr=0.02)
    opt.zero_grad()
    for i in range(0, 60, 6):
        loss = F.mse_loss(fc(rnn(X[i : i + 6])[0][:, -1]).squeeze(-1), Y[i : i + 6])
        loss.backward()
        opt.step()


# -- without a mistake -----------------------------------------------------------------------------


@healthy
def left_padded_sentences() -> Any:
    torch.manual_seed(20)
    ids = torch.randint(1, 12, (6, 10))
    for b, n in enumerate((0, 2, 3, 5, 6, 7)):
        ids[b, :n] = 0
    emb, gru, fc = (
        nn.Embedding(12, 6, padding_idx=0),
        nn.GRU(6, 8, batch_first=True),
        nn.Linear(8, 2),
    )
    return F.cross_entropy(fc(gru(emb(ids))[0][:, -1]), torch.randint(0, 2, (6,)))


@healthy
def tied_weights() -> Any:
    torch.manual_seed(21)
    ids = torch.randint(0, 20, (5, 12))
    emb, lstm = nn.Embedding(20, 10), nn.LSTM(10, 10, 2, batch_first=True, dropout=0.1)
    out = nn.Linear(10, 20)
    out.weight = emb.weight
    opt = optim.SGD([*emb.parameters(), *lstm.parameters(), out.bias], lr=0.5)
    for _ in range(6):
        opt.zero_grad()
        F.cross_entropy(
            out(lstm(emb(ids[:, :-1]))[0]).reshape(-1, 20), ids[:, 1:].reshape(-1)
        ).backward()
        nn.utils.clip_grad_norm_(lstm.parameters(), 0.25)
        opt.step()


@healthy
def ctc_with_two_directions() -> Any:
    torch.manual_seed(22)
    x = torch.randn(20, 4, 5)
    lstm, fc = nn.LSTM(5, 8, bidirectional=True), nn.Linear(16, 6)
    return F.ctc_loss(
        F.log_softmax(fc(lstm(x)[0]), -1),
        torch.randint(1, 6, (4, 5)),
        torch.full((4,), 20),
        torch.full((4,), 5),
    )


@healthy
def scheduled_sampling() -> Any:
    torch.manual_seed(23)
    src, tgt = torch.randint(0, 9, (6, 5)), torch.randint(0, 9, (6, 7))
    emb, enc, dec, out = (
        nn.Embedding(9, 8),
        nn.GRU(8, 10, batch_first=True),
        nn.GRUCell(8, 10),
        nn.Linear(10, 9),
    )
    h, inp, loss = enc(emb(src))[1][0], tgt[:, 0], 0
    for t in range(6):
        h = dec(emb(inp), h)
        logits = out(h)
        loss = loss + F.cross_entropy(logits, tgt[:, t + 1])
        inp = tgt[:, t + 1] if t % 2 else logits.argmax(-1)
    return loss / 6


@healthy
def variational_autoencoder_of_series() -> Any:
    d = signal(seed=24)
    x = torch.stack([d[i : i + 8] for i in range(0, 120, 8)])
    enc, mu, lv, dec, out = (
        nn.GRU(3, 10, batch_first=True),
        nn.Linear(10, 4),
        nn.Linear(10, 4),
        nn.GRU(4, 10, batch_first=True),
        nn.Linear(10, 3),
    )
    h = enc(x)[1][0]
    m, v = mu(h), lv(h)
    z = m + torch.randn_like(m) * (v / 2).exp()
    rec = out(dec(z.unsqueeze(1).expand(-1, 8, -1))[0])
    return F.mse_loss(rec, x) + 0.01 * (-0.5 * (1 + v - m.pow(2) - v.exp())).mean()


@healthy
def horizon_of_five_with_a_scheduler() -> Any:
    d = signal(seed=25)
    X = torch.stack([d[i : i + 12] for i in range(100)])
    Y = torch.stack([d[i + 16, 0] for i in range(100)])
    lstm, fc = nn.LSTM(3, 12, batch_first=True), nn.Linear(12, 1)
    opt = optim.AdamW([*lstm.parameters(), *fc.parameters()], lr=0.01)
    sch = optim.lr_scheduler.CosineAnnealingLR(opt, 10)
    for xb, yb in DataLoader(TensorDataset(X, Y), 20, shuffle=True):
        opt.zero_grad()
        F.huber_loss(fc(lstm(xb)[0][:, -1]).squeeze(-1), yb).backward()
        nn.utils.clip_grad_norm_(lstm.parameters(), 10.0)
        opt.step()
        sch.step()


@healthy
def label_smoothing_and_class_weights() -> Any:
    torch.manual_seed(26)
    X, Y = torch.randn(30, 9, 3), torch.randint(0, 3, (30,))
    gru, fc = nn.GRU(3, 8, batch_first=True, bidirectional=True), nn.Linear(16, 3)
    return F.cross_entropy(
        fc(gru(X)[0].mean(1)), Y, weight=torch.tensor([1.0, 2.0, 0.5]), label_smoothing=0.1
    )
