"""``micrornn gallery``: every built-in network as pictures, and as a page that plays it; with an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple

import click

from micrornn.tasks import TASKS
from micrornn.tasks.network import CELLS
from viz.commands.console import say
from viz.commands.help import Command, option
from viz.commands.options import FOLDER, QUIET, OneOf
from viz.commands.progress import working
from viz.picture.theme import THEMES
from viz.render import PICTURED

DETAILS = ("auto", "layer", "cell", "gate", "op")


class Entry(NamedTuple):
    """One picture: a task with a cell, at a level of detail, in a theme if it takes one."""

    task: str
    cell: str
    detail: str
    theme: str

    @property
    def name(self) -> str:
        """Its file."""
        words = [self.task, self.cell, self.detail, self.theme]
        return "-".join(word for word in words if word) + ".svg"

    @property
    def page(self) -> str:
        """The file of the page that plays the network; the same for all levels and themes."""
        return "-".join(word for word in (self.task, self.cell) if word) + ".html"


def entries(themes: tuple[str, ...]) -> Iterator[Entry]:
    """Every task with every cell that it takes; the themes are for pictures of cells."""
    for task in TASKS.values():
        cells = tuple(CELLS) if "cell" in task.options(view=True) else ("",)
        for cell in cells:
            for detail in DETAILS:
                for theme in themes if detail in PICTURED else themes[:1]:
                    yield Entry(task.name, cell, detail, theme)


@click.command("gallery", cls=Command)
@click.argument("folder", type=FOLDER)
@option("--theme", "only", type=OneOf(tuple(THEMES)), help="One theme [default: light and dark].")
@option("--task", type=OneOf(tuple(TASKS)), help="One task [default: all].")
@QUIET
def gallery(folder: str, only: str | None, task: str | None, quiet: bool) -> None:
    """Draw every built-in network into FOLDER, with an index.html that shows them all.

    Each recurrent network also gets a page that plays its backward pass.

    \b
    Examples:
      micrornn gallery pictures --task hello
    """
    import numpy as np

    from micrornn.tasks.source import resolve
    from viz.commands.render import drawn_from
    from viz.render import render, takes_look, write_whole

    played: dict[str, bool] = {}  # by page, whether the network has one

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    themes = (only,) if only else ("light", "dark")
    drawn = []
    chosen = [entry for entry in entries(themes) if task in (None, entry.task)]
    # Some networks fail on purpose: their pictures say so, and NumPy need not warn of it.
    with np.errstate(all="ignore"), working("drawing the gallery", quiet, len(chosen)) as bar:
        for i, entry in enumerate(chosen, 1):
            options = {"cell": entry.cell} if entry.cell else {}
            unrolled = resolve(entry.task, options)
            thing = drawn_from(entry.task, options, unrolled, entry.detail, "svg")
            look = {"detail": entry.detail, "title": unrolled.title}
            if takes_look(thing, entry.detail):
                look["theme"] = entry.theme
            elif entry.theme == themes[0]:
                entry = entry._replace(theme="")
            else:
                bar.update(i)
                continue  # it is drawn already, and looks the same in every theme
            svg = render(thing, format="svg", **look)  # type: ignore[arg-type]
            write_whole(target / entry.name, svg)
            drawn.append((entry, unrolled.title))
            if entry.page not in played:
                played[entry.page] = _play(entry, options, target)
            bar.update(i)
    write_whole(target / "index.html", page(drawn, played))
    if not quiet:
        say(
            f"wrote {len(drawn)} pictures and {sum(played.values())} pages to {target / 'index.html'}"
        )


def _play(entry: Entry, options: Mapping[str, str], folder: Path) -> bool:
    """Write the page of a network; False where it has no states over time."""
    from micrornn.recording import RecordingError
    from micrornn.tasks.source import recorded
    from viz.page.player import player
    from viz.render import write_whole

    run = recorded(entry.task, options)
    try:
        content = player({"": run.recording}, run.title)
    except RecordingError:
        return False
    write_whole(folder / entry.page, content)
    return True


def page(drawn: list[tuple[Entry, str]], played: Mapping[str, bool]) -> str:
    """The page: a figure for each picture, with a link to the page that plays it."""

    def link(entry: Entry) -> str:
        return f' · <a href="{entry.page}">play</a>' if played.get(entry.page) else ""

    figures = "\n".join(
        f'<figure><a href="{entry.name}"><img loading="lazy" src="{entry.name}" alt="{escape(title)}"></a>'
        f"<figcaption>{escape(title)} ({', '.join(filter(None, entry[2:]))}){link(entry)}</figcaption>"
        "</figure>"
        for entry, title in drawn
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>micrornn: gallery</title>
<style>
body {{ font: 15px "DejaVu Sans", Verdana, sans-serif; margin: 24px; color: #1b2430; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 24px; }}
figure {{ margin: 0; }}
img {{ width: 100%; border: 1px solid #c3cad3; }}
figcaption {{ color: #5b6673; }}
</style></head><body><h1>micrornn: gallery</h1>
<main>
{figures}
</main></body></html>
"""
