"""How the reference values are kept: many small arrays in one flat one, and a JSON that names them.

A file holds `values`, all numbers of all cases end to end in float64, and `cases`, a JSON text with
each case's arguments and, for each of its arrays, where it begins in `values` and its shape. Small
arrays stored one by one would take ten times the room.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent


@dataclass
class Case:
    """One reference run: what it was called with, and its arrays by group (`inputs`, ...)."""

    name: str
    arguments: dict[str, Any]
    arrays: dict[str, dict[str, np.ndarray]]

    def __getitem__(self, group: str) -> dict[str, np.ndarray]:
        return self.arrays[group]


class Writer:
    """Collects cases and writes them as one compressed file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parts: list[np.ndarray] = []
        self.length = 0
        self.cases: dict[str, Any] = {}

    def add(self, case: str, arguments: dict[str, Any], **groups: dict[str, Any]) -> None:
        """Store `groups`, each a dictionary of arrays, under the name `case`."""
        if case in self.cases:
            raise ValueError(f"two cases are named {case!r}")
        layout: dict[str, dict[str, Any]] = {}
        for group, arrays in groups.items():
            layout[group] = {}
            for key, value in arrays.items():
                value = value.detach() if hasattr(value, "detach") else value
                array = np.array(value, dtype=np.float64)
                layout[group][key] = [self.length, list(array.shape)]
                self.parts.append(array.ravel())
                self.length += array.size
        self.cases[case] = {"arguments": arguments, "arrays": layout}

    def write(self, **about: str) -> None:
        """Write the file; equal cases give equal bytes."""
        text = json.dumps({**about, "cases": self.cases})
        path = FOLDER / f"{self.name}.npz"
        np.savez_compressed(
            path,
            values=np.concatenate(self.parts),
            cases=np.frombuffer(text.encode(), dtype=np.uint8),
        )
        print(f"{path.name}: {len(self.cases)} cases, {path.stat().st_size:,} bytes")


def load(name: str) -> list[Case]:
    """Read back every case of one file."""
    with np.load(FOLDER / f"{name}.npz") as file:
        values, text = file["values"], file["cases"].tobytes().decode()
    cases = []
    for case, stored in json.loads(text)["cases"].items():
        arrays = {
            group: {
                key: values[start : start + int(np.prod(shape))].reshape(shape)
                for key, (start, shape) in parts.items()
            }
            for group, parts in stored["arrays"].items()
        }
        cases.append(Case(case, stored["arguments"], arrays))
    return cases
