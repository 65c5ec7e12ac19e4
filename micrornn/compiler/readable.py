"""Readable: a program as NumPy that a person would be glad to have written.

What is used once is written where it is used; names come from the graph, and what flows back to h is `d_h`.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np

from micrornn.compiler.expressions import INFIX
from micrornn.compiler.program import (
    Constant,
    Loop,
    Parameter,
    Past,
    Program,
    Row,
    Value,
    every,
    leaf,
    read,
    references,
    shape_at,
)
from micrornn.compiler.reverse import assembled
from micrornn.compiler.rules import Pull
from micrornn.compiler.traced import astype, getitem
from micrornn.compiler.write import Written

WIDTH = 100
TIGHT = 9
BINDING: dict[Any, int] = {
    **dict.fromkeys(INFIX, 2),
    **{np.add: 4, np.subtract: 4, np.power: 8},
    **{np.multiply: 6, np.true_divide: 6, np.matmul: 6},
}
INLINE = 60  # characters of an expression that still stands inside another


class Readable(Written):
    """The text of a program, to be read.

    Args:
        program: of the loss and its gradients.
        title: one line.
    """

    strips = False

    def __init__(self, program: Program, title: str) -> None:
        self.title = title
        self.inside: dict[Value, str] = {}  # expressions that stand inside others
        self.by_row: set[Value] = set()  # those of which rows are taken
        self.count: dict[Value, int] = {}
        for r in [r for b in program.blocks for r, _ in read(b)] + list(
            references(program.outputs)
        ):
            of = r if isinstance(r, Value) else r.of
            of = of.of if isinstance(of, Past) else of
            if of is not r:
                self.by_row.add(of)
            self.count[of] = self.count.get(of, 0) + (1 if isinstance(r, Value) else 2)
        self.inputs: list[Value] = []
        self.arrays: dict[int, Value] = {}  # constants that have no name in the graph
        self.binding = 0  # how tightly what stands around an expression holds it
        self.time = "t"
        super().__init__(program)

    @property
    def text(self) -> str:
        """A module with one function, from parameters and data to the loss and the gradients."""
        names = [self.names[v] for v in self.inputs]
        head = textwrap.fill(
            f"def loss_and_gradients({', '.join(names)}):",
            WIDTH,
            subsequent_indent=" " * len("def loss_and_gradients("),
            break_long_words=False,
        )
        doc = textwrap.fill(f'"""{self.title.rstrip(".")}."""', WIDTH, break_long_words=False)
        imports, functions = borrowed(self.bound)
        lines = [doc, "", "import numpy as np", *imports, "", *functions, "", head, *self.lines, ""]
        return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines))

    def arguments_by_name(self) -> list[str]:
        """The names of the function's arguments."""
        return [self.names[v] for v in self.inputs]

    def run(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The gradients of the parameters, and the arrays over time that stand in the function."""
        namespace: dict[str, Any] = {}
        text = self.text.replace("\n    return ", "\n    return locals(), ")
        exec(compile(text, "<explained>", "exec"), namespace)
        inside, _, gradients = namespace["loss_and_gradients"](*self.arguments())
        over_time = {self.names[v]: v for v in self.stored if v in self.names}
        return gradients, {
            name: inside[name][slice(*self._own_rows(v))] for name, v in over_time.items()
        }

    def arguments(self) -> list[Any]:
        """The arrays that the function of `text` takes, as they are now."""
        return [
            v.leaf.tensor._value if isinstance(v.leaf, Parameter) else v.leaf.value
            for v in self.inputs
        ]

    # -- names --

    def _name(self, v: Value) -> str:
        if v not in self.names:
            base, source = v.name, v.source
            while base is None and v.back and isinstance(source, Value):
                base = source.name and (source.name if source.back else f"d_{source.name}")
                source = source.source
            if base is None and v.leaf is not None:
                base = "targets" if v.dtype.kind in "iu" else "x"
            found = re.match(
                r"[\w ]*\w", (base or "").replace(".", "_")
            )  # of an input: not its value
            plain = found[0].replace(" ", "_") if found else ""
            usual = "a" if not v.back else "delta" if v.loop is not None else "d"
            self.names[v] = self._unique(plain if plain and not plain[0].isdigit() else usual)
        return self.names[v]

    def _parameter(self, v: Value) -> str:
        return self._given(v)

    def _constant(self, v: Value) -> str:
        held = np.asarray(v.leaf.value)
        same = held.size and held.dtype.kind == "f" and (held == held.ravel()[0]).all()
        return self._filled(v) if same or not held.ndim else self._given(v)

    def _filled(self, v: Value) -> str:
        held = np.asarray(v.leaf.value)
        number = float(held.ravel()[0])
        if not held.ndim:
            return self._argument(v.leaf.value if type(v.leaf.value) is int else number)
        like = "" if held.dtype == float else f", np.{held.dtype.name}"
        shape = self._argument(held.shape)
        return f"np.zeros({shape}{like})" if not number else f"np.full({shape}, {number}{like})"

    def _given(self, v: Value) -> str:
        if v not in self.inputs:
            self.inputs.append(v)
        return self._name(v)

    # -- lines --

    def _line(self, text: str) -> None:
        left, _, right = text.partition(" = ")
        if len(self.indent) + len(text) <= WIDTH or not right:
            self.lines.append(self.indent + text)
            return
        self.lines.append(f"{self.indent}{left} = (")
        self.lines += [f"{self.indent}    {line}" for line in wrapped(right, len(self.indent) + 4)]
        self.lines.append(f"{self.indent})")

    def _program(self) -> None:
        self.lines.append("    # forward")
        begun = False
        for block in self.program.blocks:
            if not begun and next(every([block])).back:
                begun = True
                self.lines += ["", "    # backward"]
            if isinstance(block, Loop):
                self._loop(block)
            else:
                self._straight(block)
        gradients = []
        for key, reference in self.program.outputs.items():
            if isinstance(key, str):
                loss = self._argument(reference, 0)
            else:
                gradients.append(f'"{key.name}": {self._argument(reference, 0)}')
        self.lines.append("")
        self.lines.append(f"    return {loss}, {{")
        self.lines += [f"        {line}," for line in gradients]
        self.lines.append("    }")

    def _straight(self, v: Value) -> None:
        text = self._expression(v)
        if self._inlined(v, text):
            self.inside[v] = text
            return
        self._line(f"{self._name(v)} = {text}")

    def _loop(self, loop: Loop) -> None:
        n = loop.count
        for v in loop.body:
            if v in self.stored:
                past = self.lags.get(v)
                lag = len(past.firsts) if past else 0
                like = "" if v.dtype == float else f", np.{v.dtype.name}"
                name = self._name(v)
                self._line(f"{name} = np.empty({self._argument((n + lag, *v.shape))}{like})")
                for i in range(lag):
                    assert past is not None
                    at = n + i if loop.back else i
                    self._line(f"{name}[{at}] = {self._reference(past.firsts[i])}")
        self._line(f"for t in {f'reversed(range({n}))' if loop.back else f'range({n})'}:")
        outer, self.indent = self.indent, self.indent + "    "
        self.row = self._row
        for v in loop.body:
            text = self._expression(v)
            if v in self.stored:
                self.local[v] = f"{self._name(v)}[{_shifted(self._own_rows(v)[0])}]"
                self._line(f"{self.local[v]} = {text}")
            elif self._inlined(v, text):
                self.inside[v] = text
            else:
                self.local[v] = self._name(v)
                self._line(f"{self.local[v]} = {text}")
        self.indent, self.row, self.local = outer, None, {}

    def _row(self, reference: Row) -> str:
        of = reference.of
        base = of.of if isinstance(of, Past) else of
        start = reference.start
        if not isinstance(of, Past) and base.loop is not None:
            start += self._own_rows(base)[0]
        name = self._reference(base) if base.leaf is not None else self._name(base)
        return f"{name}[{_shifted(start, reference.stride)}]"

    def _inlined(self, v: Value, text: str) -> bool:
        """Whether an expression may stand where its value is used."""
        if v in self.by_row:
            return False
        if v.call in (getitem, np.transpose, np.reshape) and len(text) <= INLINE // 2:
            return True
        return v.name is None and self.count.get(v, 0) == 1 and len(text) <= INLINE

    # -- expressions --

    def _reference(self, reference: Any) -> str:
        if isinstance(reference, Value) and reference in self.inside:
            text = self.inside[reference]
            return f"({text})" if _binding(reference) < self.binding else text
        text = super()._reference(reference)
        if isinstance(reference, Value) and reference in self.lags and reference.loop is not None:
            text = re.sub(r":\d+\]$", ":]", text) if not reference.loop.back else text  # to the end
        return text

    def _argument(self, x: Any, binding: int = TIGHT) -> str:
        outer, self.binding = self.binding, binding
        if isinstance(x, (tuple, list)):
            items = ", ".join([self._bare(y) for y in x]) + ("," if len(x) == 1 else "")
            text = f"[{items}]" if isinstance(x, list) else f"({items})"
        else:
            text = self._array(x) if isinstance(x, np.ndarray) else super()._argument(x)
        self.binding = outer
        return text

    def _array(self, x: Any) -> str:
        """A constant array: as what it is, or by a name."""
        if x.ndim and x.dtype.kind in "iu" and np.array_equal(x.ravel(), np.arange(x.size)):
            column = "" if x.ndim == 1 else f".reshape{x.shape}"
            return f"np.arange({x.size}){column}"
        if not x.ndim:
            return repr(x.item())
        if id(x) not in self.arrays:
            self.arrays[id(x)] = leaf(Constant(x), x, "constant")
        return self._given(self.arrays[id(x)])

    def _expression(self, v: Value) -> str:
        if v.call in INFIX and not v.kwargs:
            own = BINDING[v.call]
            left, right = self._argument(v.args[0], own), self._argument(v.args[1], own + 1)
            return f"{left} {INFIX[v.call]} {right}"
        args = [self._bare(x) for x in v.args]
        if v.call is getitem:
            return f"{self._argument(v.args[0])}[{_index(v.args[1], self._bare)}]"
        if v.call is np.transpose and len(v.shape) == 2:
            return f"{self._argument(v.args[0])}.T"
        if v.call is np.reshape and shape_at(v.args[0], v.loop) == v.shape:
            return self._bare(v.args[0])
        if v.call is np.reshape:
            return f"{self._argument(v.args[0])}.reshape{args[1]}"
        if v.call is np.negative:
            return f"-{self._argument(v.args[0])}"
        if v.call is astype:
            return f"{self._argument(v.args[0])}.astype({args[1]})"
        owner = getattr(v.call, "__self__", None)
        if isinstance(owner, np.ufunc) and owner in REDUCTIONS:
            axes, axis = len(shape_at(v.args[0], v.loop)), v.kwargs["axis"]
            axis = axis + axes if isinstance(axis, int) and axis != -1 else axis
            more = [f"{k}={x}" for k, x in {**v.kwargs, "axis": axis}.items() if x is not None]
            return f"np.{REDUCTIONS[owner]}({', '.join([*args, *more])})"
        args += [f"{key}={self._bare(x)}" for key, x in v.kwargs.items()]
        return f"{self._function(v.call)}({', '.join(args)})"

    def _bare(self, x: Any) -> str:
        """An argument of a function, without parentheses around it."""
        return self._argument(x, 0)


REDUCTIONS = {np.add: "sum", np.maximum: "max", np.minimum: "min", np.multiply: "prod"}


def borrowed(bound: dict[str, Any]) -> tuple[list[str], list[str]]:
    """How a module gets the functions that are micrornn's: what it imports, and what it makes of that."""
    imports: set[str] = set()
    functions = []
    for name, held in bound.items():
        if held is assembled:
            imports.add("from micrornn.compiler.reverse import assembled")
            if name != "assembled":
                functions.append(f"{name} = assembled")
            continue
        imports.add("from micrornn.core.primitive import PRIMITIVES")
        if isinstance(held, Pull):
            imports.add("from micrornn.compiler.rules import Pull")
            functions.append(f'{name} = Pull(PRIMITIVES["{held.p.name}"], {held.i})')
        else:
            functions.append(f'{name} = PRIMITIVES["{held.__name__}"].forward')
    return sorted(imports), functions


def wrapped(text: str, indent: int) -> list[str]:
    """Text in lines, broken at spaces."""
    return textwrap.wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False)


def _shifted(start: int, stride: int = 1) -> str:
    if stride == 0:
        return str(start)
    time = "t" if stride == 1 else "-t" if stride == -1 else f"{stride} * t"
    if stride == -1:
        return f"{start} - t"
    return time if not start else f"{time} {'+' if start > 0 else '-'} {abs(start)}"


def _binding(v: Value) -> int:
    """How tightly the expression of a value holds together."""
    if v.kwargs:
        return TIGHT
    return 2 if v.call is np.negative else BINDING.get(v.call, TIGHT)


def _index(index: Any, write: Any) -> str:
    entries = index if isinstance(index, tuple) else (index,)
    return ", ".join([_slice(i, write) if isinstance(i, slice) else write(i) for i in entries])


def _slice(i: slice, write: Any) -> str:
    ends = ["" if k is None else write(k) for k in (i.start, i.stop)]
    return ":".join(ends) + ("" if i.step is None else f":{write(i.step)}")
