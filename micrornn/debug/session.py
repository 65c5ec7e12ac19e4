"""A session: a cursor in a recording that carries out lines of the command language."""

from __future__ import annotations

from collections.abc import Callable

from micrornn.debug import commands as commands  # declares them
from micrornn.debug.cursor import Cursor, no_source
from micrornn.debug.errors import DebuggerError
from micrornn.debug.registry import COMMANDS, Command, Outcome, find
from micrornn.messages import quoted
from micrornn.recording import Recording, RecordingError

REPEATED = "move"  # the group of commands that a blank line repeats; and list


class Session(Cursor):
    """The debugger on one recording; takes the arguments of `Cursor`.

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
        super().__init__(rec, title, source_line)
        self._last = ""

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
        if ";;" in text:
            return self._one_by_one([part for part in text.split(";;") if part.strip()])
        text = text.strip().removeprefix("!") if text.strip().startswith("!") else text
        command, rest = self.parse(text)
        try:
            outcome = command.run(self, rest)
        except RecordingError as error:
            raise DebuggerError(str(error)) from error
        except (RecursionError, MemoryError):
            raise DebuggerError(f"{quoted(text)} is too long or nested too deeply") from None
        except (ValueError, ArithmeticError, LookupError, TypeError) as error:
            if isinstance(error, DebuggerError):
                raise
            raise DebuggerError(f"{quoted(text)}: {error}") from error
        if outcome.state is None:
            outcome.state = self.state
        self.state = outcome.state
        if text.strip():
            again = command.group == REPEATED or command.name == "list"
            self._last = text.strip() if again else ""
            self.history.append((text.strip(), self.state.position))
        return outcome

    def _one_by_one(self, lines: list[str]) -> Outcome:
        """Several commands in one line, as in pdb: the first that is refused ends it."""
        outcomes = [self.execute(line) for line in lines]
        found = outcomes[-1] if outcomes else Outcome(self.state)
        found.lines = [line for outcome in outcomes for line in outcome.lines]
        return found
