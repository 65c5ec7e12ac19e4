"""The house rules, kept by reading the source: who may import whom, what an import may load, how
long a file may be, what has to be documented. Every check is a function of a folder, so that the
last part of this file can show, on small offending packages, that each of them can fail.
"""

from __future__ import annotations

import ast
import configparser
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

# ---------------------------------------------------------------------------------- the rules

#: Imports run one way. Each line lists what may be imported from left to right, never back.
HOUSE = ("cli", "viz", "micrornn")
ENGINE = ("debug", "diagnose", "flow", "recording", "core")

#: What the core may import of the house: it is read in one sitting, and all that a learner needs.
CORE = {"core", "ops"}

#: The parts of the engine that read the graph or build on it. All the others make and differentiate
#: the graph, and know nothing of these.
READERS = (
    "nn",
    "optim",
    "data",
    "tasks",
    "check",
    "compiler",
    "recording",
    "flow",
    "diagnose",
    "debug",
    "training",
    "sweep",
    "cost",
    "grade",
    "course",
    "torch",
    "schedules",
    "views",
)

#: Imports that break a rule and are wanted all the same: (module, imported module) -> the reason.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("micrornn.__main__", "cli"): "python -m micrornn is the command; nothing imports it",
}

#: What may be loaded, beyond the standard library, by importing each part of the house.
LOADS = {
    "micrornn": {"micrornn", "numpy"},
    "viz": {"viz", "micrornn", "numpy"},
    "cli": {"cli", "viz", "micrornn", "numpy", "click"},
}

LONGEST_FILE = 400  # lines. About 300 are read in one sitting; a longer file holds two ideas.
PRODUCT_FILES = {".py", ".html", ".css", ".js", ".ts", ".tsx"}

# ----------------------------------------------------------------------------- reading imports


class Import(NamedTuple):
    """One module named by another: ``module`` imports ``imported`` in line ``line``."""

    module: str
    imported: str
    line: int
    typing_only: bool  # under `if TYPE_CHECKING:`, so never run


