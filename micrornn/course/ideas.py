"""The map of the course: its ideas by branch, each with the lesson and the command that show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from micrornn.course.lessons import Lesson, lesson


class Idea(NamedTuple):
    """A leaf of the map.

    Attributes:
        text: a few words.
        number: of the lesson that teaches it.
        section: the part of the lesson, as a link names it.
        command: what shows it.

    >>> IDEAS["Problems"][0].lesson.title
    'Why does it vanish?'
    """

    text: str
    number: int
    section: str
    command: str

    @property
    def lesson(self) -> Lesson:
        """The lesson that teaches it."""
        return lesson(self.number)


IDEAS: Mapping[str, tuple[Idea, ...]] = {
    "Why": (
        Idea("order matters", 1, "exercises", "micrornn train sentiment"),
        Idea("a memory of the past", 9, "measured", "micrornn train recall"),
    ),
    "How": (
        Idea("a hidden state", 1, "compute-it", "micrornn render hello"),
        Idea("the same weights at every step", 1, "what-the-graph-holds", "micrornn render stocks"),
    ),
    "Shapes": (
        Idea("one to one", 10, "shapes-of-tasks", "micrornn train image"),
        Idea("one to many", 10, "shapes-of-tasks", "micrornn train caption"),
        Idea("many to one", 10, "shapes-of-tasks", "micrornn train speakers"),
        Idea("many to many", 10, "shapes-of-tasks", "micrornn train tagging"),
        Idea(
            "different lengths", 12, "encoder-decoder-teacher-forcing", "micrornn train translate"
        ),
    ),
    "Training": (
        Idea("BPTT", 4, "the-recursion", "micrornn flow hello --view ledger"),
        Idea("truncated BPTT", 11, "truncated-bptt", "micrornn train weather --tbptt 5:20"),
        Idea("online", 11, "online", "micrornn train stocks --online"),
    ),
    "Problems": (
        Idea("the gradient vanishes", 6, "powers", "micrornn diagnose vanishing"),
        Idea("the gradient explodes", 8, "how-it-happens", "micrornn diagnose exploding"),
    ),
    "Solutions": (
        Idea("clipping", 8, "clipping", "micrornn train weather --clip 1"),
        Idea("LSTM", 9, "the-highway-and-its-toll", "micrornn flow hello --cell lstm --view gates"),
        Idea("GRU", 10, "side-by-side", "micrornn train copy --cell gru"),
    ),
    "Uses": (
        Idea("language", 2, "train-it", "micrornn train text"),
        Idea("video", 10, "shapes-of-tasks", "micrornn train video"),
        Idea("series", 11, "truncated-bptt", "micrornn train weather"),
        Idea("speech", 12, "ctc-sum-over-all-alignments", "micrornn train ctc"),
    ),
}
