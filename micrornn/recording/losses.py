"""Which losses a total is made of: the L_t of the formula L = L_1 + ... + L_T."""

from __future__ import annotations

from collections.abc import Sequence

from micrornn.core.tensor import Tensor


def kind_of(node: Tensor) -> str:
    """The kind of the operation that made a node; "" for a leaf."""
    return node.primitive.kind if node.primitive is not None else ""


def loss_terms(outs: Sequence[Tensor]) -> list[Tensor]:
    """The single losses that the outs add up, oldest first; an out that adds nothing up is its own.

    A total is taken apart through scalar additions, through multiplications by a constant, and through
    the sum or mean of a stack of scalars. A node named ``loss`` that carries a step is one loss.

    >>> import micrornn as mr
    >>> w, total = mr.Value(0.5), 0.0
    >>> for t in (1, 2, 3):
    ...     with mr.scope(t=t):
    ...         total = total + w * w
    >>> [term.primitive.name for term in loss_terms([total * 0.5])]
    ['mul', 'mul', 'mul']
    """
    found: dict[int, Tensor] = {}
    waiting = list(outs)
    seen = set()
    while waiting:
        node = waiting.pop()
        if node.number in seen:
            continue
        seen.add(node.number)
        parts = _parts(node)
        if parts is None:
            found[node.number] = node
        else:
            waiting.extend(parts)
    return [found[number] for number in sorted(found)]


def _parts(node: Tensor) -> list[Tensor] | None:
    """What a scalar node adds up, or None where it is one loss."""
    if node.primitive is None or not node.inputs or node.size != 1:
        return None
    if node.name == "loss" and node.step is not None:
        return None
    kind = node.primitive.kind
    wanted = [x for x in node.inputs if x.requires_grad]
    if kind in ("sum", "view"):
        # Bias and the like: a leaf is no loss, so a sum with one is not taken apart.
        return wanted if all(x.size == 1 and x.inputs for x in wanted) else None
    if kind in ("scaling", "quotient"):
        constant = len(wanted) == 1 and (kind == "scaling" or wanted[0] is node.inputs[0])
        scalar = constant and wanted[0].size == 1 and wanted[0].inputs
        return wanted if scalar and _parts(wanted[0]) is not None else None
    if kind == "reduction":
        vector = node.inputs[0]
        while kind_of(vector) == "scaling" and vector.inputs:
            ways = [x for x in vector.inputs if x.requires_grad]
            if len(ways) != 1:
                return None
            vector = ways[0]
        if kind_of(vector) != "join":
            return None
        parts = [x for x in vector.inputs if x.requires_grad]
        return parts if all(x.size == 1 and x.inputs for x in parts) else None
    return None
