"""What the page shows as arithmetic: for every primitive, the numbers on the screen multiply as they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from operations import CASES, leaves, like, operation
from paged import data_of

import micrornn as mr
from micrornn.core.backward import dense
from micrornn.recording import Recording, record
from viz.page.player import player

READ = r"""async (pin) => {
    window.location.hash = `level=op&of=all&pin=${pin}`;
    for (let i = 0; !document.querySelector(`[data-box="${pin}"]`); i++) {
        if (i > 600) throw new Error(`${pin} is not shown`);
        await new Promise(requestAnimationFrame);
    }
    return [...document.querySelectorAll('[aria-label=Details] .arithmetic details')].map(part => ({
    table: [...part.querySelectorAll('tbody tr')].filter(row => row.children.length === 3).map(row =>
        [...row.children].map(cell => [Number(cell.title || cell.textContent), cell.textContent])),
    grids: [...part.querySelectorAll('figure')].map(grid => [...grid.querySelectorAll('span')].map(cell =>
        cell.title.match(/^\[(\d+), (\d+)\] (.*)$/).slice(1).map(Number))),
    text: part.textContent}));
}"""


def of_every_primitive() -> tuple[Recording, list[Any]]:
    """One run with a primitive at each step, and their nodes."""
    h, made = mr.tensor(1.0, name="h", requires_grad=True), []
    for t, case in enumerate(CASES, start=1):
        p, sample = case.values
        with mr.scope("cell", t=t):
            y = operation(p, sample)(*leaves(sample))
            made.append(y)
            h = 0.999 * h + mr.sum(y * like(y, t))
            h.name = "h"
    return record(h), made


def matrix(grid: list[list[float]]) -> Any:
    rows, columns = (int(max(cell[axis] for cell in grid)) + 1 for axis in (0, 1))
    return np.array([value for _, _, value in grid]).reshape(rows, columns)


def test_every_primitive_shows_what_it_multiplies(opened: Any, tmp_path: Path) -> None:
    rec, made = of_every_primitive()
    path = tmp_path / "all.html"
    path.write_text(player({"": rec}), encoding="utf-8")
    [story] = data_of(path)["frames"]
    boxes = [(i, box) for i, box in enumerate(story["boxes"]) if box["kind"] in ("op", "loss")]

    def place(t: int, name: str, value: Any) -> int:
        """The box of an operation of a step; of several of a name, the one with this value."""
        own = [(i, b) for i, b in boxes if b["step"] == t and b["operations"][0][:1] == [name]]
        return next(
            i
            for i, b in own
            if len(own) == 1 or np.allclose(b["values"][0], np.ravel(value), rtol=1e-3)
        )

    page = opened(path, "#level=op&of=all")
    seen: dict[str, set[str]] = {}
    for t, (case, node) in enumerate(zip(CASES, made, strict=True), start=1):
        p = case.values[0]
        arrived = np.asarray(rec.gradient(node))
        sent = p.pull(node, arrived if arrived.ndim else np.float64(arrived))
        parts = page.evaluate(READ, f"0.{place(t, p.name, node.data)}")[: len(node.inputs)]
        assert len(parts) == len(node.inputs), p.name
        for part, wanted in zip(parts, sent, strict=True):
            flat = np.ravel(dense(wanted))
            if part["grids"]:
                *factors, shown = map(matrix, part["grids"])
                if len(factors) == 2:
                    np.testing.assert_allclose(factors[0] @ factors[1], shown, 1e-4, 1e-6)
                else:
                    assert "numbers, norm" in part["text"], "a factor is large"
                np.testing.assert_allclose(np.ravel(shown), flat, rtol=1e-4, atol=1e-6)
                seen.setdefault("product", set()).add(p.name)
            elif part["table"] and part["table"][0][2][1].startswith("["):
                for _, _, (value, text) in part["table"]:
                    np.testing.assert_allclose(value, flat[int(text[1:].split("]")[0])], 1e-4, 1e-6)
                seen.setdefault("entries", set()).add(p.name)
            elif part["table"]:
                a, b, c = np.array([[cell[0] for cell in row] for row in part["table"]]).T
                np.testing.assert_allclose(a * b, c, rtol=1e-4, atol=1e-6)
                np.testing.assert_allclose(c, flat[: len(c)], rtol=1e-4, atol=1e-6)
                seen.setdefault("each", set()).add(p.name)
            else:
                assert "exactly zero" in part["text"] and not flat.any(), p.name
                seen.setdefault("zero", set()).add(p.name)
    assert {"tanh", "sigmoid", "mul"} <= seen["each"]
    assert {"matmul", "linear", "softmax"} <= seen["product"]
    assert {"getitem", "concatenate"} <= seen["entries"] and "sign" in seen["zero"]
