"""Recording a run that may fail on the way: what there is when it does, is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from weakref import ref

from micrornn.core.backward import Pullback
from micrornn.core.context import long_loop, observed
from micrornn.core.graph import Graph
from micrornn.core.tensor import Tensor
from micrornn.debug.errors import DebuggerError
from micrornn.recording import Recording
from micrornn.recording.observe import passes_of
from micrornn.source import calling_line
from micrornn.trap import NonFiniteError, trap_nonfinite


class Caught:
    """What was seen of a run.

    Attributes:
        error: what ended it, if anything did.
        made: every node, oldest first; or, of a long training, the last.
        stream: every pullback, in order; or those of the last pass.
    """

    def __init__(self, keep_all: bool, sources: bool = True) -> None:
        self.error: BaseException | None = None
        self.stream: list[Pullback] = []
        self._keep_all = keep_all
        self._sources = sources
        self.made: list[Tensor] = []
        # What was made since the last backward pass: where `made` keeps all, from there on; of a long
        # training weakly, so that what nothing else holds may go.
        self._start = 0
        self._iteration: list[ref[Tensor]] = []
        self._room = 10_000
        self._begins = False
        self._waiting: set[int] = set()

    def on_node(self, node: Tensor) -> None:
        """A node was made."""
        if self._sources:
            node.source = calling_line()
        if self._begins:
            self._start = len(self.made)
            self._iteration.clear()
            self._begins = False
        if not self._keep_all:
            self._iteration.append(ref(node))
            if len(self._iteration) > self._room:
                self._iteration = [one for one in self._iteration if one() is not None]
                self._room = max(self._room, 2 * len(self._iteration))
            self.made.clear()
        self.made.append(node)

    def on_pullback(self, pullback: Pullback) -> None:
        """A pullback has run; where a pass begins, those before it may be let go."""
        self._begins = True
        if not self._keep_all:
            if pullback.node.number not in self._waiting:
                self.stream.clear()
                self._waiting.clear()
            self._waiting.discard(pullback.node.number)
            self._waiting.update(x.number for x in pullback.node.inputs if x.inputs)
        self.stream.append(pullback)

    def recording(self) -> Recording:
        """The run as far as it came: its backward passes, and the graph behind them.

        Where an exception of the program ended it, what was made since the last pass counts: this iteration.

        Raises:
            DebuggerError: nothing was computed.
        """
        error = self.error
        if isinstance(error, NonFiniteError):
            if error.direction == "forward":
                return Recording([error.node])
        elif error is not None and not self._begins:
            held = (one() for one in self._iteration)
            last = (
                self.made[self._start :] if self._keep_all else [n for n in held if n is not None]
            )
            ends = _ends(last)
            if ends:
                return Recording(ends)
        passes = passes_of(self.stream)
        if passes:
            return Recording([run.out for run in passes], passes)
        ends = _ends(self.made)
        if not ends:
            raise DebuggerError(
                "nothing was computed that wants a gradient, so there is nothing to debug; put the "
                "forward pass inside, and check for no_grad()"
            )
        return Recording([Graph(ends).nodes[-1]])


def _ends(made: Sequence[Tensor]) -> list[Tensor]:
    """The nodes with a history that none of the others was computed from."""
    used = {x.number for node in made for x in node.inputs}
    return [node for node in made if node.inputs and node.number not in used]


@contextmanager
def capture(trap: bool = False, keep_all: bool = True, sources: bool = True) -> Iterator[Caught]:
    """Record what runs inside.

    Args:
        keep_all: otherwise only what is needed for the step that runs, as in a long training.
        trap: stop where a NaN or an infinity is born. That error does not leave the block: it is kept
            in ``error``, as any other is that is let through.
        sources: note the source line of every node; a recording that runs inside does so itself.

    >>> import micrornn as mr
    >>> with capture(trap=True) as caught, mr.scope(t=3):
    ...     y = mr.Value(1e200, "w") * 1e200
    >>> caught.error.direction, caught.recording().nodes[-1].step
    ('forward', 3)
    """
    caught = Caught(keep_all, sources)
    with long_loop(), ExitStack() as stack:
        stack.enter_context(observed(caught))  # before the trap, so that it sees what trips it
        if trap:
            stack.enter_context(trap_nonfinite())
        try:
            yield caught
        except NonFiniteError as error:
            caught.error = error
            if not trap:
                raise
        except BaseException as error:
            caught.error = error
            raise
