"""A picture built up in frames: the forward pass step by step, the loss, then backward hop by hop.

All frames have the same geometry, so that slides flip without a jump and an animation does not shake.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from micrornn.recording.run import Recording
from viz.picture import picture
from viz.picture.finding import title
from viz.picture.story import tell

SECONDS = {"forward": 0.45, "loss": 0.9, "backward": 0.6, "end": 2.6}


class Frame(NamedTuple):
    """One frame: its stage, its title, and the SVG."""

    stage: str
    head: str
    svg: str


def frames(rec: Recording, subtitle: str = "", **look: Any) -> Iterator[Frame]:
    """The frames of a picture, in order; ``look`` is given to `picture`.

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

        return Frame(stage, head, picture(rec, subtitle, head=head, show=show, **look))

    never = float("inf")
    for t in steps:
        yield one(
            "forward",
            f"Forward: step {t} computes h from x and the state before it",
            t,
            never,
            False,
        )
    last = steps[-1] + 1
    yield one("loss", "The loss compares the prediction with the target", last, never, True)
    if story.loss is None:
        return
    begin = story.loss.step
    earliest = min((b.step for b in story.boxes if b.norm is not None), default=begin)
    for t in range(begin, earliest - 1, -1):
        words = (
            f"Backward: the gradient reaches step {t}"
            if t
            else "Backward: it reaches the initial state"
        )
        yield one("backward", words, last, t, True)
    yield one("end", finding, last, -never, True)


def animation(
    rec: Recording, subtitle: str = "", format: str = "gif", pixels: int = 960, **look: Any
) -> bytes:
    """The frames as an animation that repeats.

    Args:
        format: gif, webp or apng.
        pixels: its width.
    """
    from PIL import Image

    from viz.png import pixels_of

    images, times = [], []
    for frame in frames(rec, subtitle, **look):
        png = pixels_of(frame.svg, pixels)
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
