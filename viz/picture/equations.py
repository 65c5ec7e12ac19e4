"""The equation of each kind of cell as a picture writes it, and what one hop does to the gradient."""

from __future__ import annotations

EQUATIONS = {
    "tanh": (
        "hₜ = tanh(W xₜ + U hₜ₋₁ + b)",
        "each hop multiplies the gradient by Uᵀ diag(1 − hₜ²)",
    ),
    "relu": (
        "hₜ = relu(W xₜ + U hₜ₋₁ + b)",
        "each hop multiplies the gradient by Uᵀ diag(hₜ > 0)",
    ),
    "lstm": (
        "cₜ = f ⊙ cₜ₋₁ + i ⊙ g;  hₜ = o ⊙ tanh(cₜ)",
        "along the cell state, each hop multiplies the gradient by f",
    ),
    "gru": (
        "hₜ = (1 − z) ⊙ n + z ⊙ hₜ₋₁",
        "each hop multiplies the gradient by z, plus a part through the gates",
    ),
}

#: Networks after 2014, by the name of their scope.
FAMILIES = {
    "mingru": (
        "hₜ = (1 − z) ⊙ hₜ₋₁ + z ⊙ h̃;  z = σ(W xₜ + b),  h̃ = V xₜ + c",
        "each hop multiplies the gradient by 1 − z, and by nothing else",
    ),
    "minlstm": (
        "hₜ = f/(f + i) ⊙ hₜ₋₁ + i/(f + i) ⊙ h̃",
        "each hop multiplies the gradient by f/(f + i), and by nothing else",
    ),
}
EQUATIONS |= FAMILIES


def family(layer: str) -> str:
    """The kind of a layer that is known by its scope, such as ``mingru.0``; "" for any other.

    >>> family("encoder/mingru.0.reverse"), family("lstm.0")
    ('mingru', '')
    """
    name = layer.rpartition("/")[2].partition(".")[0]
    return name if name in FAMILIES else ""
