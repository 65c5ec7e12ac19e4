"""``micrornn course``: the lessons, in the terminal or as notebooks."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from viz.commands.console import destination, emit_text, is_terminal, say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, FOLDER, Integer

WIDTH = 80


@click.command(cls=Command)
@click.argument("number", type=Integer(1, 13), required=False)
@option("--start", type=FOLDER, section=OUTPUT, help="Write lessons and notebooks to FOLDER.")
@option(
    "--map", "picture", type=FILE, section=OUTPUT, help="Draw a map of the ideas of the course."
)
def course(number: int | None, start: str | None, picture: str | None) -> None:
    """List the lessons of the course, or print lesson NUMBER.

    Thirteen lessons lead from a loop to why an LSTM forgets, and to what came after 2020. Each has a
    question, a prediction to make first, the derivation beside the graph, exercises, and what people do in
    practice.

    \b
    Examples:
      micrornn course
      micrornn course 4
      micrornn course --start lessons
      micrornn course --map map.svg
    """
    from micrornn.course import LESSONS, lesson

    if start is not None:
        _write(Path(start))
    if picture is not None:
        _draw(picture)
    if start is not None or picture is not None:
        return
    if number is None:
        for one in LESSONS:
            emit_text(f"{one.number:2}  {one.title}\n    {one.question}", WIDTH)
        return
    text = lesson(number).text
    if not is_terminal(sys.stdout):
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=min(100, Console().width)).print(Markdown(text))


def _draw(target: str) -> None:
    """The map of the course; each idea is a link to its lesson beside the picture."""
    from viz.mindmap import WIDTH, draw
    from viz.png import ZOOM, pixels_of
    from viz.render import write_whole

    path, format = destination(target, None, ("svg", "png"))
    svg = draw(lambda idea: f"{idea.lesson.name}.md#{idea.section}")
    if path is None:
        click.echo(svg, nl=False)
        return
    write_whole(path, svg if format == "svg" else pixels_of(svg, round(ZOOM * WIDTH)))
    links = "; its links lead to lessons beside it (--start)" if format == "svg" else ""
    say(f"wrote {path}{links}")


def _write(folder: Path) -> None:
    """Each lesson as a notebook, in both forms, and the exercises of the grader."""
    from micrornn.course import LESSONS, myst, notebook
    from micrornn.data.tables import counted
    from micrornn.grade.files import start
    from micrornn.grade.problem import CELLS
    from viz.render import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{one.name}.md": myst(one.text) for one in LESSONS}
    texts |= {f"{one.name}.ipynb": notebook(one) for one in LESSONS}
    kept = 0
    for name, text in texts.items():
        if (folder / name).exists():  # it may hold the reader's work
            kept += 1
        else:
            write_whole(folder / name, text)
    for cell in CELLS:
        path = folder / f"exercise_{cell}.py"
        if path.exists():
            kept += 1
        else:
            start(path, cell)
    left = f"; kept {counted(kept, 'existing file')}" if kept else ""
    say(f"wrote {counted(len(texts) + len(CELLS) - kept, 'file')} to {folder}{left}")
