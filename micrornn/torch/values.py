"""Which node stands for which PyTorch tensor, through views and in-place changes.

A tensor of PyTorch is a window on a storage that may change; a node never does. So each tensor is noted with
the version it had (PyTorch counts the in-place changes of a storage). A tensor of an older version is read
anew: as a leaf, or, where part of its storage was written by something differentiable, from what was written.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from micrornn.core.tensor import Tensor
from micrornn.ops.index import getitem
from micrornn.ops.join import concatenate
from micrornn.ops.mark import astype
from micrornn.ops.shape import reshape
from micrornn.torch.names import Names

_WIDE = (torch.float16, torch.bfloat16)  # computed in float32 here


class _Seen(NamedTuple):
    tensor: Any  # kept, so that its id stays its own
    version: int
    node: Tensor
    changed: bool  # in place, just then: PyTorch counts that a little later

    def current(self) -> bool:
        """Whether the tensor is still as it was."""
        gone = version(self.tensor) - self.version
        return gone == 0 or (self.changed and gone == 1)


class _Written:
    """A storage of which parts were overwritten: which node each element comes from, and from where in it."""

    def __init__(self, base: Tensor, size: int) -> None:
        self.pieces = [reshape(base, (-1,))]
        self.starts = [0]
        self.end = size
        self.at = np.arange(size)  # of each element, its place in all pieces, joined

    def write(self, places: np.ndarray[Any, Any], node: Tensor) -> None:
        """Let a node's elements stand at these places of the storage."""
        self.pieces.append(reshape(node, (-1,)))
        self.starts.append(self.end)
        self.at[places.ravel()] = np.arange(self.end, self.end + places.size)
        self.end += places.size

    def read(self, places: np.ndarray[Any, Any]) -> Tensor:
        """The elements at these places, in their shape; only from the pieces that hold them."""
        at = self.at[places.ravel()]
        owner = np.searchsorted(self.starts, at, side="right") - 1
        used = np.unique(owner)
        if len(used) == 1:
            piece = self.pieces[used[0]]
            local = at - self.starts[used[0]]
        else:
            piece = concatenate([self.pieces[i] for i in used], 0)
            sizes = [self.pieces[i].size for i in used]
            begin = np.concatenate([[0], np.cumsum(sizes)])[np.searchsorted(used, owner)]
            local = at - np.array(self.starts)[owner] + begin
        whole = local.size == piece.size and (np.diff(local) == 1).all()
        return reshape(piece if whole else getitem(piece, index=local), places.shape)


