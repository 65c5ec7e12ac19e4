"""``micrornn generate``, ``evaluate`` and ``decode``: what a trained network predicts."""

from __future__ import annotations

import sys
from itertools import islice

import click
import numpy as np

from micrornn.messages import printable_lines
from micrornn.tasks.trained import Trained, open_trained
from viz.commands.console import emit, is_terminal, results, say, table
from viz.commands.help import Command, option
from viz.commands.options import COUNT, FILE, SEED, Number
from viz.commands.progress import working


@click.command(cls=Command)
@click.argument("checkpoint", type=FILE)
@option("--start", metavar="TEXT", help="The text to continue.")
@option("--length", type=COUNT, help="Length of the output [default: 200 characters, 10 values].")
@option(
    "--temperature",
    type=Number(least=0),
    help="0 always takes the most likely character [default: 1].",
)
@option("--top-k", type=COUNT, help="Sample from the N most likely characters only.")
@option("--until", metavar="C", help=r"Stop before this character; \n is the end of a line.")
@option("--seed", type=SEED, help="Seed of the samples [default: 0].")
def generate(
    checkpoint: str,
    start: str | None,
    length: int | None,
    temperature: float | None,
    top_k: int | None,
    until: str | None,
    seed: int | None,
) -> None:
    """Continue a text or a series with a trained model.

    CHECKPOINT is a file that micrornn train saved; - is stdin. A model of hello, data, text, names or logs
    generates characters; a model of weather, stocks or anomaly the next values of its series.

    \b
    Examples:
      micrornn generate book.npz --start h --temperature .5 --length 80
      micrornn generate book.npz --start to --top-k 3 --until .
      micrornn generate series.npz --length 7
    """
    from micrornn.tasks.generation import continue_text

    trained = open_trained(checkpoint)
    if "characters" not in trained.memory:
        of_text = {"--start": start, "--temperature": temperature, "--top-k": top_k}
        of_text |= {"--until": until, "--seed": seed}
        return _forecast(trained, length or 10, [n for n, v in of_text.items() if v is not None])
    model, vocabulary = trained.language_model()
    start = next(iter(vocabulary)) if start is None else start
    until = None if until is None else until.replace(r"\n", "\n")
    heat = 1.0 if temperature is None else temperature
    rng = np.random.default_rng(seed or 0)
    shown = printable_lines if is_terminal(sys.stdout) else str
    for character in continue_text(
        model, vocabulary, start, length or 200, heat, rng, top_k, until
    ):
        emit(shown(character))
    emit("\n")
    return None


def _forecast(trained: Trained, length: int, of_text: list[str]) -> None:
    name = trained.task.name
    if of_text:
        raise ValueError(
            f"{trained.path} is a checkpoint of {name}; only a text model takes {', '.join(of_text)}"
        )
    problem = trained.problem()
    if problem.forecast is None:
        raise ValueError(
            f"{trained.path} is a checkpoint of {name}, which has nothing to continue; micrornn decode shows "
            "what it predicts"
        )
    problem.model.eval()
    values = problem.forecast(length)
    table(("ahead", "forecast"), [[f"{i}", f"{v:.6g}"] for i, v in enumerate(values, 1)])


@click.command(cls=Command)
@click.argument("checkpoint", type=FILE)
def evaluate(checkpoint: str) -> None:
    """Evaluate a trained network: the result beside a baseline.

    CHECKPOINT is a file that micrornn train saved; - is stdin.

    \b
    Examples:
      micrornn evaluate book.npz
    """
    trained = open_trained(checkpoint)
    with working("evaluating"):
        problem = trained.problem()
        measures = problem.evaluate()
    say(f"{trained.task.name} after {trained.iteration} iterations: {problem.title}")
    results(measures)


@click.command(cls=Command)
@click.argument("checkpoint", type=FILE)
@option("-n", "--count", type=COUNT, help="Number of examples [default: 5].")
@option("--source", metavar="TEXT", help="Predict for this input instead of held-out examples.")
@option("--beam", type=COUNT, help="Width of the beam search [default: 1].")
def decode(checkpoint: str, count: int | None, source: str | None, beam: int | None) -> None:
    """Show what a trained network predicts, for examples or an input of your own.

    CHECKPOINT is a file that micrornn train saved; - is stdin. Examples are held-out inputs with their
    targets and predictions. --source applies to translate and sentiment, and --beam to translate.

    \b
    Examples:
      micrornn decode book.npz -n 3
      micrornn decode numbers.npz --source "forty two" --beam 3
    """
    from micrornn.core.context import no_grad

    if source is not None and count is not None:
        raise ValueError("-n and --source exclude each other; give one")
    if source is None and beam is not None:
        raise ValueError("--beam needs --source; give both")
    trained = open_trained(checkpoint)
    with working("decoding"), no_grad():
        name, problem = trained.task.name, trained.problem()
        problem.model.eval()
        if source is not None:
            if problem.answer is None:
                raise ValueError(f"{name} does not take --source; leave it out to see examples")
            answers = problem.answer(source, beam or 1)
            rows = [[a.prediction, f"{a.probability:.3g}"] for a in answers]
        elif problem.examples is None:
            raise ValueError(f"{name} has no examples to show; use micrornn evaluate")
        else:
            rows = [list(example) for example in islice(problem.examples(), count or 5)]
    headings = (
        ("input", "target", "prediction") if source is None else ("prediction", "probability")
    )
    table(headings, [[cell.replace("\n", "¶") for cell in row] for row in rows])
