"""The equations of exactly the network of a recording, as `micrornn explain` derives them from the graph."""

from __future__ import annotations

from typing import Any

from micrornn.messages import printable
from micrornn.recording import Recording

MOST = 6_000  # nodes of a graph that is rolled up
_LINES = 80  # more are no equations to be read: the steps of the network differ


def equations(rec: Recording, form: str) -> str:
    """The forward pass, the recursion backward and the gradients as text; "" where they can't be derived.

    Args:
        form: ``"pseudocode"`` or ``"latex"``, see `micrornn.compiler.explain`.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> equations(record(FAILURES["vanishing"](20).loss), "pseudocode").splitlines()[1:3]
    ['  h₀ = 1', '  hₜ = w * hₜ₋₁    for t = 1, ..., 20']
    """
    from micrornn.compiler.explain import explain

    if len(rec.passes) != 1 or len(rec.nodes) > MOST:
        return ""
    try:
        text = explain(rec.passes[0].out, form)
    except ValueError:  # no scalar, or nothing to learn
        return ""
    return text if text.count("\n") <= _LINES else ""


def lines(rec: Recording) -> list[list[str]]:
    """The equations as [heading, equation, for which steps]."""
    found: list[list[str]] = []
    heading = ""
    for line in equations(rec, "pseudocode").splitlines():
        if not line.startswith("  "):
            heading = line or heading
            continue
        formula, _, span = line.strip().partition("    ")
        found.append([heading, printable(formula), span])
    return found


def told(rec: Recording) -> dict[str, Any]:
    """For the page: the lines, and the same as LaTeX."""
    return {"lines": lines(rec), "latex": equations(rec, "latex")}
