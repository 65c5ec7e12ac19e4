"""The valid values of options: one rule per name, for every constructor and function that takes it.

An invalid value raises an error where it is given, in one sentence that says what to give:

>>> check("Dropout", p=2)
Traceback (most recent call last):
ValueError: Dropout: p=2; give a number from 0 to 1
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np


class Rule(NamedTuple):
    """The valid values of an option: the words that follow "give", and a test."""

    words: str
    holds: Callable[[Any], bool]


def is_integer(value: Any) -> bool:
    """Whether a value is an integer; True and False are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_real(value: Any) -> bool:
    """Whether a value is a finite number; True and False are not."""
    number = is_integer(value) or isinstance(value, (float, np.floating))
    return number and math.isfinite(value)


def one_of(*choices: str) -> Rule:
    """One of some words."""
    words = "one of " + ", ".join(map(repr, choices))
    return Rule(words, lambda value: isinstance(value, str) and value in choices)


def or_none(rule: Rule) -> Rule:
    """The values of a rule, or None."""
    return Rule(f"{rule.words}, or None", lambda value: value is None or rule.holds(value))


def between(words: str, holds: Callable[[Any], bool]) -> Rule:
    """A finite number in a range."""
    return Rule(words, lambda value: is_real(value) and holds(value))


FLAG = Rule("True or False", lambda value: isinstance(value, (bool, np.bool_)))
TEXT = Rule("text", lambda value: isinstance(value, str))
FUNCTION = Rule("a function", callable)
INTEGER = Rule("an integer", is_integer)
COUNT = Rule("an integer from 0 up", lambda value: is_integer(value) and value >= 0)
SIZE = Rule("an integer from 1 up", lambda value: is_integer(value) and value >= 1)
EPOCH = Rule("an integer from -1 up", lambda value: is_integer(value) and value >= -1)
REAL = Rule("a finite number", is_real)
NUMBER = Rule(
    "a number", lambda value: is_integer(value) or isinstance(value, (float, np.floating))
)
NOT_NEGATIVE = between("a finite number, 0 or more", lambda value: value >= 0)
POSITIVE = between("a positive finite number", lambda value: value > 0)
SHARE = between("a number from 0 to 1", lambda value: 0 <= value <= 1)
BELOW_ONE = between("a number from 0 to below 1", lambda value: 0 <= value < 1)
INSIDE = between("a number between 0 and 1", lambda value: 0 < value < 1)
FROM_ONE = between("a finite number from 1 up", lambda value: value >= 1)
ABOVE_ZERO = between("a number above 0, at most 1", lambda value: 0 < value <= 1)
LIMIT = Rule("a number, 0 or more, or inf", lambda v: NUMBER.holds(v) and v >= 0)
SPAN = Rule("an integer from 3 up", lambda value: is_integer(value) and value >= 3)
ORDER = Rule("a positive number, or inf", lambda value: NUMBER.holds(value) and value > 0)
CLASSES = Rule(
    "1 or more, or -1 for the largest index plus one",
    lambda value: SIZE.holds(value) or (is_integer(value) and value == -1),
)
BETAS = Rule(
    "two numbers from 0 to below 1",
    lambda v: isinstance(v, (tuple, list)) and len(v) == 2 and all(map(BELOW_ONE.holds, v)),
)
PLAN = Rule(
    "'sqrt', a number of slots from 1 up, or None",
    lambda v: v is None or (isinstance(v, str) and v == "sqrt") or SIZE.holds(v),
)
COUNTS = Rule(
    "a list of integers from 0 up",
    lambda value: isinstance(value, (tuple, list)) and all(map(COUNT.holds, value)),
)
NEVER = Rule("False: the graph keeps every value, so none is overwritten", lambda v: v is False)

