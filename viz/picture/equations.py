"""The equation of each kind of cell as a picture writes it, and what one hop does to the gradient."""

from __future__ import annotations

from collections.abc import Iterator

from micrornn.flow.roles import GATES

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
    "lru": (
        "hₜ = λ hₜ₋₁ + exp(γ) B xₜ;  yₜ = Re(C hₜ) + D xₜ",
        "each hop turns each complex number and multiplies it by |λ| < 1",
    ),
    "s6": (
        "hₜ = exp(Δ A) ⊙ hₜ₋₁ + Δ uₜ B;  yₜ = hₜ C + D uₜ",
        "each hop multiplies the gradient by exp(Δ A), which xₜ chooses",
    ),
    "slstm": (
        "cₜ = f ⊙ cₜ₋₁ + i ⊙ z;  nₜ = f ⊙ nₜ₋₁ + i;  hₜ = o ⊙ cₜ / nₜ",
        "along c and n, each hop multiplies the gradient by f",
    ),
    "mlstm": (
        "Cₜ = f Cₜ₋₁ + i v kᵀ;  hₜ = o ⊙ Cₜ q / max(|nₜᵀ q|, 1)",
        "along C, each hop multiplies the gradient by the number f",
    ),
    "delta": (
        "Sₜ = α Sₜ₋₁ (I − β k kᵀ) + β v kᵀ;  yₜ = Sₜ q",
        "each hop multiplies the gradient by α (I − β k kᵀ)",
    ),
    "rwkv": (
        "aₜ = exp(−w) aₜ₋₁ + exp(k) v;  bₜ = exp(−w) bₜ₋₁ + exp(k)",
        "along a and b, each hop multiplies the gradient by exp(−w), kept in scale by p",
    ),
}
EQUATIONS |= FAMILIES

#: The gates of a cell in the order in which they are drawn.
ORDER = {"lstm": "figo", "gru": "znr"}


def meanings(kind: str, gates: bool) -> Iterator[str]:
    """What explains the equation of a cell, the longest first.

    Args:
        gates: whether the names of the gates matter more than what a hop does.

    >>> next(meanings("gru", gates=True)).partition(";")[0]
    'z: update gate, n: candidate, r: reset gate'
    """
    hop = EQUATIONS[kind][1]
    letters = ORDER.get(kind, "")
    names = ", ".join(f"{letter}: {GATES[letter]}" for letter in letters)
    if names:
        yield f"{names}; {hop}"
    if names and gates:
        yield names
    yield hop


def family(layer: str) -> str:
    """The kind of a layer that is known by its scope, such as ``mingru.0``; "" for any other.

    >>> family("encoder/mingru.0.reverse"), family("lstm.0")
    ('mingru', '')
    """
    name = layer.rpartition("/")[2].partition(".")[0]
    return name if name in FAMILIES else ""
