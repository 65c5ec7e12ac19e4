"""Equations: a program as formulas over time, for paper: in plain characters, or in LaTeX.

Each operation is written as its own declaration writes it (`formula`), so a new one needs nothing here.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from micrornn.compiler.program import (
    Constant,
    Loop,
    Parameter,
    Past,
    Program,
    Row,
    Rows,
    Value,
    every,
    mapped,
    read,
    references,
    shape_at,
)
from micrornn.compiler.symbols import HOLE, VARIABLE, Symbols, in_latex
from micrornn.compiler.traced import astype
from micrornn.core.primitive import Primitive

NAMED = ("activation", "distribution", "log distribution")  # better known by name than by formula
SHAPES = (astype, np.expand_dims, np.reshape, np.positive, np.copy)  # they keep the numbers
LONG = 70  # characters, from which on an expression gets a name of its own


class Equations:
    """The formulas of a program of primitives: forward, loss, the recursion backward, gradients.

    Args:
        program: rolled and reversed, and not lowered.
        latex: write LaTeX, for a document with amsmath.
    """

    def __init__(self, program: Program, latex: bool = False) -> None:
        self.program, self.latex = program, latex
        self.symbols = Symbols(latex)
        self.names: dict[Value, str] = {}
        self.taken: dict[Any, int] = {}
        self.inside: dict[Value, str] = {}
        self.loop: Loop | None = None
        self.count: dict[Value, int] = {}
        for r in [r for b in program.blocks for r, _ in read(b)] + list(
            references(program.outputs)
        ):
            of = r if isinstance(r, Value) else r.of
            for v in [of.of, *of.firsts] if isinstance(of, Past) else [of]:
                if isinstance(v, Value):
                    self.count[v] = self.count.get(v, 0) + (1 if of is r else 2)

    def text(self) -> str:
        """All formulas, under headings."""
        lines: list[str] = []
        begun = False
        lines.append(self._heading("Forward"))
        for block in self.program.blocks:
            if not begun and next(every([block])).back:
                begun = True
                lines.append(self._heading("Backward"))
            lines += self._block(block)
        lines.append(self._heading("Gradients"))
        for key, reference in self.program.outputs.items():
            if not isinstance(key, str):
                name = self.symbols.gradient(self.symbols.weight(key.name or "w"))
                value = self._reference(reference)
                if value != name:
                    lines.append(self._equation(name, value))
        body = "\n".join(lines).lstrip("\n")
        return f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n" if self.latex else body + "\n"

    # -- lines --

    def _heading(self, words: str) -> str:
        return f"&\\textbf{{{words}}} \\\\" if self.latex else f"\n{words}"

    def _equation(self, left: str, right: str, note: str = "") -> str:
        if self.latex:
            return f"{left} &= {right}{f' && {note}' if note else ''} \\\\"
        return f"  {left} = {right}{f'    {note}' if note else ''}"

    def _block(self, block: Value | Loop) -> list[str]:
        if not isinstance(block, Loop):
            return self._written([block], "")
        self.loop = block
        n = block.count
        span = f"t = {n}, \\dots, 1" if self.latex else f"for t = {n}, ..., 1"
        if not block.back:
            span = f"t = 1, \\dots, {n}" if self.latex else f"for t = 1, ..., {n}"
        lines = []
        pasts = [r.of for v in block.body for r in _rows(v) if isinstance(r.of, Past)]
        for past in dict.fromkeys(p for p in pasts if p.of.loop is block):
            at = n + 1 if block.back else 0
            name = self.symbols.at(self._name(past.of), str(at))
            lines.append(self._equation(name, self._outside(past.firsts[0])))
        lines += self._written(block.body, span)
        self.loop = None
        return lines

    def _outside(self, reference: Any) -> str:
        loop, self.loop = self.loop, None
        text = self._reference(reference)
        self.loop = loop
        return text

    def _written(self, values: list[Value], span: str) -> list[str]:
        lines = []
        for v in values:
            text = self._formula(v)
            single = self.count.get(v, 0) == 1 and v.name is None
            if _same_numbers(v) or _part(v) or v.call in SHAPES or text in ("1", "0"):
                self.inside[v] = text
                continue
            if single and len(text) <= LONG:
                self.inside[v] = text
                continue
            name = self._name(v)
            left = self.symbols.at(name, "t") if v.loop is not None else name
            lines.append(self._equation(left, text, span))
            span = ""
        return lines

    # -- expressions --

    def _formula(self, v: Value) -> str:
        if not isinstance(v.call, Primitive):
            return self._call(v)
        if v.call.kind == "reduction" and v.kwargs.get("axis") == 0 and _over_time(v.args[0]):
            total = "\\sum_t " if self.latex else "Σₜ "
            of = v.args[0].of if isinstance(v.args[0], Rows) else v.args[0]
            return total + self._wrapped(self._of_step(of))
        if _same_numbers(v):
            return self._reference(v.args[0])
        texts = [self._reference(x) for x in v.args]
        kind = v.call.kind
        if kind == "scaling" and "1" in texts:  # by one
            return texts[1 - texts.index("1")]
        if kind in NAMED:
            name = v.call.symbol if kind == "activation" else v.call.name
            return self._function(name, ", ".join(texts))
        if kind == "parts" and len(texts) > 1:
            order = sorted(range(len(texts)), key=lambda i: _start(v.kwargs["index"][i]))
            return f"[{'; '.join([texts[i] for i in order])}]"
        if kind == "join":
            return f"[{', '.join(texts)}]"
        if v.call.symbol == "ᵀ":
            return self._transposed(texts[0])
        letters = list(dict.fromkeys(VARIABLE.findall(v.call.formula)))
        if "subscripts" in v.kwargs:
            texts.insert(0, v.kwargs["subscripts"].replace("->", r" \to " if self.latex else " → "))
        if len(letters) < len(texts):
            return self._function(v.call.name, ", ".join(texts))
        index = self._index(v.kwargs["index"]) if "index" in v.kwargs else ""
        written = re.sub(r"\[(index|target)\]", f"[{HOLE}i{HOLE}]", v.call.formula)
        written = VARIABLE.sub(lambda m: f"{HOLE}{m[0]}{HOLE}", written)
        written = in_latex(written) if self.latex else written.replace(" @ ", " ")
        for letter, text in zip(letters, texts):
            written = written.replace(f"{HOLE}{letter}{HOLE}", self._wrapped(text, v.call.formula))
        for letter in letters[len(texts) :]:  # a bias that is not given
            written = written.replace(f" + {HOLE}{letter}{HOLE}", "")
        return written.replace(f"{HOLE}i{HOLE}", index)

    def _call(self, v: Value) -> str:
        found = [x for x in v.args if isinstance(x, (Value, Row, Rows))]
        texts = [self._reference(x) for x in found]
        if v.call in SHAPES:
            return texts[0]
        if v.call is np.equal and len(texts) == 1:  # with the numbers of all classes
            return self._function("onehot", texts[0])
        return self._function(getattr(v.call, "__name__", str(v.call)), ", ".join(texts))

    def _function(self, name: str, inside: str) -> str:
        if not self.latex:
            return f"{name}({inside})"
        known = {"σ": r"\sigma", "tanh": r"\tanh", "ln": r"\ln"}
        word = name.replace("_", r"\_")
        return f"{known.get(name) or f'{chr(92)}mathrm{{{word}}}'}({inside})"

    def _index(self, index: Any) -> str:
        entries = index if isinstance(index, tuple) else (index,)
        every = (Ellipsis, slice(None), None)
        kept = [i for i in entries if isinstance(i, np.ndarray) or i not in every]
        texts = []
        for i in kept:
            if isinstance(i, slice):
                texts.append(f"{i.start or 0}:{i.stop}")
            else:
                texts.append(self._reference(i) if isinstance(i, (Value, Row, Rows)) else str(i))
        return ", ".join(texts)

    def _transposed(self, text: str) -> str:
        return self._wrapped(text) + ("^\\top" if self.latex else "ᵀ")

    def _wrapped(self, text: str, around: str = "") -> str:
        """Text that holds together in what stands around it: in parentheses, where it needs them."""
        outside = _outside_of_brackets(text)
        if around == "a + b" or (around == "x" and " " not in outside):
            needed = text.startswith("-")
        elif around in ("a * b", "a @ b", "a - b"):
            needed = text.startswith("-") or " + " in outside or " - " in outside
        else:
            needed = " " in outside or text.startswith("-")
        return f"({text})" if needed else text

    # -- references and names --

    def _of_step(self, v: Any) -> str:
        if v in self.inside:
            return self.inside[v]
        return self.symbols.at(self._name(v), "t")

    def _reference(self, reference: Any) -> str:
        if not isinstance(reference, (Value, Row, Rows)):
            return str(reference)
        if isinstance(reference, Value):
            if reference in self.inside:
                return self.inside[reference]
            if isinstance(reference.leaf, Constant) and reference.leaf is not None:
                return self._constant(reference)
            inside = reference.loop is not None and reference.loop is self.loop
            name = self._name(reference)
            return self.symbols.at(name, "t") if inside else name
        of, start = reference.of, reference.start
        if isinstance(reference, Rows):
            return self._name(of) if isinstance(of, Value) else "..."
        if isinstance(of, Past):
            back = of.of.loop is not None and of.of.loop.back
            shift = start if back else start - len(of.firsts)
            name = self._name(of.of)
        else:
            shift, name = start, self.inside.get(of) or self._name(of)
            if self.inside.get(of) in ("0", "1"):
                return name
        if not reference.stride:
            return self.symbols.at(name, str(shift + 1))
        if reference.stride == 1:
            time = "t" if not shift else f"t{'+' if shift > 0 else '-'}{abs(shift)}"
        else:
            time = f"{start + 1}-{-reference.stride if reference.stride < -1 else ''}(t-1)"
        return self.symbols.at(name, time)

    def _constant(self, v: Value) -> str:
        held = np.asarray(v.leaf.value)
        if held.size and (held == held.ravel()[0]).all() and held.dtype.kind == "f":
            return f"{held.ravel()[0]:g}"
        return self._name(v)

    def _name(self, v: Value) -> str:
        if v in self.names:
            return self.names[v]
        base, source = v.name, v.source
        while base is None and v.back and isinstance(source, Value):
            if source.name and not source.back:
                base = self.symbols.gradient(self.symbols.plain(source.name))
                break
            source = source.source
        else:
            if base is None:
                given = "target" if v.dtype.kind in "iu" else "x"
                made = ("\\delta" if self.latex else "δ") if v.back else "a"
                base = self.symbols.plain(given) if v.leaf is not None else made
            elif isinstance(v.leaf, Parameter):
                base = self.symbols.weight(base)
            else:
                base = self.symbols.plain(base)
        key = (base, v.loop is None)
        self.taken[key] = self.taken.get(key, 0) + 1
        self.names[v] = base + self.symbols.mark(self.taken[key] - 1)
        return self.names[v]


def _rows(v: Value) -> list[Row]:
    found: list[Row] = []

    def keep(reference: Any) -> Any:
        if isinstance(reference, Row):
            found.append(reference)
        return reference

    mapped((v.args, v.kwargs), keep)
    return found


def _over_time(reference: Any) -> bool:
    of = reference.of if isinstance(reference, Rows) else reference
    return isinstance(of, Value) and of.loop is not None


def _part(v: Value) -> bool:
    """Whether a value is a part of a parameter."""
    x = v.args[0] if v.args and v.loop is None else None
    return isinstance(x, Value) and isinstance(x.leaf, Parameter) and "index" in v.kwargs


def _start(index: Any) -> int:
    """Where a part begins in its whole."""
    for i in index if isinstance(index, tuple) else (index,):
        if isinstance(i, slice) and (i.start or i.stop):
            return i.start or 0
    return 0


def _outside_of_brackets(text: str) -> str:
    depth, outside = 0, []
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if not depth:
            outside.append(c)
    return "".join(outside)


def _same_numbers(v: Value) -> bool:
    """Whether a value holds the numbers of its input, in another shape."""
    view = isinstance(v.call, Primitive) and v.call.kind == "view" and v.call.symbol != "ᵀ"
    if not view or not isinstance(v.args[0], (Value, Row, Rows)) or v.name is not None:
        return False
    inside = shape_at(v.args[0], v.loop)
    return not inside or bool(np.prod(inside) == np.prod(v.shape))
