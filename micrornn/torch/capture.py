"""What happens in PyTorch while a recording runs, and the node that stands for each result.

Two modes listen. One sees the functions that users call: the fused recurrent layers are unrolled there, and
linear layers and losses stay whole. The other sees what everything else is broken into (`operations`).
PyTorch computes as it always does; what stands in the graph is computed beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from micrornn import ops
from micrornn.core.context import scope
from micrornn.core.tensor import Tensor
from micrornn.source import calling_line
from micrornn.torch import layers  # noqa: F401 - its rules join those of `operations`
from micrornn.torch.functions import FUNCTIONS, drops
from micrornn.torch.names import Names
from micrornn.torch.opaque import opaque
from micrornn.torch.operations import RULES
from micrornn.torch.recurrent import Unroller
from micrornn.torch.values import Values, array, as_dtype


class Capture:
    """The state of a recording that runs."""

    def __init__(self) -> None:
        self.names = Names()
        self.values = Values(self.names)
        self.unroller = Unroller()
        self._paused = 0
        self._scopes: list[ExitStack] = []
        self._layer: list[str] = []
        self.first_layer = 0
        self.idle_dropout: list[tuple[str, int]] = []  # lines where it ran without gradients

    # -- when it listens ------------------------------------------------------------------------------

    @property
    def listening(self) -> bool:
        """Whether what is computed now belongs into the graph."""
        return not self._paused and torch._C._current_graph_task_id() == -1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Compute without being noted."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen."""
        hooks = torch.nn.modules.module
        with ExitStack() as stack:
            enter = hooks.register_module_forward_pre_hook(self._enter)
            leave = hooks.register_module_forward_hook(self._leave, always_call=True)
            stack.callback(enter.remove)
            stack.callback(leave.remove)
            stack.enter_context(_Functions(self))
            stack.enter_context(_Operations(self))
            yield

    def _enter(self, module: Any, _: Any) -> None:
        self.names.learn(module)
        name = self.names.module(module)
        stack = ExitStack()
        self._scopes.append(stack)
        self._layer.append(name or type(module).__name__.lower())
        # The layers of a recurrent module have scopes of their own, named after it.
        if name and not isinstance(module, (torch.nn.RNNBase, torch.nn.RNNCellBase)):
            stack.enter_context(scope(name))

    def _leave(self, *_: Any) -> None:
        self._layer.pop()
        self._scopes.pop().close()

    @property
    def layer(self) -> str:
        """The name of the module that is being called."""
        return self._layer[-1] if self._layer else "rnn"

    @contextmanager
    def from_layer(self, number: int) -> Iterator[None]:
        """Count the layers of a module from this one inside."""
        self.first_layer = number
        try:
            yield
        finally:
            self.first_layer = 0

    # -- nodes of arguments and results -----------------------------------------------------------------

    def needed(self, arguments: Any) -> bool:
        """Whether a gradient may pass through a call with these arguments."""
        return torch.is_grad_enabled() and any(self.values.known(t) for t in tensors(arguments))

    def as_nodes(self, arguments: Any) -> Any:
        """The arguments, with a node for each tensor of floats and an array for any other tensor."""

        if isinstance(arguments, torch.Tensor):
            floats = arguments.is_floating_point()
            return self.values.node(arguments) if floats else array(arguments)
        if isinstance(arguments, (list, tuple)):
            return [self.as_nodes(x) for x in arguments]
        if isinstance(arguments, dict):
            return {name: self.as_nodes(x) for name, x in arguments.items()}
        return arguments

    def bind(self, outputs: Any, nodes: Any) -> None:
        """Let nodes stand for outputs; None for an output without a gradient."""
        if isinstance(nodes, Tensor):
            nodes = [nodes]
        for out, node in zip(tensors(outputs), nodes, strict=False):
            if node is None or not out.is_floating_point():
                continue
            if tuple(out.shape) != node.shape:
                raise NotImplementedError(f"{tuple(out.shape)} and {node.shape}")
            self.values.bind(out, as_dtype(node, out))

    # -- one operation ----------------------------------------------------------------------------------

    def operation(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Run a dispatched operation, and note it."""
        if not self.listening:
            return func(*args, **kwargs)
        name = func.overloadpacket.__name__
        changed = _changed(func, args, kwargs)
        if changed is not None:
            return self._in_place(func, name, changed, args, kwargs)
        if not self.needed((args, kwargs)) or _only_shaped(name):
            return func(*args, **kwargs)
        if _is_view(func) and self.values.is_written(args[0]):
            return func(*args, **kwargs)  # what it shows is read when it is used
        with self.paused():
            nodes = self._nodes(func, name, args, kwargs)
            out = func(*args, **kwargs)
            if nodes is not None:
                try:
                    self.bind(out, nodes)
                    return out
                except NotImplementedError:
                    pass
            self._opaque(func, name, args, kwargs, out)
        return out

    def _nodes(self, func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """What stands for the result by the rule of an operation; None without one."""
        rule = RULES.get(name)
        if rule is None:
            return None
        try:
            return rule(*self.as_nodes(list(args)), **self.as_nodes(_arithmetic(kwargs)))
        except (NotImplementedError, TypeError, ValueError, AttributeError, IndexError):
            return None

    def _opaque(
        self, func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any], out: Any
    ) -> None:
        floats = [x for x in tensors(out) if x.is_floating_point()]
        inputs = [
            t for t in tensors((args, kwargs)) if t.is_floating_point() and self.values.known(t)
        ]
        if not floats or not inputs:
            return
        places = {id(t): i for i, t in enumerate(inputs)}

        def call(given: list[Any]) -> Any:
            def put(x: Any) -> Any:
                return given[places[id(x)]] if id(x) in places else x

            return func(*tree_map(put, list(args)), **tree_map(put, kwargs))

        pairs = [(t, self.values.node(t)) for t in inputs]
        for tensor, node in zip(floats, opaque(name, call, pairs, floats)):
            self.values.bind(tensor, node)

    def _in_place(
        self, func: Any, name: str, target: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        """An operation that changes a tensor: a node for what stands there afterwards."""
        if not self.needed((args, kwargs)) or not target.is_floating_point():
            return func(*args, **kwargs)
        with self.paused():
            self.values.before_write(target)
            node = self._written(func, name, target, args, kwargs)
            out = func(*args, **kwargs)
            if node is None:
                node = Tensor(array(target))
            self.values.after_write(target, node)
        return out

    def _written(self, func: Any, name: str, target: Any, args: Any, kwargs: Any) -> Tensor | None:
        if name == "copy_":
            source = args[1]
            node = self.values.node(source) if source.is_floating_point() else Tensor(array(source))
            if tuple(source.shape) == tuple(target.shape):
                return ops.identity(node)
            return ops.broadcast_to(node, tuple(target.shape))
        if name in ("zero_", "fill_", "bernoulli_", "normal_", "uniform_"):
            out = target.detach().clone()
            func(out, *args[1:], **kwargs)
            return Tensor(array(out)) if name in ("zero_", "fill_") else None
        if name in ("index_put_", "_index_put_impl_"):
            return self._index_put(target, *args[1:])
        node = self._nodes(func, name.rstrip("_"), args, kwargs)
        fits = isinstance(node, Tensor) and node.shape == tuple(target.shape)
        return node if fits else None

    def _index_put(
        self, target: Any, indices: Any, value: Any, accumulate: bool = False, *_: Any
    ) -> Tensor:
        whole = self.values.node(target)
        index = tuple(slice(None) if i is None else array(i) for i in indices)
        put = self.values.node(value)
        probe = whole._value[index]
        moved = ops.scatter(ops.broadcast_to(put, probe.shape), index=index, shape=whole.shape)
        if accumulate:
            return whole + moved
        mask = torch.zeros(whole.shape, dtype=torch.bool).numpy()
        mask[index] = True
        return ops.where(mask, moved, whole)


class _Operations(TorchDispatchMode):  # type: ignore[misc]
    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self.capture = capture

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.capture.operation(func, args, kwargs or {})


class _Functions(TorchFunctionMode):  # type: ignore[misc]
    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self.capture = capture

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        capture, kwargs = self.capture, kwargs or {}
        if capture.listening and not torch.is_grad_enabled() and drops(func, args, kwargs):
            line = calling_line()
            capture.idle_dropout += [line] if line else []
        stands_for = FUNCTIONS.get(func) if capture.listening else None
        if stands_for is not None and capture.needed((args, kwargs)):
            return stands_for(capture, func, args, kwargs)
        return func(*args, **kwargs)


def tensors(tree: Any) -> list[Any]:
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    if isinstance(tree, (tuple, list)):
        return [t for part in tree for t in tensors(part)]
    if isinstance(tree, dict):
        return [t for part in tree.values() for t in tensors(part)]
    return []


def _is_view(func: Any) -> bool:
    """Whether an operation returns a window on its input's storage."""
    returned = func._schema.returns
    return bool(returned) and returned[0].alias_info is not None


def _only_shaped(name: str) -> bool:
    """Whether an operation takes the shape of its input, and not the values."""
    return name.endswith("_like") or name.startswith("new_") or name == "bernoulli"


def _changed(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The tensor that an operation writes to, or None."""
    if not func._schema.is_mutable:
        return None
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            return args[i] if i < len(args) else kwargs.get(argument.name)
    return None


def _arithmetic(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments that matter to a value: not where it is stored."""
    storage = ("dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "copy")
    return {k: v for k, v in kwargs.items() if k not in storage}
