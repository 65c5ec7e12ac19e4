"""The update rules of SGD, Adagrad, RMSprop, Adam and AdamW, as in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from micrornn.optim.optimizer import Array, Group, Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent: value - lr grad, with optional momentum and Nesterov momentum.

    buffer = momentum buffer + (1 - dampening) grad, the first one being the gradient itself (PyTorch's
    form; Sutskever et al. 2013 put the learning rate inside the buffer).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> mr.optim.SGD([w], lr=0.1).step()
    >>> w.data
    array([0.8])
    """

    buffers = ("momentum_buffer",)

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
                f"SGD: nesterov=True needs momentum above 0 and no dampening; given "
                f"momentum={group['momentum']!r}, dampening={group['dampening']!r}"
            )

    def _update(self, value: Array, grad: Array, state: dict[str, Any], group: Group) -> Array:
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        momentum = group["momentum"]
        if momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = np.array(grad, value.dtype)
            else:
                buffer *= momentum
                buffer += (1.0 - group["dampening"]) * grad
            grad = grad + momentum * buffer if group["nesterov"] else buffer
        return value - group["lr"] * grad


class Adagrad(Optimizer):
    """A step size per element that shrinks with the sum of its squared gradients (Duchi et al. 2011).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0, 1.0])
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> mr.optim.Adagrad([w], lr=0.1).step()
    >>> w.data
    array([0.9, 0.9])
    """

    buffers = ("step", "sum")

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
        if "sum" not in state:
            state["sum"] = np.full_like(value, group["initial_accumulator_value"])
        made = state.get("step", 0)
        state["step"] = made + 1
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        total = state["sum"]
        total += grad * grad
        change = np.sqrt(total)
        change += group["eps"]
        change = np.divide(grad, change)
        change *= -group["lr"] / (1.0 + made * group["lr_decay"])
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

    buffers = ("step", "square_avg", "momentum_buffer", "grad_avg")

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
        state["step"] = state.get("step", 0) + 1
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        alpha, square = group["alpha"], _kept(state, "square_avg", value)
        _average(square, grad * grad, alpha)
        if group["centered"]:
            mean = _kept(state, "grad_avg", value)
            _average(mean, grad, alpha)
            root = np.sqrt(square - mean * mean)
        else:
            root = np.sqrt(square)
        change = grad / (root + group["eps"])
        if group["momentum"]:
            buffer = _kept(state, "momentum_buffer", value)
            buffer *= group["momentum"]
            buffer += change
            change = buffer
        return value - group["lr"] * change


class Adam(Optimizer):
    """Running averages of the gradient and its square, corrected for their start at zero (Kingma & Ba 2015).

    ``weight_decay`` is added to the gradient; `AdamW` subtracts it from the parameter instead. ``amsgrad``
    divides by the largest average so far (Reddi et al. 2018).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * 5.0).sum().backward()
    >>> mr.optim.Adam([w], lr=0.1).step()
    >>> w.data
    array([0.9])
    """

    buffers = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    decoupled_weight_decay = False

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
        made = state["step"] = state.get("step", 0) + 1
        if decay:
            if self.decoupled_weight_decay:
                value = value * (1.0 - lr * decay)
            else:
                grad = grad + decay * value
        mean, square = _kept(state, "exp_avg", value), _kept(state, "exp_avg_sq", value)
        scratch = _average(mean, grad, beta1)
        _average(square, np.multiply(grad, grad, out=scratch), beta2, scratch)
        if group["amsgrad"]:
            largest = _kept(state, "max_exp_avg_sq", value)
            square = np.maximum(largest, square, out=largest)
        # value - lr (mean / (1 - beta1^t)) / (sqrt(square / (1 - beta2^t)) + eps), in place.
        change = np.sqrt(square, out=scratch)
        change *= 1.0 / math.sqrt(1.0 - beta2**made)
        change += group["eps"]
        np.divide(mean, change, out=change)
        change *= -lr / (1.0 - beta1**made)
        change += value
        return change


class AdamW(Adam):
    """Adam with the weight decay subtracted from the parameter itself (Loshchilov & Hutter 2019).

    >>> import micrornn as mr
    >>> w = mr.nn.Parameter([1.0])
    >>> (w * 0.0).sum().backward()
    >>> mr.optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w.data
    array([0.95])
    """

    decoupled_weight_decay = True

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


def _kept(state: dict[str, Any], name: str, value: Array) -> Array:
    # A buffer of a parameter: zeros at first, also if a setting is switched on later.
    if name not in state:
        state[name] = np.zeros_like(value)
    return state[name]


def _average(running: Array, new: Array, keep: float, scratch: Array | None = None) -> Array:
    # running = keep running + (1 - keep) new, in place; returns a scratch array of the same shape.
    running *= keep
    scratch = np.multiply(new, 1.0 - keep, out=scratch)
    running += scratch
    return scratch
