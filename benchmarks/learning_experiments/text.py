"""text: a character model falls as min-char-rnn does, and computes the same losses as one by hand."""

from __future__ import annotations

import math
from pydoc_data.topics import topics
from typing import Any

import numpy as np

from learning_experiments.frame import (
    Experiment,
    Figures,
    Results,
    Row,
    column,
    middle,
    spread,
    table,
)
from learning_experiments.plain_text import WITHIN_ROOT, ByHand, Weights
from micrornn import nn
from micrornn.data.feeds import Stream
from micrornn.data.text import Vocabulary
from micrornn.optim import Adagrad
from micrornn.training import Trainer, by_step

MARKS = (10, 20, 50, 100, 1000, 2000, 5000, 10000)
APART = """\
Apart is the largest relative difference of any loss so far, each training going its own way. The last row is
the training by hand against itself, begun with a W_hh that is larger by 1e-15 of itself: whatever the
smallest difference, this training enlarges it. So single losses are compared from the same weights, and the
end of a long training is compared with the range over the seeds."""
LOSS_EQUAL, WEIGHT_EQUAL = 1e-10, 1e-8  # both sum in different orders
NAMES = {
    "xh": "rnn.weight_ih_l0",
    "hh": "rnn.weight_hh_l0",
    "bh": "rnn.bias_ih_l0",
    "hy": "readout.weight",
    "by": "readout.bias",
}


class Characters(nn.Module):
    """A tanh RNN that reads one-hot characters, and the logits of the next one."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.rnn, self.readout = nn.RNN(size, hidden, rng=0), nn.Linear(hidden, size, rng=0)

    def forward(self, steps: Any, state: Any) -> Any:
        """The logits of all steps, and the last state."""
        size = self.rnn.input_size
        states, state = self.rnn([nn.functional.one_hot(step, size) for step in steps], state)
        return nn.each_step(self.readout, states), state


def trainer_of(
    weights: Weights, feed: Stream, lr: float, clip: float
) -> tuple[Trainer, dict[str, Any]]:
    """micrornn's own training, from the same weights; and its parameters by name."""
    hidden, size = weights["xh"].shape
    model = Characters(size, hidden)
    named: dict[str, Any] = dict(model.named_parameters())
    for short, long in NAMES.items():
        named[long].data = weights[short].copy()
    # micrornn's RNN adds two biases, as PyTorch's does. The published one has one: the other stays 0.
    named["rnn.bias_hh_l0"].data = np.zeros(hidden)
    trained = [named[long] for long in NAMES.values()]
    # min-char-rnn adds its 1e-8 within the root: so much the sum of squares begins with.
    optimizer = Adagrad(trained, lr=lr, initial_accumulator_value=WITHIN_ROOT, eps=0.0)
    objective = by_step(model, reduction="sum")
    return Trainer(model, optimizer, feed, objective, clip_value=clip), named


def measure(
    seed: int,
    characters: int,
    hidden: int,
    steps: int,
    lr: float,
    clip: float,
    iterations: int,
    smooth: float,
) -> Figures:
    """Both side by side, from the same weights on the same text: smooth losses, and how far they part."""
    text = "\n".join(topics.values())[:characters]
    vocabulary = Vocabulary(text)
    numbers = vocabulary.encode(text)
    size = len(vocabulary)
    rng = np.random.default_rng(seed)
    weights: Weights = {
        "xh": 0.01 * rng.normal(size=(hidden, size)),
        "hh": 0.01 * rng.normal(size=(hidden, hidden)),
        "hy": 0.01 * rng.normal(size=(size, hidden)),
        "bh": np.zeros(hidden),
        "by": np.zeros(size),
    }
    feed, same = (Stream(numbers[:-1], numbers[1:], steps) for _ in range(2))
    ours, named = trainer_of(weights, same, lr, clip)
    free = ByHand(weights, lr, clip)
    nearby = ByHand({**weights, "hh": weights["hh"] * (1.0 + 1e-15)}, lr, clip)
    shadow = ByHand(weights, lr, clip)  # begins each iteration with micrornn's weights

    curves = {name: [steps * math.log(size)] for name in ("micrornn", "by hand", "nearby")}
    apart: dict[str, list[float]] = {"by hand": [0.0], "nearby": [0.0]}
    loss_off = weights_off = 0.0
    for _ in range(iterations):
        batch = feed.next()
        chunk = batch.inputs[:, 0], batch.targets[:, 0], batch.fresh
        shadow.weights = {short: named[long].numpy().copy() for short, long in NAMES.items()}
        losses = {"micrornn": ours.step().loss, "by hand": free.step(*chunk)}
        losses["nearby"] = nearby.step(*chunk)
        loss_off = max(loss_off, relative(losses["micrornn"], shadow.step(*chunk)))
        for short, long in NAMES.items():
            off = np.abs(named[long].numpy() - shadow.weights[short]).max()
            weights_off = max(weights_off, float(off))
        for name, curve in curves.items():
            curve.append(smooth * curve[-1] + (1.0 - smooth) * losses[name])
        for name, other in (("by hand", "micrornn"), ("nearby", "by hand")):
            apart[name].append(max(apart[name][-1], relative(losses[other], losses[name])))
    marks = [i for i in MARKS if i < iterations] + [iterations]
    return {
        "smooth loss at first": curves["micrornn"][0],
        "at the end": curves["micrornn"][-1],
        "at the end by hand": curves["by hand"][-1],
        "loss off": loss_off,
        "weights off": weights_off,
        "iterations": marks,
        "smooth losses": {name: [curve[i] for i in marks] for name, curve in curves.items()},
        "apart": {name: [sizes[i] for i in marks] for name, sizes in apart.items()},
    }


