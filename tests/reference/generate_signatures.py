"""Write the arguments of PyTorch's classes and functions, in their order and with their defaults.

The names are given as words, each with its module: `python generate_signatures.py nn.Linear optim.Adam ...`.
Those that PyTorch does not have are left out. See `generate.py`.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

import torch
from store import FOLDER

LAYER = (
    "input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, "
    "bidirectional=False"
)
# Those that PyTorch writes as (*args, **kwargs), from their documentation.
WRITTEN = {
    "nn.RNN": LAYER.replace("bias", "nonlinearity='tanh', bias"),
    "nn.LSTM": f"{LAYER}, proj_size=0",
    "nn.GRU": LAYER,
    "nn.Sequential": "",
    "nn.functional.max_pool2d": (
        "input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False"
    ),
    "nn.functional.one_hot": "input, num_classes=-1",
}


def arguments(name: str) -> list[list[Any]] | None:
    """Name and default of each, as text; None where PyTorch has no such name."""
    made: Any = torch
    for part in name.split("."):
        made = getattr(made, part, None)
    if made is None or inspect.ismodule(made):
        return None
    if name in WRITTEN:
        return written(WRITTEN[name])
    try:
        found = list(
            inspect.signature(made.__init__ if inspect.isclass(made) else made).parameters.values()
        )
    except ValueError:  # a function in C: its documentation begins with its signature
        line = re.search(r"\w+\((.*?)\) *->", made.__doc__.replace("\n", " "))
        return written(line.group(1) if line else "")
    plain = [a for a in found if a.name != "self" and a.kind is not a.KEYWORD_ONLY]
    return [[a.name, "required" if a.default is a.empty else repr(a.default)] for a in plain]


def written(text: str) -> list[list[Any]]:
    pairs = [
        part.strip().partition("=") for part in text.split(",") if part.strip() not in ("", "*")
    ]
    return [[name, repr(eval(default)) if sign else "required"] for name, sign, default in pairs]


if __name__ == "__main__":
    found = {name: arguments(name) for name in sys.argv[1:]}
    known = {name: value for name, value in found.items() if value is not None}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in known.items())
    (FOLDER / "signatures.json").write_text(f"{{\n{text}\n}}\n")
    print(len(known), "names")
