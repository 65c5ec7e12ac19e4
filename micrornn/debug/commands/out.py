"""What leaves the debugger: recordings, pictures, pages, tables. Whoever runs the cursor does the writing."""

from __future__ import annotations

from collections.abc import Iterator

from micrornn.debug.cursor import Cursor
from micrornn.debug.errors import DebuggerError
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


@command("export", group="other", usage="export FILE", example="export turns.csv", takes="files")
def export(cursor: Cursor, text: str) -> Outcome:
    """Write every turn with its step, scope, operation and gradient norm as a table: csv or json."""
    path = _file(text, TABLES, "export turns.csv")
    return Outcome(lines=[f"wrote {path}"], data={"file": path}, effects=(Effect("export", path),))


HEAD = ("turn", "number", "label", "op", "step", "scope", "norm", "max", "sign")


def rows(cursor: Cursor) -> Iterator[list[object]]:
    """What `export` writes, under `HEAD`: one row for each turn of the present branch and direction."""
    line, columns = cursor.line, cursor.line.columns
    for i, node in enumerate(line.nodes):
        place = [cursor.places.number(node), cursor.places.label(node)]
        facts = [float(columns.norm[i]), float(columns.max[i]), columns.sign[i]]
        yield [i + 1, *place, columns.op[i], node.step, node.scope, *facts]
