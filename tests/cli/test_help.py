"""Help, list, version, completion: what a newcomer sees first."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import Result

import cli
import micrornn
from micrornn.tasks import SOURCES

Run = Callable[..., Result]
Drawn = list[dict[str, Any]]
# Commands whose examples are run by tests of their own, on the files that they need.
ELSEWHERE = ("train", "generate", "evaluate", "decode")


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *cli.main.commands])
def test_help_everywhere_with_an_example(run: Run, command: str, flag: str) -> None:
    result = run(*filter(None, [command, flag]))
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"^  Examples?:\n    micrornn ", result.stdout, re.MULTILINE)
    assert "\b" not in result.stdout


LOADED = [cli.main, *(command.loaded() for command in cli.LATER)]


def examples() -> list[str]:
    texts = [command.help or "" for command in LOADED if command.name not in ELSEWHERE]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [re.split(r" {2,}", line)[0] for line in lines if line.startswith("micrornn ")]


@pytest.mark.parametrize("example", examples())
def test_the_examples_work(run: Run, drawn: Drawn, folder: Path, example: str) -> None:
    prices = "".join(f"{day},{100 + day}\n" for day in range(30))
    (folder / "prices.csv").write_text(f"day,close\n{prices}", encoding="utf-8")
    program = "import net\n\n\ndef main():\n    net.loss().backward()\n"
    (folder / "train.py").write_text(program, encoding="utf-8")
    words = shlex.split(example.split(" > ")[0])
    result = run(*words[1:])
    assert result.exit_code == 0, result.stderr


def test_no_arguments_is_help(run: Run) -> None:
    assert run().stdout == run("-h").stdout


def test_every_option_is_explained() -> None:
    for command in LOADED:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{command.name} {parameter.name}"


def test_list_names_the_sources_and_their_options(run: Run) -> None:
    result = run("list")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(SOURCES)
    for source, name, options in zip(SOURCES.values(), lines[::2], lines[1::2]):
        assert name.split(maxsplit=1) == [source.name, source.description]
        assert re.findall(r"--([\w-]+)", options) == [
            option.replace("_", "-") for option in source.options()
        ]
        assert len(name) - len(source.description) == len(options) - len(options.lstrip())


def test_the_page_names_every_command() -> None:
    page = (Path(cli.__file__).parent / "docs" / "commands.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[?`micrornn (\w+)", page, re.MULTILINE)) == set(cli.main.commands)


def test_the_options_in_the_list_work(run: Run, drawn: Drawn) -> None:
    for line in run("list").stdout.splitlines()[1::2]:
        source = list(SOURCES)[len(drawn)]
        words = re.sub(r"--\w+ \.\.\. ?", "", line).split()
        assert run("render", source, *words).exit_code == 0


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"micrornn {micrornn.__version__}\n"


def complete(*words: str) -> list[str]:
    *arguments, incomplete = words
    shell = ShellComplete(cli.main, {}, "micrornn", "_MICRORNN_COMPLETE")
    items = shell.get_completions(list(arguments), incomplete)
    return [item.value if item.type == "plain" else item.type for item in items]


def test_completion() -> None:
    assert complete("re") == ["record", "render"]
    assert complete("render", "h") == ["hello"]
    assert complete("render", "") == list(SOURCES)
    assert complete("render", "net.p") == ["file"]
    assert complete("render", "hello", "--cell", "l") == ["lstm"]
    assert complete("render", "hello", "-o", "") == complete("render", "--csv", "a") == ["file"]
    assert "--window" in complete("render", "hello", "--w")


HEAVY = {"matplotlib", "rich", "graphviz", "resvg_py", "textual", "prompt_toolkit"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [(["-h"], {"numpy", "micrornn", "viz", *HEAVY}), (["render", "-h"], HEAVY)],
)
def test_help_loads_little(arguments: list[str], unwanted: set[str]) -> None:
    """The list of commands needs no library at all, that of a command's options none that draws."""
    program = (
        f"import sys, cli\ntry: cli.main({arguments})\nexcept SystemExit: pass\n"
        f"print(sorted({unwanted} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(cli.__file__).parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.splitlines()[-1] == "[]"
