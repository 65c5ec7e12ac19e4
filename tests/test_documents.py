"""What the documents say is true, also where doctest does not look: links and pictures lead
somewhere, the map names what is there, and every command that is shown runs.

Commands are taken from fenced blocks marked ``sh`` (every line is a command) and ``console`` (lines
after ``$`` are commands, the others are their output, which is compared; ``...`` stands for
anything). All commands of a document run in its order in one folder of their own, in which

- a ``python`` block whose first line is ``# name.py`` is written to that file, and run,
- the folder ``examples`` is a copy of the project's.

A document that begins with ``<!-- needs: PACKAGE -->`` is skipped where the package is missing.

Not run are lines of set-up and of work on the checkout (``NOT_RUN``), and blocks right after a
comment ``<!-- not run: the reason -->``. Everything else has to succeed.
"""

from __future__ import annotations

import configparser
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from warm import Warm

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
LESSONS = (ROOT / "micrornn" / "course").glob("*.md")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *LESSONS])

#: Lines that are not run from here, by what they contain or begin with, and why.
NOT_RUN = {
    r"\bpip install\b": "sets up an environment; .ci/run does that",
    r"^(\S*/)?python3? -m (pytest|mypy|ruff)\b": "would run these tests inside themselves",
    r"^(pytest|mypy|ruff|pre-commit|git|\.ci/run)\b": "works on the checkout",
}
#: Run by tests/test_examples.py, which checks more; here only where the document shows what it prints.
EXAMPLE = re.compile(r"python examples/\w+\.py")
LONGEST_RUN = 300  # seconds, for one command


class Block(NamedTuple):
    """A fenced block: its language, its lines, and the reason not to run it, if one is given."""

    language: str
    lines: list[str]
    not_run: str | None


class Command(NamedTuple):
    """A line for the shell, and the output that the document shows for it, if any."""

    line: str
    output: str | None


# --------------------------------------------------------------------------- reading documents


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document, in order."""
    found, reason = [], None
    lines = iter(text.splitlines())
    for line in lines:
        if fence := re.match(r"\s*(```+|~~~+)\s*([\w-]*)", line):
            body = []
            for inner in lines:
                if inner.strip() == fence[1]:
                    break
                body.append(inner)
            found.append(Block(fence[2], body, reason))
        comment = re.fullmatch(r"\s*<!-- not run: (.+) -->\s*", line)
        reason = comment[1] if comment else reason if not line.strip() else None
    return found


def prose(text: str) -> str:
    """The document without fenced blocks and inline code, in which links are not links."""
    outside = re.sub(r"(?ms)^\s*(```+|~~~+).*?^\s*\1\s*$", "", text)
    return re.sub(r"`[^`\n]*`", "", outside)


def targets(text: str) -> list[str]:
    """Where the links and pictures of a document lead."""
    text = prose(text)
    return [
        *re.findall(r"\]\(<?([^)\s>]+)", text),
        *re.findall(r"(?m)^\[[^\]]+\]:\s*(\S+)", text),
        *re.findall(r"""(?:src|href|srcset)=["']([^"']+)""", text),
    ]


def anchors(text: str) -> set[str]:
    """The names under which a document's headings can be linked to."""
    headings = re.findall(r"(?m)^#+ +(.+?)\s*$", re.sub(r"(?ms)^```.*?^```", "", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def broken_links(document: Path) -> list[str]:
    """The links of a document that lead nowhere, but for those that leave the project."""
    broken = []
    for target in targets(document.read_text(encoding="utf-8")):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        linked = path.read_text(encoding="utf-8") if path.suffix == ".md" and path.is_file() else ""
        if not path.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(f"{document.name}: {target} leads nowhere")
    return broken


def commands(block: Block) -> list[Command]:
    """The commands of one block with their output; a backslash joins a line to the next."""
    if block.language == "sh":
        joined = re.sub(r"\\\n\s*", "", "\n".join(block.lines))
        return [Command(s, None) for line in joined.splitlines() if (s := line.strip())]
    found: list[Command] = []
    for line in re.sub(r"\\\n(> )?\s*", "", "\n".join(block.lines)).splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:].strip(), None))
        elif found and (line.strip() or found[-1].output):
            command, output = found[-1]
            found[-1] = Command(command, f"{output or ''}{line}\n")
    return found