class Values:
    """The nodes of all tensors that were seen in a recording."""

    def __init__(self, names: Names) -> None:
        self._seen: dict[int, _Seen] = {}
        self._aliases: dict[int, list[Any]] = {}  # by storage: the tensors seen on it
        self._written: dict[
            int, tuple[int, _Written]
        ] = {}  # by storage: its version, what was written
        self._names = names
        self._leaves: dict[int, tuple[Any, list[Tensor]]] = {}  # a parameter, as it was at each use
        self.halved = False  # whether something was computed in half precision

    def node(self, tensor: Any) -> Tensor:
        """The node of a tensor; a leaf, if it was not computed here."""
        seen = self._seen.get(id(tensor))
        if seen is not None and seen.current():
            return seen.node
        key = storage(tensor)
        if key in self._written and 0 <= version(tensor) - self._written[key][0] <= 1:
            made = self._written[key][1].read(places(tensor))
            return self.bind(tensor, made)
        leaf = Tensor(
            array(tensor), requires_grad=tensor.requires_grad, name=self._names.of(tensor)
        )
        if tensor.requires_grad:
            self._leaves.setdefault(id(tensor), (tensor, []))[1].append(leaf)
        return self.bind(tensor, leaf)

    def known(self, tensor: Any) -> bool:
        """Whether a tensor depends on something that needs a gradient."""
        seen = self._seen.get(id(tensor))
        if seen is not None and seen.current():
            return seen.node.requires_grad
        return bool(tensor.requires_grad) or storage(tensor) in self._written

    def is_written(self, tensor: Any) -> bool:
        """Whether a part of the tensor's storage was overwritten."""
        return storage(tensor) in self._written

    def bind(self, tensor: Any, node: Tensor, changed: bool = False) -> Tensor:
        """Let a node stand for a tensor as it is now; returns the node."""
        aliases = self._aliases.setdefault(storage(tensor), [])
        # A view that was just made takes over the count of its storage a little later.
        self.halved = self.halved or tensor.dtype in _WIDE
        count = max([version(tensor), *map(version, aliases[:1])])
        self._seen[id(tensor)] = _Seen(tensor, count, node, changed)
        if not any(alias is tensor for alias in aliases):
            aliases.append(tensor)
        return node

    def before_write(self, tensor: Any) -> None:
        """Prepare for an in-place change of a tensor: keep what the rest of its storage holds."""
        key = storage(tensor)
        others = [t for t in self._aliases.get(key, ()) if t is not tensor]
        if key in self._written or not (tensor._is_view() or others):
            return
        size = tensor.untyped_storage().nbytes() // tensor.element_size()
        whole = next((t for t in others if t.numel() == size and t.is_contiguous()), None)
        if whole is None:
            flat = torch.as_strided(tensor.detach(), (size,), (1,), 0)
            base = Tensor(array(flat))
        else:
            base = self.node(whole)
        self._written[key] = version(tensor), _Written(base, size)

    def after_write(self, tensor: Any, node: Tensor) -> None:
        """Note an in-place change: the node that stands for the tensor now."""
        key = storage(tensor)
        if key in self._written:
            written = self._written[key][1]
            written.write(places(tensor), node)
            self._written[key] = version(tensor), written
        self.bind(tensor, node, changed=True)

    def parameters(self) -> list[tuple[Any, list[Tensor]]]:
        """The tensors that keep a gradient, each with the leaves that stood for it so far."""
        return [(tensor, leaves) for tensor, leaves in self._leaves.values() if tensor.is_leaf]

    def name(self, tensor: Any) -> str | None:
        """The name of the node that stood for a parameter last; None if it was not used."""
        if id(tensor) not in self._leaves:
            return None
        leaf = self._leaves[id(tensor)][1][-1]
        return leaf.name or f"#{leaf.number}"

    def forget_leaves(self) -> None:
        """Read leaves anew from now on: an optimizer may change them without a trace."""
        for tensor, leaves in self._leaves.values():
            seen = self._seen.get(id(tensor))
            if seen is not None and seen.node is leaves[-1]:
                del self._seen[id(tensor)]

    def outputs(self) -> list[tuple[Any, Tensor]]:
        """Every tensor that is as it was when it was computed, with its node; oldest first."""
        current = [s for s in self._seen.values() if s.current() and s.node.inputs]
        return [(s.tensor, s.node) for s in sorted(current, key=lambda s: s.node.number)]


def version(tensor: Any) -> int:
    """How often the tensor's storage was changed in place."""
    return 0 if tensor.is_inference() else int(tensor._version)


def storage(tensor: Any) -> int:
    """What tells storages apart."""
    return int(tensor.untyped_storage()._cdata)


def places(tensor: Any) -> np.ndarray[Any, Any]:
    """Where in its storage each element of a tensor lies, in its shape."""
    at = np.full((), tensor.storage_offset())
    for size, stride in zip(tensor.shape, tensor.stride()):
        at = at[..., None] + np.arange(size) * stride
    return at


def as_dtype(node: Tensor, tensor: Any) -> Tensor:
    """A node in the dtype of the tensor that it stands for; half precision is rounded as PyTorch did."""
    dtype = np.float64 if tensor.dtype == torch.float64 else np.float32
    if node.dtype != dtype:
        node = astype(node, dtype)
    if tensor.dtype in _WIDE:
        node._value = array(tensor)
    return node


def array(tensor: Any) -> np.ndarray[Any, Any]:
    """A copy of a tensor's values."""
    tensor = tensor.detach().cpu()
    if tensor.dtype in _WIDE:
        tensor = tensor.float()
    return np.array(tensor.resolve_conj().resolve_neg().numpy())
