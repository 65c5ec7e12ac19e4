"""Where the graph was cut, and the gradient that stopped there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.flow.causes.cuts import cuts, is_truncation
from micrornn.flow.routes import seeds_of
from micrornn.flow.rows import sweep
from micrornn.flow.series import label, norm
from micrornn.recording import Recording

Array = np.ndarray[Any, Any]


class Cut(NamedTuple):
    """One cut in the graph.

    Attributes:
        node: the detached value.
        source: the node that it was cut from, or None where that is not in the recording.
        truncation: whether it takes a state on into a later step or chunk, as truncated BPTT does.
        gradient: what arrived at the cut and went no further, in the node's shape; None where nothing did.
        norm: the norm of it; None where nothing arrived.
    """

    node: Tensor
    source: Tensor | None
    truncation: bool
    gradient: Array | None
    norm: float | None

    def __str__(self) -> str:
        what = "nothing" if self.norm is None else f"a gradient of norm {self.norm:.3g}"
        source = "an unrecorded node" if self.source is None else label(self.source)
        return f"cut after {source}: {what} came to a halt there"


def cut_places(rec: Recording) -> list[Cut]:
    """Every cut, and what was lost there: the gradient that would have reached earlier steps.

    Truncated BPTT (Williams & Peng 1990) leaves out all terms that pass a cut, which biases the gradient
    of shared weights; what is told here is how much arrived at each cut. One sweep serves all of them.

    Args:
        rec: live or loaded. In `record(loss)` the far side of a cut is not known; `with recording()`
            around all chunks keeps it.

    Raises:
        RecordingError: backward has not run.

    >>> import micrornn as mr
    >>> from micrornn.recording import recording
    >>> w, h = mr.Value(0.5), mr.tensor(1.0)
    >>> with recording() as rec:
    ...     for t in (1, 2, 3):
    ...         with mr.scope(t=t):
    ...             h = w * (h.detach() if t == 2 else h)
    ...             h.name = "h"
    ...     h.backward()
    >>> [str(cut) for cut in cut_places(rec)]
    ['cut after h[1]: a gradient of norm 0.25 came to a halt there']
    """
    places = cuts(rec)
    found = sweep(rec.nodes, seeds_of(rec, None), [node.number for node, _ in places])
    told = []
    for node, source in places:
        rows = found.get(node.number)
        g = None if rows is None else rows.values[0]
        size = None if g is None else norm(g)
        told.append(Cut(node, source, is_truncation(rec, node, source), g, size))
    return told
