"""``micrornn render``: a network unrolled over time, as a picture."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

import viz
from micrornn.tasks.network import CELLS, NAMES
from micrornn.tasks.unrolled import Unrolled
from viz.commands.console import destination, emit_file, is_terminal, say
from viz.commands.help import LOOK, OUTPUT, Command, option
from viz.commands.options import (
    FOLDER,
    QUIET,
    TO_FILE,
    Integer,
    Number,
    OneOf,
    SomeOf,
    in_format,
    takes_source,
)
from viz.commands.progress import working
from viz.gradients import is_cut
from viz.picture import ASPECTS, LEGENDS, THEMES, Look


@click.command(cls=Command)
@takes_source
@option(
    "--detail",
    type=OneOf(("auto", *viz.DETAILS)),
    default="auto",
    help="What each box stands for [default: auto].",
)
@option(
    "--gradients/--no-gradients", default=True, help="Draw the gradients, or the forward pass only."
)
@option("--window", metavar="A:B", help="Draw the steps from A to B only.")
@option(
    "--from",
    "begin",
    metavar="PLACE",
    help="Follow the gradient of this loss, such as L3 [default: the last].",
)
@option("--to", "end", metavar="PLACE", help="With --from: follow it to this state, such as h0.")
@option(
    "--compare", type=SomeOf(tuple(CELLS)), help="Draw several cells in one picture, on one scale."
)
@option("--plumbing", is_flag=True, help="With --detail op: draw slices, joins and reshapes too.")
@option("--rankdir", type=OneOf(("LR", "TB")), default="LR", help="Time runs right, or down.")
@option(
    "--theme",
    type=OneOf(tuple(THEMES)),
    default="light",
    section=LOOK,
    help="Color theme [default: light].",
)
@option(
    "--aspect",
    type=OneOf(tuple(ASPECTS)),
    default="16:9",
    section=LOOK,
    help="Aspect ratio [default: 16:9].",
)
@option(
    "--width",
    type=Integer(480, 8000),
    default=1280,
    section=LOOK,
    help="Width in pixels [default: 1280].",
)
@option(
    "--font-size",
    type=Number(above=0),
    default=12.5,
    section=LOOK,
    help="Size of the smallest text [default: 12.5].",
)
@option(
    "--legend",
    type=OneOf(LEGENDS),
    default="auto",
    section=LOOK,
    help="Explain the styles that occur in the picture, none, or all [default: auto].",
)
@option("--build", type=FOLDER, section=OUTPUT, help="Write frames for slides to FOLDER.")
@in_format(viz.FORMATS)
@TO_FILE
@QUIET
def render(
    options: dict[str, Any],
    source: str,
    window: str | None,
    begin: str | None,
    end: str | None,
    compare: tuple[str, ...] | None,
    build: str | None,
    format: str | None,
    output: str | None,
    quiet: bool,
    **look: Any,
) -> None:
    """Draw a network unrolled over time, with the gradient that flows back.

    SOURCE is a built-in task (see micrornn list), which takes the network and data options; FILE.py:NAME,
    where NAME is a tensor or a function without arguments that returns one; a recording (.mrn, - for stdin);
    or a checkpoint (.npz). Without -o and -T, the picture is drawn as text; with -T alone, it goes to stdout.

    \b
    auto          gates, or cells where gates do not fit; operations in text
    layer         each layer once, with its loop and the factor per step
    cell, gate    one column per step, with the finding as the title
    op, scalar    one box per operation or number, with the ledger of weights

    \b
    Examples:
      micrornn render hello
      micrornn render hello --cell lstm -o hello.svg
      micrornn render hello --cell lstm --detail gate -o gates.svg
      micrornn render hello --compare rnn,lstm,gru --steps 20 -o compare.png
      micrornn render hello -o hello.gif
      micrornn render hello --build slides
      micrornn render stocks --csv prices.csv --column close --steps 20 --window 15:20 -o prices.png
      micrornn render net.py:loss -T svg > loss.svg
    """
    from micrornn.tasks.source import resolve
    from micrornn.tasks.unrolled import parse_window
    from viz.picture import recording_of
    from viz.picture.frames import remark as remark_on
    from viz.render import ANIMATIONS, write_whole

    if begin is None and end is not None:
        raise ValueError("--to needs --from: a path has two ends, as in --from L3 --to h0")
    ends = parse_window(window) if window is not None else None
    if compare:
        _compare(source, options, compare, output, format, quiet, look)
        return
    if build is not None:
        _build(source, options, build, quiet, look)
        return
    path, format = destination(output, format, viz.FORMATS)
    with working(f"drawing {source}", quiet):
        unrolled = resolve(source, options)
        thing = drawn_from(source, options, unrolled, look["detail"], format)
        look["window"] = unrolled.window(*ends) if ends else None
        look["ends"] = (begin, end) if begin is not None else None
        targets = dict(zip((loss.step for loss in unrolled.losses), unrolled.labels))
        content = viz.render(
            thing,
            format=format,
            title=unrolled.title + " · steps inferred" * bool(unrolled.inferred),
            targets={step: text.strip("'\"") for step, text in targets.items() if step is not None},
            **look,
        )
    if not quiet:
        for remark in unrolled.remarks:
            say(remark)
        if format in ANIMATIONS and (
            left_out := remark_on(recording_of(unrolled.graph), look["width"])
        ):
            say(left_out)
    if path is not None:
        write_whole(Path(path), content)
    else:
        emit_file(content, format)
    if not quiet and (path or not is_terminal(sys.stdout)):  # in a terminal the picture says it
        say(f"{f'wrote {path}' if path else source}: {unrolled.summary()}")


def drawn_from(
    source: str, options: dict[str, Any], unrolled: Unrolled, detail: str, format: str | None
) -> Any:
    """What to draw of a source: its loss, or its recording where the graph does not hold everything."""
    from micrornn.tasks.source import recorded
    from viz.render import ANIMATIONS, PICTURED

    cells = detail in PICTURED and format in (None, "svg", "png", *ANIMATIONS)
    played = format == "html" and detail in ("auto", "cell")
    # Only a recording holds what is behind a cut, what each weight received, and what was recomputed.
    if played or unrolled.recomputed or (cells and any(map(is_cut, unrolled.graph))):
        return unrolled.recording or recorded(source, options).recording
    return unrolled.loss


def _compare(
    source: str,
    options: dict[str, Any],
    cells: tuple[str, ...],
    output: str | None,
    format: str | None,
    quiet: bool,
    look: dict[str, Any],
) -> None:
    """Draw a source with several cells, one row each."""
    from micrornn.tasks.source import recorded
    from viz.picture import comparison
    from viz.png import pixels_of
    from viz.render import write_whole

    formats = ("svg", "png", "html")
    path, format = destination(output, format or (None if output else "svg"), formats)
    if format == "html":
        _look(look).refuse("a page")
    with working(f"drawing {source}", quiet):
        runs = {cell: recorded(source, {**options, "cell": cell}) for cell in cells}
        subtitle = next(iter(runs.values())).title.partition(":")[0]
        recordings = {NAMES.get(cell, cell): run.recording for cell, run in runs.items()}
        content: str | bytes
        if format == "html":
            from viz.page.player import player

            content = player(recordings, subtitle)
        else:
            content = comparison(
                recordings,
                f"{subtitle}: gradient of the last loss at each earlier state, on one scale",
                _look(look),
            )
    if format == "png":
        content = pixels_of(str(content), 2 * look["width"])
    if path is None:
        emit_file(content, format)
        return
    write_whole(Path(path), content)
    if not quiet:
        say(f"wrote {path}")


def _build(
    source: str, options: dict[str, Any], build: str, quiet: bool, look: dict[str, Any]
) -> None:
    """Write the frames of a picture, 01-forward.svg and so on."""
    from micrornn.tasks.source import recorded
    from viz.picture.frames import frames
    from viz.picture.frames import remark as remark_on
    from viz.render import write_whole

    folder = Path(build)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with working(f"drawing {source}", quiet):
        run = recorded(source, options)
        for count, frame in enumerate(frames(run.recording, run.title, _look(look)), 1):
            write_whole(folder / f"{count:02}-{frame.stage}.svg", frame.svg)
    if not quiet:
        left_out = remark_on(run.recording, look["width"])
        say(f"wrote {count} frames to {folder}" + (f": {left_out}" if left_out else ""))


def _look(options: dict[str, Any]) -> Look:
    return Look(**{field.name: options[field.name] for field in fields(Look)})
