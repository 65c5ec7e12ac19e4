"""``micrornn diagnose`` and ``micrornn why``: what is wrong with the gradient of a run, and why."""

from __future__ import annotations

from typing import Any

import click

from micrornn.messages import nearest
from viz.commands.console import as_json, emit, emit_text
from viz.commands.help import Command, option
from viz.commands.options import JSON, QUIET_BUT_RESULTS, takes_source
from viz.commands.progress import working
from viz.commands.runs import recording_of, watched_run

WIDTH = 80


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from micrornn.diagnose import VERDICTS

    slugs = (verdict.slug for verdict in VERDICTS.values())
    return [slug for slug in slugs if slug.startswith(incomplete)]


def _explain(ctx: click.Context, param: click.Parameter, name: str | None) -> None:
    """Print what a problem is, and exit.

    Raises:
        click.BadParameter: there is no such problem.
    """
    if name is None:
        return
    from micrornn.diagnose import VERDICTS
    from micrornn.diagnose.verdict import slug

    known = {verdict.slug: verdict for verdict in VERDICTS.values()}
    if slug(name) not in known:
        raise click.BadParameter(f"no problem {name!r}; {nearest(slug(name), known)}")
    emit_text(f"{known[slug(name)]}\n", WIDTH)
    ctx.exit()


@click.command(cls=Command)
@takes_source
@option(
    "--explain",
    metavar="PROBLEM",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    shell_complete=_complete,
    help="Explain a problem, without a SOURCE: how it shows, why, and what to do.",
)
@JSON
@QUIET_BUT_RESULTS
def diagnose(options: dict[str, Any], source: str, as_data: bool, quiet: bool) -> None:
    """Diagnose a run or a training: list the problems, with evidence and what to try.

    SOURCE is a built-in task, FILE.py:NAME, a recording or a checkpoint (see micrornn render). NAME may be a
    function that computes a loss, or one that trains, whose first 20 iterations are then watched. The
    diagnosis checks the data, the outputs and the loss, the states passed between steps, every parameter, the
    gradient over time, and the updates. If it finds no problem, it lists what it checked.

    \b
    Examples:
      micrornn diagnose vanishing
      micrornn diagnose train.py:train
      micrornn diagnose stocks --cell lstm --steps 40 --json
      micrornn diagnose --explain softmax-before-cross-entropy
    """
    from micrornn.diagnose import diagnose as diagnosis

    run = watched_run(source, options, quiet)
    with working("diagnosing", quiet):
        found = diagnosis(run)
    _print(found, as_data)


@click.command(cls=Command)
@takes_source
@click.argument("of", metavar="TARGET")
@JSON
@QUIET_BUT_RESULTS
def why(options: dict[str, Any], source: str, of: str, as_data: bool, quiet: bool) -> None:
    """Explain why one gradient is zero, missing, tiny, huge or NaN, with the evidence.

    SOURCE is a built-in task, FILE.py:NAME, a recording or a checkpoint (see micrornn render). TARGET is a
    node: a state with its step, such as 'h[1]', an input, or a weight by its name.

    \b
    Examples:
      micrornn why hello 'h[1]'
      micrornn why vanishing 'h[0]'
      micrornn why saturated weight_hh_l0
    """
    from micrornn.flow.why import why as explanation

    recording = recording_of(source, options, quiet)
    with working("explaining", quiet):
        answer = explanation(recording, of)
    _print(answer, as_data)


def _print(answer: Any, as_data: bool) -> None:
    if as_data:
        emit(as_json(answer.as_dict()))
    else:
        emit_text(str(answer), WIDTH)
