"""One thing that is wrong: what, where, the numbers, how sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from micrornn.core.tensor import Tensor
from micrornn.diagnose.verdicts import VERDICTS
from micrornn.flow.why import Why

Sure = Literal["certain", "likely", "possible"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        name: one of `VERDICTS`.
        evidence: sentences with the numbers.
        node: where it lies; its source line is where to look.
        sure: "certain" (it follows from the graph), "likely", or "possible".
        because: `flow.why` on the gradient it was seen at, where that was asked.
        line: the file and line, where it lies at no node.
        tried: what became of the run when the advice was followed, where that was tried.
    """

    name: str
    evidence: list[str]
    node: Tensor | None = None
    sure: Sure = "certain"
    because: Why | None = None
    line: tuple[str, int] | None = None
    tried: str | None = None

    @property
    def advice(self) -> list[str]:
        """What to try, the most promising first."""
        return list(VERDICTS[self.name].do)

    @property
    def more(self) -> str:
        """The command that explains the problem in general."""
        return f"micrornn diagnose --explain {VERDICTS[self.name].slug}"

    @property
    def source(self) -> tuple[str, int] | None:
        """The file and line to look at, where they were recorded."""
        if self.node is not None and self.node.source is not None:
            return self.node.source
        return self.line if self.because is None else self.because.source