NETWORKS = (  # in an encoder and a decoder
    *(
        "RNN",
        "LSTM",
        "GRU",
        "IRNN",
        "OrthogonalRNN",
        "MinGRU",
        "MinLSTM",
        "LRU",
        "S6",
        "SLSTM",
        "MLSTM",
    ),
    *("GatedDelta", "RWKV"),
)
# The rule of each option; "owner.option" where one owner differs from the others.
_RULES: tuple[tuple[Rule, str], ...] = (
    (COUNT, "in_features out_features"),  # as in PyTorch: a sum of nothing is 0
    (
        SIZE,
        "state_size input_size hidden_size output_size num_layers vocab_size query_size key_size groups",
    ),
    (SIZE, "num_embeddings embedding_dim embedding_size memory_size num_features in_channels"),
    (SIZE, "out_channels T_max total_iters step_size updates"),
    (SIZE, "max_length beam_search.width ctc_beam.width"),
    (or_none(SIZE), "total_length top_k length_mask.steps"),
    (SPAN, "chrono_.longest"),
    (COUNT, "proj_size blank patience cooldown"),
    (EPOCH, "last_epoch"),
    (COUNTS, "milestones"),
    (CLASSES, "num_classes"),
    (INTEGER, "ignore_index dim start_dim end_dim start convert_gates.axis"),
    (or_none(INTEGER), "axis end"),
    (FLAG, "scan bias batch_first bidirectional peepholes layer_norm reset_after affine"),
    (
        FLAG,
        "freeze elementwise_affine track_running_stats ceil_mode return_indices log_target training",
    ),
    (FLAG, "is_causal zero_infinity strict set_to_none requires_grad enforce_sorted train.mode"),
    (FLAG, "error_if_nonfinite nesterov centered amsgrad maximize cycle_momentum three_phase"),
    (NEVER, "inplace"),
    (or_none(TEXT), "name"),
    (FUNCTION, "sequence_loss.loss masked_sequence_loss.loss"),
    (
        SHARE,
        "r_min r_max p dropout dropout_p label_smoothing teacher_forcing alpha pct_start end_factor",
    ),
    (or_none(SHARE), "BatchNorm1d.momentum batch_norm.momentum"),
    (SHARE, "linear_decay.begin linear_decay.least"),
    (ABOVE_ZERO, "start_factor"),
    (INSIDE, "exponential_decay.base"),
    (FROM_ONE, "inverse_sigmoid_decay.k"),
    (BELOW_ONE, "ReduceLROnPlateau.factor"),
    (BETAS, "betas"),
    (NOT_NEGATIVE, "lr eps weight_decay lr_decay momentum initial_accumulator_value gamma std"),
    (NOT_NEGATIVE, "threshold SmoothL1Loss.beta smooth_l1_loss.beta"),
    (NOT_NEGATIVE, "temperature length_power linear_decay.slope"),
    (POSITIVE, "sample.temperature delta beta scale div_factor final_div_factor"),
    (REAL, "negative_slope gain dampening val forget_bias_.value eta_min a b mean"),
    (REAL, "identity_.scale IRNN.scale"),
    (or_none(REAL), "calculate_gain.param"),
    (NUMBER, "padding_value"),
    (LIMIT, "max_norm clip_value"),
    (ORDER, "norm_type"),
    (one_of("mean", "sum", "none"), "reduction"),
    (one_of("mean", "sum", "none", "batchmean"), "kl_div.reduction KLDivLoss.reduction"),
    (one_of("mean", "sum"), "sequence_loss.reduction"),
    (one_of("per_token", "per_sequence", "per_batch"), "normalize"),
    (one_of("tanh", "relu"), "nonlinearity"),
    (one_of("stacked", "separate"), "gates"),
    (PLAN, "checkpoint"),
    (one_of(*NETWORKS), "cell"),
    (one_of("same", "valid"), "padding"),
    (one_of("zeros"), "padding_mode"),
    (one_of("fan_in", "fan_out"), "kaiming_uniform_.mode kaiming_normal_.mode"),
    (one_of("min", "max"), "ReduceLROnPlateau.mode"),
    (one_of("rel", "abs"), "threshold_mode"),
    (one_of("cos", "linear"), "anneal_strategy"),
    (one_of("argmax", "sample"), "feed"),
    (one_of("numpy", "numba"), "backend"),
    (one_of("greedy", "beam", "sample"), "method"),
)
RULES = {name: rule for rule, names in _RULES for name in names.split()}


def check(owner: str, **options: Any) -> None:
    """Raise a ValueError for an invalid option.

    Args:
        owner: the class or function that takes the options.
        options: their values; those without a rule in `RULES` are not checked.

    Raises:
        ValueError: a value breaks its rule.
    """
    for name, value in options.items():
        rule = _rule(owner, name)
        if rule is not None and not rule.holds(value):
            raise ValueError(f"{owner}: {name}={value!r}; give {rule.words}")


@cache
def _rule(owner: str, name: str) -> Rule | None:
    return RULES.get(f"{owner}.{name}") or RULES.get(name)
