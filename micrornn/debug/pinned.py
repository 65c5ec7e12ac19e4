"""What was found at the cursor, as the text of a test for pytest."""

from __future__ import annotations

import json
import math
import os
import re
import textwrap
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.debug.origin import Origin
from micrornn.flow.series import label
from micrornn.recording import Recording, RecordingError

WRITTEN_OUT = (
    32  # numbers of an array that a test lists; of a larger one, some of them and the norm
)
SOME = 8
WIDE = 88
SINGLE, DOUBLE = 1e-3, 1e-6  # how far a number may be off: by rounding, on another machine

OPENING = '"""Pinned in micrornn\'s debugger:'
TEMPLATE = '''\
{opening} {label} of {source}.

It fails when {kinds} changes. If that is because a bug was mended, pin it again.
"""
{imports}

RTOL = {rtol:g}  # of the largest element


def test_{name}():
    rec = {run}
    node = {node}
    assert ({facts}) == ({expected})
{checks}


def close(actual, wanted):
    largest = np.max(np.abs(wanted), where=np.isfinite(wanted), initial=0.0)
    np.testing.assert_allclose(actual, wanted, rtol=RTOL, atol=RTOL * largest)
'''


def pinned(rec: Recording, node: Tensor, origin: Origin, folder: str) -> str:
    """The text of a test that records the origin again, and compares a node's value and gradient.

    Args:
        folder: where the test will be, from which files are named.
    """
    name, value, gradient = label(node), rec.value(node), rec.gradient(node)
    files = is_file(origin.source)
    imports = ["", "from pathlib import Path"] if files else []
    imports += ["", "import numpy as np", "", f"from {LOAD if is_recording(origin) else RUN}"]
    if files:
        imports += ["", "HERE = Path(__file__).parent"]
    single = any(getattr(x, "dtype", np.dtype(float)).itemsize < 8 for x in (value, gradient))
    digits = 5 if single else 10
    checks = _compared("rec.value(node)", value, digits)
    if gradient is not None:
        checks += _compared("rec.gradient(node)", gradient, digits)
    facts: dict[str, Any] = {"node.step": node.step, "node.shape": node.shape}
    if node.primitive is not None:
        facts = {"node.primitive.name": node.primitive.name, **facts}
    return TEMPLATE.format(
        opening=OPENING,
        label=name,
        source=os.path.basename(origin.source) if files else origin.source,
        kinds="its value or its gradient" if gradient is not None else "its value",
        imports="\n".join(imports),
        rtol=SINGLE if single else DOUBLE,
        name=test_name(name),
        run=_run(origin, folder),
        node=_found(rec, node),
        facts=", ".join(facts),
        expected=", ".join(_literal(x) for x in facts.values()),
        checks="\n".join(checks),
    )


RUN = "micrornn.tasks.source import recorded"
LOAD = "micrornn.recording import load_recording"


def is_file(source: str) -> bool:
    """Whether a source is in a file, and not built in."""
    return source.endswith(".mrn") or ".py:" in source or os.path.exists(source)


def is_recording(origin: Origin) -> bool:
    """Whether it is a saved recording."""
    return origin.source.endswith(".mrn")


def test_name(words: str) -> str:
    """A label as part of a name in Python.

    >>> test_name("h[3]"), test_name("rnn.weight_hh_l0")
    ('h_3', 'rnn_weight_hh_l0')
    """
    return re.sub(r"\W+", "_", words).strip("_").lower()


def _run(origin: Origin, folder: str) -> str:
    source = _quoted(origin.source)
    if is_file(origin.source):
        source = f'f"{{HERE}}/{os.path.relpath(origin.source, folder)}"'.replace(os.sep, "/")
    if is_recording(origin):
        return f"load_recording({source})"
    given = ", ".join(f"{_quoted(k)}: {_literal(v)}" for k, v in origin.options.items())
    options = f", {{{given}}}" if given else ""
    return f"recorded({source}{options}).recording"


def _found(rec: Recording, node: Tensor) -> str:
    """How the test finds the node: by the shortest name that means it alone, else by its place."""
    step = "" if node.step is None else f"[{node.step}]"
    for name in (f"{node.name}{step}", f"{node.scope}/{node.name}{step}") if node.name else ():
        try:
            if rec.node(name) is node:
                return f"rec.node({_quoted(name)})"
        except RecordingError:
            continue
    return f"rec.nodes[{next(i for i, n in enumerate(rec.nodes) if n is node)}]"


def _compared(what: str, wanted: Any, digits: int) -> list[str]:
    array = np.asarray(wanted, dtype=float)
    if array.size <= WRITTEN_OUT:
        return _call(what, _listed(array.tolist(), digits))
    at = np.unique(np.linspace(0, array.size - 1, SOME).astype(int)).tolist()
    some = [array.flat[i] for i in at]
    return [
        *_call(f"np.linalg.norm({what})", f"{float(np.linalg.norm(array)):.{digits}g}"),
        *_call(f"np.ravel({what})[{at}]", _listed(some, digits)),
    ]


def _call(actual: str, wanted: str) -> list[str]:
    """``close(actual, wanted)``; on several lines where one would be long."""
    line = f"    close({actual}, {wanted})"
    if len(line) <= WIDE:
        return [line]
    wrapped = textwrap.wrap(
        wanted, WIDE, initial_indent=" " * 8, subsequent_indent=" " * 9, break_long_words=False
    )
    return ["    close(", f"        {actual},", *wrapped[:-1], f"{wrapped[-1]},", "    )"]


def _listed(numbers: Any, digits: int) -> str:
    if isinstance(numbers, list):
        return f"[{', '.join(_listed(x, digits) for x in numbers)}]"
    return f"{numbers:.{digits}g}" if math.isfinite(numbers) else f'float("{numbers}")'


def _literal(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
