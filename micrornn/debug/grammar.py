"""The small language of conditions and of `print`: text in, a tree of tuples out; never `eval`.

    condition   norm < 1e-6 and (op = tanh or t >= 3), not zero, scope = lstm.0, sign = +
    value       h[3].grad[0, :4], norm(W_hh.grad) / 2, #12.value.max, grad, sent[0]

A place is a name with an optional step in brackets (``h[3]``), perhaps behind its scope (``lstm.0/h[3]``), a
node's number (``#12``), or anything in quotes. A division is written with spaces, for names hold slashes.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from micrornn.debug.errors import DebuggerError, brief

Tree = tuple[Any, ...]

TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<place>\#\d+ | [A-Za-z_]\w*(?:\.\w+)*(?:/[A-Za-z_]\w*(?:\.\w+)*)*)
    | (?P<quoted>'[^']*' | "[^"]*")
    | (?P<bracket>\[[^\[\]]*\])
    | (?P<attribute>\.[A-Za-z_]\w*)
    | (?P<sign><=|>=|==|!=|[-+*/()<>=±.])
    )""",
    re.VERBOSE,
)
COMPARISONS = {"<", "<=", ">", ">=", "=", "==", "!="}
FUNCTIONS = ("norm", "max", "min", "mean", "sum", "abs", "shape", "sign")


class Token(NamedTuple):
    """A piece of text, of a kind, and where it begins."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """The text in pieces.

    Raises:
        DebuggerError: there is something that no piece begins with.

    >>> [token.text for token in tokens("h[3].grad < 1e-6")]
    ['h', '[3]', '.grad', '<', '1e-6']
    """
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise DebuggerError(
                f"{brief(text)} is not understood from {brief(text[at:].strip())} on"
            )
        kind = match.lastgroup
        found.append(Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


class Parser:
    """One text being read, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rest = tokens(text)

    def peek(self) -> str:
        """The next piece, or nothing."""
        return self.rest[0].text if self.rest else ""

    def kind(self) -> str:
        """Of what kind the next piece is."""
        return self.rest[0].kind if self.rest else "end"

    def take(self) -> Token:
        """The next piece, taken."""
        if not self.rest:
            raise DebuggerError(f"{brief(self.text)} ends too early; see `help expressions`")
        return self.rest.pop(0)

    def expect(self, text: str) -> None:
        """Take a piece that must be there."""
        if self.peek() != text:
            raise self.error(f"expected {text!r}")
        self.take()

    def error(self, what: str) -> DebuggerError:
        """What is wrong with the text, and where."""
        here = brief(self.text[self.rest[0].at :]) if self.rest else "its end"
        return DebuggerError(f"{brief(self.text)}: {what} at {here}; see `help expressions`")

    def finished(self, tree: Tree) -> Tree:
        """The tree, if all of the text has been read."""
        if self.rest:
            raise self.error("nothing more was expected")
        return tree

    # -- conditions --------------------------------------------------------------------------------

    def either(self) -> Tree:
        """a or b or ..."""
        tree = self.both()
        while self.peek() == "or":
            self.take()
            tree = ("or", tree, self.both())
        return tree

    def both(self) -> Tree:
        """a and b and ..."""
        tree = self.negated()
        while self.peek() == "and":
            self.take()
            tree = ("and", tree, self.negated())
        return tree

    def negated(self) -> Tree:
        """not a, (a), or a comparison."""
        if self.peek() == "not":
            self.take()
            return ("not", self.negated())
        if self.peek() == "(":
            self.take()
            tree = self.either()
            self.expect(")")
            return tree
        return self.compared()

    def compared(self) -> Tree:
        """a < b, a < b < c, or a word that is true or not."""
        left = self.operand()
        if self.peek() not in COMPARISONS:
            return ("is", left)
        tree: Tree | None = None
        while self.peek() in COMPARISONS:
            relation = self.take().text
            right = self.operand()
            step = ("compare", "=" if relation == "==" else relation, left, right)
            tree = step if tree is None else ("and", tree, step)
            left = right
        assert tree is not None
        return tree

    def operand(self) -> Tree:
        """A number, a word, or one of the signs + - ±."""
        token = self.take()
        if token.kind == "number":
            return ("number", float(token.text))
        if token.text == "-" and self.kind() == "number":
            return ("number", -float(self.take().text))
        if token.kind == "place" or token.text in ("+", "-", "±"):
            return ("word", token.text)
        if token.kind == "quoted":
            return ("word", token.text[1:-1])
        raise DebuggerError(
            f"{brief(self.text)}: {brief(token.text)} is neither a number nor a word"
        )

    # -- values ------------------------------------------------------------------------------------

    def added(self) -> Tree:
        """a + b - c ..."""
        tree = self.multiplied()
        while self.peek() in ("+", "-"):
            tree = ("arithmetic", self.take().text, tree, self.multiplied())
        return tree

    def multiplied(self) -> Tree:
        """a * b / c ..."""
        tree = self.signed()
        while self.peek() in ("*", "/"):
            tree = ("arithmetic", self.take().text, tree, self.signed())
        return tree

    def signed(self) -> Tree:
        """-a, a number, a function of a value, (a), or a place."""
        if self.peek() == "-":
            self.take()
            return ("negative", self.signed())
        if self.peek() == "(":
            self.take()
            tree = self.added()
            self.expect(")")
            return self.followed(tree)
        if self.kind() == "number":
            return ("number", float(self.take().text))
        if self.kind() not in ("place", "quoted"):
            raise self.error("expected a number, a name or a function")
        token = self.take()
        if token.kind == "place" and self.peek() == "(":
            if token.text not in FUNCTIONS:
                raise DebuggerError(
                    f"there is no function {brief(token.text)}; there are {', '.join(FUNCTIONS)}"
                )
            self.take()
            tree = self.added()
            self.expect(")")
            return self.followed(("call", token.text, tree))
        text = token.text[1:-1] if token.kind == "quoted" else token.text
        return self.followed(("place", text, token.kind == "quoted"))

    def followed(self, tree: Tree) -> Tree:
        """Brackets and attributes behind a value."""
        while self.kind() in ("bracket", "attribute"):
            token = self.take()
            if token.kind == "bracket":
                tree = ("index", tree, token.text[1:-1].strip())
            else:
                tree = ("attribute", tree, token.text[1:])
        return tree


