"""The picture of a network over time: a finding as its title, one column for each step, and the gradient of
one loss as ribbons that fade as it vanishes.

`story` says what there is to show, `finding` what it means, `place` where it stands, `look` how it looks;
`draw` and `beads` write SVG, `frames` one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.flow.roles import cells, main_state
from micrornn.flow.series import layers
from micrornn.recording.losses import loss_terms
from micrornn.recording.run import Recording
from micrornn.recording.steps import infer_steps
from viz.picture import beads
from viz.picture.draw import Drawing
from viz.picture.finding import title
from viz.picture.gate_draw import GateDrawing
from viz.picture.gate_draw import heading as gate_heading
from viz.picture.gates import drawable, windowed
from viz.picture.gates import lay_out as lay_out_gates
from viz.picture.gates import room as gate_room
from viz.picture.gates import shown_steps as gate_steps
from viz.picture.look import ASPECTS, DEFAULT, LEGENDS, WIDTH, Look
from viz.picture.place import NARROWEST, TOP, fits, lay_out
from viz.picture.rolled import RolledDrawing
from viz.picture.rolled import heading as rolled_heading
from viz.picture.rolled import place_of as rolled_place
from viz.picture.story import LOSS, Story
from viz.picture.tell import tell
from viz.picture.theme import THEMES

STRIP = 132.0  # the height of a strip of all steps


def recording_of(graph: Graph, recomputed: Mapping[int, int] | None = None) -> Recording:
    """A graph as a recording, with the losses that its results add up and what checkpoints recomputed."""
    inferred = infer_steps(graph.nodes)
    rec = Recording(graph.outs, (), loss_terms(graph.outs))
    rec.inferred = inferred
    rec.recomputed = dict(recomputed or {})
    return rec


def picture(
    rec: Recording,
    subtitle: str = "",
    look: Look = DEFAULT,
    *,
    gradient: bool = True,
    window: tuple[int, int] | None = None,
    ends: tuple[str | None, str | None] = (None, None),
    targets: Mapping[int, str] | None = None,
    show: Callable[[str, int], bool] = lambda stage, step: True,
    head: str | None = None,
    story: Story | None = None,
) -> str:
    """The picture of a recording, as SVG.

    Args:
        subtitle: network, data, seed.
        gradient: whether the gradient is drawn, or the forward pass alone.
        window: the first and the last step to draw as cells. By default all; of a long sequence the last
            ones, below a strip of all.
        ends: the loss whose gradient is followed, as "L3" (the last by default), and the box that its path
            leads to, as "h0".
        targets: by step, the target as text.
        show: which parts are drawn; see `Drawing`.
        head: the title; by default the finding.
        story: what `tell` says of the recording, if it is known already.

    Raises:
        RecordingError: no state has a time step.
        ValueError: a place is unknown.
    """
    if story is None:
        story = tell(rec, gradient=gradient)
    begin, end = ends
    if begin is not None:
        story = tell(rec, _begin(rec, begin))
    if end is not None:
        goal = story.box(end)
        if goal.norm is None:
            head = head or f"No gradient of the loss reaches {end}"
        story = story.toward(goal)
    shown, whole, top = story, None, TOP
    if window is None and not fits(story, look.width):
        inside = shown_steps(story, look.width)
        window = inside[0], inside[-1]
    if window is not None:
        shown, whole, top = story.window(*window), story, TOP + STRIP
    place = lay_out(shown, look, top)
    about = _about(rec, story, subtitle)
    return Drawing(rec, shown, place, look, about, targets, show, head, whole).svg()


def gates(
    rec: Recording,
    subtitle: str = "",
    look: Look = DEFAULT,
    *,
    window: tuple[int, int] | None = None,
    gradient: bool = True,
    ends: tuple[str | None, str | None] = (None, None),
    targets: Mapping[int, str] | None = None,
    whole: bool = False,
) -> str | None:
    """The picture of a recording gate by gate, as SVG; None if a cell has no gates, or an edge no way.

    Arguments are those of `picture`, and ``whole``: None also where not all fits on a sheet of that shape.

    Raises:
        RecordingError: no state has a time step.
        ValueError: a place is unknown.
    """
    name = main_state(rec)
    count = len({node.step for node in rec.find(name, exact=True) if node.inputs})
    if whole and count > gate_room(look.width):
        return None  # without a story, which takes a while of a long sequence
    story = tell(rec, _begin(rec, ends[0]), gradient, gates=True)
    if not drawable(story) or (whole and (len(story.rows()) > 1 or window is not None)):
        return None
    head = gate_heading(story)
    if ends[1] is not None:
        story = story.toward(story.box(ends[1]))
    steps = gate_steps(story, look.width)
    if window is None and len(steps) < len(story.steps):
        if whole:
            return None
        window = steps[0], steps[-1]
    shown, strip, top = story, None, TOP
    if window is not None:
        shown = windowed(story, *window)
        strip, top = tell(rec, _begin(rec, ends[0]), gradient), TOP + STRIP
    place = lay_out_gates(shown, look, top)
    about = _about(rec, story, subtitle)
    return GateDrawing(rec, shown, place, look, about, targets, head=head, whole=strip).svg()


def gates_fit(rec: Recording) -> bool:
    """Whether `gates` can draw a recording; True as well where no cell has gates, and `picture` shows all."""
    if not layers(rec) or all(cell.kind == "rnn" for cell in cells(rec).values()):
        return True
    return drawable(tell(rec, gradient=False, gates=True))


def rolled(
    rec: Recording,
    subtitle: str = "",
    look: Look = DEFAULT,
    *,
    gradient: bool = True,
    ends: tuple[str | None, str | None] = (None, None),
) -> str:
    """The picture of a recording with each layer once and its recurrent loop, as SVG.

    Arguments are those of `picture`.

    Raises:
        RecordingError: no state has a time step.
        ValueError: a place is unknown.
    """
    story = tell(rec, _begin(rec, ends[0]), gradient)
    if ends[1] is not None:
        story = story.toward(story.box(ends[1]))
    about = _about(rec, story, subtitle)
    if story.loss is not None:
        about = f"{about} · ∇: norm of all steps together".removeprefix(" · ")
    place, head = rolled_place(story, look), rolled_heading(story)
    return RolledDrawing(rec, story, place, look, about, head=head).svg()


def _begin(rec: Recording, place: str | None) -> Tensor | None:
    """The loss that a place means; None for None.

    Raises:
        ValueError: it means something else.
    """
    if place is None:
        return None
    start = tell(rec).box(place)
    if start.kind != LOSS:
        raise ValueError(f"--from {place}: a gradient begins at a loss, as in --from L{start.step}")
    return start.nodes[""]


def shown_steps(story: Story, width: float = WIDTH) -> list[int]:
    """The steps that are drawn as cells where no window is given: all, or the last of a long sequence."""
    if fits(story, width):
        return story.steps
    return story.steps[-max(2, int((width - 132) / (NARROWEST + 40))) :]


def comparison(
    recordings: Mapping[str, Recording],
    subtitle: str = "",
    look: Look = DEFAULT,
) -> str:
    """Several networks on one sheet and one scale: what of the last loss reaches each earlier state.

    Raises:
        RecordingError: no state has a time step.
    """
    return beads.draw({name: tell(rec) for name, rec in recordings.items()}, look, subtitle)


def _about(rec: Recording, story: Story, subtitle: str) -> str:
    losses = sum(box.kind == LOSS for box in story.boxes)
    words = [subtitle] if subtitle else []
    if story.loss is not None and losses > 1:
        words.append(f"gradient of L{story.loss.step} alone")
    if rec.inferred:
        words.append("steps inferred")
    if rec.recomputed:
        words.append(f"{len(rec.recomputed):,} of {len(rec.nodes):,} nodes computed again")
    return " · ".join(words)


__all__ = ["ASPECTS", "LEGENDS", "THEMES", "Look", "comparison", "picture", "recording_of", "title"]
