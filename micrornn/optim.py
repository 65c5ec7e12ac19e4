"""Optimizers, by PyTorch's formulas and with its names.

An optimizer gives each parameter a NEW array, because the graphs of earlier steps still hold the old one.
Its own buffers are nobody else's, so those it updates in place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from micrornn.core.tensor import Tensor

Array = Any  # a NumPy array, or a float where the parameter is a scalar `Value`
Group = dict[str, Any]


class Optimizer:
    """What all optimizers share; a subclass writes `_update`.

    Args:
        params: tensors that want gradients, such as ``model.parameters()``; or dictionaries
            ``{"params": [...], "lr": ...}``, one per group with settings of its own.
        defaults: the settings of a group that does not give its own.

    Raises:
        ValueError: there are no parameters, a parameter is given twice, or a setting is out of range.
        TypeError: something given is no parameter.
    """

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
        self.state: dict[Tensor, dict[str, Any]] = {}
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: Group) -> None:
        """Add ``{"params": [...], **settings}``; settings that are not given are the defaults."""
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        unknown = set(group) - set(self.defaults) - {"params"}
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}; "
                f"it has {', '.join(self.defaults)}"
            )
        for param in params:
            if not isinstance(param, Tensor) or not param.is_leaf:
                raise TypeError(
                    f"an optimizer changes leaf tensors, and was given {type(param).__name__}; "
                    "give model.parameters()"
                )
            if param in self.state:
                raise ValueError(
                    f"parameter {param.name or param.shape} was given twice; give it once"
                )
            self.state[param] = {}
        self.param_groups.append({**self.defaults, **group, "params": params})
        self._check(self.param_groups[-1])

    def _check(self, group: Group) -> None:
        for name in ("lr", "eps", "weight_decay", "momentum", "lr_decay", "alpha"):
            if not group.get(name, 0.0) >= 0.0:
                raise ValueError(f"{name}={group[name]!r}; {name} must be 0 or more")
        for beta in group.get("betas", ()):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"betas={group['betas']!r}; each must be 0 or more and below 1")

    def step(self) -> None:
        """Change every parameter that has a gradient, by that gradient."""
        for group in self.param_groups:
            downhill = not group["maximize"]
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                old = param._value
                grad = grad if downhill else -grad
                if not param.ndim:  # a single number: one row, so that the formulas work in place
                    new = self._update(np.array([old]), np.array([grad]), self.state[param], group)[
                        0
                    ]
                    param._value = float(new) if type(old) is float else np.asarray(new, old.dtype)
                    continue
                new = self._update(old, grad, self.state[param], group)
                param._value = new if new.dtype == old.dtype else new.astype(old.dtype)

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for group in self.param_groups:
            for param in group["params"]:
                param.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Settings and buffers as copies, parameters by their position, as PyTorch keeps them."""
        position = {param: i for i, param in enumerate(self.state)}
        return {
            "state": {position[p]: _copied(state) for p, state in self.state.items() if state},
            "param_groups": [
                {**group, "params": [position[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take settings and buffers from `state_dict`, for the same parameters in the same order.

        Raises:
            ValueError: the groups do not have as many parameters as the saved ones.
        """
        here = [len(group["params"]) for group in self.param_groups]
        there = [len(group["params"]) for group in saved["param_groups"]]
        if here != there:
            raise ValueError(
                f"the saved optimizer has groups of {there} parameters, this one of {here}; "
                "make it for the same model before loading"
            )
        for group, settings in zip(self.param_groups, saved["param_groups"]):
            group.update({k: v for k, v in settings.items() if k != "params"})
        for i, param in enumerate(self.state):
            self.state[param] = _copied(saved["state"].get(i, {}))

    def __repr__(self) -> str:
        lines = [
            f"  {len(group['params'])} parameters: "
            + ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in state.items()}


class SGD(Optimizer):
    """Stochastic gradient descent: value - lr grad, with momentum and Nesterov's look ahead on request.

    buffer = momentum buffer + (1 - dampening) grad, the first one being the gradient itself (PyTorch's
    form; Sutskever et al. 2013 put the learning rate inside the buffer).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> mr.optim.SGD([w], lr=0.1).step()
    >>> w.data
    array([0.8])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening}
        settings |= {"weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}
        super().__init__(params, settings)

    def _check(self, group: Group) -> None:
        super()._check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                f"Nesterov's method wants momentum above 0 and no dampening; given "
                f"momentum={group['momentum']!r}, dampening={group['dampening']!r}"
            )

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        momentum = group["momentum"]
        if momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = np.array(grad)
            else:
                buffer *= momentum
                buffer += (1.0 - group["dampening"]) * grad
            grad = grad + momentum * buffer if group["nesterov"] else buffer
        return value - group["lr"] * grad


class Adagrad(Optimizer):
    """A step per element that shrinks with the sum of its squared gradients (Duchi et al. 2011).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0, 1.0])
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> mr.optim.Adagrad([w], lr=0.1).step()
    >>> w.data
    array([0.9, 0.9])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        settings |= {"initial_accumulator_value": initial_accumulator_value, "maximize": maximize}
        super().__init__(params, settings)

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        if not state:
            state["step"] = 0
            state["sum"] = np.full_like(value, group["initial_accumulator_value"])
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        total = state["sum"]
        total += grad * grad
        change = np.sqrt(total)
        change += group["eps"]
        change = np.divide(grad, change)
        change *= -group["lr"] / (1.0 + state["step"] * group["lr_decay"])
        state["step"] += 1
        return value + change


class RMSprop(Optimizer):
    """Gradients divided by a running root mean square (Hinton 2012, lecture 6e; centered: Graves 2013).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * 5.0).sum().backward()
    >>> mr.optim.RMSprop([w], lr=0.1, alpha=0.0).step()
    >>> w.data
    array([0.9])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        settings |= {"momentum": momentum, "centered": centered, "maximize": maximize}
        super().__init__(params, settings)

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        if not state:
            state["square_avg"] = np.zeros_like(value)
            if group["momentum"]:
                state["momentum_buffer"] = np.zeros_like(value)
            if group["centered"]:
                state["grad_avg"] = np.zeros_like(value)
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        alpha, square = group["alpha"], state["square_avg"]
        _average(square, grad * grad, alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            _average(mean, grad, alpha)
            root = np.sqrt(square - mean * mean)
        else:
            root = np.sqrt(square)
        change = grad / (root + group["eps"])
        if group["momentum"]:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += change
            change = buffer
        return value - group["lr"] * change


class Adam(Optimizer):
    """Running averages of the gradient and its square, corrected for their start at zero (Kingma & Ba 2015).

    ``weight_decay`` is added to the gradient; `AdamW` takes it off the parameter instead. ``amsgrad``
    divides by the largest average so far (Reddi et al. 2018).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * 5.0).sum().backward()
    >>> mr.optim.Adam([w], lr=0.1).step()
    >>> w.data
    array([0.9])
    """

    decoupled = False  # whether weight decay acts on the parameter and not on the gradient

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "amsgrad": amsgrad, "maximize": maximize})

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if not state:
            state["step"] = 0
            state["exp_avg"] = np.zeros_like(value)
            state["exp_avg_sq"] = np.zeros_like(value)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = np.zeros_like(value)
        state["step"] += 1
        if decay:
            if self.decoupled:
                value = value * (1.0 - lr * decay)
            else:
                grad = grad + decay * value
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        scratch = _average(mean, grad, beta1)
        _average(square, np.multiply(grad, grad, out=scratch), beta2, scratch)
        if group["amsgrad"]:
            square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        # value - lr (mean / (1 - beta1^t)) / (sqrt(square / (1 - beta2^t)) + eps), in place.
        change = np.sqrt(square, out=scratch)
        change *= 1.0 / math.sqrt(1.0 - beta2 ** state["step"])
        change += group["eps"]
        np.divide(mean, change, out=change)
        change *= -lr / (1.0 - beta1 ** state["step"])
        change += value
        return change


class AdamW(Adam):
    """Adam with the weight decay taken off the parameter itself (Loshchilov & Hutter 2019).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * 0.0).sum().backward()
    >>> mr.optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w.data
    array([0.95])
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


def _average(running: Array, new: Array, keep: float, scratch: Array | None = None) -> Array:
    # running = keep running + (1 - keep) new, in place; returns a scratch array of the same shape.
    running *= keep
    scratch = np.multiply(new, 1.0 - keep, out=scratch)
    running += scratch
    return scratch
