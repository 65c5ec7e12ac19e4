"""Write the reference values for CTC, with the gradient at the logits; see `generate.py`."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from cases import VERSION, add, generator, leaf, normal
from store import Writer
from torch.nn import functional

CASES: dict[str, dict[str, Any]] = {
    "all alike": {"targets": [[1, 2], [2, 3]], "frames": [6, 6], "labels": [2, 2]},
    "lengths": {"targets": [[1, 2, 3], [2, 1, 1], [3, 9, 9]], "frames": [6, 4, 2]},
    "repeats": {"targets": [[1, 1, 1], [2, 2, 3]], "frames": [6, 5], "labels": [3, 3]},
    "just enough": {"targets": [[1, 1, 2], [1, 2, 3]], "frames": [4, 3], "labels": [3, 3]},
    "too few": {"targets": [[1, 1, 2], [1, 2, 3]], "frames": [3, 6], "labels": [3, 3]},
    "nothing said": {"targets": [[1, 2], [0, 0]], "frames": [6, 4], "labels": [2, 0]},
    "end to end": {"targets": [1, 2, 3, 3], "frames": [6, 6], "labels": [1, 3]},
    "another blank": {"targets": [[0, 1], [2, 2]], "frames": [6, 5], "labels": [2, 2], "blank": 3},
    "one sequence": {"targets": [2, 2, 1], "frames": [], "labels": []},
}
CASES["lengths"]["labels"] = [3, 3, 1]


def ctc() -> None:
    file = Writer("ctc")
    switches = itertools.product(CASES.items(), ("none", "sum", "mean"), (False, True))
    for (name, about), reduction, zero_infinity in switches:
        if zero_infinity and name != "too few":
            continue
        case = f"{name}, {reduction}, {'zero' if zero_infinity else 'true'} infinity"
        rng = generator(name)
        alone = name == "one sequence"
        frames = about["frames"] or [6]
        shape = (6, 4) if alone else (6, len(frames), 4)
        logits = leaf(2.0 * normal(rng, *shape))
        options = {"reduction": reduction, "zero_infinity": zero_infinity}
        options["blank"] = about.get("blank", 0)
        lengths = (6, 3) if alone else (about["frames"], about["labels"])
        lengths = [torch.tensor(part) for part in lengths]
        loss = functional.ctc_loss(
            logits.log_softmax(-1), torch.tensor(about["targets"]), *lengths, **options
        )
        arguments = {
            "targets": about["targets"],
            "lengths": [part.tolist() for part in lengths],
            "options": options,
        }
        add(file, case, arguments, {}, {"logits": logits}, {"loss": loss})
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    ctc()
