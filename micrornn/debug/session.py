"""A session: one recording, where the debugger stands in it, and its what-ifs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from micrornn.debug import commands as commands
from micrornn.debug.branch import Edit
from micrornn.debug.errors import DebuggerError
from micrornn.debug.evaluate import Moment
from micrornn.debug.places import Places
from micrornn.debug.registry import COMMANDS, Command, Outcome, find
from micrornn.debug.state import State, digest
from micrornn.debug.timeline import BACKWARD, FORWARD, Timeline
from micrornn.recording import Recording, RecordingError

MAIN = "main"
REPEATED = "move"  # the group of commands that a blank line repeats; and list


class Branch(NamedTuple):
    """A what-if: a timeline, the changes that made it, and the branch it began from."""

    name: str
    line: Timeline
    edits: tuple[tuple[int, Edit], ...] = ()
    parent: str | None = None


def no_source(file: str, number: int) -> str | None:
    """The text of a source line, for a session that may not read files."""
    return None


class Session:
    """The debugger on one recording.

    Args:
        rec: the run.
        title: one line that says what it is.
        source_line: from file and number to the text of the line, or None.

    Attributes:
        state: where it stands; replaced as a whole by every command.
        branches: the what-ifs, by name.
        history: (command, position after it), oldest first.

    Raises:
        DebuggerError: nothing was computed in the recording.

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> session = Session(record(mr.tanh(mr.Value(0.5, "w") * 2.0)))
    >>> print(session.execute("step").text)
    pullback 2 of 2: mul(w, #2)  outside all steps and scopes
      gradient: norm 0.42, shape (); sends 0.84 to w
    >>> session.execute("reverse-step").state.position
    0
    """

    def __init__(
        self,
        rec: Recording,
        title: str = "",
        source_line: Callable[[str, int], str | None] = no_source,
    ) -> None:
        if not any(node.primitive for node in rec.nodes):
            raise DebuggerError(
                "there is nothing to step through: no operation was recorded. Compute the loss from "
                "tensors with requires_grad=True, and check for no_grad()"
            )
        self.rec = rec
        self.title = title
        self.source_line = source_line
        self.places = Places(rec)
        self.branches = {MAIN: Branch(MAIN, Timeline(rec))}
        self.state = State(direction=BACKWARD if rec.passes else FORWARD)
        self.history: list[tuple[str, int]] = []
        self._last = ""

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
        return Moment(self.line, self.places, self.state.position)

    def digest(self) -> str:
        """A hash of the cursor and of every gradient so far; see `state.digest`."""
        return digest(self.state, self.line)

    def parse(self, text: str) -> tuple[Command, str]:
        """The command that a line means, and what is written behind it; an empty line repeats.

        Raises:
            DebuggerError: there is no such command; says which may have been meant.
        """
        words = text.strip() or self._last
        if not words:
            raise DebuggerError(
                "nothing to repeat yet; step takes one pullback, help lists the commands"
            )
        word, _, rest = words.partition(" ")
        for sign in "#/=":  # print/x and the like
            word = word.split(sign)[0] if word not in COMMANDS else word
        return find(word), rest.strip()

    def execute(self, text: str) -> Outcome:
        """Carry out one line.

        Raises:
            DebuggerError: it cannot be carried out; the state is as before.

        Returns:
            The answer; its ``state`` is where the session stands now.
        """
        if text.strip().startswith("#"):
            return Outcome(self.state)
        command, rest = self.parse(text)
        try:
            outcome = command.run(self, rest)
        except RecordingError as error:
            raise DebuggerError(str(error)) from error
        if outcome.state is None:
            outcome.state = self.state
        self.state = outcome.state
        if text.strip():
            again = command.group == REPEATED or command.name == "list"
            self._last = text.strip() if again else ""
            self.history.append((text.strip(), self.state.position))
        return outcome