def parse_condition(text: str) -> Tree:
    """The tree of a condition.

    Raises:
        DebuggerError: says where it is not understood.

    >>> parse_condition("norm < 1e-6 and not t = 3")
    ('and', ('compare', '<', ('word', 'norm'), ('number', 1e-06)), ('not', ('compare', '=', ...)))
    """
    parser = Parser(text)
    return parser.finished(parser.either())


def parse_value(text: str) -> Tree:
    """The tree of a value.

    Raises:
        DebuggerError: says where it is not understood.

    >>> parse_value("h[3].grad[0, :4]")
    ('index', ('attribute', ('index', ('place', 'h', False), '3'), 'grad'), '0, :4')
    """
    parser = Parser(text)
    return parser.finished(parser.added())


def parse_index(text: str) -> Any:
    """What stands between brackets, as NumPy takes it: integers, slices, ``...``.

    Raises:
        DebuggerError: it is something else.

    >>> parse_index("0, :4")
    (0, slice(None, 4, None))
    """
    parts: list[Any] = []
    for part in text.split(","):
        part = part.strip()
        ends = part.split(":")
        if part == "...":
            parts.append(Ellipsis)
        elif len(ends) in (2, 3) and all(re.fullmatch(r"\s*-?\d*\s*", end) for end in ends):
            parts.append(slice(*(int(end) if end.strip() else None for end in ends)))
        elif re.fullmatch(r"-?\d+", part):
            parts.append(int(part))
        else:
            raise DebuggerError(f"[{text}] is no index; write integers and slices: [0, :4]")
    return parts[0] if len(parts) == 1 else tuple(parts)
