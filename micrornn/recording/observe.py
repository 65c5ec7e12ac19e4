"""Recording a run: as it happens, or afterwards from its loss."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from micrornn.core.backward import Pullback, dense, pullbacks
from micrornn.core.context import current, long_loop, observed, scope
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.cotangent import Part, Product
from micrornn.ops.join import stack
from micrornn.ops.reduce import sum
from micrornn.recompute import remembered
from micrornn.recording.passes import Pass, RecordingError
from micrornn.recording.run import Recording
from micrornn.recording.steps import infer_steps
from micrornn.source import calling_line

Losses = Tensor | list[Tensor] | tuple[Tensor, ...]


class Observer:
    """Takes note of every node made and every pullback run.

    Attributes:
        made: the nodes, in the order in which they were computed.
        stream: the pullbacks.
        kept: the numbers of the nodes that a checkpoint kept, and whose history was computed again.
    """

    def __init__(self) -> None:
        self.made: list[Tensor] = []
        self.stream: list[Pullback] = []
        self.kept: set[int] = set()
        self._first = current().number()
        # How often each node was computed: four bytes each, for there may be a million. Few are older than
        # the recording.
        self._times = array("I")
        self._older: Counter[int] = Counter()

    def on_pullback(self, pullback: Pullback) -> None:
        self.stream.append(pullback)

    def on_node(self, node: Tensor) -> None:
        node.source = calling_line()
        self.made.append(node)
        at = node.number - self._first - 1
        if at < 0:
            self._older[node.number] += 1
            return
        if at >= len(self._times):
            self._times.extend(bytes(at + 1000))
        self._times[at] += 1

    def on_recall(self, nodes: Sequence[Tensor]) -> None:
        """A checkpoint computed the history of these nodes again."""
        self.kept.update(node.number for node in nodes if self._again(node.number) == 1)

    def recomputed(self) -> dict[int, int]:
        """By number, how many times a node was computed again because a checkpoint had not kept it."""
        often = (self._first + 1 + at for at, times in enumerate(self._times) if times > 1)
        return {n: self._again(n) for n in (*self._older, *often) if n not in self.kept}

    def _again(self, number: int) -> int:
        at = number - self._first - 1
        if at < 0:  # the forward pass was not seen
            return self._older[number]
        return self._times[at] - 1 if at < len(self._times) else 0


class _Running(Recording):
    """A recording whose run is not over yet: it becomes a Recording when it is."""

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise RecordingError(
            f"rec.{name}: the recording is still running. Use it after the `with` block"
        )

    def __str__(self) -> str:
        return "recording, still running"


@contextmanager
def recording(observer: Observer | None = None) -> Iterator[Recording]:
    """Record what is computed inside: forward and backward passes, with the source line of every node.

    Several losses may run backward inside; each is a pass of its own. A graph that was begun before is
    recorded as far as what is made inside depends on it.

    Args:
        observer: takes note of it all; one of your own may stop the run.

    Raises:
        RecordingError: nothing was computed inside, or the recording is asked before it is over.

    >>> import micrornn as mr
    >>> w = mr.Value(0.5, "w")
    >>> with recording() as rec:
    ...     (w * 2.0).backward()
    >>> rec.passes[0].pullbacks[0].contributions[0]
    2.0
    """
    rec: Recording = _Running()
    observer = observer or Observer()
    with observed(observer), long_loop():  # all of it is kept: there is nothing to collect
        yield rec
    rec.__class__ = Recording
    outs = _ends(observer.made, observer.stream)
    if not outs:
        raise RecordingError(
            "nothing was recorded: no operation on a tensor with requires_grad=True ran inside "
            "`with recording()`. Put the forward pass inside, and check for no_grad()"
        )
    Recording.__init__(rec, outs, passes_of(observer.stream))
    rec.recomputed = observer.recomputed()
    rec.inferred = infer_steps(rec.nodes)


def record(loss: Losses | Callable[[], Losses]) -> Recording:
    """The recording of a loss: its graph, and a backward pass from it. ``.grad`` stays as it is.

    Args:
        loss: a scalar tensor; or several (one per step, say), which go back together as their sum; or a
            function that computes either, which is recorded as it runs, source lines included.

    Raises:
        ValueError: as `backward`.
        TypeError: loss is no tensor.

    >>> import micrornn as mr
    >>> w = mr.Value(0.5, "w")
    >>> rec = record(mr.tanh(w * 2.0))
    >>> round(rec.gradient(w), 4), w.grad
    (0.84, None)
    """
    if callable(loss) and not isinstance(loss, Tensor):
        with recording() as rec:
            _run(loss())
        return rec
    observer = Observer()
    with observed(observer), long_loop():
        out, losses = _run(loss)
    rec = Recording([out], passes_of(observer.stream), losses)
    rec.recomputed = observer.recomputed()
    rec.inferred = infer_steps(rec.nodes)
    return rec


def _run(loss: Any) -> tuple[Tensor, Sequence[Tensor]]:
    losses: list[Any] = list(loss) if isinstance(loss, (list, tuple)) else [loss]
    if not losses or not all(isinstance(x, Tensor) for x in losses):
        raise TypeError(
            f"record wants a loss, or a list of them, or a function that returns either, not {loss!r}"
        )
    out = losses[0]
    if len(losses) > 1:
        with scope("loss"):
            out = sum(stack(losses))
        out.name = "loss"
    for _ in pullbacks(out):
        pass
    return out, losses if len(losses) > 1 else ()


def recalled(graph: Graph) -> tuple[Graph, dict[int, int]]:
    """The graph with every history that checkpoints forgot computed again, for good, without a backward pass.

    Returns:
        The graph, and by number how many times a node was computed again; see `Recording.recomputed`.

    >>> import micrornn as mr
    >>> w = mr.Value(0.5, "w")
    >>> y = mr.checkpoint(lambda: mr.tanh(w * 2.0) * w)
    >>> graph, again = recalled(mr.Graph(y))
    >>> [node.primitive.name for node in graph if node.number in again]
    ['mul', 'tanh']
    """
    if not any(node.primitive and node.primitive.recall for node in graph):
        return graph, {}
    observer = Observer()
    with observed(observer), long_loop():
        remembered(graph.outs)
    return Graph(graph.outs), observer.recomputed()


def _ends(made: Sequence[Tensor], stream: Sequence[Pullback]) -> list[Tensor]:
    """The nodes with a history that nothing else was computed from, and those that backward began at."""
    used = {x.number for node in made for x in node.inputs}
    kept = [node for node in made if node.inputs and not node.primitive.recall] or made[-1:]
    ends = {node.number: node for node in kept if node.inputs and node.number not in used}
    ends |= {p.node.number: p.node for p in stream}
    return list(ends.values())


def passes_of(stream: Sequence[Pullback]) -> list[Pass]:
    """The stream of all pullbacks cut into backward passes.

    A node that takes its turn though nothing was sent to it is where a pass begins.
    """
    runs: list[list[Pullback]] = []
    waiting: set[int] = set()
    for pullback in stream:
        node, gradient, contributions = pullback
        if node.number in waiting:
            waiting.remove(node.number)
        else:
            waiting = set()
            runs.append([])
        for x, c in zip(node.inputs, contributions):
            if c is not None and x.inputs:
                waiting.add(x.number)
        if isinstance(gradient, Tensor):  # a backward pass that was itself recorded
            contributions = [_plain(c) for c in contributions]
            pullback = Pullback(node, gradient._value, contributions)
        runs[-1].append(pullback)
    return [Pass(run) for run in runs]


def _plain(c: Any) -> Any:
    if isinstance(c, Part):
        return Part(_plain(c.gradient), c.index, c.shape)
    if isinstance(c, Product):
        return Product(_plain(c.left), _plain(c.right))
    c = dense(c)
    return c._value if isinstance(c, Tensor) else c
