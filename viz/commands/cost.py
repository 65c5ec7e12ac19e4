"""``micrornn cost``: time and memory of full BPTT and its alternatives, measured beside their formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from viz.commands.console import as_json, destination, emit, emit_text, say, table
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import (
    COUNT,
    FILE,
    JSON,
    POSITIVE,
    QUIET_BUT_RESULTS,
    Counts,
    SomeOf,
    takes_source,
)
from viz.commands.progress import working
from viz.plots import FORMATS

_WAYS = ("full", "truncated", "sqrt", "slots", "compiled", "rtrl", "uoro")


def _with_counts(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``--steps`` take several numbers."""
    for one in command.__click_params__:  # type: ignore[attr-defined]
        if one.name == "steps":
            one.type = Counts()
            one.help = "Numbers of time steps [default: 100,1000,10000]."
    return command


@click.command(cls=Command)
@_with_counts
@takes_source
@option("--ways", type=SomeOf(_WAYS), help="What to measure [default: all].")
@option("--batch", type=COUNT, default=1, help="Number of sequences in a batch [default: 1].")
@option("--chunk", type=COUNT, default=50, help="Steps per chunk of truncated BPTT [default: 50].")
@option(
    "--slots",
    type=COUNT,
    default=50,
    help="Checkpoints that the optimal schedule keeps [default: 50].",
)
@option(
    "--limit",
    type=POSITIVE,
    default=60.0,
    help="Skip measurements that take longer than X seconds [default: 60].",
)
@JSON
@option("-o", "--output", type=FILE, section=OUTPUT, help="Draw a .png, .svg or .pdf file.")
@QUIET_BUT_RESULTS
def cost(
    options: dict[str, Any],
    source: str,
    ways: tuple[str, ...] | None,
    batch: int,
    chunk: int,
    slots: int,
    limit: float,
    as_data: bool,
    output: str | None,
    quiet: bool,
) -> None:
    """Measure time and memory of full BPTT and its alternatives, beside the formulas.

    Runs the recurrent layers of SOURCE forward and backward over random inputs, with a loss at the last step:
    by full BPTT, truncated BPTT, checkpoints (√T segments, and the optimal schedule), a compiled program, and
    online by RTRL and UORO. SOURCE is a built-in task, a checkpoint, or FILE.py:NAME, where NAME is a
    recurrent layer or a module that has one. Each measurement runs in its own process.

    \b
    Examples:
      micrornn cost adding --hidden 4 --steps 20,40 --ways full,sqrt
      micrornn cost hello --cell lstm --steps 30 --ways full,compiled -o cost.png
    """
    from micrornn.cost import Setting, costs, in_own_process, layer_of, unit_of
    from micrornn.cost import ways as table_of
    from viz.plots.cost import figure, finding
    from viz.render import write_whole

    steps = options.pop("steps", (100, 1000, 10_000))
    path, format = destination(output, None, FORMATS) if output else (None, "")
    setting = Setting(source, options, batch, chunk, slots)
    layer = layer_of(source, options)
    names = ways or _WAYS
    found = []
    total = len(names) * len(steps)
    with working(f"measuring {source}", quiet):
        unit = in_own_process(unit_of, setting)
    with working("measuring", quiet, total=total) as bar:
        for one in costs(setting, names, steps, unit, limit):
            found.append(one)
            bar.update(len(found))
    known = table_of(chunk, slots)
    title = f"{layer}, batch of {batch}"
    if as_data:
        rows = [{**vars(one), "gradient": known[one.way].gradient} for one in found]
        emit(as_json({"network": title, "step": unit._asdict(), "costs": rows}))
    else:
        table(
            ("way", "steps", "memory", "by formula", "time", "by formula", "gradient"),
            [_row(one, known) for one in found],
        )
        emit_text("\n".join(["", *_notes(known, names, unit), ""]), width=100)
    if path is not None:
        write_whole(path, figure(found, known, title, format))
    if not quiet and finding(found, known):
        say(finding(found, known) + (f"; wrote {path}" if path else ""))


def _row(one: Any, known: dict[str, Any]) -> Sequence[str]:
    from viz.plots.cost import in_bytes, in_seconds

    once = f" (compiling: {in_seconds(one.once)})" if one.once else ""
    return (
        known[one.way].name,
        f"{one.steps:,}",
        one.why or in_bytes(one.bytes),
        "≥ " * known[one.way].memory.startswith("at least") + in_bytes(one.expected_bytes),
        "" if one.why else in_seconds(one.seconds) + once,
        in_seconds(one.expected_seconds),
        known[one.way].gradient,
    )


def _notes(known: dict[str, Any], names: Sequence[str], unit: Any) -> list[str]:
    """The formulas, and the values of their letters."""
    from viz.plots.cost import in_bytes, in_seconds

    lines = [f"{known[n].name}: memory {known[n].memory}, time {known[n].time}" for n in names]
    lines.append(
        f"Each of the T steps keeps g = {in_bytes(unit.graph)} with its graph and k = {in_bytes(unit.kept)} "
        f"without; it takes f = {in_seconds(unit.forward)} forward and b = {in_seconds(unit.backward)} "
        f"backward. The state has S = {unit.state:,} numbers, the network P = {unit.weights:,} weights."
    )
    return lines
