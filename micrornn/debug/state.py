"""Where the debugger stands: everything that a command may change, in one immutable value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrornn.debug.breakpoints import Breakpoint
from micrornn.debug.errors import DebuggerError
from micrornn.debug.timeline import BACKWARD, Timeline


@dataclass(frozen=True)
class State:
    """A cursor, and what the user has asked to be told.

    Attributes:
        position: how many turns are done; turn ``position`` is the next.
        direction: "backward" or "forward".
        branch: which what-if; "main" is the run as it was recorded.
        stops: breakpoints and watches, by number.
        displays: (number, expression), shown at every stop.
        made: how many stops and displays were ever made, for their numbers.
        frames: the nodes that `up` and `down` went through, by number; the last one is looked at.
        aliases: (name, the line it stands for).
        collecting: the breakpoint whose commands are being typed; 0 for none.
    """

    position: int = 0
    direction: str = BACKWARD
    branch: str = "main"
    stops: tuple[Breakpoint, ...] = ()
    displays: tuple[tuple[int, str], ...] = ()
    made: tuple[int, int] = (0, 0)
    frames: tuple[int, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    collecting: int = 0

    def stop(self, number: int) -> Breakpoint:
        """The breakpoint or watch of that number.

        Raises:
            DebuggerError: there is none.
        """
        for one in self.stops:
            if one.number == number:
                return one
        have = ", ".join(str(one.number) for one in self.stops) or "none yet"
        raise DebuggerError(f"there is no breakpoint {number}; there are: {have}")

    def with_stop(self, new: Breakpoint) -> State:
        """With this breakpoint in place of the one of its number, or as one more."""
        others = [one for one in self.stops if one.number != new.number]
        stops = tuple(sorted([*others, new], key=lambda one: one.number))
        return replace(self, stops=stops, made=(max(self.made[0], new.number), self.made[1]))


def digest(state: State, line: Timeline) -> str:
    """A hash of all that the debugged program is at this point: cursor, and every gradient so far.

    Two cursors with the same digest see the same, to the bit. It is slow: it looks at everything.
    """
    told = hashlib.sha256(f"{state.direction} {state.branch} {state.position}".encode())

    def tell(x: Any) -> None:
        array = np.asarray(x)
        told.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())

    for number, senders in sorted(line.received.items()):
        turn, slot = senders[0]
        node = line.nodes[turn].inputs[slot]
        amount, done, parts = line.arrived(node, state.position)
        told.update(f"{line.rec.by_number[number].number} {done} {parts}".encode())
        if done:
            tell(amount)
    for amount in line.amounts[state.position : state.position + 1]:
        tell(amount)
    return told.hexdigest()
