"""What a user of PyTorch types works here, or fails with the name to use instead."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest
from reference.compare import differences, leaves_of
from reference.store import FOLDER, Case, load

import micrornn as mr
from micrornn import nn, optim
from micrornn.nn import functional as F
from micrornn.optim import lr_scheduler

SIGNATURES = json.loads((FOLDER / "signatures.json").read_text())
MODULES = load("modules")

# Arguments of PyTorch's that are not here, wherever they stand: they are refused by name.
LEFT_OUT = {
    *("size_average", "reduce", "device", "dtype", "args", "kwargs", "_stacklevel", "foreach"),
    *("max_norm", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze"),
    *("capturable", "differentiable", "enable_gqa", "padding_side"),
}
# What differs on purpose.
OTHER_DEFAULTS = {
    **dict.fromkeys(
        ("nn.Softmax.dim", "nn.functional.softmax.dim"), -1
    ),  # PyTorch has none that it keeps
    **dict.fromkeys(("nn.LogSoftmax.dim", "nn.functional.log_softmax.dim"), -1),
    **dict.fromkeys(("nn.functional.ctc_loss.input_lengths",), None),
    **dict.fromkeys(("nn.functional.ctc_loss.target_lengths",), None),
}
CONTAINERS = {"nn.ModuleDict", "nn.ModuleList", "nn.ParameterDict", "nn.ParameterList"}
RECURRENT = {"nn.RNN", "nn.LSTM", "nn.GRU", "nn.RNNCell", "nn.LSTMCell", "nn.GRUCell"}
OTHERS = {"nn.utils.rnn.PackedSequence", "optim.Optimizer", "nn.Identity", "nn.Parameter"}
COMPARED = [name for name in SIGNATURES if name not in CONTAINERS | RECURRENT | OTHERS]


def found(name: str) -> Any:
    made: Any = mr
    for part in name.split("."):
        made = getattr(made, part)
    return made


@pytest.mark.parametrize("name", COMPARED)
def test_arguments_have_pytorchs_names_order_and_defaults(name: str) -> None:
    ours = inspect.signature(found(name)).parameters
    theirs = [(n, d) for n, d in SIGNATURES[name] if n in ours or n not in LEFT_OUT]
    positional = [n for n, a in ours.items() if a.kind is not a.KEYWORD_ONLY]
    by_name = set(ours) - set(positional)
    expected = [n for n, _ in theirs if n not in by_name]
    assert positional[: len(expected)] == expected
    for argument, default in theirs:
        key = f"{name}.{argument}"
        if argument in ours and key not in OTHER_DEFAULTS:
            own = ours[argument].default
            assert (default == "required") == (own is inspect.Parameter.empty), argument
            assert default == "required" or eval(default) == own, argument
        elif key in OTHER_DEFAULTS:
            assert ours[argument].default == OTHER_DEFAULTS[key]


VALUES = {"input_size": 3, "hidden_size": 4, "num_layers": 2, "nonlinearity": "relu", "bias": False}
VALUES |= {"batch_first": True, "dropout": 0.25, "bidirectional": True, "proj_size": 2}


@pytest.mark.parametrize("name", sorted(RECURRENT))
def test_recurrent_modules_take_pytorchs_arguments_by_position(name: str) -> None:
    names = [n for n, _ in SIGNATURES[name] if n not in LEFT_OUT]
    for count in range(2, len(names) + 1):
        given = names[:count]
        values = {n: VALUES[n] for n in given}
        by_position, by_name = found(name)(*values.values()), found(name)(**values)
        for argument in given:
            assert getattr(by_position, argument) == VALUES[argument] == getattr(by_name, argument)
        assert repr(by_position) == repr(by_name)


# -- names of arguments when called ------------------------------------------------------------------

X = np.linspace(-1.0, 1.0, 12).reshape(4, 3)


@pytest.mark.parametrize(
    ("module", "x"),
    [
        *[(m, X) for m in (nn.Linear(3, 2), nn.Identity(), nn.Dropout(), nn.LayerNorm(3))],
        *[(m, X) for m in (nn.Tanh(), nn.Softmax(dim=1), nn.Flatten(), nn.BatchNorm1d(3))],
        *[(m, X) for m in (nn.LeakyReLU(), nn.Softplus(), nn.Sequential(nn.ReLU()))],
        (nn.Embedding(3, 2), [0, 2]),
        (nn.Conv1d(4, 2, 2), X),
        (nn.Conv2d(1, 2, 2), X[None]),
        (nn.MaxPool2d(2), X[None]),
        *[(m, X) for m in (nn.RNN(3, 2), nn.GRUCell(3, 2), nn.ConcatRNNCell(3, 2, 2))],
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_first_argument_is_called_input(module: nn.Module, x: Any) -> None:
    module.eval()

    def flat(result: Any) -> list[Any]:
        parts = result if isinstance(result, tuple) else (result,)
        return [part.data.tolist() for part in parts]

    assert flat(module(input=x)) == flat(module(x))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_the_state_is_called_hx(kind: str) -> None:
    module, cell = getattr(nn, kind)(3, 2, rng=0), kind.endswith("Cell")
    lead = (4,) if cell else (1, 2)
    part = np.full((*lead, 2), 0.5)
    hx: Any = (part, part) if "LSTM" in kind else part
    x = X if cell else np.stack([X[:, :3]] * 2, 1)
    by_name, by_position = module(input=x, hx=hx), module(x, hx)
    assert np.array_equal(first(by_name), first(by_position))
    assert not np.array_equal(first(by_name), first(module(x)))


def first(result: Any) -> Any:
    return result[0].data if isinstance(result, tuple) else result.data


def test_axes_by_either_name() -> None:
    for function in (F.softmax, F.log_softmax):
        expected = function(X, 0).data
        assert (function(X, dim=0).data == expected).all()
        assert (function(X, axis=0).data == expected).all()
        assert (function(input=X, dim=0, axis=0).data == expected).all()
        with pytest.raises(ValueError, match="dim=0 and axis=1 are the same; give one"):
            function(X, dim=0, axis=1)
        with pytest.raises(ValueError, match="2 axes has no axis 2"):
            function(X, 2)


def test_functions_take_arrays_lists_and_tensors_and_return_tensors() -> None:
    for function in (F.relu, F.tanh, F.sigmoid, F.softplus, F.logsigmoid, F.leaky_relu, F.softmax):
        results = [function(x) for x in (X, X.tolist(), mr.tensor(X))]
        assert all(isinstance(y, mr.Tensor) for y in results)
        assert all((y.data == results[0].data).all() for y in results)
    assert isinstance(F.linear(X, X), mr.Tensor) and F.relu(np.float32([1])).dtype == np.float32


def test_linear_takes_a_bias_or_none() -> None:
    w, b = [[1.0, 2.0, 3.0]], [0.5]
    plain = F.linear(X, w).data
    assert (F.linear(X, w, None).data == plain).all()
    assert (F.linear(X, w, b).data == plain + 0.5).all()
    assert (F.linear(input=X, weight=w, bias=b).data == plain + 0.5).all()
    bias = mr.tensor(b, requires_grad=True)
    F.linear(X, w, bias=bias).sum().backward()
    assert bias.grad.tolist() == [4.0]
    for bad in ([0.5, 0.5], 0.5, [[0.5]]):
        with pytest.raises(ValueError, match=r"give \(\.\.\., I\), \(O, I\), and \(O,\) or None"):
            F.linear(X, w, bad)


def test_softplus_has_pytorchs_threshold() -> None:
    assert F.softplus([25.0]).data[0] == 25.0 != mr.softplus(mr.tensor([25.0])).data[0]
    x = mr.tensor([0.5, 25.0, -800.0], requires_grad=True)
    F.softplus(x, beta=2.0).sum().backward()
    assert x.grad[1] == 1.0 and np.isfinite(x.grad).all()


@pytest.mark.parametrize(
    "case",
    [case for case in MODULES if case.arguments.get("function")],
    ids=lambda case: case.name,
)
def test_attention_takes_pytorchs_options(case: Case) -> None:
    leaves = leaves_of(case)
    y = getattr(F, case.arguments["function"])(**leaves, **case.arguments["options"])
    assert differences(case, {"y": y}, leaves) == {}


def test_attention_drops_weights() -> None:
    q = np.ones((2, 3, 4))
    assert (F.scaled_dot_product_attention(q, q, q, dropout_p=1.0).data == 0.0).all()
    assert (F.scaled_dot_product_attention(q, q, q).data == 1.0).all()


# -- names that are not there ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        (nn, "Lstm", "nn has no Lstm; did you mean nn.LSTM?"),
        (nn, "MultiheadAttention", "nn has no MultiheadAttention; use nn.ScaledDotAttention"),
        (nn, "Transformer", "use nn.Seq2Seq"),
        (nn, "CrossEntropy", "did you mean nn.CrossEntropyLoss?"),
        (nn, "Xyzzy", "nn has no Xyzzy"),
        (F, "log_sigmoid", "nn.functional has no log_sigmoid; use nn.functional.logsigmoid"),
        (F, "cross_entropy_loss", "did you mean nn.functional.cross_entropy?"),
        (nn.init, "xavier_uniform", "nn.init has no xavier_uniform; use nn.init.xavier_uniform_"),
        (nn.init, "kaimingnormal_", "did you mean nn.init.kaiming_normal_?"),
        (optim, "LBFGS", "optim has no LBFGS; use optim.Adam"),
        (optim, "Adamw", "did you mean optim.AdamW?"),
        (
            lr_scheduler,
            "SequentialLR",
            "use optim.lr_scheduler.WarmUp(optimizer, updates, after=...)",
        ),
        (lr_scheduler, "StepLr", "did you mean optim.lr_scheduler.StepLR?"),
    ],
)
def test_a_name_that_is_missing_says_which_is_there(module: Any, name: str, words: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert words in str(caught.value)
    assert not hasattr(module, name) and not hasattr(module, "__wrapped__")


@pytest.mark.parametrize("module", [nn, F, nn.init, optim, lr_scheduler])
def test_advice_is_given_for_names_that_are_missing_alone(module: Any) -> None:
    assert not set(module.INSTEAD) & set(module.__all__)
    for words in module.INSTEAD.values():
        for name in words.replace(",", " ").split():
            name = name.partition("(")[0].rstrip(".:;")
            if name.startswith(("nn.", "optim.", "mr.")):
                found(name.removeprefix("mr."))  # what is advised exists


def test_lr_scheduler_is_imported_as_in_pytorch() -> None:
    from micrornn.optim.lr_scheduler import StepLR

    assert StepLR is optim.lr_scheduler.StepLR
