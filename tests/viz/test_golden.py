"""Small pictures pinned whole: what changes in them is read before it is stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from nets import KINDS, OTHERS, unrolled

import viz

#: The picture of every operation, also where states could be drawn cell by cell.
of_operations = partial(viz.render, detail="op")

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("format", ["svg", "txt", "dot"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_small_network(kind: str, format: str, golden: Golden) -> None:
    loss = unrolled(kind, steps=3, hidden=2)
    golden(f"viz/{kind}.{format}", of_operations(loss, format=format, title=f"{kind}, three steps"))


@pytest.mark.parametrize("detail", [d for d in viz.DETAILS if d != "op"])
def test_a_network_at_each_detail_in_text(detail: str, golden: Golden) -> None:
    golden(f"viz/lstm-{detail}.txt", viz.render(unrolled("lstm"), format="txt", detail=detail))


def test_both_directions_in_text(golden: Golden) -> None:
    text = viz.render(unrolled("rnn", both_ways=True, layers=2), format="txt", detail="cell")
    golden("viz/rnn-both-ways.txt", text)


def test_many_steps_in_text(golden: Golden) -> None:
    golden(
        "viz/gru-20-steps.txt", viz.render(unrolled("gru", steps=20), format="txt", detail="cell")
    )


@pytest.mark.parametrize("name", OTHERS)
def test_another_graph_in_text(name: str, golden: Golden) -> None:
    golden(f"viz/{name.replace(' ', '-')}.txt", of_operations(OTHERS[name](), format="txt"))
