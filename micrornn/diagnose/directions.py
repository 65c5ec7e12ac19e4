"""Two directions of which one is read where it has seen a single step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrornn.core.tensor import Tensor
from micrornn.diagnose.facts import place
from micrornn.diagnose.problem import Problem
from micrornn.flow.roles import state_names
from micrornn.flow.series import label, layers, series
from micrornn.recording import Recording

_FEWEST = 4  # steps of a sequence that is worth a word


def check_directions(rec: Recording) -> Iterator[Problem]:
    """The state of a direction that is read after its first step, while the other has read them all."""
    states = {layer: _states(rec, layer) for layer in layers(rec)}
    for layer, made in states.items():
        for other, theirs in states.items():
            if not (layer.startswith(other) or other.startswith(layer)) or layer == other:
                continue
            if len(made) < _FEWEST or [n.step for n in made] != [n.step for n in theirs[::-1]]:
                continue
            if _felt(rec, made) == made[:1] and _felt(rec, theirs)[-1:] == theirs[-1:]:
                read = _read(rec, made[0])
                words = [
                    f"Of {layer}, the loss reads {label(made[0])} alone ({place(read)}): this direction "
                    f"begins at step {made[0].step}, so it has seen one of {len(made)} steps."
                ]
                yield Problem("direction read at its start", words, read)


def _states(rec: Recording, layer: str) -> list[Tensor]:
    """The computed states of a layer, in the order in which they were made."""
    nodes = series(rec, state_names(rec, layer)[0], layer)
    return sorted([n for n in nodes if n.inputs], key=lambda n: n.number)


def _felt(rec: Recording, nodes: list[Tensor]) -> list[Tensor]:
    """Those that a gradient arrives at."""
    gradients = [(n, rec.gradient(n)) for n in nodes]
    return [n for n, g in gradients if g is not None and np.any(g)]


def _read(rec: Recording, state: Tensor) -> Tensor:
    """Where the program takes the state out of what the layer returned."""
    node = state
    while users := rec.users.get(node.number):
        node = users[0][0]
        if node.source is not None and node.source != state.source:
            return node
    return state
