"""Networks as people write them with PyTorch: each function returns a training step's loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Step = Callable[[], Any]
MODELS: dict[str, Callable[[Any], Step]] = {}


def model(build: Callable[[Any], Step]) -> Callable[[Any], Step]:
    MODELS[build.__name__] = build
    return build


@model
def char_rnn(dtype: Any) -> Step:
    class CharRNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Embedding(12, 6)
            self.rnn = nn.GRU(6, 8, 2)
            self.decoder = nn.Linear(8, 12)

        def forward(self, x: Any, hidden: Any) -> Any:
            output, hidden = self.rnn(self.encoder(x.view(1, -1)), hidden)
            return self.decoder(output.view(x.size(0), -1)), hidden

    net = CharRNN().to(dtype)
    text = torch.randint(0, 12, (3, 9))

    def step() -> Any:
        hidden, loss = torch.zeros(2, 3, 8, dtype=dtype), 0
        for t in range(8):
            output, hidden = net(text[:, t], hidden)
            loss += F.cross_entropy(output.view(3, -1), text[:, t + 1])
        return loss

    return step


@model
def tagger_both_ways(dtype: Any) -> Step:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.word_embeddings = nn.Embedding(20, 5)
            self.lstm = nn.LSTM(5, 6, batch_first=True, bidirectional=True)
            self.hidden2tag = nn.Linear(12, 4)

        def forward(self, sentence: Any) -> Any:
            out, _ = self.lstm(self.word_embeddings(sentence))
            return F.log_softmax(self.hidden2tag(out), dim=2)

    net = Tagger().to(dtype)
    words, tags = torch.randint(0, 20, (2, 7)), torch.randint(0, 4, (2, 7))
    return lambda: nn.NLLLoss()(net(words).view(-1, 4), tags.view(-1))


@model
def seq2seq_with_attention(dtype: Any) -> Step:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(11, 5)
            self.gru = nn.GRU(5, 6, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.gru(self.embedding(x))

    class Bahdanau(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.Wa, self.Ua, self.Va = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 1)

        def forward(self, query: Any, keys: Any) -> Any:
            scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
            weights = F.softmax(scores, dim=-1)
            return torch.bmm(weights, keys), weights

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(11, 5)
            self.attention = Bahdanau()
            self.gru = nn.GRU(11, 6, batch_first=True)
            self.out = nn.Linear(6, 11)

        def forward(self, outputs: Any, hidden: Any, target: Any) -> Any:
            word, logits = torch.zeros(2, 1, dtype=torch.long), []
            for i in range(target.size(1)):
                context, _ = self.attention(hidden.permute(1, 0, 2), outputs)
                x = torch.cat((self.embedding(word), context), dim=2)
                output, hidden = self.gru(x, hidden)
                logits.append(self.out(output))
                word = target[:, i].unsqueeze(1)
            return F.log_softmax(torch.cat(logits, dim=1), dim=-1)

    encoder, decoder = Encoder().to(dtype), Decoder().to(dtype)
    source, target = torch.randint(0, 11, (2, 6)), torch.randint(0, 11, (2, 4))

    def step() -> Any:
        outputs, hidden = encoder(source)
        return nn.NLLLoss()(decoder(outputs, hidden, target).view(-1, 11), target.view(-1))

    return step


@model
def packed_sentiment(dtype: Any) -> Step:
    class Sentiment(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(15, 5, padding_idx=0)
            self.lstm = nn.LSTM(5, 6, 2, bidirectional=True, dropout=0.4, batch_first=True)
            self.dropout = nn.Dropout(0.3)
            self.fc = nn.Linear(12, 1)

        def forward(self, text: Any, lengths: Any) -> Any:
            embedded = self.dropout(self.embedding(text))
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            _, (hidden, _) = self.lstm(packed)
            return self.fc(self.dropout(torch.cat((hidden[-2], hidden[-1]), dim=1)))

    net = Sentiment().to(dtype)
    text, lengths = torch.randint(1, 15, (4, 6)), torch.tensor([4, 6, 2, 5])
    for row, length in zip(text, lengths):
        row[length:] = 0
    labels = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=dtype)
    return lambda: nn.BCEWithLogitsLoss()(net(text, lengths).squeeze(1), labels)


@model
def packed_outputs(dtype: Any) -> Step:
    rnn = nn.GRU(3, 5, bidirectional=True).to(dtype)
    x = torch.randn(6, 3, 3, dtype=dtype)

    def step() -> Any:
        packed = pack_padded_sequence(x, torch.tensor([6, 3, 2]))
        out, h = rnn(packed)
        padded, _ = pad_packed_sequence(out)
        return padded.pow(2).mean() + h.sum()

    return step


@model
def ctc(dtype: Any) -> Step:
    class Speech(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(4, 6, 3, padding=1)
            self.norm = nn.LayerNorm(6)
            self.rnn = nn.LSTM(6, 5, bidirectional=True)
            self.head = nn.Linear(10, 5)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.conv(x)).permute(2, 0, 1)
            return F.log_softmax(self.head(self.rnn(self.norm(x))[0]), dim=2)

    net = Speech().to(dtype)
    frames = torch.randn(2, 4, 12, dtype=dtype)
    targets = torch.tensor([[1, 2, 3], [2, 4, 0]])
    lengths = torch.tensor([12, 10]), torch.tensor([3, 2])
    return lambda: nn.CTCLoss()(net(frames), targets, *lengths)


@model
def word_language_model(dtype: Any) -> Step:
    class RNNModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout(0.2)
            self.encoder = nn.Embedding(13, 6)
            self.rnn = nn.LSTM(6, 6, 2, dropout=0.2)
            self.decoder = nn.Linear(6, 13)
            self.decoder.weight = self.encoder.weight  # tied
            nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

        def forward(self, x: Any, hidden: Any) -> Any:
            output, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
            return F.log_softmax(self.decoder(self.drop(output)).view(-1, 13), dim=1), hidden

    net = RNNModel().to(dtype)
    data = torch.randint(0, 13, (8, 3))
    hidden = torch.zeros(2, 3, 6, dtype=dtype), torch.zeros(2, 3, 6, dtype=dtype)

    def step() -> Any:
        h = tuple(part.detach() for part in hidden)
        return nn.NLLLoss()(net(data[:-1], h)[0], data[1:].view(-1))

    return step


@model
def loop_of_cells(dtype: Any) -> Step:
    class Sine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm1, self.lstm2 = nn.LSTMCell(1, 5), nn.LSTMCell(5, 5)
            self.linear = nn.Linear(5, 1)

        def forward(self, input: Any) -> Any:
            h1 = c1 = h2 = c2 = torch.zeros(input.size(0), 5, dtype=dtype)
            outputs = []
            for x in input.split(1, dim=1):
                h1, c1 = self.lstm1(x, (h1, c1))
                h2, c2 = self.lstm2(h1, (h2, c2))
                outputs.append(self.linear(h2))
            return torch.cat(outputs, dim=1)

    net = Sine().to(dtype)
    wave = torch.sin(torch.arange(0, 3, 0.25, dtype=dtype)).repeat(2, 1)
    return lambda: nn.MSELoss()(net(wave[:, :-1]), wave[:, 1:])


@model
def from_scratch(dtype: Any) -> Step:
    """As in Dive into Deep Learning: parameters in a list, a loop, one-hot inputs."""
    V, H = 9, 7

    def parameter(*shape: int) -> Any:
        return (torch.randn(shape, dtype=dtype) * 0.3).requires_grad_()

    W_xh, W_hh, b_h = (
        parameter(V, H),
        parameter(H, H),
        torch.zeros(H, dtype=dtype, requires_grad=True),
    )
    W_hq, b_q = parameter(H, V), torch.zeros(V, dtype=dtype, requires_grad=True)
    X = torch.randint(0, V, (2, 6))

    def step() -> Any:
        H_t = torch.zeros(2, H, dtype=dtype)
        outputs = []
        for x in F.one_hot(X.T, V).to(dtype):
            H_t = torch.tanh(torch.mm(x, W_xh) + torch.mm(H_t, W_hh) + b_h)
            outputs.append(torch.mm(H_t, W_hq) + b_q)
        return F.cross_entropy(torch.cat(outputs, dim=0), X.T.reshape(-1))

    return step


@model
def conv_lstm(dtype: Any) -> Step:
    class ConvLSTMCell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1 + 2, 4 * 2, 3, padding=1)

        def forward(self, x: Any, state: Any) -> Any:
            h, c = state
            i, f, o, g = torch.split(self.conv(torch.cat([x, h], dim=1)), 2, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            return h, c

    cell = ConvLSTMCell().to(dtype)
    video = torch.randn(4, 2, 1, 4, 4, dtype=dtype)

    def step() -> Any:
        h = c = torch.zeros(2, 2, 4, 4, dtype=dtype)
        for frame in video:
            h, c = cell(frame, (h, c))
        return (h**2).mean()

    return step


@model
def forecaster_in_place(dtype: Any) -> Step:
    """Outputs written into a tensor that was made before, as many do."""

    class Forecaster(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(2, 6)
            self.fc1, self.fc2 = nn.Linear(6, 6), nn.Linear(6, 1)

        def forward(self, x: Any) -> Any:
            h = x.new_zeros(x.size(0), 6)
            out = torch.zeros(x.size(0), x.size(1), 1, dtype=dtype)
            for t in range(x.size(1)):
                h = self.cell(x[:, t], h)
                out[:, t] = self.fc2(F.leaky_relu(self.fc1(h)))
            return out

    net = Forecaster().to(dtype)
    x, y = torch.randn(3, 7, 2, dtype=dtype), torch.randn(3, 7, 1, dtype=dtype)
    return lambda: F.smooth_l1_loss(net(x), y)


@model
def projected_lstm(dtype: Any) -> Step:
    lstm = nn.LSTM(4, 8, 2, proj_size=3, bidirectional=True).to(dtype)
    x = torch.randn(5, 2, 4, dtype=dtype)

    def step() -> Any:
        out, (h, c) = lstm(x)
        return out.abs().mean() + h.pow(2).sum() + c.mean()

    return step


@model
def min_gru(dtype: Any) -> Step:
    """The parallel form in log space (Feng et al. 2024)."""

    class MinGRU(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.to_hidden_and_gate = nn.Linear(5, 10, bias=False)

        def forward(self, x: Any) -> Any:
            hidden, gate = self.to_hidden_and_gate(x).chunk(2, dim=-1)
            log_coeffs = -F.softplus(gate)
            log_z = -F.softplus(-gate)
            log_g = torch.where(hidden >= 0, (F.relu(hidden) + 0.5).log(), -F.softplus(-hidden))
            a_star = log_coeffs.cumsum(dim=1)
            log_h = (log_z + log_g - a_star).logcumsumexp(dim=1)
            return (a_star + log_h).exp()

    net, head = MinGRU().to(dtype), nn.Linear(5, 3).to(dtype)
    x, y = torch.randn(2, 6, 5, dtype=dtype), torch.tensor([0, 2])
    return lambda: F.cross_entropy(head(net(x)[:, -1]), y)


@model
def transformer_layer(dtype: Any) -> Step:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True).to(dtype)
    x = torch.randn(2, 5, 8, dtype=dtype)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=dtype)
    y = torch.randn(2, 5, 8, dtype=dtype)
    return lambda: F.mse_loss(layer(x, src_mask=mask), y)


@model
def relu_rnn_with_initial_state(dtype: Any) -> Step:
    rnn = nn.RNN(3, 4, 2, nonlinearity="relu", bias=False).to(dtype)
    h0 = torch.randn(2, 2, 4, dtype=dtype, requires_grad=True)
    x = torch.randn(5, 2, 3, dtype=dtype)

    def step() -> Any:
        out, _ = rnn(x, h0)
        return out[-1].sum() + out.mean()

    return step