def modules(root: Path) -> dict[str, Path]:
    """Every module of the house below ``root``, by its dotted name."""
    files = [path for part in HOUSE for path in sorted((root / part).rglob("*.py"))]
    files += [path for part in HOUSE if (path := root / f"{part}.py").is_file()]
    names = {}
    for path in files:
        parts = path.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(root: Path) -> list[Import]:
    """Every import in the house, those inside functions and by ``import_module`` as well."""
    known = modules(root)
    found = []
    for name, path in known.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node, typing_only in nodes(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            for imported in named(node, package, known):
                line: int = getattr(node, "lineno", 0)
                found.append(Import(name, imported, line, typing_only))
    return found


def nodes(tree: ast.AST, typing_only: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes below ``tree``, and whether each stands under ``if TYPE_CHECKING:``."""
    for child in ast.iter_child_nodes(tree):
        yield child, typing_only
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for branch, only in ((child.body, True), (child.orelse, typing_only)):
                for statement in branch:
                    yield statement, only
                    yield from nodes(statement, only)
        else:
            yield from nodes(child, typing_only)


def named(node: ast.AST, package: str, known: dict[str, Path]) -> list[str]:
    """The modules that one statement imports, by absolute name."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = package.split(".")
            parents = parents[: len(parents) - node.level + 1]
            base = ".".join([*parents, base] if base else parents)
        # `from package import module` imports the module; `from module import name` the module.
        inner = [f"{base}.{alias.name}" for alias in node.names]
        return [name if name in known else base for name in inner]
    if isinstance(node, ast.Call) and node.args:
        function = ast.unparse(node.func).rpartition(".")[2]
        argument = node.args[0]
        if function in {"import_module", "__import__"} and isinstance(argument, ast.Constant):
            return [str(argument.value)]
    return []


# ---------------------------------------------------------------------------------- the checks


def wrong_imports(root: Path, exceptions: dict[tuple[str, str], str] = EXCEPTIONS) -> list[str]:
    """The imports that go against the rules above, one sentence each."""
    wrong = []
    for item in imports(root):
        if (item.module, item.imported) not in exceptions and (reason := broken_rule(item)):
            wrong.append(f"{item.module}, line {item.line}, imports {item.imported}: {reason}")
    return sorted(set(wrong))


def broken_rule(item: Import) -> str | None:
    """The rule that one import breaks, or None."""
    house, imported_house = item.module.split(".")[0], item.imported.split(".")[0]
    if against(HOUSE, house, imported_house):
        return f"imports run {' -> '.join(HOUSE)}"
    if (house, imported_house) != ("micrornn", "micrornn"):
        return None
    part, imported_part = second(item.module), second(item.imported)
    if not part:
        return None  # the front door, micrornn/__init__.py, opens every room
    if not imported_part:
        return "inside the engine, import a name from the module that defines it"
    if against(ENGINE, part, imported_part):
        return f"imports run {' -> '.join(ENGINE)}"
    if part == "core" and imported_part not in CORE:
        return f"the core imports NumPy, and of the house only {' and '.join(sorted(CORE))}"
    if part not in READERS and imported_part in READERS:
        return f"what makes the graph knows nothing of its readers ({', '.join(READERS)})"
    return None


def circles(root: Path) -> list[list[str]]:
    """The groups of modules that import each other, directly or around; those inside functions and for
    type checkers count as well."""
    known = modules(root)
    graph: dict[str, set[str]] = {name: set() for name in known}
    for item in imports(root):
        if item.imported in known:
            graph[item.module].add(item.imported)

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph[waiting.pop()] - found
            found |= new
            waiting.extend(new)
        return found

    below = {name: reached(name) for name in known}
    groups = {
        tuple(sorted({other for other in below[name] if name in below[other]}))
        for name in known
        if name in below[name]
    }
    return [list(group) for group in sorted(groups)]


def against(order: tuple[str, ...], importing: str, imported: str) -> bool:
    """Whether an import goes from right to left in ``order``."""
    both = importing in order and imported in order
    return both and order.index(imported) < order.index(importing)


def second(module: str) -> str:
    """``graph`` for ``micrornn.graph``, ``ops`` for ``micrornn.ops.unary``, '' for ``micrornn``."""
    return module.partition(".")[2].partition(".")[0]


LOADED = """
import json, sys
before = set(sys.modules)
import {part}
new = {{name.split(".")[0] for name in set(sys.modules) - before}}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""


def loaded_too_much(root: Path, part: str) -> set[str]:
    """What ``import part`` loads, in a fresh Python, beyond the standard library and the rule.

    Modules that NumPy loads (its accelerators, say) are NumPy's.
    """

    def loads(name: str) -> set[str]:
        command = [sys.executable, "-c", LOADED.format(part=name)]
        run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, f"`import {name}` failed:\n{run.stderr}"
        return set(json.loads(run.stdout))

    return loads(part) - LOADS[part] - loads("numpy")


def too_long(root: Path) -> list[str]:
    """The product files over the limit, with their number of lines."""
    long = []
    for path in product_files(root):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            long.append(f"{path.relative_to(root)} has {lines} lines; the limit is {LONGEST_FILE}")
    return long


def product_files(root: Path) -> list[Path]:
    """What is installed, as far as people write it: Python, and the files of the web page."""
    below = [path for part in HOUSE for path in sorted((root / part).rglob("*"))]
    below += [root / f"{part}.py" for part in HOUSE]
    written = [path for path in below if "node_modules" not in path.parts]
    return [path for path in written if path.suffix in PRODUCT_FILES and path.is_file()]


def size_of_core(root: Path) -> tuple[int, int, int]:
    """Files, lines of code (without blank lines, comments and docstrings), and lines of the core."""
    files = sorted((root / "micrornn" / "core").glob("*.py"))
    code = lines = 0
    for path in files:
        source = path.read_text(encoding="utf-8")
        lines += len(source.splitlines())
        bare: set[int] = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
                first = node.body[0]
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    bare.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
        skipped = {
            tokenize.COMMENT,
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
        }
        held: set[int] = set()
        for token in tokenize.generate_tokens(iter(source.splitlines(True)).__next__):
            if token.type not in skipped | {tokenize.ENDMARKER}:
                held.update(range(token.start[0], token.end[0] + 1))
        code += len(held - bare)
    return len([path for path in files if path.name != "__init__.py"]), code, lines


def undocumented(root: Path) -> list[str]:
    """Modules, and their public functions and classes, that have no docstring."""
    missing = []
    for name, path in modules(root).items():
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        if not ast.get_docstring(tree):
            missing.append(f"{name} (the module)")
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            overload = any(ast.unparse(one).endswith("overload") for one in node.decorator_list)
            if not (node.name.startswith("_") or overload or ast.get_docstring(node)):
                missing.append(f"{name}.{node.name}, line {node.lineno}")
    return missing


#: "50 %" and f"{share} %", but not the remainder in 5 % 2, 7 % n and 7 % len(x).
LOOSE_PERCENT = re.compile(r"(?:\b[\d.,]*\d|\}) %(?! (?:\d|\w\b|\w+[(\[.]|\())")


def loose_percents(root: Path) -> list[str]:
    """Lines that write a percentage with a space before its sign."""
    texts = [*root.glob("*.md"), *(root / "docs").glob("*.md"), *root.glob("micrornn/**/*.md")]
    return [
        f"{path.relative_to(root)}:{i}"
        for path in sorted([*product_files(root), *texts])
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LOOSE_PERCENT.search(line)
    ]


# -------------------------------------------------------------------------- the house as it is


def test_imports_run_one_way() -> None:
    assert modules(ROOT), "no module of the house was found"
    assert wrong_imports(ROOT) == []


def test_there_is_no_circle_of_imports() -> None:
    assert circles(ROOT) == []


def test_every_exception_is_still_needed() -> None:
    made = {(item.module, item.imported) for item in imports(ROOT)}
    assert set(EXCEPTIONS) - made == set()


@pytest.mark.parametrize("part", LOADS)
def test_import_loads_nothing_of_weight(part: str) -> None:
    assert loaded_too_much(ROOT, part) == set()


def test_import_leaves_the_analysis_for_when_it_is_used() -> None:
    later = {f"micrornn.{part}" for part in ("flow", "diagnose", "compiler", "tasks")}
    code = f"import sys, micrornn; print({later} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n", "import micrornn became slower: a module is imported too early"


def test_files_are_read_in_one_sitting() -> None:
    assert product_files(ROOT), "no product file was found"
    assert too_long(ROOT) == []


def test_the_core_is_read_in_one_sitting() -> None:
    files, code, lines = size_of_core(ROOT)
    assert files <= 6 and code <= 600 and lines <= 1000, (files, code, lines)


def test_everything_public_has_a_docstring() -> None:
    assert undocumented(ROOT) == []


def test_percent_signs_touch_their_numbers() -> None:
    assert loose_percents(ROOT) == []


def test_the_version_is_the_same_everywhere() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    source = (ROOT / "micrornn" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{settings["metadata"]["version"]}"' in source.splitlines()


# ------------------------------------------------------------------- and that each check can fail


def house(folder: Path, files: dict[str, str]) -> Path:
    """A made-up house of these files; folders become packages."""
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        for parent in path.relative_to(folder).parents:
            if parent.name:
                (folder / parent / "__init__.py").touch()
    return folder


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("micrornn/core/graph.py", "import viz", "imports run cli -> viz -> micrornn"),
        ("micrornn/trap.py", "def f():\n    from viz import render", "imports run cli -> viz"),
        ("micrornn/trap.py", "import importlib\nimportlib.import_module('viz')", "imports run cli"),
        ("viz/scene.py", "if TYPE_CHECKING:\n    import cli", "imports run cli -> viz -> micrornn"),
        (
            "micrornn/recording.py",
            "from micrornn.flow.why import f",
            "imports run debug -> diagnose -> flow",
        ),
        (
            "micrornn/flow/why.py",
            "from ..debug.words import f",
            "imports run debug -> diagnose -> flow",
        ),
        ("micrornn/core/backward.py", "from micrornn import cotangent", "only core and ops"),
        (
            "micrornn/core/graph.py",
            "if TYPE_CHECKING:\n    from .. import recording",
            "diagnose -> flow",
        ),
        ("micrornn/ops/sums.py", "from micrornn.nn import Module", "knows nothing of its readers"),
        ("micrornn/nn/cells.py", "import micrornn as mr", "the module that defines it"),
        ("micrornn/nn/cells.py", "from .. import tensor", "the module that defines it"),
    ],
)
def test_wrong_imports_are_found(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    names = ("micrornn/cotangent.py", "micrornn/recording.py", "viz/svg.py", "cli.py")
    found = wrong_imports(house(tmp_path, {**dict.fromkeys(names, ""), file: source}))
    assert len(found) == 1, found
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("cli.py", "import micrornn as mr\nimport viz\nimport click"),
        ("viz/scene.py", "import micrornn as mr\nfrom micrornn.recording import load"),
        ("micrornn/recording.py", "from micrornn.core.backward import f\nfrom .core import graph"),
        ("micrornn/core/graph.py", "import numpy as np\nfrom micrornn.core.backward import f"),
        ("micrornn/__init__.py", "from micrornn.debug import f\nfrom .core.graph import Graph"),
        ("micrornn/nn/cells.py", "import numpy as np\nfrom micrornn.core.tensor import Tensor"),
    ],
)
def test_right_imports_pass(tmp_path: Path, file: str, source: str) -> None:
    names = ("micrornn/core/graph.py", "micrornn/core/backward.py", "viz/svg.py", "cli.py")
    assert wrong_imports(house(tmp_path, {**dict.fromkeys(names, ""), file: source})) == []


@pytest.mark.parametrize(
    "back",
    [
        "from micrornn.tensor import Tensor",
        "def f():\n    from micrornn.tensor import Tensor",
        "if TYPE_CHECKING:\n    from micrornn.tensor import Tensor",
        "from micrornn import words",
    ],
)
def test_a_circle_is_found_however_it_is_imported(tmp_path: Path, back: str) -> None:
    files = {
        "micrornn/tensor.py": "from micrornn import context",
        "micrornn/context.py": "from micrornn.primitive import f",
        "micrornn/primitive.py": back,
        "micrornn/words.py": "import micrornn.tensor",
        "micrornn/graph.py": "import micrornn.tensor, micrornn.primitive",
    }
    (group,) = circles(house(tmp_path, files))
    assert {"micrornn.tensor", "micrornn.context", "micrornn.primitive"} <= set(group)
    assert "micrornn.graph" not in group
    assert circles(house(tmp_path / "straight", {**files, "micrornn/primitive.py": ""})) == []


def test_an_exception_covers_one_import_only(tmp_path: Path) -> None:
    source = "def show():\n    import viz\n    import cli\n"
    offending = house(tmp_path, {"micrornn/graph.py": source, "viz/svg.py": "", "cli.py": ""})
    found = wrong_imports(offending, {("micrornn.graph", "viz"): "a notebook shows a graph"})
    assert len(found) == 1
    assert "imports cli" in found[0]


def test_a_heavy_import_is_found(tmp_path: Path) -> None:
    offending = house(
        tmp_path,
        {
            "micrornn/__init__.py": "from micrornn import graph",
            "micrornn/graph.py": "import numpy, json, heavy",
            "heavy.py": "",
        },
    )
    assert loaded_too_much(offending, "micrornn") == {"heavy"}


def test_an_import_of_numpy_and_the_standard_library_passes(tmp_path: Path) -> None:
    light = house(tmp_path, {"micrornn/__init__.py": "import numpy, json, asyncio"})
    assert loaded_too_much(light, "micrornn") == set()


def test_a_long_file_is_found(tmp_path: Path) -> None:
    offending = house(tmp_path, {"viz/svg.py": "pass\n" * 400, "cli.py": "pass\n" * 401})
    assert too_long(offending) == ["cli.py has 401 lines; the limit is 400"]


def test_a_loose_percent_sign_is_found(tmp_path: Path) -> None:
    offending = house(
        tmp_path,
        {
            "viz/svg.py": "i = 5 % 2\nwords = f'{i} %'\n",
            "viz/page/src/a.tsx": "const rest = 7 % n;\n<b>{rest} %</b>;\n",
            "docs/a.md": "50% of it,\nand 50 % of it; `i % 2`\n",
        },
    )
    assert loose_percents(offending) == ["docs/a.md:2", "viz/page/src/a.tsx:2", "viz/svg.py:2"]


def test_stored_results_are_compared_and_written(tmp_path: Path) -> None:
    """The fixture ``golden``, in a small test folder of its own, with and without the flag."""
    for name in ("conftest.py", "warm.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path)
    stored = tmp_path / "golden" / "a" / "text.txt"
    test = "def test_it(golden): golden('a/text.txt', {!r})\n"

    def outcome(content: str | bytes, *flags: str) -> str:
        (tmp_path / "test_it.py").write_text(test.format(content), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir=."]
        command += ["-o", "pythonpath=.", *flags]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        return run.stdout.splitlines()[-1].strip("= ").split(" in ")[0] + run.stdout

    assert "There is no stored result a/text.txt" in outcome("one\ntwo\n")
    assert not stored.exists()
    side_by_side = ["-n", "2"] if importlib.util.find_spec("xdist") else []
    assert outcome("one\ntwo\n", "--regenerate", *side_by_side).startswith("1 passed")
    assert stored.read_bytes() == b"one\ntwo\n"
    assert outcome("one\ntwo\n").startswith("1 passed")
    failed = outcome("one\n2\n", *side_by_side)
    assert failed.startswith("1 failed")
    assert "\n-two\n+2\n" in failed and "--regenerate" in failed
    assert "Only the line ends differ" in outcome("one\r\ntwo\r\n")
    assert "The first byte that differs is number 3" in outcome(b"one\xff")


def test_the_size_of_a_core_is_counted(tmp_path: Path) -> None:
    source = '"""A module."""\n\nX = (\n    1\n)  # one\n\n# why\ndef f():\n    """Does."""\n    return X\n'
    files = {"micrornn/core/__init__.py": '"""The core."""\n', "micrornn/core/a.py": source}
    assert size_of_core(house(tmp_path, files)) == (1, 5, 11)


def test_a_missing_docstring_is_found(tmp_path: Path) -> None:
    source = (
        '"""A module."""\n\ndef _hidden(): pass\n\nclass Shown:\n    pass\n\n'
        '@overload\ndef f(): ...\n\ndef f():\n    """Says what it does."""\n'
    )
    engine = {"micrornn/__init__.py": '"""The engine."""', "micrornn/graph.py": source}
    offending = house(tmp_path, engine)
    assert undocumented(offending) == ["micrornn.graph.Shown, line 5"]
