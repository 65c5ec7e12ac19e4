"""The base of all optimizers: parameter groups with their settings, steps, and a state.

An optimizer gives each parameter a NEW array, because graphs of earlier steps still hold the old one. Its own
buffers are private, so it updates them in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from micrornn.arrays import as_array
from micrornn.core.tensor import Tensor
from micrornn.nn.clipping import forget_grad
from micrornn.options import check

Array = Any  # a NumPy array, or a float where the parameter is a scalar `Value`
Group = dict[str, Any]

# Settings of PyTorch's optimizers that change how an update is computed, and not its value.
HOW = {"foreach", "fused", "capturable", "differentiable", "param_names", "decoupled_weight_decay"}


class Optimizer:
    """The base of all optimizers; a subclass defines `_update`.

    Args:
        params: tensors that require gradients, such as ``model.parameters()``; or dictionaries
            ``{"params": [...], "lr": ...}``, one per group with settings of its own.
        defaults: the settings of a group that does not give its own.

    Attributes:
        param_groups: one dictionary per group: its ``"params"`` and its settings, which may be changed.

    Raises:
        ValueError: there are no parameters, a parameter is given twice, or a setting is out of range.
        TypeError: a value is not a parameter.
    """

    buffers: tuple[str, ...] = ()  # what it keeps for each parameter, by name
    decoupled_weight_decay: bool | None = None  # Adam: off the parameter, or added to the gradient

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        given = (
            [] if isinstance(params, Tensor) or not isinstance(params, Iterable) else list(params)
        )
        if not given:
            raise ValueError(
                f"{type(self).__name__} was given no parameters, but {type(params).__name__}; "
                "give model.parameters() or a list of tensors"
            )
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._sound: Group | None = None  # the settings that were checked last
        self.state: dict[Tensor, dict[str, Any]] = {}
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Any) -> None:
        """Add a group ``{"params": [...], **settings}``; missing settings take their defaults."""
        kind = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"{kind}: a group is a dictionary with 'params'; give {{'params': [...]}}"
            )
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        group = {**self.defaults, **param_group, "params": params}
        self._check(group)
        held = set(self.state)
        for param in params:
            if not isinstance(param, Tensor) or not param.is_leaf:
                what = "a computed tensor" if isinstance(param, Tensor) else type(param).__name__
                raise TypeError(
                    f"{kind} changes leaf tensors, and was given {what}; give model.parameters()"
                )
            if param in held:
                raise ValueError(
                    f"parameter {param.name or param.shape} was given twice; give it once"
                )
            held.add(param)
        self.state.update((param, {}) for param in params)
        self.param_groups.append(group)

    def _check(self, group: Group) -> None:
        """Raise a ValueError for settings that do not exist or are out of range."""
        settings = {
            k: x[:] if isinstance(x, list) else x for k, x in group.items() if k != "params"
        }
        if settings == self._sound:  # as they were when they were last looked at
            return
        kind = type(self).__name__
        if unknown := set(group) - set(self.defaults) - {"params", "initial_lr"}:
            raise ValueError(
                f"{kind} has no setting {', '.join(sorted(unknown))}; it has {', '.join(self.defaults)}"
            )
        check(kind, **group)
        self._sound = settings

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: called first; it computes the loss and its gradients again, and returns the loss.

        Returns:
            The loss that the closure returned, or None.

        Raises:
            ValueError: a setting of a group is invalid, or a gradient has the wrong shape.
        """
        loss = None if closure is None else closure()
        for group in self.param_groups:
            self._check(group)  # users change settings between steps
            for param in group["params"]:
                _check_gradient(param)
        for group in self.param_groups:
            downhill = not group["maximize"]
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                old = param._value
                grad = grad if downhill else -grad
                if not param.ndim:  # a single number: one row, so that the formulas work in place
                    row = np.array([old]), np.array([grad])
                    new = self._update(*row, self.state[param], group)[0]
                    param._value = float(new) if type(old) is float else np.asarray(new, old.dtype)
                    continue
                new = self._update(old, grad, self.state[param], group)
                param._value = new if new.dtype == old.dtype else new.astype(old.dtype)
        return loss

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        raise NotImplementedError(
            f"{type(self).__name__} has no _update; define _update(self, value, grad, state, group)"
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters to None, or, with ``set_to_none=False``, to zeros."""
        check(type(self).__name__, set_to_none=set_to_none)
        for group in self.param_groups:
            for param in group["params"]:
                forget_grad(param, set_to_none)

    # -- its state ---------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Copies of settings and buffers, with parameters as their positions, as in PyTorch."""
        position = {param: i for i, param in enumerate(self.state)}
        decay = self.decoupled_weight_decay
        told = {} if decay is None else {"decoupled_weight_decay": decay}
        return {
            "state": {
                position[param]: {
                    k: v.copy() if isinstance(v, np.ndarray) else v for k, v in kept.items()
                }
                for param, kept in self.state.items()
                if kept
            },
            "param_groups": [
                {**group, **told, "params": [position[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Any) -> None:
        """Load settings and buffers from a `state_dict`, ours or PyTorch's, of the same parameters in order.

        An error changes nothing.

        Raises:
            TypeError: a buffer is not made of real numbers.
            ValueError: it is not the state of such an optimizer, or the groups do not have as many
                parameters as the saved ones, or of other shapes.
        """
        kind = type(self).__name__
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(
                f"{kind}: the state of an optimizer has 'state' and 'param_groups'; give what "
                "optimizer.state_dict() returned"
            )
        saved = state_dict["param_groups"]
        here = [len(group["params"]) for group in self.param_groups]
        there = [len(group["params"]) for group in saved]
        if here != there:
            raise ValueError(
                f"the saved optimizer has groups of {there} parameters, this one of {here}; "
                "make it for the same model before loading"
            )
        groups = [self._settings(own, one) for own, one in zip(self.param_groups, saved)]
        keys = [key for group in saved for key in group["params"]]
        params = [param for group in self.param_groups for param in group["params"]]
        if unknown := set(state_dict["state"]) - set(keys):
            raise ValueError(
                f"{kind}: the state of {unknown} belongs to no parameter of its groups"
            )
        state = {
            param: self._kept(param, state_dict["state"].get(key, {}))
            for key, param in zip(keys, params)
        }
        for group, settings in zip(self.param_groups, groups):
            group.update(settings)
        self.state.update(state)

    def _settings(self, own: Group, saved: Mapping[str, Any]) -> Group:
        """The saved settings of a group, checked."""
        decoupled = saved.get("decoupled_weight_decay")
        other = decoupled is not None and decoupled is not self.decoupled_weight_decay
        if other and saved.get("weight_decay"):
            maker = "AdamW" if decoupled else "Adam"
            raise ValueError(
                f"{type(self).__name__}: this is the state of an optimizer with the weight decay of "
                f"{maker}; make {maker} and load it there"
            )
        settings = {k: v for k, v in saved.items() if k not in HOW and k != "params"}
        self._check({**own, **settings})
        return settings

    def _kept(self, param: Tensor, saved: Mapping[str, Any]) -> dict[str, Any]:
        """The buffers of a parameter as arrays of its dtype, and the number of steps."""
        kept: dict[str, Any] = {}
        for name, value in saved.items():
            if value is None:  # PyTorch saves None for a buffer that does not exist yet
                continue
            if name not in self.buffers:
                raise ValueError(
                    f"{type(self).__name__} keeps {', '.join(self.buffers)} for a parameter, and not "
                    f"{name!r}; load the state of an optimizer of its kind"
                )
            array = as_array(value, name)
            if name == "step":
                kept[name] = int(array)
                continue
            shape = param.shape or (1,)
            if array.shape not in (param.shape, shape):
                raise ValueError(
                    f"{name} of shape {array.shape} was saved for a parameter of shape {param.shape}; make "
                    "the optimizer for the same model before loading"
                )
            kept[name] = array.astype(param.dtype).reshape(shape)
        return kept

    def __repr__(self) -> str:
        lines = [
            f"  {len(group['params'])} parameters: "
            + ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def _check_gradient(param: Tensor) -> None:
    # Another shape would broadcast, and the parameter would change its own.
    if param.grad is not None and getattr(param.grad, "shape", ()) != param.shape:
        raise ValueError(
            f"the gradient of {param.name or 'a parameter'} has shape {np.shape(param.grad)}, the parameter "
            f"{param.shape}; set a gradient of its shape"
        )
