"""``micrornn generate``, ``evaluate`` and ``decode``: what a trained network says."""

from __future__ import annotations

from typing import Any

import click

from viz.commands.options import COUNT
from viz.commands.shared import measured, open_trained, table


@click.command()
@click.argument("checkpoint", type=click.Path())
@click.option("--start", default=None, metavar="TEXT", help="What it reads first.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=1.0,
    metavar="X",
    help="Below 1 it dares less; 0 takes the likeliest [default: 1].",
)
@click.option("--top-k", type=COUNT, metavar="K", help="Draw among the K likeliest only.")
@click.option("--until", metavar="C", help=r"Stop where it says this character; \n ends a line.")
@click.option("--length", type=COUNT, default=200, metavar="N", help="How many [default: 200].")
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
    length: int,
    seed: int,
) -> None:
    """Let a trained character model go on with a text.

    CHECKPOINT is a file that micrornn train has saved, of hello, data, text,
    names or logs.

    \b
    Examples:
      micrornn generate book.npz --start h --temperature .5 --length 80
      micrornn generate book.npz --start to --top-k 3 --until .
    """
    import numpy as np

    from micrornn.tasks.speaking import speak

    trained = open_trained(checkpoint)
    library = trained.task.library()
    if not hasattr(library, "speaker"):
        raise ValueError(
            f"{checkpoint} is a checkpoint of {trained.task.name}, which writes no text; "
            "micrornn decode shows what it says"
        )
    defaults = trained.task.options()
    model, vocabulary = library.speaker({**defaults, **trained.options}, trained.memory)
    model.load_state_dict(trained.weights)
    start = next(iter(vocabulary)) if start is None else start
    until = None if until is None else until.replace(r"\n", "\n")
    rng = np.random.default_rng(seed)
    for character in speak(model, vocabulary, start, length, temperature, rng, top_k, until):
        click.echo(character, nl=False)
    click.echo()


@click.command()
@click.argument("checkpoint", type=click.Path())
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
@click.argument("checkpoint", type=click.Path())
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
    from micrornn.context import no_grad

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
