"""Why no gradient arrived at all: a cut in the graph, or never a path."""

from __future__ import annotations

from micrornn.core.tensor import Tensor
from micrornn.flow.causes.finding import Finding
from micrornn.flow.roles import STATES
from micrornn.flow.rows import descendants
from micrornn.flow.series import label
from micrornn.flow.traffic import Traffic
from micrornn.flow.verdicts import DETACHED, NO_PATH, TRUNCATED
from micrornn.recording import Recording

_STATE_NAMES = frozenset(f"{s}{end}" for s in STATES for end in ("", "0", "_n"))


def cuts(rec: Recording) -> list[tuple[Tensor, Tensor | None]]:
    """Every cut in the graph: the node made by it, and the node it was cut from where that is recorded."""
    return [
        (node, rec.by_number.get(node.params["cut"])) for node in rec.nodes if "cut" in node.params
    ]


def is_truncation(rec: Recording, cut: Tensor, source: Tensor | None) -> bool:
    """Whether a cut takes a state into a later step or a later chunk, as truncated BPTT does."""
    named = (cut.name or "") in _STATE_NAMES or (source is not None and source.name in _STATE_NAMES)
    if not named:
        return False
    if cut.step == 0 or source is None or source.step is None:
        return True
    users = [user.step for user, _ in rec.users.get(cut.number, ())]
    return any(step is not None and step > source.step for step in users)


def cut_steps(rec: Recording) -> list[int]:
    """The steps after which a state was cut off, ascending, as far as they can be told."""
    found = set()
    for cut, source in cuts(rec):
        if source is not None and source.step is not None and is_truncation(rec, cut, source):
            found.add(source.step)
    return sorted(found)


def cut_off(rec: Recording, target: Tensor, traffic: Traffic) -> Finding:
    """Nothing arrived at the target: through which cut it would have come, or that there is no way."""
    toward = _ancestors(rec)
    for cut, source in reversed(cuts(rec)):
        if source is None or cut.number not in toward:
            continue
        if source.number not in traffic.below and not _behind(rec, source, traffic):
            continue
        sentences = [
            f"{label(cut)} is the value of {label(source)} as data: detach() lets no gradient through."
        ]
        windows = cut_steps(rec)
        everywhere = len(windows) > 1 and windows == list(range(windows[0], windows[-1] + 1))
        if is_truncation(rec, cut, source) and not everywhere:
            sentences.append(
                f"The state is carried on, but the graph begins anew after {label(source)}; "
                f"{label(target)} lies before that."
            )
            if len(windows) > 1:
                sentences.append(
                    f"The graph is cut after the steps {', '.join(map(str, windows))}."
                )
            return Finding(TRUNCATED, cut, sentences)
        if everywhere:
            sentences.append(
                f"The state is detached at every step from {windows[0]} to {windows[-1]}: nothing is "
                "learned through time. Detach once per chunk, not once per step."
            )
        return Finding(DETACHED, cut, sentences)
    users = rec.users.get(target.number, [])
    if not users:
        what = f"Nothing recorded was computed from {label(target)}."
    else:
        ends = [n for n in rec.nodes if n.number in traffic.below and n.number not in rec.users]
        named = ", ".join(f"{label(n)}" + (f" in {n.scope}" if n.scope else "") for n in ends[-3:])
        what = f"What was computed from {label(target)} ends in {named}, which no loss uses."
    outs = ", ".join(dict.fromkeys(label(run.out) for run in rec.passes))
    sentences = [what, f"Backward ran from {outs}."]
    if any(x.step is not None for x in [target]) and target.step is not None:
        latest = max((run.out.step for run in rec.passes if run.out.step is not None), default=None)
        if latest is not None and target.step > latest:
            sentences.append(f"It was made at step {target.step}, after the last of these losses.")
    return Finding(NO_PATH, users[-1][0] if users else None, sentences)


def _ancestors(rec: Recording) -> set[int]:
    """Numbers of all nodes from which a path leads to where backward began."""
    found = {run.out.number for run in rec.passes}
    for node in reversed(rec.nodes):
        if node.number in found:
            found.update(x.number for x in node.inputs)
    return found


def _behind(rec: Recording, source: Tensor, traffic: Traffic) -> bool:
    """Whether the source was itself made from the target, by way of other cuts."""
    reached = set(traffic.below)
    for _ in range(len(rec.steps) + 1):
        more = {
            cut.number
            for cut, origin in cuts(rec)
            if origin is not None and origin.number in reached and cut.number not in reached
        }
        if not more:
            break
        reached |= descendants(rec.nodes, more)
        if source.number in reached:
            return True
    return source.number in reached
