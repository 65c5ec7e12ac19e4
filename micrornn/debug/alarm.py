"""What is said before anything else: that the loss is no number, and where that began."""

from __future__ import annotations

import numpy as np

from micrornn.debug.commands.look import source_line
from micrornn.debug.cursor import Cursor
from micrornn.debug.report import whereabouts
from micrornn.flow.causes import born_forward


def alarm(cursor: Cursor) -> list[str]:
    """Lines on a loss that is NaN or infinite; none for one that is a number.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> with np.errstate(all="ignore"):
    ...     rec = record(mr.log(mr.tensor([-1.0], requires_grad=True)).sum())
    >>> print(*alarm(Cursor(rec)), sep="\\n")
    the loss is NaN; it was born at log, outside all steps and scopes
      Forward: NaN came out of log. It was given leaf #... in [-1, -1].
      break nan, then continue, goes there
    """
    rec, places = cursor.rec, cursor.places
    outs = [run.out for run in rec.passes] or rec.graph.outs
    bad = next((out for out in outs if not np.isfinite(out._value).all()), None)
    if bad is None:
        return []
    kind = "NaN" if np.isnan(bad._value).any() else "infinite"
    head = f"{'the loss' if rec.passes else places.label(bad)} is {kind}"
    found = born_forward(rec)
    if found is None or found.node is None:
        return [head]
    node = found.node
    lines = [f"{head}; it was born at {places.label(node)}, {whereabouts(node)}"]
    if node.source is not None:
        lines.append(source_line(cursor, node))
    lines.append(f"  {' '.join(found.evidence)}")
    return [*lines, "  break nan, then continue, goes there"] if node.inputs else lines
