"""A session: a cursor in a recording that carries out lines of the command language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from micrornn.debug import commands as commands  # declares them
from micrornn.debug.commands.script import collect, commands_of, expanded
from micrornn.debug.cursor import Cursor, no_source
from micrornn.debug.errors import DebuggerError, brief
from micrornn.debug.origin import Origin
from micrornn.debug.registry import COMMANDS, NAMES, Command, Handler, Outcome, find, together
from micrornn.debug.state import State
from micrornn.recording import Recording

REPEATED = "move"  # the group of commands that a blank line repeats; and list
LONGEST = 2000  # characters of a line
MOST_STOPS = 1000  # in a row, by the commands of breakpoints


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
        origin: Origin | None = None,
    ) -> None:
        super().__init__(rec, title, source_line, origin)
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
        """Carry out one line: a command, several with ``;;`` between them, an alias, or an expression.

        Where the cursor stops at a breakpoint that has commands of its own, they are carried out too.

        Raises:
            DebuggerError: it cannot be carried out; the state is as before that command.

        Returns:
            The answer; its ``state`` is where the session stands now.
        """
        text = text.strip()
        if len(text) > LONGEST:
            raise DebuggerError(
                f"a line of {len(text):,} characters is too long; write at most {LONGEST:,}"
            )
        if text.startswith("#"):
            return Outcome(self.state)
        if self.state.collecting:
            return self._told(self._guarded(collect, text))
        text = expanded(text, dict(self.state.aliases))
        if ";;" in text and text.split()[0] not in ("alias", "commands"):
            return self._one_by_one([part for part in text.split(";;") if part.strip()])
        before = self.state
        return self._follow(before, self._single(text))

    def _single(self, text: str) -> Outcome:
        """Carry out one command, and remember it."""
        text = text.strip()
        command, rest = self._meant(text)
        outcome = self._told(self._guarded(command.run, rest))
        if text:
            again = command.group == REPEATED or command.name == "list"
            self._last = text if again else ""
            self.history.append((text, self.state.position))
        return outcome

    def _meant(self, text: str) -> tuple[Command, str]:
        """A command; or, as in pdb, an expression to print, which a ``!`` before it makes sure of."""
        bare = text.removeprefix("!").strip()
        if text.endswith("?") and text.split()[0] not in NAMES and text != "?":
            raise DebuggerError(
                "a question? why NAME says why a gradient is missing, zero, tiny, huge or NaN (why W_hh), "
                "where says where you are, help lists the commands"
            )
        try:
            if bare != text:
                raise DebuggerError("write an expression behind !: !h[1].grad")
            return self.parse(text)
        except DebuggerError as refused:
            try:
                self.moment.value(bare)
            except Exception:
                if bare != text and bare:
                    return self.parse(bare)
                raise refused from None
            return COMMANDS["print"], bare

    def _guarded(self, run: Handler, rest: str) -> Outcome:
        """What a handler answers; whatever goes wrong in it is a refusal, and ends nothing."""
        try:
            return run(self, rest)
        except DebuggerError:
            raise
        except (RecursionError, MemoryError):
            raise DebuggerError(f"{brief(rest)} is too long or nested too deeply") from None
        except Exception as error:
            raise DebuggerError(f"{brief(rest)}: {error}") from error

    def _told(self, outcome: Outcome) -> Outcome:
        """The outcome with its state, which becomes the session's; a move leaves `up` and `down` behind."""
        old, new = self.state, outcome.state or self.state
        if (new.position, new.direction) != (old.position, old.direction) and new.frames:
            new = replace(new, frames=())
        outcome.state = self.state = new
        return outcome

    def _one_by_one(self, lines: list[str]) -> Outcome:
        """Several commands in one line, as in pdb: the first that is refused ends it."""
        return together([self.execute(line) for line in lines] or [Outcome(self.state)])

    def _follow(self, before: State, outcome: Outcome) -> Outcome:
        """Carry out the commands of the breakpoints at which a move ended, and of those that they lead to."""
        answers = [outcome]
        for _ in range(MOST_STOPS):
            todo = commands_of(before, answers[-1])
            if not todo:
                return together(answers)
            if todo[0] == "silent":
                answers[-1].lines = []
            for line in todo[todo[0] == "silent" :]:
                before = self.state
                try:
                    answers.append(self._single(expanded(line, dict(self.state.aliases))))
                except DebuggerError as error:
                    answers.append(Outcome(self.state, [f"{brief(line)}: {error}"]))
                    break
                if answers[-1].leave or answers[-1].kind == "stop":
                    break
        answers.append(
            Outcome(self.state, [f"{MOST_STOPS:,} stops with commands; continue goes on"])
        )
        return together(answers)
