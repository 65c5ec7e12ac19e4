"""How a tensor, a graph or a recording shows itself in a notebook: as text, as SVG, and as HTML.

Registered as the view ``notebook`` of micrornn, so it is loaded when a notebook asks for one and never
before.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.flow.roles import STATES
from micrornn.recording import Recording
from micrornn.recording.run import handed_on
from viz import plots
from viz.render import render

MOST_NODES = 2000  # a notebook keeps what it shows: a larger graph would be megabytes of SVG
_DETAILS = ((300, "op"), (1000, "gate"), (MOST_NODES, "cell"))


def mimebundle(
    thing: Tensor | Graph | Recording,
    include: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
) -> dict[str, str]:
    """What IPython's protocol for rich display asks for: the same thing in several media types.

    A tensor is text as always, with the picture of what it was computed from. Of a graph of more than
    `MOST_NODES` nodes there is only text, which says how to draw it.

    Args:
        thing: what to show.
        include: only these media types, if given.
        exclude: none of these.

    >>> import micrornn as mr
    >>> sorted(mimebundle(mr.tanh(mr.Value(0.5, "a"))))
    ['image/svg+xml', 'text/html', 'text/plain']
    >>> sorted(mimebundle(mr.tensor([1.0, 2.0])))
    ['text/plain']
    """
    if isinstance(thing, Recording):
        return overview(thing, include, exclude)
    ways: dict[str, Callable[[], str]] = {"text/plain": lambda: repr(thing)}
    graph = thing if isinstance(thing, Graph) else Graph(thing)
    if len(graph) > MOST_NODES:
        ways["text/plain"] = lambda: _too_large(thing, graph)
    elif isinstance(thing, Graph) or thing.inputs:
        named = any(node.name in STATES and node.step for node in graph)
        over_time = named or bool(handed_on(graph))
        detail = next(word for most, word in _DETAILS if len(graph) <= most)
        detail = "auto" if over_time else detail
        ways["image/svg+xml"] = lambda: _draw(graph, "svg", detail)
        # Wide pictures scroll in their cell; nothing here has an id or a style of its own.
        ways["text/html"] = lambda: (
            f'<div style="overflow-x: auto">{_draw(graph, "svg", detail)}</div>'
        )
        if isinstance(thing, Graph):
            ways["text/plain"] = lambda: _draw(graph, "txt", "cell").rstrip()
    wanted = set(ways) if include is None else set(include) & set(ways)
    return {kind: ways[kind]() for kind in ways if kind in wanted - set(exclude or ())}


def overview(
    rec: Any, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
) -> dict[str, str]:
    """The same for a recording: where its gradient goes, in text, and the picture with its finding.

    Where there is nothing to be seen over time, or backward has not run, it is one line of text.
    """
    ways: dict[str, Callable[[], str]] = {"text/plain": lambda: repr(rec)}
    try:
        answer = plots.read("all", rec)
    except ValueError:  # says which steps, names or passes are missing: of no use unasked
        pass
    else:
        ways = {
            "text/plain": lambda: f"{rec}\n\n{answer.text()}".rstrip(),
            "image/svg+xml": lambda: str(render(rec, format="svg")),
            "text/html": lambda: frame(str(render(rec, format="html"))),
        }
    wanted = set(ways) if include is None else set(include) & set(ways)
    return {kind: ways[kind]() for kind in ways if kind in wanted - set(exclude or ())}


def frame(page: str) -> str:
    """A page within a page: it keeps its own style and program, and survives a conversion of the notebook."""
    return (
        '<iframe sandbox="allow-scripts allow-downloads" style="width: 100%; height: 640px; border: 0" '
        f'title="The backward pass" srcdoc="{escape(page)}"></iframe>'
    )


class Shown:
    """What a file holds, as IPython displays it: see `show`."""

    def __init__(self, bundle: dict[str, str]) -> None:
        self._bundle = bundle

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self._bundle


def show(path: str | Path) -> Shown:
    """Show a picture or a page that a command wrote, as the last line of a notebook's cell.

    The notebook keeps what it shows, so that it can be sent to somebody without the file.

    Args:
        path: a file that ends in .svg, .png, .gif or .html.

    Raises:
        ValueError: it ends in something else.
        OSError: it is not there.

    >>> show("picture.tiff")
    Traceback (most recent call last):
    ValueError: cannot show picture.tiff; give a file that ends in .svg, .png, .gif or .html
    """
    file = Path(path)
    kind = file.suffix.lstrip(".").lower()
    if kind == "svg":
        return Shown({"image/svg+xml": file.read_text(encoding="utf-8")})
    if kind in ("png", "gif"):
        return Shown({f"image/{kind}": b64encode(file.read_bytes()).decode()})
    if kind == "html":
        page = frame(file.read_text(encoding="utf-8"))
        return Shown({"text/html": page, "text/plain": f"the page {file}"})
    raise ValueError(f"cannot show {file}; give a file that ends in .svg, .png, .gif or .html")


def _draw(graph: Graph, format: str, detail: str) -> str:
    return str(render(graph, format=format, detail=detail))


def _too_large(thing: Tensor | Graph, graph: Graph) -> str:
    head = repr(thing) if isinstance(thing, Tensor) else f"graph of {len(graph)} nodes"
    steps = [t for t in graph.steps if t > 0]
    window = f", window=({steps[0]}, {min(steps[0] + 9, steps[-1])})" if steps else ""
    return (
        f"{head}\n{len(graph):,} nodes are too many to draw unasked; "
        f'viz.render(it, "picture.svg", detail="cell"{window}) draws them into a file'
    )
