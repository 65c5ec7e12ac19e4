"""hello: a network reads a text character by character and is asked, at each one, for the next.

Of "hello" it reads h e l l and should say e l l o. One l is followed by l and the other by o, so a model
without memory cannot bring the sum of the four losses below 2 ln 2 = 1.386: any total below proves that the
state remembers.
"""

from __future__ import annotations

from micrornn.data.text import Vocabulary, quoted
from micrornn.nn.losses import cross_entropy
from micrornn.tasks.network import Network, losses_of
from micrornn.tasks.unrolled import Unrolled, remark_inputs

MOST_STEPS = 10_000  # without being told; each step is a column of the graph


def build(
    text: str = "hello",
    cell: str = "rnn",
    hidden: int = 8,
    layers: int = 1,
    bidirectional: bool = False,
    steps: int | None = None,
    loss: str = "all",
    seed: int = 0,
) -> Unrolled:
    """Unroll over the text: inputs are all characters but the last, targets all but the first.

    Args:
        text: what to read; its different characters are the vocabulary, each a one-hot vector.
        steps: how many steps; a longer text is cut, a shorter one is repeated. By default its whole length.
        loss: ``"all"`` sums the cross-entropies of all steps, ``"last"`` takes the last one's.

    Raises:
        ValueError: the text has fewer than two different characters, or an option is out of range.

    >>> unrolled = build()
    >>> unrolled.inputs, unrolled.labels
    (['h', 'e', 'l', 'l'], ['e', 'l', 'l', 'o'])
    >>> unrolled.title
    'hello: a tanh RNN reads "hell", and is asked for "ello"'
    >>> build(steps=6).remarks
    ['the text "hello" has 4 steps; it is repeated to fill 6']
    """
    vocabulary = Vocabulary(text)
    if len(vocabulary) < 2:
        same = (
            f"every character of the text {quoted(text)} is the same"
            if text
            else "the text is empty"
        )
        raise ValueError(
            f"{same}, so there is nothing to predict; give one with at least two different characters"
        )
    if steps is None and len(text) - 1 > MOST_STEPS:
        raise ValueError(
            f"the text has {len(text):,} characters; say how many steps to unroll, for example --steps 50"
        )
    network = Network(
        cell,
        len(vocabulary),
        len(vocabulary),
        hidden=hidden,
        layers=layers,
        bidirectional=bidirectional,
        seed=seed,
    )
    read, asked, remarks = _cut(text, steps)
    predictions = network(list(vocabulary.one_hot(read)))
    losses, total = losses_of(predictions, vocabulary.encode(asked).tolist(), cross_entropy, loss)
    remark_inputs(total, [repr(character) for character in read])
    wanted = quoted(asked) if loss == "all" else f"{quoted(asked[-1])}, the next one"
    title = f"hello: {network.in_words()} reads {quoted(read)}, and is asked for {wanted}"
    return Unrolled(title, total, losses, network, list(read), list(asked), predictions, remarks)


def _cut(text: str, steps: int | None) -> tuple[str, str, list[str]]:
    """What is read, what is asked for, and what has to be said about it."""
    own = len(text) - 1
    if steps is None:
        steps = own
    if steps < 1:
        raise ValueError(f"steps={steps} was given; give at least 1")
    remarks = []
    if steps > own:
        remarks.append(
            f"the text {quoted(text)} has {_plural(own)}; it is repeated to fill {steps}"
        )
        text *= steps // len(text) + 1
    return text[:steps], text[1 : steps + 1], remarks


def _plural(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"
