"""Where the gradient goes: readers of one recording, live or loaded.

Each answers one question: `ledger` and `ledger_by_loss` (which step or loss gave a weight its gradient),
`credit` (how much of a loss reaches an early state), `jacobian_strip` (how much steps stretch or shrink a
gradient), `lyapunov` (by which factor per step), `fixed_points` (which states a step leaves unchanged),
`connectivity` (which inputs an output depends on), `gates` (what they let through), `paths` and
`heaviest_paths` (which way a gradient came), `cut_places` (where it was cut off), `why` (why it is what it
is), `diff` (how two runs differ). `micrornn.diagnose` says what is wrong and what to try.
"""

from micrornn.flow.by_loss import LossLedger, ledger_by_loss
from micrornn.flow.connectivity import Connectivity, connectivity
from micrornn.flow.credit import CreditMap, credit
from micrornn.flow.diff import Diff, diff
from micrornn.flow.failures import FAILURES, Failure, record_failure
from micrornn.flow.fixed_points import FixedPoints, fixed_points
from micrornn.flow.gates import GateTrace, gates
from micrornn.flow.heaviest import HeaviestPaths, Path, heaviest_paths
from micrornn.flow.jacobian import JacobianStrip, jacobian_strip
from micrornn.flow.ledger import Ledger, Use, ledger, ledgers
from micrornn.flow.lyapunov import Spectrum, lyapunov
from micrornn.flow.paths import PathClasses, paths
from micrornn.flow.recurrence import Recurrent, recurrent_weights
from micrornn.flow.series import layers, series
from micrornn.flow.trend import Trend, read_trend
from micrornn.flow.truncation import Cut, cut_places
from micrornn.flow.verdicts import VERDICTS
from micrornn.flow.why import Why, why

__all__ = [
    "FAILURES",
    "VERDICTS",
    "Connectivity",
    "CreditMap",
    "Cut",
    "Diff",
    "Failure",
    "FixedPoints",
    "GateTrace",
    "HeaviestPaths",
    "JacobianStrip",
    "Ledger",
    "LossLedger",
    "Path",
    "PathClasses",
    "Recurrent",
    "Spectrum",
    "Trend",
    "Use",
    "Why",
    "connectivity",
    "credit",
    "cut_places",
    "diff",
    "fixed_points",
    "gates",
    "heaviest_paths",
    "jacobian_strip",
    "layers",
    "ledger",
    "ledger_by_loss",
    "ledgers",
    "lyapunov",
    "paths",
    "read_trend",
    "record_failure",
    "recurrent_weights",
    "series",
    "why",
]
