"""logs: what is unusual in a log? A language model reads it, and the lines that surprise it are suspects.

A character model learns ordinary lines. Each line of the kept part is then read by itself, from a fresh
state, and gets a perplexity: exp of its mean cross-entropy, in how many characters the model wavered. Nothing
is learnt of attacks. (DeepLog, Du et al. 2017, does it with kinds of lines in the place of characters.)

No log comes with Python, so by default one is made up by a small grammar, and said so plainly: sshd, a web
server and two others, with users, paths, and addresses that are kept free for documents (RFC 5737). Among
the kept lines are four kinds of intrusions: failed logins of strange users, a scan of ports, injected SQL,
and paths that lead out of the web server's folder. Their addresses are those of ordinary users. (Counting
pairs of characters finds about two thirds of them.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrornn.core.context import no_grad
from micrornn.data.feeds import Batch, Shuffled
from micrornn.data.text import Vocabulary
from micrornn.tasks.models import Symbols
from micrornn.tasks.pairs import PADDING, padded, token_loss
from micrornn.tasks.problem import Measure, Problem, Shown, at_least
from micrornn.tasks.speaking import character_model
from micrornn.tasks.text import counted
from micrornn.tasks.text import speaker as speaker
from micrornn.training.objective import Computed

if TYPE_CHECKING:
    from numpy.random import Generator

Array = np.ndarray[Any, Any]
DRAWN = {"steps": 12, "hidden": 8}
LINES, INTRUSIONS, FEWEST, BEGIN = 2000, 16, 10, "\n"
TOGETHER = 256  # so many lines are judged side by side

USERS = ("ada", "ben", "chen", "dora", "emil", "fatma")
STRANGERS = ("root", "oracle", "admin", "guest", "postgres", "test")
PATHS = ("/", "/news", "/about", "/style.css", "/logo.png", "/search?q=rain", "/search?q=bread")
INJECTED = ("/search?q=' or 1=1--", "/search?q='; drop table users--", "/news?id=1 union select *")
CLIMBING = ("/../../etc/passwd", "/style.css/../../.ssh/id_rsa", "/..%2f..%2fetc/shadow")


def line(rng: Generator, minute: int, intrusion: bool) -> str:
    """One line, so many minutes after midnight.

    >>> rng = np.random.default_rng(4)
    >>> print(line(rng, 545, False), line(rng, 548, True), sep="\\n")
    09:05 INFO sshd: accepted key for emil from 198.51.100.28
    09:08 WARN web: 198.51.100.24 get /..%2f..%2fetc/shadow 404
    """

    def one_of(things: tuple[str, ...]) -> str:
        return things[rng.integers(len(things))]

    user, stranger, path = one_of(USERS), one_of(STRANGERS), one_of(PATHS)
    network = one_of(("192.0.2", "198.51.100", "203.0.113"))
    address, n = f"{network}.{rng.integers(1, 30)}", int(rng.integers(10, 90))
    ordinary = (
        f"INFO web: {address} get {path} 200",
        f"INFO web: {address} get {path} 304",
        f"INFO web: {address} post /login 302",
        f"INFO sshd: accepted key for {user} from {address}",
        f"INFO sshd: session of {user} closed",
        f"WARN sshd: failed password for {user} from {address}",
        f"INFO cron: backup done in {n} s",
        f"INFO db: {n} rows in 0.{n} s",
    )
    intrusions = (
        f"WARN sshd: failed password for {stranger} from {address}",
        f"WARN sshd: no greeting from {address} port 22{n}",
        f"INFO web: {address} get {one_of(INJECTED)} 200",
        f"WARN web: {address} get {one_of(CLIMBING)} 404",
    )
    time = f"{minute // 60:02}:{minute % 60:02}"
    return f"{time} {one_of(intrusions if intrusion else ordinary)}"


def made_up(seed: int) -> tuple[list[str], set[int]]:
    """The lines of a log of five days, and which of them are intrusions: all in the last day.

    >>> lines, intrusions = made_up(0)
    >>> len(lines), len(intrusions), min(intrusions) >= 1600
    (2000, 16, True)
    """
    rng = np.random.default_rng(seed)
    kept = LINES // 5
    intrusions = set((LINES - kept + rng.permutation(kept)[:INTRUSIONS]).tolist())
    day = 24 * 60
    return [line(rng, i * day // kept % day, i in intrusions) for i in range(LINES)], intrusions


def problem(
    text: str | None = None,
    cell: str = "gru",
    hidden: int = 48,
    layers: int = 1,
    steps: int = 120,
    batch: int = 32,
    seed: int = 0,
) -> Problem:
    """Learn ordinary lines of a log; find those that are not. The last fifth is kept for judging.

    Args:
        text: a log of your own, a record in each line; blank lines do not count.
        steps: so many characters of a line are read, and no more.
        batch: how many lines are read side by side.

    Raises:
        ValueError: no step, fewer than ten lines, or one character only.

    >>> made = problem("\\n".join(f"user {n} is here" for n in range(20)), hidden=4)
    >>> made.title
    'what is unusual among the last 4 of 20 lines of a log'
    """
    at_least(1, steps=steps)
    lines, intrusions = made_up(seed) if text is None else (text.splitlines(), set[int]())
    lines = [one for one in lines if one.strip()]
    shortened = "" if max(map(len, lines), default=0) <= steps else f", first {steps} characters"
    lines = [one[:steps] for one in lines]
    vocabulary = Vocabulary("".join([BEGIN, *lines]))
    if len(lines) < FEWEST or len(vocabulary) < 3:
        few = f"{len(lines)} lines" if len(lines) < FEWEST else f"one character ({lines[0][0]!r})"
        raise ValueError(
            f"a log of {few} is too little to learn from; give at least {FEWEST} lines that are not "
            "blank, of at least two different characters"
        )
    cut = len(lines) - len(lines) // 5
    sizes = {"cell": cell, "hidden": hidden, "layers": layers, "seed": seed}
    model = character_model(len(vocabulary), sizes)
    known, kept = (BEGIN.join(["", *part, ""]) for part in (lines[:cut], lines[cut:]))
    alone, by_last = counted(vocabulary.encode(known), vocabulary.encode(kept), len(vocabulary))

    def together(some: list[str]) -> Batch:
        """Lines (T, B): what is read begins with a line end, what is wanted ends with one."""
        inputs = padded([vocabulary.encode(BEGIN + one) for one in some], 0)
        return Batch(inputs, padded([vocabulary.encode(one + BEGIN) for one in some], PADDING))

    judged = [together(lines[a : a + TOGETHER]) for a in range(cut, len(lines), TOGETHER)]
    lengths = [len(one) + 1 for one in lines[cut:]]

    def objective(batch: Batch, state: Any) -> Computed:
        outputs, _ = model(batch.inputs)
        return Computed(*token_loss(outputs, batch.targets))

    def surprises() -> Array:
        """The perplexity of each kept line."""
        return np.concatenate([perplexities(model, some) for some in judged])

    def reached() -> float:
        return float(np.average(np.log(surprises()), weights=lengths))

    def suspects() -> tuple[Array, list[int]]:
        """These perplexities, and the places of the lines, the most surprising first."""
        found = surprises()
        return found, np.argsort(-found, kind="stable").tolist()

    def measures() -> list[Measure]:
        why = f"counting which character follows which; {alone:.4g} by counting characters"
        measured = [Measure.below("nats per character", reached(), by_last, why)]
        if intrusions:
            count = len(intrusions)
            share = float(np.mean([cut + i in intrusions for i in suspects()[1][:count]]))
            name = f"intrusions among the {count} most surprising"
            guessing = f"guessing finds {count / (len(lines) - cut):.2f}"
            measured.append(Measure.above(name, share, 0.5, guessing))
        return measured

    def show(count: int) -> list[Shown]:
        found, order = suspects()
        return [
            Shown(
                lines[cut + i],
                "intrusion" if cut + i in intrusions else "",
                f"perplexity {found[i]:.2f}",
            )
            for i in order[:count]
        ]

    return Problem(
        f"what is unusual among the last {len(lines) - cut} of {len(lines):,} lines of a log{shortened}",
        model,
        Shuffled(lines[:cut], batch, together, seed),
        objective,
        measures,
        show,
        validate=reached,
        clip=5.0,
        iterations=300,
        memory={"characters": "".join(vocabulary)},
        inputs=lambda b: vocabulary.decode(b.inputs[:, 0]),
        labels=lambda b: vocabulary.decode(b.targets[:, 0]),
    )


def perplexities(model: Symbols, batch: Batch) -> Array:
    """exp of the mean cross-entropy of each line by itself, its end included: (B,).

    >>> model = Symbols("rnn", 4, 4, hidden=1)
    >>> _ = model.load_state_dict({k: 0 * v for k, v in model.state_dict().items()})
    >>> perplexities(model, Batch(np.array([[0, 0], [1, 0]]), np.array([[1, 0], [0, PADDING]])))
    array([4., 4.])
    """
    with no_grad():
        outputs, _ = model(batch.inputs)
    logits = np.array([output.numpy() for output in outputs])
    logits -= logits.max(-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    real = batch.targets != PADDING
    said = np.take_along_axis(logs, np.where(real, batch.targets, 0)[..., None], -1)[..., 0]
    return np.asarray(np.exp(-(said * real).sum(0) / real.sum(0)))
