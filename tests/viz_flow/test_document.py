"""The figures of docs/gradient-flow.md are what its commands draw, by their words."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

import cli

DOCS = Path(cli.__file__).resolve().parent / "docs"
TEXT = (DOCS / "gradient-flow.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(micrornn flow .*) -o (flow-\w+\.svg)$", TEXT, re.MULTILINE)
DRAWN = {name: command for command, name in COMMANDS}


def words(picture: bytes | str) -> list[str]:
    return [text.strip() for text in xml.fromstring(picture).itertext() if text.strip()]


def test_every_stored_figure_is_drawn_and_shown() -> None:
    stored = {path.name for path in (DOCS / "pictures").glob("flow-*.svg")}
    assert stored == set(DRAWN) == set(re.findall(r"\(pictures/(flow-\w+\.svg)\)", TEXT))


@pytest.mark.parametrize("name", DRAWN)
def test_a_stored_figure_says_what_its_command_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main([*shlex.split(DRAWN[name])[1:], "-o", name, "-q"])
    assert not ended.value.code
    stored = (DOCS / "pictures" / name).read_text(encoding="utf-8")
    assert words((tmp_path / name).read_bytes()) == words(stored)
