"""Write the reference values for the networks after 2014; see `generate.py`.

Each is a plain loop in PyTorch, written from its paper's equations; none of micrornn's code is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from cases import VERSION, add, generator, leaf, normal
from store import Writer

INPUT, HIDDEN, STEPS, BATCH = 3, 4, 5, 2
Shapes = dict[str, tuple[int, ...]]
Run = Callable[[dict[str, Any], Any, list[Any]], tuple[list[Any], list[Any]]]


def plain() -> Shapes:
    shapes: Shapes = {"weight_ih": (HIDDEN, INPUT), "weight_hh": (HIDDEN, HIDDEN)}
    return shapes | {"bias_ih": (HIDDEN,), "bias_hh": (HIDDEN,)}


def irnn(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Le, Jaitly & Hinton 2015: a ReLU network."""
    (h,), outputs = state, []
    for x in xs:
        h = torch.relu(x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"])
        outputs.append(h)
    return outputs, [h]


def orthogonal(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """W_hh is the Cayley transform of A = L - L^T, by an inverse: (I - A/2)^-1 (I + A/2)."""
    (h,), outputs = state, []
    lower = torch.tril(p["weight_hh"], -1)
    a, eye = lower - lower.T, torch.eye(HIDDEN)
    w = torch.linalg.inv(eye - a / 2) @ (eye + a / 2)
    assert torch.allclose(w @ w.T, eye)
    for x in xs:
        h = torch.tanh(x @ p["weight_ih"].T + p["bias_ih"] + h @ w.T + p["bias_hh"])
        outputs.append(h)
    return outputs, [h]


def minimal(letters: str) -> Shapes:
    weights: Shapes = {f"weight_{letter}": (HIDDEN, INPUT) for letter in letters}
    return weights | {f"bias_{letter}": (HIDDEN,) for letter in letters}


def mingru(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Feng et al. 2024, section 3.1.2."""
    (h,), outputs = state, []
    for x in xs:
        z = torch.sigmoid(x @ p["weight_z"].T + p["bias_z"])
        h = (1 - z) * h + z * (x @ p["weight_h"].T + p["bias_h"])
        outputs.append(h)
    return outputs, [h]


def minlstm(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Feng et al. 2024, section 3.2.3: gates that are scaled to add up to 1."""
    (h,), outputs = state, []
    for x in xs:
        f = torch.sigmoid(x @ p["weight_f"].T + p["bias_f"])
        i = torch.sigmoid(x @ p["weight_i"].T + p["bias_i"])
        h = f / (f + i) * h + i / (f + i) * (x @ p["weight_h"].T + p["bias_h"])
        outputs.append(h)
    return outputs, [h]


def lru(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Orvieto et al. 2023, eq. 1 and 7, in complex numbers."""
    h, outputs = torch.view_as_complex(state[0].contiguous()), []
    lam = torch.exp(torch.complex(-torch.exp(p["nu"]), torch.exp(p["theta"])))
    b, c = torch.complex(p["B_re"], p["B_im"]), torch.complex(p["C_re"], p["C_im"])
    for x in xs:
        h = lam * h + torch.exp(p["gamma"]) * (x.to(b.dtype) @ b.T)
        outputs.append((h @ c.T).real + x @ p["D"].T)
    return outputs, [torch.view_as_real(h)]


def s6(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Gu & Dao 2023, algorithm 2 with the discretization of Mamba's code, one channel at a time."""
    (h,), outputs = state, []
    for x in xs:
        u = x @ p["W"].T
        dt = torch.log1p(torch.exp(u @ p["W_dt"].T + p["b_dt"]))
        b, c = u @ p["W_B"].T, u @ p["W_C"].T
        rows, said = [], []
        for d in range(HIDDEN):
            kept = torch.exp(dt[:, d : d + 1] * -torch.exp(p["A_log"][d]))
            rows.append(kept * h[:, d] + (dt[:, d] * u[:, d])[:, None] * b)
            said.append((rows[-1] * c).sum(-1) + p["D"][d] * u[:, d])
        h = torch.stack(rows, 1)
        outputs.append(torch.stack(said, 1))
    return outputs, [h]


def slstm(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Beck et al. 2024, eq. 8 to 14 without a stabilizer: c and n as they are."""
    h, c, n, m = state
    c, n = c * torch.exp(m), n * torch.exp(m)
    outputs, largest = [], m
    for x in xs:
        z, i, f, o = (x @ p[f"W_{g}"].T + h @ p[f"R_{g}"].T + p[f"b_{g}"] for g in "zifo")
        largest = torch.maximum(torch.log(torch.sigmoid(f)) + largest, i)
        c = torch.sigmoid(f) * c + torch.exp(i) * torch.tanh(z)
        n = torch.sigmoid(f) * n + torch.exp(i)
        h = torch.sigmoid(o) * c / n
        outputs.append(h)
    return outputs, [h, c * torch.exp(-largest), n * torch.exp(-largest), largest]


def mlstm(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Beck et al. 2024, eq. 19 to 27 without a stabilizer, one sequence at a time."""
    memory, n, m = state
    ends, outputs = [], []
    for s in range(BATCH):
        at = torch.exp(m[s])
        mem, norm, largest, said = memory[s] * at, n[s] * at, m[s], []
        for x in xs[:, s]:
            q, k, v, o, i, f = (p[f"W_{g}"] @ x + p[f"b_{g}"] for g in "qkvoif")
            k = k / HIDDEN**0.5
            largest = torch.maximum(torch.log(torch.sigmoid(f[0])) + largest, i[0])
            mem = torch.sigmoid(f) * mem + torch.exp(i) * torch.outer(v, k)
            norm = torch.sigmoid(f) * norm + torch.exp(i) * k
            under = torch.maximum(torch.abs(norm @ q), torch.ones(()))
            said.append(torch.sigmoid(o) * (mem @ q) / under)
        ends.append((mem * torch.exp(-largest), norm * torch.exp(-largest), largest))
        outputs.append(torch.stack(said))
    return list(torch.stack(outputs, 1)), [torch.stack(part) for part in zip(*ends, strict=True)]


def delta(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Yang, Kautz & Hatamizadeh 2024, eq. 10, with I - beta k k^T written out, one sequence at a time."""
    outputs, ends = [], []
    for s in range(BATCH):
        memory, said = state[0][s], []
        for x in xs[:, s]:
            q, k, v = (p[f"W_{g}"] @ x for g in "qkv")
            q, k = q / torch.sqrt(q @ q + 1e-6), k / torch.sqrt(k @ k + 1e-6)
            step = torch.log1p(torch.exp(p["W_alpha"] @ x + p["dt_bias"]))
            alpha = torch.exp(-torch.exp(p["A_log"]) * step)
            beta = torch.sigmoid(p["W_beta"] @ x)
            corrected = torch.eye(HIDDEN) - beta * torch.outer(k, k)
            memory = alpha * memory @ corrected + beta * torch.outer(v, k)
            said.append(memory @ q)
        outputs.append(torch.stack(said))
        ends.append(memory)
    return list(torch.stack(outputs, 1)), [torch.stack(ends)]


def rwkv(p: dict[str, Any], xs: Any, state: list[Any]) -> Any:
    """Peng et al. 2023, eq. 11 to 17, without keeping the sums in scale."""
    u, a, b, top = state
    a, b, outputs = a * torch.exp(top), b * torch.exp(top), []
    for x in xs:
        before, u = u, x @ p["W"].T
        mix = {g: (p[f"mu_{g}"] * u + (1 - p[f"mu_{g}"]) * before) @ p[f"W_{g}"].T for g in "rkv"}
        k, v = mix["k"], mix["v"]
        wkv = (a + torch.exp(p["first"] + k) * v) / (b + torch.exp(p["first"] + k))
        fade = torch.exp(-torch.exp(p["w"]))
        a, b = fade * a + torch.exp(k) * v, fade * b + torch.exp(k)
        top = torch.maximum(top - torch.exp(p["w"]), k)
        outputs.append((torch.sigmoid(mix["r"]) * wkv) @ p["W_o"].T)
    return outputs, [u, a * torch.exp(-top), b * torch.exp(-top), top]


def xlstm(gates: str, scalars: str, recurrent: bool) -> Shapes:
    sizes = {g: (1 if g in scalars else HIDDEN) for g in gates}
    shapes: Shapes = {f"W_{g}": (n, INPUT) for g, n in sizes.items()}
    shapes |= {f"b_{g}": (n,) for g, n in sizes.items()}
    return shapes | ({f"R_{g}": (HIDDEN, HIDDEN) for g in gates} if recurrent else {})


LRU: Shapes = dict.fromkeys(("nu", "theta", "gamma"), (HIDDEN,))
LRU |= {"B_re": (HIDDEN, INPUT), "B_im": (HIDDEN, INPUT), "D": (HIDDEN, INPUT)}
LRU |= {"C_re": (HIDDEN, HIDDEN), "C_im": (HIDDEN, HIDDEN)}
N = 16
S6: Shapes = {"W": (HIDDEN, INPUT), "A_log": (HIDDEN, N), "D": (HIDDEN,), "W_dt": (HIDDEN, HIDDEN)}
S6 |= {"b_dt": (HIDDEN,), "W_B": (N, HIDDEN), "W_C": (N, HIDDEN)}
DELTA: Shapes = {f"W_{g}": (HIDDEN, INPUT) for g in "qkv"}
DELTA |= {"W_alpha": (1, INPUT), "W_beta": (1, INPUT), "A_log": (1,), "dt_bias": (1,)}
RWKV: Shapes = {"W": (HIDDEN, INPUT)} | {f"W_{g}": (HIDDEN, HIDDEN) for g in "rkvo"}
RWKV |= dict.fromkeys(("w", "first", "mu_r", "mu_k", "mu_v"), (HIDDEN,))
ONE = (HIDDEN,)

# By class: parameters of a layer, shapes of the parts of the state after the batch, and the loop.
FAMILIES: dict[str, tuple[Shapes, dict[str, tuple[int, ...]], Run]] = {
    "IRNN": (plain(), {"h": (HIDDEN,)}, irnn),
    "OrthogonalRNN": (plain(), {"h": (HIDDEN,)}, orthogonal),
    "MinGRU": (minimal("zh"), {"h": (HIDDEN,)}, mingru),
    "MinLSTM": (minimal("fih"), {"h": (HIDDEN,)}, minlstm),
    "LRU": (LRU, {"h": (HIDDEN, 2)}, lru),
    "S6": (S6, {"h": (HIDDEN, N)}, s6),
    "SLSTM": (xlstm("zifo", "", True), {"h": ONE, "c": ONE, "n": ONE, "m": ONE}, slstm),
    "MLSTM": (xlstm("qkvoif", "if", False), {"C": (HIDDEN, HIDDEN), "n": ONE, "m": ()}, mlstm),
    "GatedDelta": (DELTA, {"S": (HIDDEN, HIDDEN)}, delta),
    "RWKV": (RWKV, {"u": ONE, "a": ONE, "b": ONE, "p": ONE}, rwkv),
}


def _state(rng: Any, shape: tuple[int, ...], positive: bool) -> Any:
    values = normal(rng, BATCH, *shape)
    return values.abs() + 0.5 if positive else values


def families() -> None:
    """Each over a batch of sequences from a given state: output, last state, every gradient."""
    file = Writer("families")
    for kind, (shapes, states, run) in FAMILIES.items():
        rng = generator(kind)
        parameters = {name: leaf(0.7 * normal(rng, *shape)) for name, shape in shapes.items()}
        inputs = {"x": leaf(normal(rng, STEPS, BATCH, INPUT))}
        positive = ("n", "b") if kind in ("SLSTM", "RWKV") else ()  # what is divided by
        inputs |= {f"{n}0": leaf(_state(rng, shape, n in positive)) for n, shape in states.items()}
        x, *state = inputs.values()
        said, last = run(parameters, x, state)
        outputs = {"output": torch.stack(said)} | dict(zip(states, last, strict=True))
        add(file, kind, {}, parameters, inputs, outputs)
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    families()
