"""``micrornn list``: what is built in."""

from __future__ import annotations

import click

from micrornn.tasks import SOURCES
from micrornn.tasks.source import flags


@click.command("list")
def list_sources() -> None:
    """Name the built-in sources, with the options that each takes and their defaults.

    \b
    Example:
      micrornn list
    """
    for source in SOURCES.values():
        click.echo(f"{source.name:9} {source.description}\n{'':9} {flags(source)}")