def work_of(document: str) -> Iterator[tuple[str, Command]]:
    """What is to be done, in order: ``("write", ...)`` a file, or ``("run", ...)`` a command."""
    for block in blocks(document):
        if block.not_run:
            continue
        if block.language == "python" and (name := file_name(block)):
            yield "write", Command(name, "\n".join(block.lines) + "\n")
            yield "run", Command(f"python {name}", None)
        elif block.language in {"sh", "console"}:
            for command in commands(block):
                elsewhere = command.output is None and EXAMPLE.fullmatch(command.line)
                if not (command.line.startswith("#") or not_run(command.line) or elsewhere):
                    yield "run", command


def file_name(block: Block) -> str | None:
    """``net.py`` for a block that begins with the line ``# net.py``."""
    first = re.fullmatch(r"# ([\w./-]+\.py)", block.lines[0].strip()) if block.lines else None
    return first[1] if first else None


def not_run(line: str) -> str | None:
    """Why a line is not run, or None when it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, line)), None)


def unchecked(document: str) -> list[str]:
    """Blocks that look like something to run and that nothing runs."""
    wrong = []
    for block in blocks(document):
        first = block.lines[0] if block.lines else ""
        if block.language in {"bash", "shell", "zsh", "shell-session"}:
            wrong.append(f"{first!r}: mark commands as sh or console")
        if block.language in {"", "text"} and re.match(r"(\$ )?micrornn ", first):
            wrong.append(f"{first!r}: mark commands as sh or console")
        if block.language in {"python", "py", "pycon"} and not (
            block.not_run
            or any(line.lstrip().startswith(">>> ") for line in block.lines)
            or (block.language == "python" and file_name(block))
        ):
            wrong.append(f"{first!r}: begin with '>>>' or with '# name.py'")
    return wrong


# --------------------------------------------------------------------------- running commands


def run_document(document: str, folder: Path, warm: Warm | None = None) -> list[str]:
    """Do all that a document says, in ``folder``; the complaints, where something goes wrong."""
    environment = prepare(folder, warm)
    complaints = []
    for kind, command in work_of(document):
        if kind == "write":
            path = folder / command.line
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(command.output or "", encoding="utf-8")
        elif complaint := run(command, folder, environment):
            complaints.append(complaint)
    return complaints


def run(command: Command, folder: Path, environment: dict[str, str]) -> str | None:
    """Run one line in a shell, as a reader would; None when it did what the document says."""
    done = subprocess.run(
        [shutil.which("bash") or "sh", "-c", command.line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_RUN,
    )
    if done.returncode:
        return f"$ {command.line}\n{done.stdout}ended with exit code {done.returncode}"
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    shown = command.output
    if shown is None or doctest.OutputChecker().check_output(shown, done.stdout, options):
        return None
    return f"$ {command.line}\nshould print\n{shown}but prints\n{done.stdout}"


def prepare(folder: Path, warm: Warm | None) -> dict[str, str]:
    """The folder and the environment of a reader who has installed the project.

    With a warm process, programs run in forks of it, but for sweeps, which start workers of their own.
    """
    if (ROOT / "examples").is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=ignored)
    tools = folder.parent / f"{folder.name}-tools"
    tools.mkdir()
    start = "import cli\n\nif __name__ == '__main__':\n    cli.main()\n"
    (tools / "program").mkdir()
    (tools / "program" / "micrornn").write_text(start, encoding="utf-8")
    shims = {"micrornn": f"'{tools}/program/micrornn' ", "python": "", "python3": ""}
    quick = {"micrornn": 'sweep) ;; *) exec "$0-warm"', "python": '*.py) exec "$0-warm"'}
    for name, program in shims.items():
        text = f"exec '{sys.executable}' {program}\"$@\"\n"
        if warm and name in quick:
            warm.client(tools / f"{name}-warm", name)
            text = f'case "$1" in {quick[name]} "$@";; esac\n{text}'
        (tools / name).write_text(f"#!/bin/sh\n{text}")
        (tools / name).chmod(0o755)
    places = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": os.pathsep.join(place for place in places if place),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }


# -------------------------------------------------------------------- the documents as they are


def test_the_readme_begins_with_the_picture() -> None:
    assert re.match(r"(!\[|<img|<picture|<p )", README.read_text(encoding="utf-8"))


def test_the_readme_shows_the_two_set_up_commands_first_and_each_in_one_line() -> None:
    first, second = [b for b in blocks(README.read_text(encoding="utf-8")) if b.language][:2]
    assert len(first.lines) == len(second.lines) == 1, "each set-up command is one line"
    new = r"python3 -m venv \.venv && \.venv/bin/pip install "
    assert re.fullmatch(new + r"\. && \.venv/bin/micrornn render hello -o \S+", first.lines[0])
    assert re.fullmatch(
        new + r"-e '\.\[test\]' && \.venv/bin/python -m pytest -n auto", second.lines[0]
    )
    assert {first.language, second.language} == {"sh"}


def test_the_map_names_what_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    text = next(b for b in blocks(page) if b.language == "text")
    shown = mapped(text.lines)
    missing = [name for name in shown if not (ROOT / name).exists()]
    assert missing == [], "the map shows what does not exist"
    there = [
        f"{part}/{path.name}" + ("/" if path.is_dir() else "")
        for part in ("micrornn", "viz")
        for path in sorted((ROOT / part).iterdir())
        if path.suffix == ".py" or (path / "__init__.py").is_file()
        if not path.name.startswith("_")
    ]
    assert [name for name in there if name not in shown] == [], "the map lacks what exists"


def mapped(lines: list[str]) -> list[str]:
    """The paths on the map: names up to two spaces, those indented stand in the folder above."""
    shown: list[str] = []
    folder = ""
    for line in lines:
        names = re.split(r" {2,}", line.strip())[0].split()
        if not line.startswith(" "):
            folder = names[0] if names and names[0].endswith("/") else ""
            shown += names
        else:
            shown += [folder + name for name in names]
    return shown


def test_the_readme_says_why_each_dependency_is_there() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = settings["options"]["install_requires"].split()
    lines = README.read_text(encoding="utf-8").splitlines()
    for requirement in wanted:
        name = re.split(r"[<>=!~;\[]", requirement)[0]
        assert [line for line in lines if line.startswith(f"- [{name}](")], f"{name} has no line"


def overlooked(module: ModuleType) -> list[tuple[str, object]]:
    """The functions of a module, with examples, that another module's function has made: primitives.

    doctest finds a function only in the module whose text defines it, and there under its own name.
    """
    found: list[tuple[str, object]] = []
    for name, value in vars(module).items():
        if inspect.isfunction(value) and ">>> " in (value.__doc__ or ""):
            home = value.__globals__
            ours = str(home.get("__name__")).partition(".")[0] in {"micrornn", "viz"}
            if ours and home is not vars(module) and home.get(value.__name__) is not value:
                found.append((f"{module.__name__}.{name}", value))
    return found


def test_examples_that_doctest_overlooks() -> None:
    """The docstrings of what is made by assignment are examples too."""
    seen: dict[int, str] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for part in ("micrornn", "viz"):
        package = importlib.import_module(part)
        modules = pkgutil.walk_packages(package.__path__, f"{part}.")
        names = [one.name for one in modules]
        if not find_spec("torch"):
            names = [name for name in names if not name.startswith("micrornn.torch")]
        for module in map(importlib.import_module, names):
            for name, value in overlooked(module):
                if seen.setdefault(id(value), name) == name:
                    text, names = inspect.getdoc(value) or "", vars(module).copy()
                    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
                    runner.run(test, out=report.append)
    assert seen, "none was found, though the primitives are made by assignment"
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(document: Path) -> None:
    assert broken_links(document) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_programs_run(document: Path, tmp_path: Path, warm: Warm | None) -> None:
    text = document.read_text(encoding="utf-8")
    assert unchecked(text) == []
    if (needed := re.match(r"<!-- needs: (\w+) -->", text)) and not find_spec(needed[1]):
        pytest.skip(f"{needed[1]} is not installed; .ci/run has it")
    folder = tmp_path / "reader"
    folder.mkdir()
    complaints = run_document(text, folder, warm)
    assert not complaints, "\n\n".join(complaints)


def test_the_main_job_of_the_readme_runs(tmp_path: Path) -> None:
    """The end of the first set-up command, which is not run with the rest of the document."""
    line = blocks(README.read_text(encoding="utf-8"))[0].lines[0]
    job = line.split(" && ")[-1].replace(".venv/bin/", "")
    folder = tmp_path / "reader"
    folder.mkdir()
    assert run_document(f"```sh\n{job}\n```\n", folder) == []
    assert (folder / job.split()[-1]).stat().st_size > 0


# ------------------------------------------------------------------- and that each check can fail

SAMPLE = """
# A title, with `code`!

