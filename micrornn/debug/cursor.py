"""Where the debugger stands in a recording, and its what-ifs: what every command reads and changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from micrornn.debug.branch import Edit
from micrornn.debug.errors import DebuggerError
from micrornn.debug.evaluate import Moment
from micrornn.debug.failure import Failure
from micrornn.debug.origin import Origin
from micrornn.debug.places import Places
from micrornn.debug.state import State, digest
from micrornn.debug.timeline import BACKWARD, FORWARD, Timeline
from micrornn.recording import Recording

MAIN = "main"


class Branch(NamedTuple):
    """A what-if: a timeline, the changes that made it, and the branch it began from."""

    name: str
    line: Timeline
    edits: tuple[tuple[int, Edit], ...] = ()
    parent: str | None = None


def no_source(file: str, number: int) -> str | None:
    """The text of a source line, for a session that may not read files."""
    return None


class Cursor:
    """The debugger on one recording.

    Args:
        rec: the run.
        title: one line that says what it is.
        source_line: from file and number to the text of the line, or None.
        origin: where the recording comes from, if it can be made again.

    Attributes:
        state: where it stands; replaced as a whole by every command.
        branches: the what-ifs, by name.
        history: (command, position after it), oldest first.
        failure: the exception of the program that ended the run, if one did.

    Raises:
        DebuggerError: nothing was computed in the recording.
    """

    def __init__(
        self,
        rec: Recording,
        title: str = "",
        source_line: Callable[[str, int], str | None] = no_source,
        origin: Origin | None = None,
    ) -> None:
        if not any(node.primitive for node in rec.nodes):
            raise DebuggerError(
                "there is nothing to step through: no operation was recorded. Compute the loss from "
                "tensors with requires_grad=True, and check for no_grad()"
            )
        self.rec = rec
        self.title = title
        self.source_line = source_line
        self.origin = origin
        self.places = Places(rec)
        self.branches = {MAIN: Branch(MAIN, Timeline(rec))}
        self.state = State(direction=BACKWARD if rec.passes else FORWARD)
        self.history: list[tuple[str, int]] = []
        self.failure: Failure | None = None

    def summary(self) -> str:
        """What is debugged: how many nodes, which steps, how many pullbacks."""
        count = len(self.rec.parameters)
        unused = f" + {self.rec.unused} unused" if self.rec.unused else ""
        words = [f"{len(self.rec.nodes) - self.rec.unused:,} nodes{unused}"]
        words.append(f"{count} parameter{'s' if count != 1 else ''}")
        if self.rec.steps:
            words.append(f"steps {self.rec.steps[0]} to {self.rec.steps[-1]}")
        if not self.rec.passes:
            return ", ".join([*words, "backward has not run"])
        turns, passes = len(self.branches[MAIN].line), len(self.rec.passes)
        words.append(f"{turns:,} pullbacks" + (f" in {passes} passes" if passes > 1 else ""))
        return ", ".join(words)

    @cached_property
    def forward(self) -> Timeline:
        """The forward pass; what-ifs do not touch it."""
        return Timeline(self.rec, FORWARD)

    def line_of(self, state: State) -> Timeline:
        """The timeline that a state is a position of."""
        return self.forward if state.direction == FORWARD else self.branches[state.branch].line

    @property
    def line(self) -> Timeline:
        """The timeline that the cursor is on."""
        return self.line_of(self.state)

    @property
    def recording(self) -> Recording:
        """The run with the backward pass of the present branch: what readers of gradient flow are given."""
        branch = self.branches[self.state.branch]
        if branch.parent is None:
            return self.rec
        return Recording(self.rec.graph.outs, branch.line.passes, self.rec.losses)

    @property
    def moment(self) -> Moment:
        """The present, for looking at."""
        frames = self.state.frames
        frame = self.rec.by_number[frames[-1]] if frames else None
        return Moment(self.line, self.places, self.state.position, frame)

    def digest(self) -> str:
        """A hash of the cursor and of every gradient so far; see `state.digest`."""
        return digest(self.state, self.line)
