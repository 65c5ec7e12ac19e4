"""From a tensor, a graph or a module to a picture: the one door to this package."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.files import written_whole
from micrornn.flow.series import layers
from micrornn.recording.observe import recalled, record
from micrornn.recording.passes import Pass
from micrornn.recording.run import Recording
from viz import picture
from viz.build import build
from viz.gradients import Gradients
from viz.layout import lay_out
from viz.picture import Look, scan
from viz.scene import computed_steps
from viz.shapes import Sheet

ANIMATIONS = ("gif", "webp", "apng")
PICTURED = ("auto", "layer", "cell", "gate")  # the levels of detail that `viz.picture` draws
_MOST_OPERATIONS = 500  # of a graph without time; a larger one is drawn by scope
FORMATS = ("svg", "png", "gif", "webp", "apng", "dot", "txt", "html", "pdf")


def render(
    thing: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    format: str | None = None,
    detail: str = "auto",
    gradients: bool | Gradients = True,
    steps: int | None = None,
    window: tuple[int, int] | None = None,
    rankdir: str = "LR",
    title: str = "",
    ends: tuple[str, str | None] | None = None,
    targets: Mapping[int, str] | None = None,
    theme: str = "light",
    aspect: str = "16:9",
    width: float = 1280.0,
    legend: str = "auto",
    font_size: float = 12.5,
    plumbing: bool = False,
) -> str | bytes:
    """Draw a computation graph with the gradient that flows through it.

    A network over time is drawn with the gradient of its last loss and what was found as the title: with
    ``detail="cell"`` cell by cell, with "gate" gate by gate where its cells have gates, with "layer" each
    layer once with its loop, and with "auto" as finely as fits on the sheet; see `viz.picture`. Anything else
    is drawn operation by operation.

    Args:
        thing: a recording, a tensor, a `Graph`, a list of tensors (the losses of all steps), or a module
            with its input as a pair.
        path: where to write; the file is replaced as a whole or not at all.
        format: one of `FORMATS`; by default what the path ends in, else svg. A gif, webp or apng is an
            animation: forward step by step, then backward.
        detail: auto, or one of `DETAILS`.
        gradients: run backward (leaving ``.grad`` alone) and show what flows; otherwise the picture says
            that backward has not run. What flowed may be given instead, as `viz.gradients.Gradients`.
        steps: show only the first so many steps.
        window: show only the steps from the first to the last of this pair.
        rankdir: "LR", time to the right, or "TB", time downwards.
        title: the network, its data, its seed.
        ends: show the gradient of the first place on its way to the second, such as ("L3", "h0").
        targets: by step, the target as text.
        theme: light, dark or print; this and the four below are for pictures of cells alone.
        aspect: 16:9, 4:3, page or free.
        width: of the sheet in pixels. A png has twice as many, an animation three quarters.
        legend: auto (what occurs), none, or full (every look).
        font_size: of the smallest text, in pixels.
        plumbing: at the level of op, draw slices, joins and changes of shape as well.

    Returns:
        The picture: bytes for png and pdf, otherwise text.

    Raises:
        TypeError: there is no graph in the thing.
        ValueError: an option or a place is unknown or does not apply, or a window holds no step.
        RuntimeError: pdf, and Graphviz is not installed.

    >>> import micrornn as mr
    >>> picture = render((mr.Value(2.0) * 3.0).tanh())
    >>> picture.startswith("<svg")
    True
    """
    kind = _format(format, path)
    recomputed: Mapping[int, int] = {}
    if isinstance(thing, Recording):
        recomputed = thing.recomputed
    else:
        thing, recomputed = recalled(graph_of(thing))
    if steps is not None:
        if steps < 1:
            raise ValueError(f"steps={steps}; give a number from 1 up")
        window = window or (1, steps)
    look = Look(theme, aspect, width, legend, font_size)
    told = _told(thing, recomputed, detail, kind, gradients, rankdir)
    if plumbing and (told is not None or detail not in ("auto", "op")):
        raise ValueError("slices and joins are boxes at the level of op only; add detail op")
    if told is not None:
        if kind == "html":
            look.refuse("a page")
        shown = _Shown(bool(gradients), window, ends or (None, None), targets)
        content = _picture(told, kind, title, detail, look, shown)
        if path is not None:
            write_whole(Path(path), content)
        return content
    if kind in ANIMATIONS:
        raise ValueError(
            f"a {kind} shows states over time, and there are none with a time step here"
        )
    look.refuse({"html": "a page", "txt": "text"}.get(kind, "a picture of operations"))
    once = _once(thing, detail, kind, gradients)
    if detail == "auto":
        detail = _finest(thing, kind)
    run = None
    if isinstance(thing, Recording):
        thing, run, gradients = _of_recording(thing, gradients)
    scene = build(thing, detail, gradients, window, _both(ends), run, plumbing, recomputed)
    if once is not None:
        from viz.text.rolled import write as write_rolled

        content = write_rolled(once, scene, str(title))
    else:
        content = _writer(kind)(lay_out(scene, rankdir), str(title))
    for (
        unit
    ) in scene.units:  # units and links hold each other: let the graph go when its owner does
        unit.inputs, unit.outputs = [], []
    if path is not None:
        write_whole(Path(path), content)
    return content


def takes_look(thing: Any, detail: str) -> bool:
    """Whether a picture of this at this level takes a theme and the like: it is drawn cell by cell.

    >>> import micrornn as mr
    >>> takes_look(mr.Value(2.0) * 3.0, "cell")
    False
    """
    recomputed: Mapping[int, int] = {}
    if not isinstance(thing, Recording):
        thing, recomputed = recalled(graph_of(thing))
    return _told(thing, recomputed, detail, "svg", True, "LR") is not None


def _told(
    thing: Recording | Graph,
    recomputed: Mapping[int, int],
    detail: str,
    kind: str,
    gradients: bool | Gradients,
    rankdir: str,
) -> Recording | None:
    """The recording to draw cell by cell; None if it is to be drawn otherwise, or has no states over time."""
    played = kind == "html" and detail in ("auto", "cell")
    cells = (detail in PICTURED and kind in ("svg", "png")) or kind in ANIMATIONS or played
    if not cells or isinstance(gradients, Gradients) or rankdir != "LR":
        return None
    rec = thing if isinstance(thing, Recording) else picture.recording_of(thing, recomputed)
    if detail == "gate" and kind in ("svg", "png") and not picture.gates_fit(rec):
        return None
    return rec if layers(rec) else None


def _finest(thing: Recording | Graph, kind: str) -> str:
    """Operations; or of a large graph without time one box for each scope, where it has several."""
    if kind == "txt" or isinstance(thing, Recording):
        return "op"
    large = len(thing) > _MOST_OPERATIONS and not computed_steps(thing)
    return "layer" if large and len({node.scope for node in thing if node.inputs}) > 1 else "op"


def _once(
    thing: Recording | Graph, detail: str, kind: str, gradients: bool | Gradients
) -> Recording | None:
    """The recording to write as text with each layer once; None if it is to be written otherwise."""
    if detail != "layer" or kind != "txt" or gradients is not True:
        return None
    rec = thing if isinstance(thing, Recording) else picture.recording_of(thing)
    return rec if layers(rec) and any(x.size == 1 for x in rec.losses) else None


def _both(ends: tuple[str, str | None] | None) -> tuple[str, str] | None:
    """Two ends, for a picture of operations.

    Raises:
        ValueError: only the first is given.
    """
    if ends is None:
        return None
    begin, end = ends
    if end is None:
        raise ValueError(f"--from {begin} needs --to in a picture of operations, as in --to h0")
    return begin, end


class _Shown(NamedTuple):
    """What of a recording is drawn; the arguments of `viz.picture.picture` by their names."""

    gradient: bool
    window: tuple[int, int] | None
    ends: tuple[str | None, str | None]
    targets: Mapping[int, str] | None


def _picture(
    rec: Recording, kind: str, title: str, detail: str, look: Look, shown: _Shown
) -> str | bytes:
    if kind == "html":
        from viz.page.player import player

        if not rec.passes and len(rec.graph.outs) == 1 and rec.graph.outs[0].size == 1:
            rec = record(rec.graph.outs[0])
        return player({"": rec}, title)
    if kind in ANIMATIONS:
        from viz.picture.frames import animation

        return animation(rec, title, look, shown.targets, kind)
    svg = None
    tree = scan.tree_of(rec) if detail in ("auto", "cell") and shown.window is None else None
    if tree is not None and tree.steps <= scan.MOST:
        if shown.gradient and not rec.passes and len(rec.graph.outs) == 1:
            tree = scan.tree_of(rec := record(rec.graph.outs[0])) or tree
        svg = scan.picture(tree, title, look)
    elif detail == "layer":
        if shown.window is not None:
            raise ValueError(
                "a window shows some steps, and layer draws all as one; give another detail, such as cell"
            )
        svg = picture.rolled(rec, title, look, gradient=shown.gradient, ends=shown.ends)
    elif detail in ("auto", "gate"):
        svg = picture.gates(rec, title, look, whole=detail == "auto", **shown._asdict())
    svg = svg or picture.picture(rec, title, look, **shown._asdict())
    if kind == "svg":
        return svg
    from viz.png import pixels_of

    return pixels_of(svg, round(2 * look.width))


def _of_recording(
    rec: Recording, gradients: bool | Gradients
) -> tuple[Graph, Pass | None, bool | Gradients]:
    """The part of a recording that its losses were computed from, and its backward pass if it has one.

    Several passes are drawn as one, from the sum of what they began from.
    """
    if not rec.passes:
        return rec.graph, None, False
    graph = Graph([run.out for run in rec.passes])
    return graph, rec.passes[0] if len(rec.passes) == 1 else None, gradients


def graph_of(thing: Any) -> Graph:
    """The graph of a tensor, of several, or of a module applied to its input."""
    if isinstance(thing, Graph):
        return thing
    if isinstance(thing, Tensor):
        return Graph(thing)
    if isinstance(thing, (tuple, list)) and thing:
        first, *rest = thing
        if callable(first):
            thing = first(*rest)
            return graph_of(_first_tensor(thing))
        if all(isinstance(t, Tensor) for t in thing):
            return Graph(thing)
    raise TypeError(
        f"nothing to draw in {type(thing).__name__}: give a recording, a tensor, a Graph, a list of "
        "tensors, or (module, input)"
    )


def _first_tensor(result: Any) -> Any:
    while isinstance(result, (tuple, list)) and result and not isinstance(result[0], Tensor):
        result = result[0]
    return result[0] if isinstance(result, (tuple, list)) and result else result


def _format(format: str | None, path: str | os.PathLike[str] | None) -> str:
    if format is None:
        suffix = Path(path).suffix.lower().lstrip(".") if path is not None else ""
        format = {"gv": "dot", "htm": "html", "text": "txt"}.get(suffix, suffix) or "svg"
    if format not in FORMATS:
        raise ValueError(f"format {format!r}; choose one of {', '.join(FORMATS)}")
    return format


def _writer(kind: str) -> Callable[[Sheet, str], str | bytes]:
    # Each writer is loaded when it is used: most need a library of their own.
    if kind == "svg":
        from viz.svg import write

        return write
    if kind == "png":
        from viz.png import write as write_png

        return write_png
    if kind == "html":
        from viz.page import write as write_html

        return write_html
    if kind == "txt":
        from viz.text import write as write_text

        return write_text
    from viz import dot

    return dot.write if kind == "dot" else dot.write_pdf


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file aside and rename it, so that it is there as a whole or not at all.

    Raises:
        OSError: the folder is missing or not writable.
    """
    with written_whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