See [the readme](README.md), [nothing](missing.md), [here](#a-title-with-code), [no](#nowhere),
[out](https://example.org), `[not a link](gone.md)` and <img src="gone.png">.

```python
# net.py
print(sum([1, 2]))
```

```console
$ cat net.py | \\
> head -n 1
# net.py
$ python net.py
3
$ printf 'one\\ntwo\\n'
one
...
```

<!-- not run: it needs a printer -->

```sh
lpr net.py
```

```sh
pip install net
python -m pytest
# a remark
```
"""


def test_examples_of_what_is_made_by_assignment_are_found() -> None:
    maker, user = ModuleType("micrornn.maker"), ModuleType("micrornn.user")
    source = """
def defined():
    '>>> 1 + 1'

def make():
    def made():
        '>>> 1 + 1'
    return made
"""
    exec(source, vars(maker))
    exec("def own():\n    '>>> 1 + 1'", vars(user))
    vars(user).update(defined=maker.defined, add=maker.make(), where=os.path.join)
    assert [name for name, _ in overlooked(user)] == ["micrornn.user.add"]
    assert overlooked(maker) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    document = tmp_path / "sample.md"
    document.write_text(SAMPLE, encoding="utf-8")
    broken = [line.split()[1] for line in broken_links(document)]
    assert broken == ["missing.md", "#nowhere", "gone.png"]


def test_only_what_is_excluded_by_a_stated_rule_is_not_run() -> None:
    lines = [command.line for kind, command in work_of(SAMPLE) if kind == "run"]
    assert lines == [
        "python net.py",
        "cat net.py | head -n 1",
        "python net.py",
        "printf 'one\\ntwo\\n'",
    ]


def test_a_true_document_passes(tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    assert run_document(SAMPLE, folder) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```sh\nexit 3\n```", "ended with exit code 3"),
        ("```sh\nno-such-program-anywhere\n```", "ended with exit code 127"),
        ("```console\n$ echo 1\n2\n```", "should print\n2\nbut prints\n1\n"),
        ("```python\n# net.py\nraise SystemExit(4)\n```", "ended with exit code 4"),
    ],
)
def test_a_false_document_does_not(tmp_path: Path, text: str, complaint: str) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    (found,) = run_document(text, folder)
    assert complaint in found


@pytest.mark.parametrize(
    "text", ["```python\nprint(1)\n```", "```bash\nls\n```", "```\nmicrornn render hello\n```"]
)
def test_a_block_that_nothing_runs_is_found(text: str) -> None:
    assert len(unchecked(text)) == 1


def test_the_map_is_read_as_it_is_drawn() -> None:
    lines = ["a/      the first", "  b.py c/   two of them", "d.py    a file", "  "]
    assert mapped(lines) == ["a/", "a/b.py", "a/c/", "d.py"]
