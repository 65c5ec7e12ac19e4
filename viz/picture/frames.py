"""A picture built up in frames: the forward pass step by step, the loss, then backward hop by hop.

All frames have the same geometry, so that slides flip without a jump and an animation does not shake.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from micrornn.recording.run import Recording
from viz.picture import picture, shown_steps
from viz.picture.finding import title
from viz.picture.look import DEFAULT, WIDTH, Look
from viz.picture.tell import tell

SECONDS = {"forward": 0.45, "loss": 0.9, "backward": 0.6, "end": 2.6}
_SMALLER = 0.75  # an animation than its picture: 960 pixels by default
MOST = 20  # frames of each direction for steps that are not drawn as cells


class Frame(NamedTuple):
    """One frame: its stage, its title, and the SVG."""

    stage: str
    head: str
    svg: str


def frames(
    rec: Recording,
    subtitle: str = "",
    look: Look = DEFAULT,
    targets: Mapping[int, str] | None = None,
) -> Iterator[Frame]:
    """The frames of a picture, in order; the arguments are those of `picture`.

    Of a sequence too long to be drawn as cells not every step has a frame: see `remark`.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> [frame.stage for frame in frames(record(FAILURES["vanishing"](2).loss))]
    ['forward', 'forward', 'loss', 'backward', 'backward', 'backward', 'end']
    """
    story = tell(rec)
    steps = story.steps
    finding = title(story)

    def one(stage: str, head: str, forward: int, backward: float, loss: bool) -> Frame:
        def show(part: str, step: int) -> bool:
            if part == "backward":
                return step >= backward
            return loss if part == "loss" else step <= forward

        svg = picture(rec, subtitle, look, targets=targets, head=head, show=show, story=story)
        return Frame(stage, head, svg)

    never = float("inf")
    inside = shown_steps(story, look.width)
    last = steps[-1] + 1
    for t in _chosen(steps, inside):
        word = f"Forward: step {t} computes h from x and the state before it"
        yield one("forward", word, t, never, False)
    yield one("loss", "The loss compares the prediction with the target", last, never, True)
    if story.loss is None:
        return
    begin = story.loss.step
    earliest = min((b.step for b in story.boxes if b.norm is not None), default=begin)
    for t in reversed(_chosen(range(earliest, begin + 1), inside)):
        words = (
            f"Backward: the gradient reaches step {t}"
            if t
            else "Backward: it reaches the initial state"
        )
        yield one("backward", words, last, t, True)
    yield one("end", finding, last, -never, True)


def _chosen(steps: Sequence[int], inside: Sequence[int]) -> list[int]:
    """The steps that have a frame: all that are drawn as cells, and of the others at most `MOST` at
    equal distances."""
    others = [t for t in steps if t not in set(inside)]
    every = max(1, math.ceil(len(others) / MOST))
    return sorted({*others[::every], *(t for t in steps if t in set(inside))})


def remark(rec: Recording, width: float = WIDTH) -> str:
    """What to say where not every step has a frame; "" if every one has.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> remark(record(FAILURES["vanishing"](100).loss))
    'one frame every 5 steps; each of the last 7 steps has its own'
    """
    story = tell(rec)
    inside = shown_steps(story, width)
    every = math.ceil((len(story.steps) - len(inside)) / MOST)
    if every < 2:
        return ""
    return f"one frame every {every:,} steps; each of the last {len(inside)} steps has its own"


def animation(
    rec: Recording,
    subtitle: str = "",
    look: Look = DEFAULT,
    targets: Mapping[int, str] | None = None,
    format: str = "gif",
) -> bytes:
    """The frames as an animation that repeats; its format is gif, webp or apng."""
    from PIL import Image

    from viz.png import pixels_of

    images, times = [], []
    for frame in frames(rec, subtitle, look, targets):
        png = pixels_of(frame.svg, round(_SMALLER * look.width))
        image = Image.open(io.BytesIO(png)).convert("RGB")
        if format == "gif":
            image = image.quantize(colors=64, dither=Image.Dither.NONE)
        images.append(image)
        times.append(round(1000 * SECONDS[frame.stage]))
    file = io.BytesIO()
    kind = {"gif": "GIF", "webp": "WEBP", "apng": "PNG"}[format]
    images[0].save(
        *(file, kind),
        save_all=True,
        append_images=images[1:],
        duration=times,
        loop=0,
        optimize=True,
    )
    return file.getvalue()
