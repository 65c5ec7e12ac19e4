"""Programs with one mistake each, written with PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from diagnosis.corpus import faulty
from torch import nn, optim
from torch.nn import functional as F


class Classifier(nn.Module):
    def __init__(self, inputs: int = 3, hidden: int = 8, classes: int = 3, **options: Any) -> None:
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, batch_first=True, **options)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x: Any) -> Any:
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


class Language(nn.Module):
    def __init__(self, V: int = 7, E: int = 6, H: int = 8) -> None:
        super().__init__()
        self.embed, self.gru, self.out = (
            nn.Embedding(V, E),
            nn.GRU(E, H, batch_first=True),
            nn.Linear(H, V),
        )

    def forward(self, ids: Any) -> Any:
        return self.out(self.gru(self.embed(ids))[0])


def batch(seed: int = 0, N: int = 6, T: int = 9, width: int = 3, classes: int = 3) -> Any:
    torch.manual_seed(seed)
    return torch.randn(N, T, width), torch.randint(0, classes, (N,))


def words(seed: int = 0, N: int = 4, T: int = 9, V: int = 7) -> Any:
    torch.manual_seed(seed)
    ids = torch.randint(0, V, (N, T + 1))
    return ids[:, :-1], ids[:, 1:]


@faulty("softmax before cross-entropy")
def softmax_in_forward() -> Any:
    class Net(Classifier):
        def forward(self, x: Any) -> Any:
            return torch.softmax(super().forward(x), dim=1)  # here

    x, y = batch()
    return nn.CrossEntropyLoss()(Net()(x), y)


@faulty("activation before cross-entropy")
def sigmoid_in_forward() -> Any:
    x, y = batch(1)
    net = Classifier()
    return F.cross_entropy(torch.sigmoid(net(x)), y)  # here


@faulty("sigmoid before logits loss")
def sigmoid_and_bce_with_logits() -> Any:
    x, y = batch(2, classes=2)
    net = Classifier(classes=1)
    return nn.BCEWithLogitsLoss()(net(x).sigmoid().squeeze(1), y.float())  # here


@faulty("probabilities in a log loss")
def softmax_with_nll_loss() -> Any:
    x, y = batch(3)
    net = Classifier()
    return nn.NLLLoss()(F.softmax(net(x), dim=1), y)  # here


@faulty("softmax over the wrong axis")
def log_softmax_with_dim_0() -> Any:
    x, y = batch(4)
    net = Classifier()
    return F.nll_loss(F.log_softmax(net(x), dim=0), y)  # here


@faulty("softmax over the wrong axis")
def log_softmax_over_time() -> Any:
    x, y = words(5)
    net = Language()
    return F.nll_loss(F.log_softmax(net(x), dim=1).reshape(-1, 7), y.reshape(-1))  # here


@faulty("softmax over the wrong axis")
def attention_over_the_batch() -> Any:
    x, y = batch(6)
    rnn, score, head = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 1), nn.Linear(8, 3)
    states, _ = rnn(x)
    weights = F.softmax(score(states).squeeze(2), dim=0)  # here
    context = torch.bmm(weights.unsqueeze(1), states).squeeze(1)
    return F.cross_entropy(head(context), y)


@faulty("batch and time swapped")
def no_batch_first() -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.LSTM(3, 8), nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            out, _ = self.rnn(x)  # here
            return self.fc(out[:, -1])

    x, y = batch(6)
    return F.cross_entropy(Net()(x), y)


@faulty("state not passed on")
def hidden_not_returned_to_the_cell() -> Any:
    x, y = batch(7)
    cell, fc = nn.GRUCell(3, 8), nn.Linear(8, 3)
    hidden = torch.zeros(6, 8)
    for t in range(x.size(1)):
        output = cell(x[:, t], hidden)  # here
    return F.cross_entropy(fc(output) + 0 * hidden.sum(), y)


@faulty("detached")
def hidden_detached_in_the_loop() -> Any:
    x, y = batch(8)
    cell, fc, h = nn.RNNCell(3, 8), nn.Linear(8, 3), torch.zeros(6, 8)
    for t in range(x.size(1)):
        h = cell(x[:, t], h.detach())  # here
    return F.cross_entropy(fc(h), y)


@faulty("detached", "copied out of the graph")
def hidden_by_data() -> Any:
    x, y = batch(9)
    cell, fc, h = nn.GRUCell(3, 8), nn.Linear(8, 3), torch.zeros(6, 8)
    for t in range(x.size(1)):
        h = cell(x[:, t], h.data)  # here
    return F.cross_entropy(fc(h), y)


@faulty("copied out of the graph")
def features_made_a_new_tensor() -> Any:
    x, y = batch(10)
    rnn, fc = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 3)
    out, _ = rnn(x)
    features = torch.tensor(out[:, -1].tolist())  # here
    return F.cross_entropy(fc(features) + 0 * out.sum(), y)


@faulty("parameter never reached")
def second_rnn_is_not_used() -> Any:
    class Net(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.second = nn.LSTM(8, 8, batch_first=True)

        def forward(self, x: Any) -> Any:
            out, _ = self.rnn(x)
            self.second(out)  # here
            return self.fc(out[:, -1])

    x, y = batch(11)
    return F.cross_entropy(Net()(x), y)


@faulty("all weights alike")
def constant_initialization() -> Any:
    x, y = batch(12)
    net = Classifier()
    for p in net.parameters():
        nn.init.constant_(p, 0.05)
    return F.cross_entropy(net(x), y)


@faulty("NaN in the data")
def a_nan_in_the_csv() -> Any:
    x, y = batch(13)
    x[2, 4, 0] = float("nan")
    return F.cross_entropy(Classifier()(x), y)


@faulty("unscaled input")
def raw_sensor_values() -> Any:
    x, y = batch(14)
    return F.cross_entropy(Classifier()(x * 50 + 1000), y)


@faulty("inputs all alike")
def expand_instead_of_repeat_over_the_data() -> Any:
    x, y = batch(15)
    x = x[:1].expand(6, -1, -1)
    return F.cross_entropy(Classifier()(x), y)


@faulty("target in the input")
def language_model_without_shift() -> Any:
    x, _ = words(16, T=12)
    return F.cross_entropy(Language()(x).reshape(-1, 7), x.reshape(-1))


@faulty("gradients not reset")
def zero_grad_forgotten() -> Any:
    x, y = batch(17)
    net = Classifier()
    optimizer = optim.SGD(net.parameters(), lr=0.05)
    for _ in range(12):
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()


@faulty("optimizer never steps")
def optimizer_step_forgotten() -> Any:
    x, y = batch(18)
    net = Classifier()
    optimizer = optim.Adam(net.parameters())
    for _ in range(8):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()


@faulty("optimizer never steps")
def optimizer_of_another_model() -> Any:
    x, y = batch(19)
    net, other = Classifier(), Classifier()
    optimizer = optim.Adam(other.parameters())
    for _ in range(8):
        optimizer.zero_grad()
        net.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


@faulty("not in the optimizer")
def encoder_not_in_the_optimizer() -> Any:
    x, y = batch(20)
    encoder, decoder = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 3)
    optimizer = optim.Adam(decoder.parameters(), lr=0.01)
    for _ in range(8):
        optimizer.zero_grad()
        encoder.zero_grad()
        F.cross_entropy(decoder(encoder(x)[1][0]), y).backward()
        optimizer.step()


@faulty("learning rate too large", "not finite")
def lr_of_five_hundred() -> Any:
    torch.manual_seed(21)
    x, y = torch.randn(6, 9, 3), torch.randn(6, 3)
    net = Classifier()
    optimizer = optim.SGD(net.parameters(), lr=500.0)
    for _ in range(12):
        optimizer.zero_grad()
        F.mse_loss(net(x), y).backward()
        optimizer.step()


@faulty("learning rate too small")
def lr_of_a_ten_millionth() -> Any:
    x, y = batch(22)
    net = Classifier()
    optimizer = optim.Adam(net.parameters(), lr=1e-7)
    for _ in range(12):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


@faulty("clipping always on")
def clip_value_mistaken() -> Any:
    x, y = batch(23)
    net = Classifier()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.0001)
        optimizer.step()


@faulty("forgetful")
def long_sequences_and_the_default_forget_gate() -> Any:
    x, y = batch(24, T=60)
    return F.cross_entropy(Classifier()(x), y)


@faulty("padding in the loss")
def padded_tags_count() -> Any:
    torch.manual_seed(25)
    x, lengths = torch.randn(4, 9, 3), [9, 6, 4, 2]
    tags = torch.randint(0, 3, (4, 9))
    for row, n in enumerate(lengths):
        x[row, n:] = 0
        tags[row, n:] = 0
    rnn, fc = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 3)
    loss, (out, _) = torch.zeros(()), rnn(x)
    for t in range(9):
        loss = loss + F.cross_entropy(fc(out[:, t]), tags[:, t])
    return loss / 9


@faulty("one class only")
def one_label_for_all() -> Any:
    x, _ = batch(26, N=12)
    return F.cross_entropy(Classifier()(x), torch.zeros(12, dtype=torch.long))


@faulty("dead units")
def relu_rnn_with_a_huge_negative_bias() -> Any:
    torch.manual_seed(27)
    rnn, fc = nn.RNN(3, 8, nonlinearity="relu", batch_first=True), nn.Linear(8, 3)
    with torch.no_grad():
        rnn.bias_ih_l0[:4] = -30.0
    x, y = batch(27)
    return F.cross_entropy(fc(rnn(x)[0][:, -1]), y)


@faulty("target broadcast")
def mse_of_a_column_and_a_row() -> Any:
    x, _ = batch(28)
    return nn.MSELoss()(Classifier(classes=1)(x), torch.randn(6))  # here


@faulty("target in the input")
def words_as_their_own_targets() -> Any:
    """With log-softmax and NLLLoss, time first, as in PyTorch's word language model."""
    torch.manual_seed(29)
    data = torch.randint(0, 7, (10, 4))
    embed, rnn, out = nn.Embedding(7, 6), nn.LSTM(6, 8, 2, dropout=0.2), nn.Linear(8, 7)
    output, _ = rnn(F.dropout(embed(data), 0.2))
    logp = F.log_softmax(out(output).view(-1, 7), dim=1)
    return nn.NLLLoss()(logp, data.view(-1))
