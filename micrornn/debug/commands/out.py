"""What leaves the debugger: recordings, pictures, pages, tables. Whoever runs the cursor does the writing."""

from __future__ import annotations

import os
from collections.abc import Iterator

from micrornn.debug.cursor import MAIN, Cursor
from micrornn.debug.errors import DebuggerError
from micrornn.debug.origin import Origin
from micrornn.debug.pinned import pinned, test_name
from micrornn.debug.registry import Effect, Outcome, command
from micrornn.flow.roles import STATES

PICTURES = ("svg", "png", "html", "dot", "txt", "pdf")
TABLES = ("csv", "json")


def _file(text: str, endings: tuple[str, ...], example: str) -> str:
    path = text.strip().strip("'\"")
    ending = path.rpartition(".")[2].lower()
    if not path:
        raise DebuggerError(f"to which file? For example: {example}")
    if ending not in endings or "." not in path:
        raise DebuggerError(f"{path}: end the name in .{' or .'.join(endings)}")
    return path


@command("save", group="other", usage="save FILE.mrn", example="save run.mrn", takes="files")
def save(cursor: Cursor, text: str) -> Outcome:
    """Keep the recording (of this branch) in a file; micrornn debug FILE.mrn opens it again."""
    path = _file(text, ("mrn",), "save run.mrn")
    return Outcome(lines=[f"wrote {path}"], data={"file": path}, effects=(Effect("save", path),))


@command("render", group="other", usage="render FILE", example="render now.svg", takes="files")
def render(cursor: Cursor, text: str) -> Outcome:
    """Draw the graph with the gradients as far as they have come: svg, png, html, dot, txt or pdf."""
    path = _file(text, PICTURES, "render now.svg")
    return Outcome(lines=[f"wrote {path}"], data={"file": path}, effects=(Effect("render", path),))


@command("page", group="other", usage="page FILE.html", example="page now.html", takes="files")
def page(cursor: Cursor, text: str) -> Outcome:
    """Write the page that plays backward, opened at the cursor; its address is in the answer."""
    path = _file(text, ("html",), "page now.html")
    place = _reached(cursor)
    address = f"{path}#find={place}" if place else path
    return Outcome(
        lines=[f"wrote {path}; open {address}"],
        data={"file": path, "address": address},
        effects=(Effect("page", path),),
    )


def _reached(cursor: Cursor) -> str:
    """The last state whose gradient had come when the cursor stood where it stands, as ``h3``; else ""."""
    line, position = cursor.line, cursor.state.position
    for node in reversed(line.nodes[: position + 1]):
        if node.name in STATES and node.step is not None:
            return f"{node.name}{node.step}"
    return ""


@command(
    *("export",),
    group="other",
    usage="export FILE | export pytest [FILE] [NAME]",
    example="export turns.csv",
    takes="files",
)
def export(cursor: Cursor, text: str) -> Outcome:
    """Write every turn with its step, scope, operation and gradient norm as a table: csv or json.

    export pytest writes a test instead: it records the same source again and compares the present node's
    value and gradient (or those of NAME) with what they are now, so that a bug once found stays found. A
    run that no source makes again is saved beside the test.
    """
    words = text.split()
    if words[:1] == ["pytest"]:
        return _pin(cursor, words[1:])
    path = _file(text, TABLES, "export turns.csv, or export pytest")
    return Outcome(lines=[f"wrote {path}"], data={"file": path}, effects=(Effect("export", path),))


def _pin(cursor: Cursor, words: list[str]) -> Outcome:
    """The effects of ``export pytest [FILE] [NAME]``."""
    named = [word for word in words if not word.endswith(".py")]
    if len(words) - len(named) > 1 or len(named) > 1:
        raise DebuggerError(
            "write export pytest, export pytest test_h.py, or export pytest test_h.py h[3]"
        )
    if cursor.state.branch != MAIN:
        raise DebuggerError(
            f"{cursor.state.branch} is a what-if, which no source computes; switch main, then pin"
        )
    node = cursor.places.node(named[0].removesuffix(".grad")) if named else cursor.moment.node
    own = test_name(cursor.places.label(node))
    path = next((word for word in words if word.endswith(".py")), f"test_{own}.py")
    folder = os.path.dirname(os.path.abspath(path))
    effects: list[Effect] = []
    lines = [f"wrote {path}; run it: python -m pytest {path}"]
    origin = cursor.origin
    if origin is None:
        kept = path.removesuffix(".py") + ".mrn"
        effects.append(Effect("save", kept))
        origin = Origin(kept)
        lines.append(
            f"it reads the run from {kept}: to run the program again instead, debug it by "
            "micrornn debug FILE.py:NAME"
        )
    effects.append(Effect("write", path, pinned(cursor.rec, node, origin, folder)))
    return Outcome(lines=lines, data={"file": path}, effects=tuple(effects))


HEAD = ("turn", "number", "label", "op", "step", "scope", "norm", "max", "sign")


def rows(cursor: Cursor) -> Iterator[list[object]]:
    """What `export` writes, under `HEAD`: one row for each turn of the present branch and direction."""
    line, columns = cursor.line, cursor.line.columns
    for i, node in enumerate(line.nodes):
        place = [cursor.places.number(node), cursor.places.label(node)]
        facts = [float(columns.norm[i]), float(columns.max[i]), columns.sign[i]]
        yield [i + 1, *place, columns.op[i], node.step, node.scope, *facts]
