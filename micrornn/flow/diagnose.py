"""A page of text on one run: what is wrong, with the evidence, and what to try, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.flow.checks import Problem, problems
from micrornn.flow.series import plain
from micrornn.recording import Recording, RecordingError

_ORDER = (
    *("not finite", "exploding", "clipping always on", "detached", "truncation bias", "saturated"),
    *("forgetful", "vanishing", "dead units", "saturated gates", "loss at one end only"),
)


@dataclass(frozen=True)
class Diagnosis:
    """What was found, the most urgent first; empty when nothing wrong was found.

    Attributes:
        problems: what is wrong.
        about: one line on the run itself.
    """

    about: str
    problems: list[Problem] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The problems by name."""
        return [problem.name for problem in self.problems]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return plain(
            {
                "about": self.about,
                "problems": [
                    {
                        "name": p.name,
                        "evidence": p.evidence,
                        "advice": p.advice,
                        "why": None if p.because is None else p.because.as_dict(),
                    }
                    for p in self.problems
                ],
            }
        )

    def __str__(self) -> str:
        lines = [self.about, ""]
        if not self.problems:
            return "\n".join([*lines, "Nothing wrong found."])
        for i, p in enumerate(self.problems, 1):
            lines.append(f"{i}. {p.name}")
            lines += [f"   {sentence}" for sentence in p.evidence]
            lines += [f"   try: {what}" for what in p.advice]
            lines.append("")
        return "\n".join(lines).rstrip()


def diagnose(
    rec: Recording, norms: Sequence[float] | None = None, max_norm: float | None = None
) -> Diagnosis:
    """What is wrong with the gradient of a run, and what to try.

    Args:
        rec: live or loaded; backward must have run in it.
        norms: gradient norms before clipping, one for each training step, if you kept them.
        max_norm: what they were clipped to.

    Raises:
        RecordingError: backward has not run in the recording.

    >>> from micrornn.flow.failures import record_failure
    >>> diagnose(record_failure("exploding")).names
    ['exploding']
    """
    if not rec.passes:
        raise RecordingError(
            "backward has not run in this recording, so there is no gradient to diagnose; run "
            "loss.backward() inside `with recording()`, or use record(loss)"
        )
    with np.errstate(all="ignore"):
        found = list(problems(rec, norms, max_norm))
    found.sort(key=lambda p: _ORDER.index(p.name))
    return Diagnosis(str(rec), found)
