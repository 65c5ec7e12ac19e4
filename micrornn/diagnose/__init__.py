"""What is wrong with a run or a training: a closed list of verdicts, each with its evidence and a remedy.

`diagnose` looks at a recording: at its data, its outputs, its wiring, its parameters, and its gradient over
time. `watch` records the first iterations of a training, so that the updates are looked at as well.
"""

from micrornn.diagnose.problem import Problem
from micrornn.diagnose.run import Diagnosis, diagnose
from micrornn.diagnose.verdict import Verdict
from micrornn.diagnose.verdicts import VERDICTS
from micrornn.diagnose.watch import Iteration, Training, watch

__all__ = [
    "VERDICTS",
    "Diagnosis",
    "Iteration",
    "Problem",
    "Training",
    "Verdict",
    "diagnose",
    "watch",
]
