"""Every option of every public class and function of nn and optim refuses what it cannot be, by name.

The last test shows that the search can fail: a class that ignores an option is found.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn, optim
from micrornn.nn import functional as F
from micrornn.nn import init
from micrornn.optim import lr_scheduler
from micrornn.options import RULES

NAN = float("nan")
JUNK: list[Any] = ["junk", -3, NAN, 2.5, True, None, (1, 2, 3), object()]


FAMILIES = [name for name in nn.families.__all__ if name[0].isupper()]


def parameters() -> list[nn.Parameter]:
    return [nn.Parameter([1.0])]


def sgd() -> optim.Optimizer:
    return optim.SGD(parameters(), lr=0.1, momentum=0.9)


# What each class is made with, so that all else can be left out.
REQUIRED: dict[str, dict[str, Any]] = {
    "AdditiveAttention": {"query_size": 2, "key_size": 3, "hidden_size": 4},
    "BatchNorm1d": {"num_features": 3},
    "ConcatRNNCell": {"input_size": 2, "hidden_size": 3, "output_size": 4},
    "Conv1d": {"in_channels": 2, "out_channels": 3, "kernel_size": 2},
    "Conv2d": {"in_channels": 2, "out_channels": 3, "kernel_size": 2},
    "Decoder": {"vocab_size": 5, "embedding_size": 4, "hidden_size": 3},
    "Embedding": {"num_embeddings": 5, "embedding_dim": 2},
    "Encoder": {"vocab_size": 5, "embedding_size": 4, "hidden_size": 3},
    "GeneralAttention": {"query_size": 2, "key_size": 3},
    "LayerNorm": {"normalized_shape": 3},
    "Linear": {"in_features": 2, "out_features": 3},
    "MaxPool2d": {"kernel_size": 2},
    "Parameter": {"data": [1.0, 2.0]},
    **{name: {"input_size": 2, "hidden_size": 3} for name in ("RNNCell", "LSTMCell", "GRUCell")},
    **{name: {"input_size": 2, "hidden_size": 3} for name in ("RNN", "LSTM", "GRU", *FAMILIES)},
    **{name: {"params": parameters()} for name in ("SGD", "Adagrad", "RMSprop", "Adam", "AdamW")},
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [2]},
    "ExponentialLR": {"gamma": 0.5},
    "LambdaLR": {"lr_lambda": float},
    "CosineAnnealingLR": {"T_max": 5},
    "WarmUp": {"updates": 2},
    "OneCycleLR": {"max_lr": 1.0, "total_steps": 5},
}
# Tested elsewhere: what they are made of is other modules, not options.
ELSEWHERE = {
    *("Attention", "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"),
    *("Seq2Seq", "Sequential", "Optimizer", "LRScheduler"),
}
# Junk that is none, by option; where it differs, by owner and option.
_FINE: list[tuple[tuple[Any, ...], str]] = [
    ((True,), "scan bias batch_first bidirectional peepholes layer_norm reset_after affine"),
    ((True,), "elementwise_affine track_running_stats ceil_mode return_indices log_target amsgrad"),
    ((True,), "zero_infinity centered requires_grad cycle_momentum three_phase training is_causal"),
    ((True,), "enforce_sorted error_if_nonfinite maximize"),
    ((None,), "rng dtype generator input_lengths target_lengths attention memory_size after"),
    ((None,), "epochs steps_per_epoch weights BatchNorm1d.momentum batch_norm.momentum"),
    ((None,), "MaxPool2d.stride max_pool2d.stride linear.bias conv1d.bias conv2d.bias"),
    ((2.5,), "lr eps weight_decay lr_decay momentum beta delta initial_accumulator_value gamma b"),
    (
        (2.5,),
        "threshold max_lr div_factor final_div_factor min_lr norm_type std max_norm clip_value",
    ),
    ((2.5, -3), "negative_slope dampening eta_min gain value val mean identity_.scale IRNN.scale"),
    ((2.5, -3), "kaiming_uniform_.a kaiming_normal_.a"),
    ((2.5, -3, None), "param"),
    ((2.5, -3, NAN), "padding_value"),
    ((2.5, -3, NAN, True), "data"),
    ((2.5, None), "scale"),
    ((2.5,), "temperature length_power slope k"),
    ((None,), "top_k total_length length_mask.steps checkpoint"),
    ((-3,), "start convert_gates.axis"),
    ((-3, None), "end"),
    ((2.5, True, None), "attn_mask"),
    ((2.5, True, None, (1, 2, 3)), "weight pos_weight"),
    ((None, (1, 2, 3)), "layer_norm.bias layer_norm.weight batch_norm.bias batch_norm.weight"),
    (((1, 2, 3),), "normalized_shape milestones"),
    ((-3,), "a ignore_index dim start_dim end_dim"),
    ((-3, None), "axis padding_idx"),
    (("junk", None), "name"),
]
FINE = {name: values for values, names in _FINE for name in names.split()}


def public() -> Iterator[type]:
    for place in (nn, optim, lr_scheduler):
        for name in place.__all__:
            made = getattr(place, name)
            if inspect.isclass(made) and name not in ELSEWHERE:
                yield made


def options_of(kind: type) -> list[str]:
    """The names of all options, also of those that a class takes as ``**options``."""
    named: list[str] = []
    for base in kind.__mro__ if not hasattr(kind, "__signature__") else [kind]:
        if "__init__" in vars(base) or hasattr(base, "__signature__"):
            arguments = inspect.signature(base).parameters.values()
            plain = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            named += [a.name for a in arguments if a.kind not in plain]
            if not any(a.kind in plain for a in arguments):
                break
    named += [name for name, _ in getattr(kind, "variants", ())]
    return list(dict.fromkeys(n for n in named if n not in ("optimizer", "params", "last_epoch")))


def ignored(kind: Any, required: dict[str, Any], options: list[str]) -> list[str]:
    """The options that take junk, and the errors that do not name the option."""
    found = []
    for option in options:
        fine = FINE.get(f"{kind.__name__}.{option}", FINE.get(option, ()))
        for junk in JUNK:
            if any(
                junk is value or (junk == value and type(junk) is type(value)) for value in fine
            ):
                continue
            arguments = {**required, option: junk}
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    kind(**arguments)
            except (TypeError, ValueError) as error:
                named = option in str(error) or option in ("rng", "dtype", "data", "generator")
                if not named and "a tensor holds real numbers" not in str(error):
                    found.append(f"{option}={junk!r}: {type(error).__name__}: {error}")
            else:
                found.append(f"{option}={junk!r} is taken")
    return found


def required_by(kind: type) -> dict[str, Any]:
    schedule = issubclass(kind, lr_scheduler.LRScheduler)
    return {**REQUIRED.get(kind.__name__, {}), **({"optimizer": sgd()} if schedule else {})}


@pytest.mark.parametrize("kind", list(public()), ids=lambda kind: kind.__name__)
def test_no_option_takes_junk(kind: type) -> None:
    assert ignored(kind, required_by(kind), options_of(kind)) == []


@pytest.mark.parametrize("kind", list(public()), ids=lambda kind: kind.__name__)
def test_an_option_that_does_not_exist_is_refused(kind: type) -> None:
    with pytest.raises(TypeError, match="hiden_size"):
        kind(**required_by(kind), hiden_size=3)


# -- functions -----------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (4, 3))
IMAGE = RNG.normal(size=(1, 2, 5, 5))
TARGETS = np.array([0, 2, 1, 1])


def weight() -> nn.Parameter:
    return nn.Parameter(RNG.normal(size=(4, 3)))


def graded() -> list[nn.Parameter]:
    parameter = nn.Parameter([1.0])
    parameter.grad = np.ones(1)
    return [parameter]


def ones() -> mr.Tensor:
    return mr.tensor(np.ones(3))


GATES = {"cell": "LSTM", "source": "onnx", "target": "pytorch"}
MASKED = {"lengths": [4], "normalize": "per_token"}
WALK = {
    "step": lambda token, state: (X[0], None),
    "state": None,
    "start": 0,
    "end": 2,
    "max_length": 3,
}

# Each function with its data; all its other arguments are options.
CALLS: list[tuple[Any, dict[str, Any]]] = [
    *[(f, {"input": X}) for f in (F.relu, F.leaky_relu, F.softplus, F.softmax, F.log_softmax)],
    (F.dropout, {"input": X}),
    *[(f, {"input": X, "target": X}) for f in (F.mse_loss, F.l1_loss, F.huber_loss, F.kl_div)],
    *[(f, {"input": X, "target": X}) for f in (F.smooth_l1_loss, F.binary_cross_entropy)],
    (F.binary_cross_entropy_with_logits, {"input": X, "target": X}),
    *[(f, {"input": X, "target": TARGETS}) for f in (F.cross_entropy, F.nll_loss)],
    (F.ctc_loss, {"log_probs": np.log(X), "targets": [1, 2]}),
    (F.one_hot, {"input": TARGETS}),
    (F.embedding, {"input": TARGETS, "weight": X}),
    (F.linear, {"input": X, "weight": X}),
    (F.layer_norm, {"input": X, "normalized_shape": 3}),
    (F.batch_norm, {"input": X, "running_mean": ones(), "running_var": ones()}),
    (F.conv1d, {"input": IMAGE[0][0:2, 0], "weight": RNG.normal(size=(2, 2, 2))}),
    (F.conv2d, {"input": IMAGE, "weight": RNG.normal(size=(2, 2, 2, 2))}),
    (F.max_pool2d, {"input": IMAGE, "kernel_size": 2}),
    (F.scaled_dot_product_attention, {"query": X, "key": X, "value": X}),
    *[(f, {"tensor": weight()}) for f in (init.uniform_, init.normal_, init.trunc_normal_)],
    *[(f, {"tensor": weight()}) for f in (init.xavier_uniform_, init.xavier_normal_)],
    *[(f, {"tensor": weight()}) for f in (init.kaiming_uniform_, init.kaiming_normal_)],
    *[(f, {"tensor": weight()}) for f in (init.orthogonal_, init.identity_)],
    (init.constant_, {"tensor": weight(), "val": 1.0}),
    (init.calculate_gain, {"nonlinearity": "leaky_relu"}),
    (init.forget_bias_, {"module": nn.LSTMCell(2, 3)}),
    (init.chrono_, {"module": nn.LSTMCell(2, 3), "longest": 9}),
    (nn.sequence_loss, {"outputs": X, "targets": TARGETS, "loss": F.nll_loss}),
    (nn.utils.clip_grad_norm_, {"parameters": graded(), "max_norm": 1.0}),
    (nn.utils.clip_grad_value_, {"parameters": graded(), "clip_value": 1.0}),
    (nn.utils.get_total_norm, {"tensors": [X]}),
    (nn.utils.rnn.pad_sequence, {"sequences": [X, X[:2]]}),
    (nn.utils.rnn.unpad_sequence, {"padded_sequences": X, "lengths": [4, 2, 1]}),
    (nn.utils.rnn.pack_padded_sequence, {"input": X, "lengths": [4, 2, 1]}),
    (nn.utils.rnn.pack_sequence, {"sequences": [X, X[:2]]}),
    (nn.utils.rnn.pad_packed_sequence, {"sequence": nn.utils.rnn.pack_sequence([X, X[:2]])}),
    (nn.utils.rnn.length_mask, {"lengths": [4, 2]}),
    (nn.utils.convert_gates, {"weights": np.ones((8, 2)), **GATES}),
    (nn.utils.convert_peepholes, {"weights": np.ones(6), "source": "onnx", "target": "pytorch"}),
    (nn.masked_sequence_loss, {"outputs": X[:, None], "targets": TARGETS[:, None], **MASKED}),
    (nn.ctc_greedy, {"log_probs": np.log(X)}),
    (nn.ctc_beam, {"log_probs": np.log(X)}),
    (nn.ctc_alignment, {"log_probs": np.log(X), "target": [1]}),
    (nn.ctc_best_path, {"log_probs": np.log(X), "target": [1]}),
    *[(f, dict(WALK)) for f in (nn.decoding.greedy, nn.decoding.sample)],
    (nn.decoding.beam_search, {**WALK, "width": 2}),
    (nn.decoding.distribution, {"logits": X[0]}),
    (nn.scheduled.linear_decay, {"slope": 0.1}),
    (nn.scheduled.exponential_decay, {"base": 0.5}),
    (nn.scheduled.inverse_sigmoid_decay, {"k": 2.0}),
]


@pytest.mark.parametrize(("function", "data"), CALLS, ids=lambda x: getattr(x, "__name__", ""))
def test_no_option_of_a_function_takes_junk(function: Any, data: dict[str, Any]) -> None:
    options = [name for name in inspect.signature(function).parameters if name not in data]
    options += [n for n in data if n in RULES or f"{function.__name__}.{n}" in RULES]
    options += [n for n in data if n in GATES and function is nn.utils.convert_gates]
    assert ignored(function, data, options) == []


def test_every_function_is_among_them() -> None:
    tried = {function.__name__ for function, _ in CALLS}
    without_options = {"tanh", "sigmoid", "logsigmoid", "ones_", "zeros_", "eye_", "default_"}
    everything = {*F.__all__, *init.__all__} - {"manual_seed"}
    assert everything - tried == without_options


def test_the_search_finds_what_is_ignored() -> None:
    class Careless(nn.Module):
        def __init__(self, dropout: float = 0.5, bias: bool = True) -> None:
            super().__init__()
            if isinstance(dropout, str):
                raise ValueError("no")

    found = ignored(Careless, {}, options_of(Careless))
    assert "dropout='junk': ValueError: no" in found and "bias=-3 is taken" in found
