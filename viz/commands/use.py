"""``micrornn generate``, ``evaluate`` and ``decode``: what a trained network says."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from micrornn.tasks.trained import Trained, open_trained
from viz.commands.options import COUNT, FILE, Finite
from viz.commands.shared import measured, table


@click.command()
@click.argument("checkpoint", type=FILE)
@click.option("--start", default=None, metavar="TEXT", help="What it reads first.")
@click.option(
    "--temperature",
    type=Finite(min=0),
    default=1.0,
    metavar="X",
    help="Below 1 it dares less; 0 takes the likeliest [default: 1].",
)
@click.option("--top-k", type=COUNT, metavar="K", help="Draw among the K likeliest only.")
@click.option("--until", metavar="C", help=r"Stop where it says this character; \n ends a line.")
@click.option(
    "--length", type=COUNT, metavar="N", help="How many [default: 200 characters, 10 values]."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="For what is drawn [default: 0].",
)
def generate(
    checkpoint: str,
    start: str | None,
    temperature: float,
    top_k: int | None,
    until: str | None,
    length: int | None,
    seed: int,
) -> None:
    """Let a trained network go on: with a text, or with a series.

    CHECKPOINT is a file that micrornn train has saved. Of hello, data, text, names and logs it writes
    characters; of weather, stocks and anomaly the values that it expects after the last one.

    \b
    Examples:
      micrornn generate book.npz --start h --temperature .5 --length 80
      micrornn generate book.npz --start to --top-k 3 --until .
      micrornn generate series.npz --length 7
    """
    from micrornn.tasks.speaking import speak

    trained = open_trained(checkpoint)
    library = trained.task.library()
    if not hasattr(library, "speaker"):
        return _forecast(trained, length or 10, start, until)
    if "characters" not in trained.memory:
        raise ValueError(f"{checkpoint} is damaged: it does not say which characters it knows")
    options = {**trained.task.options(), **trained.options}
    model, vocabulary = library.speaker(options, trained.memory)
    trained.fill(model)
    start = next(iter(vocabulary)) if start is None else start
    until = None if until is None else until.replace(r"\n", "\n")
    rng = np.random.default_rng(seed)
    said = speak(model, vocabulary, start, length or 200, temperature, rng, top_k, until)
    for character in said:
        click.echo(character, nl=False)
    click.echo()


def _forecast(trained: Trained, length: int, start: str | None, until: str | None) -> None:
    problem = trained.problem()
    name = trained.task.name
    if problem.forecast is None:
        raise ValueError(
            f"{trained.path} is a checkpoint of {name}, which goes on with nothing; micrornn decode shows "
            "what it says"
        )
    if start is not None or until is not None:
        raise ValueError(f"--start and --until are for texts; {name} goes on after its last value")
    problem.model.eval()
    values = problem.forecast(length)
    table(("ahead", "expected"), [[f"{i}", f"{v:.6g}"] for i, v in enumerate(values, 1)])


@click.command()
@click.argument("checkpoint", type=FILE)
def evaluate(checkpoint: str) -> None:
    """Measure a trained network again: what it reaches, and what was to be expected.

    \b
    Examples:
      micrornn evaluate book.npz
    """
    trained = open_trained(checkpoint)
    problem = trained.problem()
    click.echo(f"{trained.task.name}: {problem.title}; {trained.iteration} iterations", err=True)
    measured(problem.judged())


@click.command()
@click.argument("checkpoint", type=FILE)
@click.option("-n", "--count", type=COUNT, metavar="N", help="How many [default: 5].")
@click.option("--source", metavar="TEXT", help="What it makes of this, in the place of examples.")
@click.option(
    "--beam", type=COUNT, metavar="W", help="Search with so many beginnings [default: 1]."
)
def decode(checkpoint: str, count: int | None, source: str | None, beam: int | None) -> None:
    """Show what a trained network says: on examples, or on a source of your own.

    Of an example one sees what was given, what was wanted and what it said. --source is for translate
    and sentiment; a translation is sought by beam search, and --beam says how wide.

    \b
    Examples:
      micrornn decode book.npz -n 3
      micrornn decode numbers.npz --source "forty two" --beam 3
    """
    from micrornn.core.context import no_grad

    trained = open_trained(checkpoint)
    name, problem = trained.task.name, trained.problem()
    problem.model.eval()
    if source is not None:
        if problem.answer is None:
            raise ValueError(
                f"{name} takes no source of one's own; leave --source out for examples"
            )
        if count is not None:
            raise ValueError(
                "-n counts examples, and a source is no example; leave one of them out"
            )
        with no_grad():
            answers = problem.answer(source, beam or 1)
        rows = [[_in_line(one.said), f"{one.probability:.3g}"] for one in answers]
        return table(("said", "probability"), rows)
    if beam is not None:
        raise ValueError("--beam searches for an answer to --source; give that as well")
    if problem.show is None:
        raise ValueError(f"{name} has no examples to show; micrornn evaluate measures it")
    with no_grad():
        shown = problem.show(count or 5)
    return table(("given", "wanted", "said"), [[_in_line(cell) for cell in row] for row in shown])


def _in_line(text: Any) -> str:
    return str(text).replace("\n", "¶")
