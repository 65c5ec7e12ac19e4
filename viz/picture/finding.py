"""What a picture says: the finding with its number as the title, and the equation of the cell below."""

from __future__ import annotations

import math

from micrornn.messages import percent
from viz.picture.numbers import power, short, times
from viz.picture.story import STATE, Box, Story


def title(story: Story) -> str:
    """How much of the gradient of the loss is left at the other end of time.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> from viz.picture.tell import tell
    >>> title(tell(record(FAILURES["vanishing"](20).loss)))
    'The loss reaches step 1 with 1.9·10⁻⁶ of the gradient it gave step 20'
    """
    if story.loss is None:
        return "The forward pass: backward has not run"
    near, far = ends(story)
    what = _loss(story)
    if near is None or far is None:
        return f"No gradient of {what[0].lower()}{what[1:]} reaches a state"
    if any(math.isnan(b.norm) for b in (near, far) if b.norm is not None):
        first = max((b.step for b in story.boxes if b.kind == STATE and _nan(b)), default=near.step)
        return f"{what} sends NaN back from step {first}"
    stopped = _stopped(story, near)
    if stopped is not None:
        cut = any(r.cut and r.target.step == stopped for r in story.ribbons)
        if cut:
            states = [b for b in story.chain(near.layer) if b.kind == STATE]
            reached = sum(b.norm is not None for b in states)
            return (
                f"{what} reaches {reached} of {len(states)} steps: "
                f"the state is detached before step {stopped}"
            )
        return f"{what} reaches no state before step {stopped}"
    direct = {r.source.step for r in story.ribbons if r.target is story.loss and r.norm}
    if len(direct) > 2:
        return _spread(story, what, len(direct))
    if near is far:
        return f"{what} reaches one state only, at step {near.step}"
    a, b = far.norm, near.norm
    assert a is not None and b is not None
    if not b:
        return f"{what} sends a gradient of exactly 0"
    ratio = a / b
    gone = max(
        (b.step for b in story.chain(near.layer) if b.kind == STATE and b.norm == 0), default=0
    )
    after = next((b.norm for b in story.chain(near.layer) if b.step == gone + 1), None)
    if ratio == 0 and after is not None and after < 1e-290:  # near the smallest number there is
        return (
            f"The gradient of {what[0].lower()}{what[1:]} underflows to 0 at step {gone:,}, "
            f"{near.step - gone:,} steps back"
        )
    if ratio == 0:
        return f"{what} reaches step {far.step} with a gradient of exactly 0"
    if ratio > 1.5:
        return (
            f"The gradient of {what[0].lower()}{what[1:]} grows {times(ratio)} from step {near.step} to "
            f"step {far.step}"
        )
    straight = story.across.get(id(far))
    if straight is not None and 0 < straight <= 1 and far.step + 1 < near.step:
        source = f"the gradient of {what[0].lower()}{what[1:]} at step {far.step}"
        return f"{percent(straight)} of {source} comes straight through attention"
    share = percent(ratio) if ratio > 1e-5 else power(short(ratio))
    return f"{what} reaches step {far.step} with {share} of the gradient it gave step {near.step}"


def _spread(story: Story, what: str, direct: int) -> str:
    """Of a loss that many steps reach directly: which gets the most, and how much more than the least."""
    apart: list[tuple[float, str, Box, Box]] = []
    for row in story.rows():
        states = [b for layer in row for b in story.chain(layer) if b.kind == STATE and b.norm]
        if len(states) > 1:
            low, high = min(states, key=_size), max(states, key=_size)
            apart.append((_size(high) / _size(low), story.row_name(row), low, high))
    every = f"all {direct} steps" if direct == len(story.steps) else f"{direct} steps"
    ratio, name, low, high = max(apart, key=lambda found: found[0])
    if ratio < 1.05:
        return f"{what} reaches {every} directly, with about the same gradient"
    said = f"step {high.step} gets {times(ratio).replace('-fold', ' times')} the gradient of step {low.step}"
    return (
        f"In the {name.rstrip(' →←')}, {said}"
        if "layer" in name
        else f"{what} reaches {every} directly: {said}"
    )


def _loss(story: Story) -> str:
    losses = [box for box in story.boxes if box.kind == "loss"]
    if len(losses) < 2:
        return "The loss"
    assert story.loss is not None
    last = max(losses, key=lambda box: box.step)
    return "The last loss" if story.loss is last else f"The loss of step {story.loss.step}"


def _size(box: Box) -> float:
    return box.norm or 0.0


def _nan(box: Box) -> bool:
    return box.norm is not None and math.isnan(box.norm)


def ends(story: Story) -> tuple[Box | None, Box | None]:
    """The state nearest to the loss that its gradient reaches, and the farthest.

    They are in the row of layers in which most states are reached; in the top one, where several are as long.
    """
    chains = [
        [b for layer in row for b in story.chain(layer) if b.kind == STATE and b.norm is not None]
        for row in story.rows()
    ]
    most = max(map(len, chains), default=0)
    if not most:
        return None, None
    chain = next(chain for chain in reversed(chains) if len(chain) == most)
    same = [
        box for box in chain if box.main == chain[0].main
    ]  # the last step may have another state
    return same[-1], same[0]


def _stopped(story: Story, near: Box) -> int | None:
    """The step at which a chain of states is left without a path, though it goes on further back."""
    chain = [b for b in story.chain(near.layer) if b.kind == STATE]
    reached = [b.step for b in chain if b.norm is not None]
    if len(reached) < len(chain) and chain[0].norm is None:
        return min(reached) if reached else None
    return None


def factor(story: Story, box: Box, before: Box, state: str) -> float | None:
    """What one hop of a state does to the norm: from ``box`` back to ``before``."""
    a, b = before.norms.get(state), box.norms.get(state)
    if a is None or b is None or not b or not math.isfinite(a / b):
        return None
    return a / b
