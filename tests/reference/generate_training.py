"""Write the reference values for schedules and for the states of optimizers; see `generate.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from cases import VERSION, generator, normal
from generate import OPTIMIZERS
from store import Writer
from torch.optim import lr_scheduler

LR = 0.8
STEPS = 12
SCHEDULES: dict[str, list[dict[str, Any]]] = {
    "StepLR": [{"step_size": 3, "gamma": 0.5}, {"step_size": 5}],
    "MultiStepLR": [{"milestones": [2, 5, 5, 9]}, {"milestones": [4], "gamma": 0.3}],
    "ExponentialLR": [{"gamma": 0.9}],
    "LinearLR": [{}, {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 8}],
    "CosineAnnealingLR": [{"T_max": 5}, {"T_max": 4, "eta_min": 0.1}],
    "OneCycleLR": [
        {"max_lr": 1.0, "total_steps": STEPS},
        {"max_lr": [0.5, 0.7], "epochs": 3, "steps_per_epoch": 4, "anneal_strategy": "linear"},
        {"max_lr": 1.0, "total_steps": 13, "three_phase": True, "pct_start": 0.4},
        {
            **{"max_lr": 1.0, "total_steps": STEPS, "pct_start": 0.25, "div_factor": 5.0},
            **{"final_div_factor": 10.0, "base_momentum": 0.7, "max_momentum": 0.9},
        },
        {"max_lr": 1.0, "total_steps": STEPS, "cycle_momentum": False},
    ],
}
LOSSES = [
    3.0,
    2.0,
    2.0,
    2.1,
    1.99999,
    1.5,
    1.6,
    1.7,
    1.8,
    1.9,
    1.4,
    1.5,
    1.5,
    1.5,
    -1.0,
    -1.0,
    -1.1,
]
PLATEAUS: list[dict[str, Any]] = [
    {"factor": 0.5, "patience": 2},
    {"mode": "max", "factor": 0.3, "patience": 3},
    {"factor": 0.1, "patience": 0, "min_lr": 0.01},
    {"factor": 0.5, "patience": 1, "threshold": 0.2, "threshold_mode": "abs"},
    {"factor": 0.5, "patience": 1, "threshold": 0.3, "threshold_mode": "rel", "mode": "max"},
    {"factor": 0.5, "patience": 1, "cooldown": 2, "min_lr": [0.3, 0.0]},
    {"factor": 0.9, "patience": 0, "eps": 0.05},
]


def two_groups(kind: str = "SGD") -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (LR, LR / 4)]
    more = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(torch.optim, kind)(groups, **more)


def follow(optimizer: torch.optim.Optimizer, schedules: list[Any], steps: int) -> dict[str, Any]:
    """The learning rates and the momentum of both groups, at first and after each step."""
    seen: dict[str, list[Any]] = {"lrs": [], "momenta": []}
    for step in range(steps + 1):
        if step:
            optimizer.step()
            for schedule in schedules:
                schedule.step()
        seen["lrs"].append([group["lr"] for group in optimizer.param_groups])
        groups = optimizer.param_groups
        seen["momenta"].append([g["betas"][0] if "betas" in g else g["momentum"] for g in groups])
    return seen


def schedules(file: Writer) -> None:
    for name, variants in SCHEDULES.items():
        for options in variants:
            for kind in ("SGD", "Adam") if name == "OneCycleLR" else ("SGD",):
                optimizer = two_groups(kind)
                schedule = getattr(lr_scheduler, name)(optimizer, **options)
                arguments = {"schedules": [[name, options]], "optimizer": kind}
                found = follow(optimizer, [schedule], 5)
                arguments["state"] = schedule.state_dict()
                rest = follow(optimizer, [schedule], STEPS - 5)
                found = {key: seen + rest[key][1:] for key, seen in found.items()}
                file.add(f"{name} {options} {kind}", arguments, expected=found)
    optimizer = two_groups()
    pair = [["LinearLR", {"total_iters": 4}], ["ExponentialLR", {"gamma": 0.9}]]
    both = [getattr(lr_scheduler, name)(optimizer, **options) for name, options in pair]
    found = follow(optimizer, both, STEPS)
    file.add("two at once", {"schedules": pair, "optimizer": "SGD"}, expected=found)
    optimizer = two_groups()
    schedule = lr_scheduler.LambdaLR(
        optimizer, [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]
    )
    file.add("LambdaLR", {"schedules": []}, expected=follow(optimizer, [schedule], STEPS))
    for options in PLATEAUS:
        optimizer = two_groups()
        schedule = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        lrs, state = [], {}
        for step, loss in enumerate(LOSSES):
            if step == 5:
                state = dict(schedule.state_dict())
            schedule.step(loss)
            lrs.append([group["lr"] for group in optimizer.param_groups])
        arguments = {"plateau": options, "losses": LOSSES, "state": state}
        file.add(f"ReduceLROnPlateau {options}", arguments, expected={"lrs": lrs})


def optimizer_states(file: Writer) -> None:
    """Four steps, the state, and six more steps of one optimizer of each kind and variant."""
    shapes = {"w": (3, 2), "b": (4,)}
    for name, settings in OPTIMIZERS.items():
        for options in settings:
            case = f"{name} " + ", ".join(f"{k} {v}" for k, v in options.items())
            rng = generator(case + " state")
            gradients = {key: normal(rng, 10, *shape) for key, shape in shapes.items()}
            parameters = {
                key: torch.nn.Parameter(normal(rng, *shape)) for key, shape in shapes.items()
            }
            optimizer = getattr(torch.optim, name)(parameters.values(), foreach=False, **options)
            start, buffers, groups = {}, {}, []
            path: dict[str, list[np.ndarray]] = {key: [] for key in shapes}
            for step in range(10):
                if step == 4:
                    state = optimizer.state_dict()
                    start = {key: p.detach().clone() for key, p in parameters.items()}
                    groups = state["param_groups"]
                    for key, kept in state["state"].items():
                        buffers |= {f"{key} {k}": v for k, v in kept.items() if v is not None}
                    buffers = {k: torch.as_tensor(v).clone() for k, v in buffers.items()}
                for key, parameter in parameters.items():
                    parameter.grad = gradients[key][step].clone()
                optimizer.step()
                for key, parameter in parameters.items():
                    path[key].append(parameter.detach().numpy().copy())
            file.add(
                case,
                {"optimizer": name, "groups": groups},
                start=start,
                buffers=buffers,
                gradients={key: value[4:] for key, value in gradients.items()},
                trajectory={key: np.stack(value[4:]) for key, value in path.items()},
            )


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    lrs = Writer("schedules")
    schedules(lrs)
    lrs.write(torch=VERSION)
    states = Writer("optimizer_states")
    optimizer_states(states)
    states.write(torch=VERSION)
