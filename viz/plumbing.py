"""Plumbing: slices, joins and changes of shape, folded into the links that they serve.

They compute nothing: a gradient passes through them as it is, in another arrangement.
"""

from __future__ import annotations

from collections.abc import Iterable

from viz.gradients import is_cut
from viz.scene import Link, Unit, stronger

KINDS = frozenset({"view", "join"})  # of primitives


def folded(units: list[Unit], outs: Iterable[int]) -> tuple[list[Unit], list[Link], int]:
    """The units without plumbing, the links between them, and how many units were folded.

    What has a name, several inputs as well as several users, or no user stays: there is something to see.

    Args:
        units: all of them, with their links.
        outs: numbers of the results, which stay.
    """
    results, count = set(outs), 0
    kept = []
    for unit in units:
        if not _plumbing(unit) or unit.out.number in results:
            kept.append(unit)
            continue
        count += 1
        for link in unit.inputs:
            link.source.outputs.remove(link)
        for link in unit.outputs:
            link.target.inputs.remove(link)
        for before in unit.inputs:
            for after in unit.outputs:
                flow = after.flow if len(unit.inputs) == 1 else before.flow
                _join(before.source, after.target, Link(before.source, after.target, flow))
    return kept, [link for unit in kept for link in unit.inputs], count


def _plumbing(unit: Unit) -> bool:
    node = unit.out
    if len(unit.nodes) != 1 or unit.kind != "op" or node.name or unit.marks or is_cut(node):
        return False
    if node.primitive is None or node.primitive.kind not in KINDS:
        return False
    before, after = len(unit.inputs), len(unit.outputs)
    return before > 0 and after > 0 and (before == 1 or after == 1)


def _join(source: Unit, target: Unit, link: Link) -> None:
    """Add a link, or strengthen the one that is there."""
    for known in source.outputs:
        if known.target is target and not known.cut:
            known.uses += 1
            known.flow = stronger(known.flow, link.flow)
            return
    source.outputs.append(link)
    target.inputs.append(link)
