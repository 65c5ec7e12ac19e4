"""A recording from a JSON document that somebody else may have written: everything is checked."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from micrornn.core.backward import Pullback
from micrornn.core.context import Place
from micrornn.core.primitive import PRIMITIVES, Primitive
from micrornn.core.tensor import NO_PARAMS, Tensor
from micrornn.core.tensor import shape_of as shape_of_value
from micrornn.cotangent import Part, Product
from micrornn.recording.encode import UNKNOWN
from micrornn.recording.passes import Pass, RecordingError
from micrornn.recording.pools import Pools, shape_of
from micrornn.recording.run import Recording

_ARGUMENTS = {"float", "slice", "ellipsis", "tuple", "array"}


def decode(document: dict[str, Any], pools: Pools) -> Recording:
    """The recording that a document describes.

    Raises:
        RecordingError: says what is wrong with the document, and where.
    """
    tables = _Tables(document)
    nodes: list[Tensor] = []
    used: set[int] = set()
    for i, row in enumerate(_list(document, "nodes")):
        try:
            nodes.append(_node(row, nodes, tables, pools))
        except RecordingError as error:
            raise RecordingError(f"node {i}: {error}") from None
        used.update(x.number for x in nodes[-1].inputs)
    if not nodes:
        raise RecordingError("it has no nodes")
    passes = []
    for i, rows in enumerate(_list(document, "passes")):
        try:
            passes.append(_pass(rows, nodes, pools))
        except RecordingError as error:
            raise RecordingError(f"pass {i}: {error}") from None
    inferred = document.get("inferred", "")
    if type(inferred) is not str:
        raise RecordingError("the sentence on its steps is not text")
    losses = [_pick(nodes, i, "node") for i in _list(document, "losses")]
    found = Recording([n for n in nodes if n.number not in used], passes, losses)
    found.inferred = inferred
    found.recomputed = dict(_again(row, nodes) for row in document.get("recomputed", []))
    return found


class _Tables:
    def __init__(self, document: dict[str, Any]) -> None:
        self.primitives = [_primitive(name) for name in _list(document, "primitives")]
        self.places = [_place(place) for place in _list(document, "places")]
        self.names = _list(document, "names")
        if not all(type(name) is str for name in self.names):
            raise RecordingError("a name is not a text")
        self.sources = [_source(source) for source in _list(document, "sources")]


def _again(row: Any, nodes: list[Tensor]) -> tuple[int, int]:
    """The number of a node that a checkpoint computed again, and how many times."""
    if type(row) is not list or [type(x) for x in row] != [int, int] or row[1] < 1:
        raise RecordingError(f"{row!r} is not a node and how many times it was computed again")
    return _pick(nodes, row[0], "node").number, row[1]


def _list(document: dict[str, Any], key: str) -> list[Any]:
    found = document.get(key)
    if type(found) is not list:
        raise RecordingError(f"its list of {key} is missing")
    return found


def _primitive(name: Any) -> Primitive:
    if type(name) is str and name.startswith("torch "):
        return _opaque(name)
    if name not in PRIMITIVES:
        import_module("micrornn.nn")  # whose losses are primitives too
    if type(name) is not str or name not in PRIMITIVES:
        raise RecordingError(
            f"the primitive {name!r} is not known here; import the module that declares it first"
        )
    return PRIMITIVES[name]


def _opaque(name: str) -> Primitive:
    """An operation from outside: what it sent is recorded, but it cannot be run again here."""

    def no_rule(*_: Any, **__: Any) -> Any:
        raise RecordingError(
            f"{name!r} is an operation of PyTorch's, and its gradient cannot be computed again from a file; "
            "record the run in the program that has PyTorch, and look at it there"
        )

    return Primitive(
        name, name, name.removeprefix("torch "), no_rule, no_rule, no_rule, (), kind="opaque"
    )


def _place(place: Any) -> Place:
    if (
        type(place) is not list
        or len(place) != 2
        or type(place[0]) is not str
        or not (place[1] is None or type(place[1]) is int)
    ):
        raise RecordingError(f"{place!r} is no scope and step")
    return Place(*place)


def _source(source: Any) -> tuple[str, int]:
    if (
        type(source) is not list
        or [type(x) for x in source] != [str, int]
        or not 0 <= source[1] < 2**31
    ):
        raise RecordingError(f"{source!r} is no source line")
    return source[0], source[1]


def _pick(table: list[Any], i: Any, what: str) -> Any:
    if type(i) is not int or not 0 <= i < len(table):
        raise RecordingError(f"there is no {what} {i!r}")
    return table[i]


def _node(row: Any, nodes: list[Tensor], tables: _Tables, pools: Pools) -> Tensor:
    if type(row) is not list or len(row) not in (8, 9):
        raise RecordingError("its row has the wrong length")
    primitive, inputs, value, params, place, name, wanted, source = row[:8]
    other = row[8] if len(row) == 9 else {}
    if type(inputs) is not list or any(
        type(i) is not int or not 0 <= i < len(nodes) for i in inputs
    ):
        raise RecordingError(f"its inputs {inputs!r} are not all older nodes")
    if wanted not in (0, 1):
        raise RecordingError(f"whether it wants a gradient is {wanted!r}, not 0 or 1")
    node = Tensor.__new__(Tensor)
    node._value = pools.get(value)
    node.inputs = tuple([nodes[i] for i in inputs])
    node.place = _pick(tables.places, place, "place")
    node.requires_grad = bool(wanted)
    if name != UNKNOWN:
        node.name = _pick(tables.names, name, "name")
    if source != UNKNOWN:
        node.source = _pick(tables.sources, source, "source line")
    made: Primitive | None = None
    if primitive != UNKNOWN:
        made = _pick(tables.primitives, primitive, "primitive")
    node.primitive = made
    node.params = _params(params, nodes, pools)
    if node.inputs:
        if made is None:
            raise RecordingError("it has inputs, but no primitive made it of them")
        _check_call(made, node)
        if not node.requires_grad:
            raise RecordingError("it has a history and needs no gradient")
    elif made is not None and node.requires_grad:
        raise RecordingError("it was computed, wants a gradient, and has no inputs")
    node.values = _values(node, other, pools)
    return node


def _check_call(made: Primitive, node: Tensor) -> None:
    if not made.variadic and len(node.inputs) > len(made.vjp):  # type: ignore[arg-type]
        raise RecordingError(f"{made.name} does not take {len(node.inputs)} inputs")
    code = getattr(made.forward, "__code__", None)
    keywords: set[str] = set()
    if code is not None:
        first = code.co_argcount
        keywords = set(code.co_varnames[first : first + code.co_kwonlyargcount])
        least = 1 if made.variadic else first - len(made.forward.__defaults__ or ())
        if len(node.inputs) < least:
            raise RecordingError(f"{made.name} does not take {len(node.inputs)} inputs")
    if set(node.params) != keywords:
        raise RecordingError(
            f"{made.name} takes the params {sorted(keywords)}, not {sorted(node.params)}"
        )


def _values(node: Tensor, other: Any, pools: Pools) -> tuple[Any, ...]:
    values = [x._value for x in node.inputs]
    if type(other) is not dict:
        raise RecordingError("its other values are no table")
    for slot, reference in other.items():
        if not slot.isdecimal() or int(slot) >= len(values):
            raise RecordingError(f"there is no input {slot!r}")
        value = pools.get(reference)
        if shape_of_value(value) != node.inputs[int(slot)].shape:
            raise RecordingError(f"the value used as input {slot} has another shape than the input")
        values[int(slot)] = value
    return tuple(values)


def _params(given: Any, nodes: list[Tensor], pools: Pools) -> dict[str, Any]:
    if given == 0:
        return NO_PARAMS
    if type(given) is not dict:
        raise RecordingError(f"{given!r} are no params")
    params = {}
    for name, value in given.items():
        if name == "cut":
            # A cut from a node that was not recorded: no node has the number 0.
            params[name] = 0 if value == UNKNOWN else _pick(nodes, value, "node").number
        else:
            params[name] = argument(value, pools)
    return params


def argument(given: Any, pools: Pools) -> Any:
    """What `encode.argument` wrote, read back.

    Raises:
        RecordingError: it was not written by it.
    """
    if given is None or isinstance(given, (bool, str, int, float)):
        return given
    if isinstance(given, list):
        return [argument(x, pools) for x in given]
    if not (isinstance(given, dict) and len(given) == 1 and set(given) <= _ARGUMENTS):
        raise RecordingError(f"{given!r} is no argument of an operation")
    ((kind, value),) = given.items()
    if kind == "float":
        return float.fromhex(value)
    if kind == "ellipsis":
        return Ellipsis
    if kind == "array":
        return pools.get(value)
    parts = [argument(x, pools) for x in value]
    if kind == "tuple":
        return tuple(parts)
    if len(parts) != 3 or not all(x is None or type(x) is int for x in parts):
        raise RecordingError(f"{value!r} is no slice")
    return slice(*parts)


def _pass(rows: Any, nodes: list[Tensor], pools: Pools) -> Pass:
    if type(rows) is not list or not rows:
        raise RecordingError("it has no pullbacks")
    pullbacks = []
    last = len(nodes)
    for row in rows:
        if type(row) is not list or len(row) != 3 or type(row[2]) is not list:
            raise RecordingError("the row of a pullback has the wrong length")
        i, gradient, sent = row
        node = _pick(nodes, i, "node")
        if not i < last or not node.inputs or len(sent) != len(node.inputs):
            raise RecordingError(f"the pullback of node {i} does not fit the graph or the order")
        last = i
        g = pools.get(gradient)
        if shape_of_value(g) != node.shape:
            raise RecordingError(f"the gradient at node {i} has another shape than the node")
        contributions = [_contribution(c, x, pools) for c, x in zip(sent, node.inputs)]
        pullbacks.append(Pullback(node, g, contributions))
    return Pass(pullbacks)


def _contribution(given: Any, x: Tensor, pools: Pools) -> Any:
    if given is None:
        return None
    c = _unwritten(given, pools) if type(given) is dict else pools.get(given)
    if shape_of_value(c) != x.shape:
        raise RecordingError(
            f"a contribution of shape {shape_of_value(c)} is sent to a node of shape {x.shape}"
        )
    return c


def _unwritten(given: dict[str, Any], pools: Pools) -> Any:
    if set(given) == {"product"} and type(given["product"]) is list and len(given["product"]) == 2:
        left, right = (pools.get(reference) for reference in given["product"])
        if shape_of_value(left)[:-1] != shape_of_value(right)[:-1] or not shape_of_value(left):
            raise RecordingError("the factors of a product do not fit each other")
        return Product(left, right)
    if set(given) == {"part", "index", "shape"}:
        part = given["part"]
        inner = _unwritten(part, pools) if type(part) is dict else pools.get(part)
        return Part(inner, argument(given["index"], pools), shape_of(given["shape"]))
    raise RecordingError("a contribution is in no known form")
