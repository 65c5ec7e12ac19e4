"""What checkpoints kept and what they computed again: ■ and ↻ at the boxes, a tick at each kept state."""

from __future__ import annotations

from collections import defaultdict

from micrornn.recording import Recording
from viz.pen import Pen
from viz.picture.story import GATE, STATE, Box
from viz.picture.theme import Theme
from viz.style import AGAIN, KEPT

_MEANING = {KEPT: "value kept", AGAIN: "computed again"}


class Checkpoints:
    """The marks of one recording; empty where no checkpoint computed anything again.

    Args:
        whole: whether a box stands for its whole cell, and not for its own nodes alone.

    >>> import micrornn as mr
    >>> from micrornn import nn
    >>> from viz.picture.tell import tell
    >>> rnn = nn.RNN(2, 3, rng=0, checkpoint="sqrt")
    >>> rec = mr.record(lambda: rnn(mr.tensor([[1.0, 2.0]] * 4))[1].sum())
    >>> marks = Checkpoints(rec)
    >>> [marks.of(box) for box in tell(rec).chain("rnn.0")]
    ['', '↻', '■↻', '■', '■']
    """

    def __init__(self, rec: Recording, whole: bool = True) -> None:
        self._recomputed = rec.recomputed
        self._whole = whole
        self._inside: dict[tuple[str, int | None], int] = defaultdict(int)
        for node in rec.nodes:
            times = rec.recomputed.get(node.number, 0)
            if times:
                parts = node.scope.split("/")
                for i in range(len(parts)):
                    place = "/".join(parts[: i + 1]), node.step
                    self._inside[place] = max(self._inside[place], times)

    def __bool__(self) -> bool:
        return bool(self._recomputed)

    def kept(self, box: Box) -> bool:
        """Whether the forward pass kept every value of a box."""
        return not any(node.number in self._recomputed for node in box.nodes.values())

    def times(self, box: Box) -> int:
        """How many times a box was computed again."""
        own = max(self._recomputed.get(node.number, 0) for node in box.nodes.values())
        return max(own, self._inside[box.layer, box.step]) if self._whole else own

    def of(self, box: Box) -> str:
        """The marks of a state or a gate: ■ its values were kept, ↻ computed again, ↻3 three times."""
        if not self or box.kind not in (STATE, GATE):
            return ""
        times = self.times(box)
        again = f"{AGAIN}{times}" if times > 1 else AGAIN if times else ""
        return KEPT * self.kept(box) + again

    def words(self, box: Box) -> str:
        """The same in words, for a tooltip: "kept, computed again 2 times"."""
        marks = self.of(box)
        words = ["value kept"] if KEPT in marks else []
        if AGAIN in marks:
            times = self.times(box)
            what = "the rest of the step " if KEPT in marks else ""
            words.append(f"{what}computed again in backward" + f", {times} times" * (times > 1))
        return "; ".join(words)


def meaning(marks: str) -> str:
    """What the marks that occur mean, for the legend.

    >>> meaning("↻■↻2")
    '■ value kept · ↻ computed again'
    """
    return " · ".join(f"{mark} {words}" for mark, words in _MEANING.items() if mark in marks)


def ticks(pen: Pen, places: list[float], y: float, theme: Theme) -> None:
    """A small square below the strip of all steps for each state that was kept."""
    for x in places:
        pen.add("rect", x=x - 2, y=y, width=4, height=4, fill=theme.muted)
