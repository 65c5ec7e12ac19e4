"""``micrornn diagnose`` and ``micrornn why``: what is wrong with the gradient of a run, and why."""

from __future__ import annotations

from typing import Any

import click

from viz.commands.options import takes_source
from viz.commands.sources import as_json, emit, narrow, recording_of


@click.command()
@takes_source
@click.option("--json", "as_data", is_flag=True, help="Print it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and the diagnosis.")
def diagnose(options: dict[str, Any], source: str, as_data: bool, quiet: bool) -> None:
    """Say what is wrong with the gradient of a run, with the evidence, and what to try.

    SOURCE is as in micrornn render, or a file that micrornn record wrote. It looks for NaN, exploding and
    vanishing gradients, detached states, truncation, saturation, dead units, and losses at one end only,
    and can say that nothing wrong was found.

    \b
    Examples:
      micrornn diagnose hello
      micrornn diagnose vanishing
      micrornn diagnose stocks --cell lstm --steps 40 --json
    """
    from micrornn.flow.diagnose import diagnose as found_in

    found = found_in(recording_of(source, options, quiet))
    emit(as_json(found.as_dict()) if as_data else narrow(str(found)))


@click.command()
@takes_source
@click.argument("target")
@click.option("--json", "as_data", is_flag=True, help="Print it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and the answer.")
def why(options: dict[str, Any], source: str, target: str, as_data: bool, quiet: bool) -> None:
    """Say why one gradient is zero, missing, tiny, huge or NaN: one verdict, with the evidence.

    SOURCE is as in micrornn render, or a file that micrornn record wrote. TARGET is a node: a state with
    its step, such as 'h[1]', an input, or a weight by its name.

    \b
    Examples:
      micrornn why hello 'h[1]'
      micrornn why vanishing 'h[0]'
      micrornn why saturated weight_hh_l0
    """
    from micrornn.flow.why import why as asked

    answer = asked(recording_of(source, options, quiet), target)
    emit(as_json(answer.as_dict()) if as_data else narrow(str(answer)))
