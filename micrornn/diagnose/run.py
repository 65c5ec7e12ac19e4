"""What is wrong with a run or a training, with the evidence, and what to try, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrornn.diagnose.across import check_across
from micrornn.diagnose.axes import check_axes
from micrornn.diagnose.data import check_data
from micrornn.diagnose.directions import check_directions
from micrornn.diagnose.facts import Facts
from micrornn.diagnose.gradients import check_finite, check_gradients
from micrornn.diagnose.losses import check_losses
from micrornn.diagnose.outputs import check_outputs
from micrornn.diagnose.padding import check_padding
from micrornn.diagnose.parameters import check_parameters
from micrornn.diagnose.problem import Problem
from micrornn.diagnose.sequences import Sequences
from micrornn.diagnose.targets import check_classes, check_targets
from micrornn.diagnose.training import check_norms, check_training
from micrornn.diagnose.trials import try_advice
from micrornn.diagnose.verdicts import ORDER
from micrornn.diagnose.watch import Training
from micrornn.diagnose.wiring import check_wiring
from micrornn.flow.series import plain
from micrornn.recording import Recording, RecordingError

CHECKED = (
    *("the data (NaN, scale, sameness, targets, padding)", "the outputs (softmax, sigmoid, axes)"),
    *("how states are passed on", "values that left the graph", "every parameter"),
    "the gradient over time (growth, decay, cuts, gates, dead units)",
)
CHECKED_TRAINING = (
    "the updates (size, what the optimizer holds, resets, clipping)",
    "the loss curve",
    "states carried from one iteration to the next",
    "dropout in evaluation",
)


@dataclass(frozen=True)
class Diagnosis:
    """What was found, what explains most first; empty when nothing wrong was found.

    Attributes:
        about: one line on the run itself.
        problems: what is wrong.
        checked: what was looked at.
    """

    about: str
    problems: list[Problem] = field(default_factory=list)
    checked: tuple[str, ...] = CHECKED

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
                        "sure": p.sure,
                        "source": None if p.source is None else list(p.source),
                        "evidence": p.evidence,
                        "advice": p.advice,
                        "tried": p.tried,
                        "more": p.more,
                        "why": None if p.because is None else p.because.as_dict(),
                    }
                    for p in self.problems
                ],
                "checked": list(self.checked),
            }
        )

    def __str__(self) -> str:
        lines = [self.about, ""]
        if not self.problems:
            return "\n".join([*lines, f"Nothing wrong found. Checked: {'; '.join(self.checked)}."])
        for i, p in enumerate(self.problems, 1):
            at = f" at {p.source[0]}, line {p.source[1]}" if p.source else ""
            sure = "" if p.sure == "certain" else f" ({p.sure})"
            lines.append(f"{i}. {p.name}{sure}{at}")
            lines += [f"   {sentence}" for sentence in p.evidence]
            lines += [f"   try: {what}" for what in p.advice]
            lines += [f"   tried: {p.tried}"] if p.tried else []
            lines += [f"   more: {p.more}", ""]
        return "\n".join(lines).rstrip()


def diagnose(
    run: Recording | Training, norms: Sequence[float] | None = None, max_norm: float | None = None
) -> Diagnosis:
    """Diagnose a run, or the first iterations of a training.

    Args:
        run: a recording, live or loaded, in which backward has run; or what `watch` returned.
        norms: gradient norms before clipping, one for each training step, if you kept them.
        max_norm: what they were clipped to.

    Raises:
        RecordingError: backward has not run in the recording.

    >>> from micrornn.flow.failures import record_failure
    >>> diagnose(record_failure("exploding")).names
    ['exploding']
    """
    training = run if isinstance(run, Training) else None
    rec = run.iterations[0].recording if isinstance(run, Training) else run
    if not rec.passes:
        raise RecordingError(
            "backward has not run in this recording, so there is no gradient to diagnose; run "
            "loss.backward() inside `with recording()`, or use record(loss)"
        )
    with np.errstate(all="ignore"):
        recordings = [it.recording for it in training.iterations] if training else [rec]
        runs = [Sequences(Facts(one)) for one in recordings]
        found = list(_of_run(runs))
        if training is not None:
            found += check_training(training)
            found += check_across(training, runs, {p.name for p in found})
        found += check_norms(norms, max_norm)
    once: dict[str, Problem] = {}
    for problem in found:
        once.setdefault(problem.name, problem)
    found = sorted(once.values(), key=lambda p: (p.sure == "possible", ORDER[p.name]))
    checked = CHECKED if training is None else (*CHECKED, *CHECKED_TRAINING)
    with np.errstate(all="ignore"):
        found = try_advice(_explained(found), rec, training)
    return Diagnosis(str(rec if training is None else training), found, checked)


def _of_run(runs: Sequence[Sequences]) -> Iterator[Problem]:
    sequences = runs[0]
    facts = sequences.facts
    rec = facts.rec
    data = list(check_data(facts))
    broken = check_finite(rec)
    if broken is not None:
        yield from (p for p in data if p.name == "NaN in the data")
        yield broken
        return  # the rest follows from it
    yield from data
    yield from check_targets(sequences)
    yield from check_classes([run.facts for run in runs], sequences)
    yield from check_padding(sequences)
    yield from check_axes(sequences)
    yield from check_losses(sequences)
    yield from check_outputs(facts)
    yield from check_wiring(facts)
    yield from check_directions(rec)
    yield from check_parameters(sequences)
    yield from check_gradients(rec)


#: What a problem explains: these are its consequences, and not reported beside it.
_EXPLAINS = {
    "NaN in the data": ("not finite",),
    "unscaled input": (
        *("saturated gates", "saturated", "vanishing", "dead units"),
        "gradient exactly zero",
    ),
    "truncation bias": ("few uses",),
    "detached": (
        "few uses",
        "parameter never reached",
        "copied out of the graph",
        "vanishing",
        "forgetful",
    ),
    "copied out of the graph": ("few uses", "parameter never reached", "vanishing", "forgetful"),
    "rounded on the path": ("parameter never reached",),
    "state not passed on": ("gradient exactly zero", "vanishing", "forgetful", "inputs all alike"),
    "optimizer never steps": ("not in the optimizer", "learning rate too small"),
    "direction read at its start": ("parameter never reached", "gradient exactly zero", "few uses"),
    "not finite": ("learning rate too large",),
    "mask inverted": ("padding in the loss",),
    "batch and time swapped": ("gradient exactly zero", "inputs all alike"),
    "inputs all alike": ("target in the input",),
    "loss summed": ("learning rate too large",),
    "explosion hidden by clipping": ("exploding", "clipping always on"),
}


def _explained(found: list[Problem]) -> list[Problem]:
    gone = {name for p in found for name in _EXPLAINS.get(p.name, ()) if p.sure != "possible"}
    return [p for p in found if p.name not in gone]
