"""Help, list, version, completion: what a newcomer sees first."""

from __future__ import annotations

import json
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
from micrornn.tasks import TASKS
from viz.commands.help import SECTIONS

Run = Callable[..., Result]
Drawn = list[dict[str, Any]]
# Commands whose examples are run by tests of their own, on the files that they need.
ELSEWHERE = ("train", "sweep", "grade", "generate", "evaluate", "decode")


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *cli.main.commands])
def test_help_everywhere_with_an_example(run: Run, command: str, flag: str) -> None:
    result = run(*filter(None, [command, flag]))
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"^  Examples?:\n    micrornn ", result.stdout, re.MULTILINE)
    assert "\b" not in result.stdout


LOADED = [cli.main, cli.explain, *(command.loaded() for command in cli.LATER)]


def examples() -> list[str]:
    texts = [command.help or "" for command in LOADED if command.name not in ELSEWHERE]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [re.split(r" {2,}", line)[0] for line in lines if line.startswith("micrornn ")]


@pytest.mark.parametrize("example", examples())
def test_the_examples_work(run: Run, drawn: Drawn, folder: Path, example: str) -> None:
    prices = "".join(f"{day},{100 + day}\n" for day in range(30))
    (folder / "prices.csv").write_text(f"day,close\n{prices}", encoding="utf-8")
    program = "import net\n\n\ndef main():\n    net.loss().backward()\n\n\ntrain = main\n"
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


@pytest.mark.parametrize("command", LOADED, ids=lambda one: one.name)
def test_the_usage_names_an_argument_as_the_help_explains_it(command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and command.name != "help":
            [name] = re.findall(r"\w[\w.]*", parameter.make_metavar(click.Context(command)))
            assert re.search(rf"\b{re.escape(name)}\b", command.help or ""), name


def test_list_names_the_sources_and_their_options(run: Run) -> None:
    result = run("list")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(TASKS)
    for task, name, options in zip(TASKS.values(), lines[::2], lines[1::2]):
        assert name.split(maxsplit=1) == [task.name, task.summary]
        assert re.findall(r"--([\w-]+)", options) == [
            option.replace("_", "-") for option in task.options(view=True)
        ]
        assert len(name) - len(task.summary) == len(options) - len(options.lstrip())


def test_list_as_json(run: Run) -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert [one["name"] for one in listed] == list(TASKS)
    for one in listed:
        task = TASKS[one["name"]]
        assert one["options"] == task.options(view=True)
        assert one["trains"] == (task.module is not None)
        assert one["training_options"] == (task.options() if one["trains"] else {})


def sections(text: str) -> dict[str, set[str]]:
    """The options in each section of a help."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if re.fullmatch(r"\w[\w ]*:", line):
            found[line[:-1]] = set()
        elif match := re.match(r"  (?:-\w, )?(-[\w-]+)", line):
            list(found.values())[-1].add(match[1])
    return found


@pytest.mark.parametrize("command", ["render", "flow", "train", "debug"])
def test_the_help_has_the_options_of_the_command_first_and_the_rest_in_sections(
    run: Run, command: str
) -> None:
    found = sections(run(command, "-h").stdout)
    names = list(found)
    assert names == [n for n in ("Options", *(f"{s} options" for s in SECTIONS)) if n in names]
    assert {"--cell", "--hidden", "--seed"} <= found["Network options"]
    assert {"--text", "--csv", "--steps"} <= found["Data options"]
    assert found["Options"].isdisjoint({"--cell", "--text", "--quiet"})
    assert ("Training options" in found) == (command == "train")


@pytest.mark.parametrize("name", ["hello", "weather", "image"])
def test_the_help_of_a_task_has_its_own_options_with_their_defaults(run: Run, name: str) -> None:
    for command, view in (("train", False), ("render", True)):
        text = run(command, name, "--help").stdout
        assert text == run(command, "--help", name).stdout == run("help", command, name).stdout
        known = TASKS[name].options(view=view)
        found = sections(text)
        shown = found["Network options"] | found.get("Data options", set())
        assert {option[2:].replace("-", "_") for option in shown} == set(known)
        assert f"Width of the hidden state. [default: {known['hidden']}]" in " ".join(text.split())
        assert f"{name}: {TASKS[name].summary}." in text


def test_a_word_that_is_a_value_is_no_task(run: Run) -> None:
    assert run("render", "--text", "hello", "-h").stdout == run("render", "-h").stdout


def test_help_is_a_command(run: Run) -> None:
    assert run("help").stdout == run("-h").stdout
    assert run("help", "render").stdout == run("render", "-h").stdout
    wrong = run("help", "rendr")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("micrornn: no command 'rendr'; did you mean 'render'?")


def test_the_commands_are_in_groups(run: Run) -> None:
    text = run("-h").stdout
    grouped = [name for names in cli.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(cli.main.commands), "each is in one group"
    for heading, names in cli.GROUPS.items():
        block = text.split(f"{heading}:\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in block.splitlines()] == list(names)


def test_no_help_shows_how_a_bound_is_missing(run: Run) -> None:
    for command in cli.main.commands:
        assert "None" not in run(command, "-h").stdout


def test_the_page_names_every_command() -> None:
    page = (Path(cli.__file__).parent / "docs" / "commands.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[?`micrornn (\w+)", page, re.MULTILINE)) == set(cli.main.commands)


def test_the_options_in_the_list_work(run: Run, drawn: Drawn) -> None:
    for line in run("list").stdout.splitlines()[1::2]:
        source = list(TASKS)[len(drawn)]
        words = re.sub(r"--[\w-]+ \.\.\. ?", "", line).split()
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
    assert complete("render", "") == list(TASKS)
    assert complete("train", "") == [name for name, task in TASKS.items() if task.module]
    assert complete("render", "net.p") == ["file"]
    assert complete("render", "hello", "--cell", "l") == ["lstm", "lru"]
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
