"""Programs without a mistake, written with PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from diagnosis.corpus import healthy
from diagnosis.faulty_torch import Classifier, Language, batch, words
from torch import nn, optim
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@healthy
def classifier() -> Any:
    x, y = batch()
    return F.cross_entropy(Classifier()(x), y)


@healthy
def language_model() -> Any:
    x, y = words()
    return F.cross_entropy(Language()(x).reshape(-1, 7), y.reshape(-1))


@healthy
def classes_on_the_second_axis() -> Any:
    x, y = words(1)
    return F.cross_entropy(Language()(x).transpose(1, 2), y)


@healthy
def log_softmax_and_nll() -> Any:
    x, y = batch(2)
    return F.nll_loss(F.log_softmax(Classifier()(x), dim=-1), y)


@healthy
def trained_with_clipping() -> Any:
    net = Classifier()
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    for k in range(8):
        x, y = batch(k)
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()


@healthy
def packed_tagger_with_ignored_padding() -> Any:
    torch.manual_seed(3)
    x, lengths = torch.randn(4, 9, 3), torch.tensor([9, 6, 4, 2])
    tags = torch.randint(0, 3, (4, 9))
    for row, n in enumerate(lengths):
        tags[row, n:] = -100
    rnn, fc = nn.LSTM(3, 8, batch_first=True, bidirectional=True), nn.Linear(16, 3)
    packed = pack_padded_sequence(x, lengths, batch_first=True)
    out, _ = pad_packed_sequence(rnn(packed)[0], batch_first=True)
    return F.cross_entropy(fc(out).reshape(-1, 3), tags.reshape(-1))


@healthy
def sine_forecaster() -> Any:
    torch.manual_seed(4)
    wave = torch.sin(torch.arange(0, 20, 0.5)).repeat(3, 1) * torch.tensor([[1.0], [0.7], [0.4]])
    rnn, fc = nn.GRU(1, 8, batch_first=True), nn.Linear(8, 1)
    return F.mse_loss(fc(rnn(wave[:, :-1, None])[0])[..., 0], wave[:, 1:])


@healthy
def frozen_embedding_on_purpose() -> Any:
    x, y = words(5)
    net = Language()
    net.embed.weight.requires_grad_(False)
    return F.cross_entropy(net(x).reshape(-1, 7), y.reshape(-1))


@healthy
def attention_over_the_first_axis() -> Any:
    x, y = batch(14)
    rnn, score, head = nn.GRU(3, 8), nn.Linear(8, 1), nn.Linear(8, 3)
    states, _ = rnn(x.transpose(0, 1))
    weights = F.softmax(score(states).squeeze(2), dim=0)  # over the steps, which come first here
    context = torch.bmm(weights.t().unsqueeze(1), states.transpose(0, 1)).squeeze(1)
    return F.cross_entropy(head(context), y)


@healthy
def attention_decoder_step() -> Any:
    torch.manual_seed(6)
    keys, query = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 8)
    x, y = batch(6)
    states, last = keys(x)
    scores = (query(last[0])[:, None] * states).sum(-1)
    context = (F.softmax(scores, dim=1)[..., None] * states).sum(1)
    return F.cross_entropy(nn.Linear(16, 3)(torch.cat([context, last[0]], 1)), y)


@healthy
def cells_in_a_loop() -> Any:
    x, y = batch(7)
    cell, fc = nn.LSTMCell(3, 8), nn.Linear(8, 3)
    h = c = torch.zeros(6, 8)
    for t in range(x.size(1)):
        h, c = cell(x[:, t], (h, c))
    return F.cross_entropy(fc(h), y)


@healthy
def binary_with_bce_after_sigmoid() -> Any:
    x, y = batch(8, classes=2)
    return nn.BCELoss()(torch.sigmoid(Classifier(classes=1)(x)).squeeze(1), y.float())


@healthy
def momentum_and_weight_decay() -> Any:
    x, y = batch(9)
    net = Classifier(num_layers=2, dropout=0.2)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    for _ in range(8):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


@healthy
def truncated_over_chunks() -> Any:
    x, y = words(10, T=12)
    net = Language()
    optimizer, hidden = optim.Adam(net.parameters(), lr=0.01), torch.zeros(1, 4, 8)
    for k in range(0, 12, 4):
        out, hidden = net.gru(net.embed(x[:, k : k + 4]), hidden.detach())
        optimizer.zero_grad()
        F.cross_entropy(net.out(out).reshape(-1, 7), y[:, k : k + 4].reshape(-1)).backward()
        optimizer.step()


@healthy
def layer_norm_and_residual() -> Any:
    x, y = batch(11, width=8)
    rnn, norm, fc = nn.GRU(8, 8, batch_first=True), nn.LayerNorm(8), nn.Linear(8, 3)
    return F.cross_entropy(fc(norm(x + rnn(x)[0]).mean(1)), y)


@healthy
def two_losses_before_one_step() -> Any:
    net = Classifier()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    for k in range(4):
        optimizer.zero_grad()
        for part in range(2):
            x, y = batch(2 * k + part)
            F.cross_entropy(net(x), y).backward()
        optimizer.step()
