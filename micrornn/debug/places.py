"""Names for nodes: what the user writes, and what the debugger writes back."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

from micrornn.core.tensor import Tensor
from micrornn.debug.errors import DebuggerError, brief
from micrornn.messages import nearest
from micrornn.recording import Recording, RecordingError

_PAPER = {"W": "weight", "b": "bias"}


class Places:
    """The nodes of one recording by name, by place (``h[3]``) and by number from 1 (``#12``).

    >>> import micrornn as mr
    >>> from micrornn.recording import record
    >>> places = Places(record(mr.tanh(mr.Value(0.5, "w") * 2.0)))
    >>> places.label(places.node("w")), places.label(places.node("#3"))
    ('w', 'mul')
    """

    def __init__(self, rec: Recording) -> None:
        self.rec = rec

    def number(self, node: Tensor) -> int:
        """The node's place in the recording, from 1; the same in every run and in a saved file."""
        return bisect_left(self.rec.nodes, node.number, key=lambda one: one.number) + 1

    def label(self, node: Tensor) -> str:
        """A node in a word: ``h[3]``, ``tanh[3]``, ``weight_hh_l0``, ``#7``."""
        word = node.name or (node.primitive.name if node.primitive else f"#{self.number(node)}")
        return word if node.step is None else f"{word}[{node.step}]"

    def node(self, text: str) -> Tensor:
        """The node that is meant.

        Raises:
            DebuggerError: there is none; suggests what may have been meant.
        """
        text = text.strip()
        if re.fullmatch(r"#\d+", text):
            number = int(text[1:])
            if not 1 <= number <= len(self.rec.nodes):
                raise DebuggerError(
                    f"there is no node {text}; nodes are #1 to #{len(self.rec.nodes)}"
                )
            return self.rec.nodes[number - 1]
        for candidate in (text, *_written_in_papers(text), f"{text}_l0"):
            try:
                node = self.rec.node(candidate)
            except RecordingError:
                continue
            self._check_alone(node, candidate)
            return node
        word, _, _ = text.removesuffix("]").partition("[")
        for n in reversed(self.rec.nodes):  # an operation without a name: tanh[3]
            if n.primitive and n.primitive.name == word and not n.name and self.label(n) == text:
                return n
        if text == "loss" and len(self.rec.losses) == 1:  # the only one, whatever made it
            return self.rec.losses[0]
        raise DebuggerError(self._unknown(text))

    def _check_alone(self, node: Tensor, ending: str) -> None:
        """Refuse the ending of a parameter's name that others have too."""
        if not node.is_leaf or node.name is None or node.name == ending:
            return
        endings = "|".join(map(re.escape, (ending, *_written_in_papers(ending))))
        fits = re.compile(rf".*\.({endings})(_l0)?")
        others = [p.name for p in self.rec.parameters if p.name and fits.fullmatch(p.name)]
        if len(others) > 1:
            raise DebuggerError(f"{brief(ending)} {_may_be(others)}")

    def _unknown(self, text: str) -> str:
        name, _, step = text.partition("[")
        known = self.names()
        if name.rpartition("/")[2] in known and step:
            steps = [n.step for n in self.rec.find(name.rpartition("/")[2]) if n.step is not None]
            if steps:
                have = f"{name} has the steps {min(steps)} to {max(steps)}"
                return f"there is no {brief(text)[1:-1]}; {have}"
        endings = [one for one in known if len(name) > 1 and one.endswith(name)]
        if len(endings) > 1:
            return f"{brief(name)} {_may_be(endings)}"
        hint = nearest(name, known) if known else "none has a name"
        return f"there is no node {brief(text)}; {shortened(hint)}"

    def names(self) -> list[str]:
        """The names that occur, each once: h, c, lstm.weight_hh_l0, ..."""
        return list(self.rec.named)

    def completions(self) -> list[str]:
        """What can be written for a node: names, and h[1], h[2], ... over time."""
        return list(dict.fromkeys(self.label(n) for n in self.rec.nodes if n.name))

    def scopes(self) -> list[str]:
        """The scope paths, and the paths above them."""
        found: dict[str, None] = {}
        for scope in self.rec.graph.scopes:
            parts = scope.split("/")
            found.update(dict.fromkeys("/".join(parts[: i + 1]) for i in range(len(parts))))
        return list(found)

    @cached_property
    def _lines(self) -> dict[tuple[str, int | None], tuple[str, int]]:
        first: dict[tuple[str, int | None], tuple[str, int]] = {}
        for node in self.rec.nodes:
            if node.source is None or not node.primitive:
                continue
            scope = node.scope
            while (scope, node.step) not in first:
                first[scope, node.step] = node.source
                scope = scope.rpartition("/")[0]
        return first

    def first_line(self, scope: str, step: int | None) -> tuple[str, int] | None:
        """The source line that first computed something in a scope at a step; "" is all of the step."""
        return self._lines.get((scope, step))

    def parameter(self, text: str) -> Tensor:
        """The parameter that is meant.

        Raises:
            DebuggerError: the node is none.
        """
        node = self.node(text.removesuffix(".grad"))
        if not (node.is_leaf and node.requires_grad):
            names = [p.name or f"#{self.number(p)}" for p in self.rec.parameters]
            raise DebuggerError(
                f"{self.label(node)} is no parameter; there are {', '.join(names) or 'none'}"
            )
        return node


def _may_be(names: Sequence[str]) -> str:
    return f"may be {', '.join(names[:12])}; write more of it"


def shortened(hint: str) -> str:
    """What `nearest` says, without more than a dozen names."""
    words = hint.split(", ")
    return hint if len(words) <= 12 else ", ".join([*words[:12], f"and {len(words) - 12} more"])


def _written_in_papers(text: str) -> Sequence[str]:
    """``weight_hh_l0`` for ``W_hh``, ``bias_ih_l1`` for ``b_ih_l1``."""
    match = re.fullmatch(r"(?:(.*)[./])?([Wb])(_\w+?)?(_l\d+(?:_reverse)?)?", text)
    if match is None:
        return ()
    before, letter, which, layer = match.groups()
    stem = (f"{before}." if before else "") + _PAPER[letter] + (which or "")
    return (stem + layer,) if layer else (stem + "_l0", stem)
