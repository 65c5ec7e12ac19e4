"""A recording of a training step in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import _disable_current_modes

from micrornn.core.tensor import Tensor
from micrornn.diagnose.watch import ITERATIONS, Clip, Enough, Given, Training, never, training_of
from micrornn.recording import Recording, RecordingError
from micrornn.recording.observe import recording as record_nodes
from micrornn.torch.capture import Capture
from micrornn.torch.compare import (
    TorchRecordingError,
    both_gradients,
    compare_gradients,
    compare_values,
)
from micrornn.torch.values import array


@contextmanager
def recording() -> Iterator[Recording]:
    """Record what PyTorch computes inside, forward and backward.

    The fused layers ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU`` are seen step by step and gate by gate; parameters
    have the names that the module gives them. The loss and the gradient of every parameter are compared with
    PyTorch's. An operation that is not known here becomes an opaque node with PyTorch's gradient.

    Raises:
        RecordingError: no backward pass ran inside.
        TorchRecordingError: a gradient or a value differs from PyTorch's by more than rounding.
    """
    with _listening() as (rec, _):
        yield rec


def record(step: Callable[[], Any]) -> Recording:
    """Record a function that computes the loss of a training step.

    Backward runs from the loss that it returns, unless the function ran it; of several backward passes the
    last is kept.

    Args:
        step: a function without arguments.

    Raises:
        RecordingError: it returns no loss, and runs no backward pass.
        TorchRecordingError: as `recording`.
    """
    with _listening() as (rec, backward):
        _from(step(), backward)
    last = rec.passes[-1]
    whole = Recording([last.out], [last])
    whole.inferred = rec.inferred
    return whole


def watch(function: Callable[[], Any], iterations: int = ITERATIONS) -> Training:
    """Run a function that trains, for a few iterations, and record them; see `micrornn.diagnose.watch`.

    Args:
        function: without arguments. It may train, or only compute a loss and return it.
        iterations: after so many backward passes the function is stopped.

    Raises:
        RecordingError, TorchRecordingError: as `record`.
    """
    given: list[tuple[int, Given]] = []
    without: list[tuple[str, bool]] = []
    clips: list[Clip] = []
    with _listening() as (rec, backward):
        backward.most = iterations

        def note(optimizer: Any, *_: Any) -> None:
            params = [p for group in optimizer.param_groups for p in group["params"]]
            with backward.capture.paused():
                found = {
                    backward.capture.values.name(p): array(p.grad)
                    for p in params
                    if p.grad is not None
                }
            given.append((len(backward.begun), {n: g for n, g in found.items() if n}))
            names = backward.capture.names
            without.extend(
                (names.of(p) or "", p.grad is not None) for p in params if p.requires_grad
            )

        hook = register_optimizer_step_pre_hook(note)
        try:
            with _clipping(backward, clips):
                _from(function(), backward)
        except Enough:
            pass
        finally:
            hook.remove()
    training = training_of(rec, given, clips, backward.capture.idle_dropout)
    training.without.extend(never(without))
    return training


@contextmanager
def _clipping(backward: _Backward, clips: list[Clip]) -> Iterator[None]:
    """Note what gradients are clipped to, where this PyTorch has one place for it."""
    module, name = torch.nn.utils.clip_grad, "_clip_grads_with_norm_"
    own = getattr(module, name, None)
    if own is None:
        yield
        return

    def clip(parameters: Any, max_norm: float, total_norm: Any, *args: Any) -> Any:
        clips.append((len(backward.begun), float(total_norm), float(max_norm)))
        return own(parameters, max_norm, total_norm, *args)

    setattr(module, name, clip)
    try:
        yield
    finally:
        setattr(module, name, own)


def _from(loss: Any, backward: _Backward) -> None:
    """Run backward from a loss, unless it was run."""
    if not isinstance(loss, torch.Tensor):
        if not backward.begun:
            given = "None" if loss is None else f"an object of type {type(loss).__name__}"
            raise RecordingError(f"it returned {given}; return the loss, a tensor")
    elif not any(loss is begun for begun in backward.begun):
        if loss.numel() != 1:
            raise RecordingError(
                f"it returned a tensor of shape {tuple(loss.shape)}; return the loss, a single number"
            )
        backward(loss)


@contextmanager
def _listening() -> Iterator[tuple[Recording, _Backward]]:
    capture = Capture()
    own = torch.autograd.backward
    with record_nodes() as rec:
        backward = _Backward(capture, own)
        torch.autograd.backward = backward
        try:
            with capture.running():
                yield rec, backward
        finally:
            torch.autograd.backward = own
        if not backward.begun:
            raise RecordingError(
                "no backward pass ran inside `with recording()`; call loss.backward() there"
            )
    first, halved = backward.first, capture.values.halved
    compare_gradients(backward.gradients[:first], halved)
    compare_gradients(backward.gradients[first:], halved, later=backward.most is not None)


class _Backward:
    """Stands in for PyTorch's backward while a recording runs: runs it, and ours beside it."""

    def __init__(self, capture: Capture, own: Any) -> None:
        self.capture = capture
        self.own = own
        self.begun: list[Any] = []  # the tensors from which it ran
        self.most: int | None = None  # passes, before `Enough`
        self.gradients: list[
            tuple[Tensor, Any, Any, float]
        ] = []  # a leaf, with PyTorch's gradient, ours, and rounding
        self.first = 0  # how many of them are of the first pass

    def __call__(self, tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> None:
        if not self.capture.listening:
            self.own(tensors, grad_tensors, *args, **kwargs)
            return
        if self.most is not None and len(self.begun) >= self.most:
            raise Enough
        outs = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        seeds = list(grad_tensors) if isinstance(grad_tensors, (tuple, list)) else [grad_tensors]
        values = self.capture.values
        with self.capture.paused():
            nodes = [values.node(out) for out in outs]
            leaves = values.parameters()
            before = [None if tensor.grad is None else array(tensor.grad) for tensor, _ in leaves]
            with _disable_current_modes():
                self.own(tensors, grad_tensors, *args, **kwargs)
            compare_values(values, later=self.most is not None and bool(self.begun))
            for leaf in (leaf for _, copies in leaves for leaf in copies):
                leaf.grad = None
            for out, node, seed in zip(outs, nodes, seeds + [None] * len(outs)):
                _run(out, node, seed)
            for (tensor, copies), old in zip(leaves, before):
                self.gradients.append((copies[-1], *both_gradients(tensor, copies, old)))
            values.forget_leaves()
            self.first = self.first or len(self.gradients)
        self.begun += outs


def _run(out: Any, node: Tensor, seed: Any) -> None:
    """The backward pass of a node, from the gradient that PyTorch began with."""
    if not node.requires_grad or node.is_leaf:
        raise TorchRecordingError(
            f"a loss of shape {tuple(out.shape)} was not computed inside `with recording()`. Put "
            f"the whole "
            "forward pass inside"
        )
    node.backward(None if seed is None else array(seed))
