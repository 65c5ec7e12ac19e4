"""What type checkers and editors are told of operations is what was declared: two generated stubs.

python -m pytest tests/engine/test_stubs.py --regenerate
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import micrornn
from micrornn.core.operators import FUNCTIONS, Operators
from micrornn.core.primitive import Primitive

HERE = Path(micrornn.__file__).parent
HEADER = (
    "# Generated from the declarations of the operations: tests/engine/test_stubs.py --regenerate\n"
)
PROPERTIES = {"T": "Self", "mT": "Self", "ndim": "int", "size": "int", "dtype": "np.dtype[Any]"}
PLAIN = {"Any", "None", "bool", "float", "int", "str", "list", "tuple"}


def annotation(given: Any, itself: str) -> str:
    """An annotation in the words of a stub: builtins as they are, tensors as ``itself``, all else Any."""
    text = "Any" if given is inspect.Parameter.empty else str(given)
    text = re.sub(r"\bTensor\b", itself, text)
    if itself == "Self":  # the class has a method called float
        text = re.sub(r"\bfloat\b", "builtins.float", text)
    known = all(word in PLAIN | {itself, "builtins"} for word in re.findall(r"\w+", text))
    return text if known else "Any"


def signature(name: str, function: Callable[..., Any], itself: str, method: bool) -> str:
    """``def name(...) -> ...: ...`` as the function declares it, or for a primitive its rules."""
    primitive = getattr(function, "primitive", None)
    if name.startswith("__r") or name in (
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__eq__",
        "__ne__",
    ):
        takes, returns = ["self", "other: Any"], itself if name.startswith("__r") else "Any"
    elif primitive is not None:
        takes, returns = arguments_of(primitive), itself
    else:
        declared = inspect.signature(function)
        takes = [parameter(p, itself) for p in declared.parameters.values()]
        returns = annotation(declared.return_annotation, itself)
    if method:
        takes = ["self", *takes[1:]] if not takes[0].startswith("*") else ["self", *takes]
    if name.startswith("__"):
        takes = ["other: Any" if t == "b: Any" else t for t in takes]
    return f"def {name}({', '.join(takes)}) -> {returns}: ..."


def arguments_of(p: Primitive) -> list[str]:
    """What an operation takes: the names in its rule, rule(g, y, *inputs, **params)."""
    if callable(p.vjp):
        return ["*inputs: Any", "**params: Any"]
    _, _, *given = inspect.signature(p.vjp[0]).parameters.values()
    inputs, params = given[: len(p.vjp)], given[len(p.vjp) :]
    return (
        [parameter(x, "Tensor") for x in inputs]
        + (["*"] if params else [])
        + [f"{x.name}: Any" for x in params]
    )


def parameter(p: inspect.Parameter, itself: str) -> str:
    """One parameter, as a stub writes it."""
    mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    default = "" if p.default is p.empty else f" = {p.default!r}"
    return f"{mark}{p.name}: {annotation(p.annotation, itself)}{default}"


def operators() -> str:
    """The stub of core/operators.py."""
    lines = [
        *(HEADER, "import builtins", "from collections.abc import Callable, Sequence"),
        "from typing import Any",
        *("", "import numpy as np", "from typing_extensions import Self", ""),
        *("FUNCTIONS: dict[str, Callable[..., Any]]", "NUMPY: dict[Any, Callable[..., Any]]", ""),
        "def offer(",
        "    function: Callable[..., Any],",
        '    methods: str = "",',
        "    numpy: Sequence[Callable[..., Any]] = (),",
        *(") -> None: ...", "", "class Operators:"),
    ]
    for name, member in sorted(vars(Operators).items()):
        if isinstance(member, property):
            lines += [
                "    @property",
                f"    def {name}(self) -> {PROPERTIES.get(name, 'Any')}: ...",
            ]
        elif callable(member):
            lines.append("    " + signature(name, member, "Self", method=True))
    return "\n".join(lines) + "\n"


def functions() -> str:
    """The stub of ops/__init__.py."""
    lines = [HEADER, "from typing import Any", "", "from micrornn.core.tensor import Tensor", ""]
    lines += ["__all__ = [", *[f'    "{name}",' for name in sorted(FUNCTIONS)], "]", ""]
    lines += [
        signature(name, FUNCTIONS[name], "Tensor", method=False) for name in sorted(FUNCTIONS)
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("file", "stub"),
    [("core/operators.pyi", operators), ("ops/__init__.pyi", functions)],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_the_stub_is_what_was_declared(
    file: str, stub: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    path = HERE / file
    if request.config.getoption("--regenerate"):
        path.write_text(stub(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == stub(), (
        "an operation was declared or changed: run this test with --regenerate, and commit the stub"
    )