def relative(a: float, b: float) -> float:
    """How far two losses are apart, relative to the second."""
    return abs(a - b) / b


def rows(found: Results) -> list[Row]:
    """How closely they agree from the same weights, and how far both fall."""
    runs = found["text"]
    names = ("smooth loss at first", "at the end", "loss off", "weights off")
    first, last, loss_off, weights_off = (column(runs, name) for name in names)
    hand = [run["smooth losses"][name][-1] for run in runs for name in ("by hand", "nearby")]
    count = f"{runs[0]['iterations'][-1]:,}"
    return [
        Row(
            f"largest relative difference of the losses in {count} iterations, each from the same weights",
            f"rounding: below {LOSS_EQUAL:g}",
            spread(loss_off, ".1e"),
            max(loss_off) < LOSS_EQUAL,
            "They compute different losses.",
        ),
        Row(
            f"largest difference of a weight after one update, in {count} iterations likewise",
            f"rounding: below {WEIGHT_EQUAL:g}",
            spread(weights_off, ".1e"),
            max(weights_off) < WEIGHT_EQUAL,
            "They update differently.",
        ),
        Row(
            f"smooth loss after {count} iterations, from 25 ln V = {first[0]:.2f}",
            f"that of the recurrence by hand, trained twice: {spread(hand, '.2f')}",
            spread(last, ".2f"),
            min(hand) <= middle(last) <= max(hand) and middle(last) < first[0] / 1.5,
            "It is outside the range of those by hand, or hardly falls.",
        ),
    ]


def detail(found: Results) -> str:
    """The smooth losses on the way, and how two trainings part that begin alike."""
    runs = found["text"]
    marks = runs[0]["iterations"]
    first = f"{runs[0]['smooth loss at first']:.2f}"

    def line(what: str, kind: str, name: str, start: str, form: str) -> list[str]:
        values = zip(*(run[kind][name] for run in runs))
        return [what, start, *(format(middle(list(at)), form) for at in values)]

    lines = [
        line("smooth loss, micrornn", "smooth losses", "micrornn", first, ".2f"),
        line("smooth loss, by hand", "smooth losses", "by hand", first, ".2f"),
        line("smooth loss, by hand, begun nearby", "smooth losses", "nearby", first, ".2f"),
        line("micrornn and by hand apart", "apart", "by hand", "0", ".0e"),
        line("by hand and begun nearby apart", "apart", "nearby", "0", ".0e"),
    ]
    heading = ["median at iteration", "0", *(f"{i:,}" for i in marks)]
    return f"{table(heading, lines)}\n\n{APART}"


TEXT = Experiment(
    "text",
    "A tanh RNN of 100 units reads a text character by character, 25 at a time, as min-char-rnn does "
    "(Karpathy 2015): weights from N(0, 0.01^2), Adagrad, every number of the gradient held between -5 and "
    "5, and a smooth loss of .999 of the last and .001 of the new one, beginning at 25 ln V. The text is "
    "that of Python's help topics. Beside it the same recurrence, written out by hand with its derivatives "
    "(`learning_experiments/plain_text.py`), is trained from the same initial weights.",
    {
        "characters": 100_000,
        "hidden": 100,
        "steps": 25,
        "lr": 0.1,
        "clip": 5.0,
        "iterations": MARKS[-1],
        "smooth": 0.999,
    },
    {"text": {}},
    measure,
    rows,
    detail,
    quick={"characters": 500, "hidden": 4, "iterations": 3},
    seeds=5,
)
