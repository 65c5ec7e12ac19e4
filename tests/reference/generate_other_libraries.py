"""Write weights of Keras, Equinox and Flax, and what their layers compute with them, to other_libraries.npz.

pip install keras equinox flax; python tests/reference/generate_other_libraries.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import equinox
import flax.linen
import jax
import keras
import numpy as np

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")  # sequences, steps, inputs
HIDDEN = 4
found: dict[str, Any] = {"x": X}

for kind in ("LSTM", "GRU"):
    layer = getattr(keras.layers, kind)(
        HIDDEN, return_sequences=True, bias_initializer="random_normal"
    )
    found[f"keras {kind}"] = np.array(layer(X))
    for name, weight in zip(("kernel", "recurrent_kernel", "bias"), layer.get_weights()):
        found[f"keras {kind} {name}"] = np.array(weight)

    cell = getattr(equinox.nn, f"{kind}Cell")(3, HIDDEN, key=jax.random.key(1))
    zero = jax.numpy.zeros(HIDDEN)
    state: Any = (zero, zero) if kind == "LSTM" else zero
    outputs = []
    for x in X[0]:
        state = cell(x, state)
        outputs.append(np.array(state[0] if kind == "LSTM" else state))
    found[f"equinox {kind}"] = np.stack(outputs)[None]
    for name in ("weight_ih", "weight_hh", "bias", "bias_n"):
        if hasattr(cell, name):
            found[f"equinox {kind} {name}"] = np.array(getattr(cell, name))

    cell = getattr(flax.linen, f"{kind}Cell")(HIDDEN)
    state = cell.initialize_carry(jax.random.key(0), (3,))
    params = cell.init(jax.random.key(2), state, X[0, 0])
    params = jax.tree.map(lambda p: p + 0.1 if p.ndim == 1 else p, params)  # biases begin at 0
    outputs = []
    for x in X[0]:
        state, y = cell.apply(params, state, x)
        outputs.append(np.array(y))
    found[f"flax {kind}"] = np.stack(outputs)[None]
    for gate, arrays in params["params"].items():
        for name, weight in arrays.items():
            found[f"flax {kind} {gate} {name}"] = np.array(weight)

np.savez_compressed(Path(__file__).with_name("other_libraries.npz"), **found)
