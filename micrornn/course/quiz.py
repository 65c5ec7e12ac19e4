"""Questions with a choice of answers; each answer shows the number behind it, computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from micrornn import nn
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor, Value
from micrornn.diagnose import diagnose
from micrornn.flow import why
from micrornn.flow.failures import record_failure
from micrornn.messages import percent
from micrornn.ops.create import zeros
from micrornn.ops.elementwise import sigmoid, tanh
from micrornn.ops.softmax import log_softmax
from micrornn.tasks import task

LETTERS = "ABCD"


class Question(NamedTuple):
    """A question.

    Attributes:
        text: what is asked.
        choices: four answers.
        right: the letter of the right one.
        because: why.
        number: computes the evidence, as text.
        lesson: where it is taught.
    """

    text: str
    choices: tuple[str, str, str, str]
    right: str
    because: str
    number: Callable[[], str]
    lesson: int


def _parameters() -> str:
    own = sum(p.size for p in nn.RNN(4, 8).parameters())
    wide = nn.Linear(4 * 100, 8).weight.size
    return (
        f"for 100 steps, {own} parameters in the RNN, and {wide} in the first layer of a "
        "feedforward network"
    )


def _start() -> str:
    loss = nn.functional.cross_entropy(zeros((4, 4)), [1, 2, 2, 3], reduction="sum")
    return f"{loss.item():.4f}, and 4 ln 4 = {4 * np.log(4):.4f}"


def _forget() -> str:
    gates = {bias: float((1 / (1 + np.exp(-bias))) ** 50) for bias in (0.0, 1.0, 3.0)}
    words = [f"f^50 = {left:.0e} with a forget bias of {bias:g}" for bias, left in gates.items()]
    return ", ".join(words)


def _power() -> str:
    size = why(record_failure("exploding"), "h[0]").norm
    return f"the gradient at h_0 is {size:.6g}, and 2^50 = {2.0**50:.6g}"


def _both_biases() -> str:
    lstm = nn.LSTM(2, 4, rng=0)
    biases = [p for name, p in lstm.named_parameters() if name.startswith("bias")]
    for bias in biases:
        bias.data = np.ones(16)
    return f"b_ih + b_hh = {sum(float(bias.data[4]) for bias in biases):g}"


def _alignments() -> str:
    uniform = log_softmax(zeros((3, 3)))
    found = []
    for word, labels in (("ab", [1, 2]), ("aa", [1, 1])):
        loss = nn.functional.ctc_loss(uniform, labels, 3, 2, reduction="sum")
        found.append(f'"{word}": {round(float(np.exp(-loss.item()) * 27))}')
    return ", ".join(found)


def _truncated() -> str:
    def gradient(chunk: int) -> float:
        w, h, total = Value(0.9), Tensor(0.0), Tensor(0.0)
        for t in range(20):
            h = h.detach() if t % chunk == 0 else h
            h = w * h + 1.0
            total = total + h
        total.backward()
        return float(w.grad)  # type: ignore[arg-type]

    return f"with w = 0.9 and chunks of 5, {percent(gradient(5) / gradient(20))} of the gradient is left"


def _grows() -> str:
    W = np.array([[0.9, 10.0], [0.0, 0.9]])
    top = max(float(np.linalg.norm(np.linalg.matrix_power(W, k), 2)) for k in range(1, 60))
    return (
        f"a matrix with both eigenvalues at 0.9 stretches a vector up to {top:.1f}-fold on the way"
    )


def _double() -> str:
    perfect = nn.functional.cross_entropy(Tensor(np.eye(4)[1]), 1).item()
    return f"with four classes, the loss of a perfect answer is {perfect:.4f}, and not 0"


def _labels() -> str:
    counts = []
    for name in ("sentiment", "tagging"):
        view = task(name).unrolled({})
        counts.append(f"{name} reads {len(view.inputs)} inputs and has {len(view.losses)} losses")
    return ", ".join(counts).replace(" 1 losses", " 1 loss")


def _mean() -> str:
    norms = []
    for reduction in ("sum", "mean"):
        rnn, readout = nn.RNN(4, 8, rng=0), nn.Linear(8, 4, rng=1)
        states, _ = rnn(list(np.eye(4)[[0, 1, 2, 2]]))
        outputs = nn.each_step(readout, states)
        nn.sequence_loss(outputs, [1, 2, 2, 3], reduction=reduction)[1].backward()
        grad = dict(rnn.named_parameters())["weight_hh_l0"].grad
        norms.append(float(np.linalg.norm(np.asarray(grad))))
    return (
        f"the gradient of W_hh has norm {norms[0]:.3g} for the sum and {norms[1]:.3g} for the mean"
    )


def _memory() -> str:
    kept = []
    for steps in (100, 200):
        rnn = nn.RNN(4, 8, rng=0)
        states, _ = rnn(list(np.zeros((steps, 4))))
        graph = Graph(states[-1].sum())
        kept.append((len(graph), sum(node.numpy().nbytes for node in graph)))
    return (
        f"unrolled over 100 steps, a network of 112 parameters has {kept[0][0]} nodes that hold "
        f"{kept[0][1]:,} bytes, over 200 steps {kept[1][0]} and {kept[1][1]:,}"
    )


def _slopes() -> str:
    found = []
    for name, function in (("tanh", tanh), ("sigmoid", sigmoid)):
        x = Tensor(np.array([0.0, 1.0, 4.0]), requires_grad=True)
        function(x).sum().backward()
        slopes = ", ".join(f"{slope:.2g}" for slope in np.asarray(x.grad))
        found.append(f"the slopes of {name} at 0, 1 and 4 are {slopes}")
    return "; ".join(found)


QUESTIONS = (
    Question(
        "What is the main advantage of a recurrent network over a feedforward one?",
        (
            "It trains faster",
            "It needs less memory",
            "It models dependencies in a sequence, of any length",
            "It needs no backpropagation",
        ),
        "C",
        "The state carries what was read before, with the same weights at every step.",
        _parameters,
        1,
    ),
    Question(
        "All logits are 0, over four letters and four steps. What is the sum of the losses?",
        ("0", "ln 4", "4 ln 4", "4"),
        "C",
        "Each letter has the probability 1/4, and each step costs ln 4.",
        _start,
        3,
    ),
    Question(
        "The model ends in a softmax, and the loss is cross_entropy. What happens?",
        (
            "Nothing: it is right",
            "The loss is negative",
            "The loss cannot come near 0",
            "The gradient is NaN",
        ),
        "C",
        "cross_entropy applies softmax itself, so probabilities between 0 and 1 are taken for logits.",
        _double,
        3,
    ),
    Question(
        "h_t = 2 h_{t-1}, for 50 steps. What is dh_50/dh_0?",
        ("100", "2^50", "50^2", "2"),
        "B",
        "Each hop multiplies by 2.",
        _power,
        6,
    ),
    Question(
        "All eigenvalues of W are below 1. Can W^k h grow?",
        ("Never", "Yes, for a while", "Only if h is large", "Only with tanh"),
        "B",
        "Eigenvalues decide in the limit; on the way, the largest singular value counts.",
        _grows,
        7,
    ),
    Question(
        "The loss suddenly becomes NaN, after the gradients grew very large. What is it?",
        ("Vanishing gradients", "Exploding gradients", "Overfitting", "A dead unit"),
        "B",
        "An update was so large that the next forward pass overflowed. Clip the norm of the gradient.",
        lambda: f"micrornn diagnose nan says: {', '.join(diagnose(record_failure('nan')).names)}",
        8,
    ),
    Question(
        "What problem does the LSTM mainly address?",
        ("Overfitting", "Exploding gradients", "Vanishing gradients", "Large data sets"),
        "C",
        "Along the cell state each hop multiplies by the forget gate; it helps only as far as the "
        "gate is open.",
        _forget,
        9,
    ),
    Question(
        "Both bias vectors of an LSTM in PyTorch are set to 1. What is the bias of the forget gate?",
        ("0", "1", "2", "It depends on the input"),
        "C",
        "The two are added.",
        _both_biases,
        9,
    ),
    Question(
        "Which task is many to one?",
        ("Image captioning", "Machine translation", "Sentiment analysis", "Text generation"),
        "C",
        "Many words are read, and one label is given.",
        _labels,
        10,
    ),
    Question(
        "What does truncated BPTT do?",
        (
            "It cures vanishing gradients",
            "It bounds memory, and biases the gradient",
            "It makes the gradient exact",
            "It removes the hidden state",
        ),
        "B",
        "All terms that cross the border of a chunk are missing.",
        _truncated,
        11,
    ),
    Question(
        "Why are embeddings better than one-hot vectors for 50,000 words?",
        (
            "They are binary",
            "They are small, and similar words can be close",
            "They need no training",
            "They replace the recurrent network",
        ),
        "B",
        "Any two one-hot vectors are equally far apart, so nothing can be close.",
        lambda: (
            f"a row of 64 numbers and not of 50,000; one-hot vectors are all {np.sqrt(2):.4f} apart"
        ),
        2,
    ),
    Question(
        'How many alignments of "aa" are there in three frames, for CTC?',
        ("0", "1", "3", "9"),
        "B",
        "Two equal labels need a blank between them: a_a.",
        _alignments,
        12,
    ),
    Question(
        "A mean over the losses of 4 steps instead of their sum: what becomes of the gradient?",
        ("It is the same", "It is a quarter", "It is four times as large", "It turns"),
        "B",
        "The direction is the same, and a quarter of the size: learning rates and clipping thresholds do not "
        "carry over.",
        _mean,
        3,
    ),
    Question(
        "A sequence is twice as long, and backward goes all the way. What doubles?",
        (
            "Only the time",
            "Only the memory",
            "The time and the memory",
            "The number of parameters",
        ),
        "C",
        "Each step is computed forward and backward, and its values are kept until backward needs them.",
        _memory,
        11,
    ),
    Question(
        "Where is the slope of tanh 1?",
        ("Nowhere: it is always below", "At 0", "At 1", "For all large inputs"),
        "B",
        "At 0, and only there; so for small states the weights alone decide whether a gradient vanishes.",
        _slopes,
        6,
    ),
)
