"""Whatever the graph, every reader has an answer and none fails; live and loaded it is the same."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from flow.random_graphs import Drawn, drawn_runs
from hypothesis import given, settings

from micrornn import flow
from micrornn.diagnose import diagnose
from micrornn.flow.verdicts import BACKWARD_NOT_RUN, VERDICTS
from micrornn.recording import load_recording

quick = settings(max_examples=25, deadline=None)


@quick
@given(drawn_runs())
def test_why_has_one_verdict_for_every_node(drawn: Drawn) -> None:
    for node in drawn.rec.nodes:
        answer = flow.why(drawn.rec, node)
        assert answer.verdict in VERDICTS and answer.verdict != BACKWARD_NOT_RUN
        assert answer.evidence and str(answer)
        recorded = drawn.rec.gradient(node)
        if recorded is not None:
            assert answer.gradient is not None
            assert abs(answer.gradient - recorded).max() <= 1e-12 + 1e-10 * abs(recorded).max()


@quick
@given(drawn_runs())
def test_every_reader_reads_every_graph_live_and_loaded(drawn: Drawn) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.mrn"
        drawn.rec.save(path)
        loaded = load_recording(path)
    name = drawn.rec.parameters[0].name
    assert name is not None
    answers = []
    for rec in (drawn.rec, loaded):
        results = [
            *flow.ledgers(rec).values(),
            flow.ledger_by_loss(rec, name),
            flow.credit(rec),
            flow.jacobian_strip(rec),
            flow.paths(rec, name),
            flow.heaviest_paths(rec, "h"),
            *flow.gates(rec).values(),
            flow.diff(rec, rec),
        ]
        for result in results:
            assert str(result) and isinstance(result.table(), str)
        answers.append(
            json.dumps([r.as_dict() for r in results] + [diagnose(rec).as_dict()], allow_nan=False)
        )
    assert answers[0] == answers[1] or _near(answers)


def _near(answers: list[str]) -> bool:
    """Equal up to the last digits: a loaded array may lie differently in memory."""
    one, two = (json.loads(a) for a in answers)
    return _close(one, two)


def _close(a: object, b: object) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_close(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-6)
    return a == b or (isinstance(a, str) and isinstance(b, str))
