"""The closed list of what the diagnosis can find: how it looks, why it hurts, and what to do.

The page docs/diagnosis.md is written from this table, and a test compares them.
"""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """One thing that can be wrong.

    Attributes:
        name: as it is reported.
        looks: how it shows.
        why: why it keeps a network from learning.
        do: what to do, the most promising first.
    """

    name: str
    looks: str
    why: str
    do: tuple[str, ...]


# In the order in which they are reported: what explains most comes first.
_ALL = (
    Verdict(
        "NaN in the data",
        "The loss is NaN from the first iteration on.",
        "One NaN or infinity in an input or a target makes every number that depends on it NaN.",
        ("Drop or fill the row before training; check the file's missing values.",),
    ),
    Verdict(
        "not finite",
        "The loss or a gradient turns NaN or infinite.",
        "A number overflowed, or an operation left its domain (log of 0, division by 0).",
        (
            "Clip the gradient's norm (nn.utils.clip_grad_norm_), and lower the learning rate: clipping "
            "prevents the NaN, it does not cure it.",
            "Start from smaller recurrent weights (nn.init.orthogonal_), or use tanh, which is bounded.",
            "Find the line in the next run: `with mr.trap_nonfinite():`.",
        ),
    ),
    Verdict(
        "optimizer never steps",
        "The loss does not change at all.",
        "Gradients are computed, but no parameter ever changes.",
        (
            "Call optimizer.step() after loss.backward(), with an optimizer that holds the parameters.",
        ),
    ),
    Verdict(
        "gradients not reset",
        "Training is unstable, and gradients grow from iteration to iteration.",
        "backward() adds to .grad. Without a reset, each update uses the sum of all gradients so far.",
        ("Call optimizer.zero_grad() before each backward pass.",),
    ),
    Verdict(
        "not in the optimizer",
        "A part of the network stays as it began.",
        "The parameter gets a gradient, but the optimizer does not hold it, so it never changes.",
        ("Give the optimizer all parameters: optim.Adam(model.parameters()), of every model.",),
    ),
    Verdict(
        "softmax before cross-entropy",
        "The loss falls slowly and stays high.",
        "cross_entropy takes logits and applies softmax itself. After a softmax, its input lies "
        "between 0 and 1, "
        "so the loss cannot come near 0 and gradients are small.",
        ("Give cross_entropy the output of the last linear layer, without softmax.",),
    ),
    Verdict(
        "activation before cross-entropy",
        "The loss stays high; some classes are never predicted.",
        "A bounded activation keeps the logits in a small range, so the softmax cannot become sure.",
        ("Remove the activation after the last linear layer.",),
    ),
    Verdict(
        "sigmoid before logits loss",
        "The loss stays near ln 2.",
        "binary_cross_entropy_with_logits applies the sigmoid itself. After a sigmoid, its input "
        "lies between 0 "
        "and 1, so the probability stays between .5 and .73.",
        (
            "Give it the output of the last linear layer, or use binary_cross_entropy after the "
            "sigmoid.",
        ),
    ),
    Verdict(
        "probabilities in a log loss",
        "The loss is negative, between -1 and 0.",
        "nll_loss expects log-probabilities. Of probabilities it has hardly a gradient where the "
        "network errs.",
        ("Use log_softmax before nll_loss, or cross_entropy on the logits.",),
    ),
    Verdict(
        "softmax over the wrong axis",
        "The loss hardly falls; probabilities of one prediction do not add up to 1.",
        "The softmax normalizes over the batch or over time, so predictions compete with one another.",
        (
            "Take the softmax over the axis of the classes, usually the last one (axis=-1).",
            "In attention, take it over the positions that are averaged.",
        ),
    ),
    Verdict(
        "squared error of a sigmoid",
        "The loss stays high although the network errs.",
        "Where the sigmoid is sure and wrong its slope is nearly 0, and the squared error has no "
        "other gradient.",
        ("Use binary_cross_entropy_with_logits for a yes or no.",),
    ),
    Verdict(
        "target broadcast",
        "The loss stays near the variance of the targets, and the predictions near their mean.",
        "Predictions of shape (N, 1) and targets of shape (N,) give an error of shape (N, N): every "
        "prediction is compared with every target.",
        ("Give both the same shape: prediction[:, 0], or target[:, None].",),
    ),
    Verdict(
        "target in the input",
        "The loss falls to almost nothing at once, and the network is useless on new data.",
        "The input of a step holds what the step should predict.",
        ("Shift the input by one step, or remove the column.",),
    ),
    Verdict(
        "state not passed on",
        "The network behaves as if it saw one step at a time.",
        "At every step the recurrent weights multiply an initial state of zeros, so they learn nothing.",
        ("Give the state that a step returns to the next step: h = cell(x, h).",),
    ),
    Verdict(
        "state reset in the middle",
        "Nothing earlier than a certain step is learned.",
        "The state is set to zeros within the sequence, so no gradient passes that step.",
        ("Reset the state only between sequences.",),
    ),
    Verdict(
        "detached",
        "Early steps and the weights behind them get no gradient.",
        "detach() lets no gradient through, and it stands inside the loop over time.",
        (
            "Take the detach() out of the loop over time.",
            "For long sequences, detach once for each chunk of steps (truncated BPTT).",
        ),
    ),
    Verdict(
        "copied out of the graph",
        "Layers before a certain place get no gradient.",
        "A computed value was turned into plain data (.data, .item(), .numpy(), tensor(...)) and "
        "used again.",
        ("Use the tensor itself; to stop a gradient on purpose, use detach().",),
    ),
    Verdict(
        "rounded on the path",
        "Layers before a certain place get no gradient.",
        "argmax, rounding and comparisons have no gradient: what is computed from their result does "
        "not reach what "
        "came before.",
        (
            "Keep the probabilities, or use a relaxation (softmax with temperature, straight-through).",
        ),
    ),
    Verdict(
        "batch and time swapped",
        "The loss hardly falls; only one sequence of the batch seems to count.",
        "The network runs over the batch as if it were time, and the last step is taken from the "
        "wrong axis.",
        ("Set batch_first=True, or give the input as (steps, batch, features).",),
    ),
    Verdict(
        "parameter never reached",
        "A part of the network stays as it began.",
        "No path leads from the parameter to the loss: a layer's output is dropped, or overwritten.",
        ("Use what the layer returns, or remove the layer.",),
    ),
    Verdict(
        "gradient exactly zero",
        "A part of the network stays as it began.",
        "A gradient arrives, and every number in it is 0: a mask, a flat activation or a factor of "
        "zeros.",
        ("Ask `micrornn why SOURCE NAME` where it was lost.",),
    ),
    Verdict(
        "all weights alike",
        "All units of a layer do the same, however wide it is.",
        "Units that begin alike get the same gradient and stay alike.",
        ("Start from random weights: nn.init.xavier_uniform_, nn.init.orthogonal_.",),
    ),
    Verdict(
        "layers share weights",
        "A deep network is no better than a shallow one.",
        "The same layer object stands in several places, so its weights are used several times in "
        "each step.",
        ("Make a new layer for each place: [make() for _ in range(n)], not [layer] * n.",),
    ),
    Verdict(
        "frozen weights",
        "A part of the network stays as it began.",
        "A table of weights does not require a gradient.",
        ("Set requires_grad=True, if it should be trained.",),
    ),
    Verdict(
        "mask inverted",
        "The loss falls, and predictions on real steps are random.",
        "The mask keeps the padding and drops the real steps.",
        ("Use 1 for real steps and 0 for padding.",),
    ),
    Verdict(
        "padding in the loss",
        "The loss looks good, and predictions on real steps are worse.",
        "Steps of padding count in the loss like real ones.",
        ("Mask the loss (ignore_index, lengths=), or pack the sequences.",),
    ),
    Verdict(
        "unscaled input",
        "The loss starts high and falls slowly, or units are stuck.",
        "Inputs far from the range -3 to 3 drive activations into their flat parts.",
        ("Scale each input to mean 0 and standard deviation 1.",),
    ),
    Verdict(
        "inputs all alike",
        "The network predicts the same for every input.",
        "The inputs do not differ, so nothing can be told from them.",
        (
            "Check how the batch is made: indexing, broadcasting, a normalization over the wrong axis.",
        ),
    ),
    Verdict(
        "one class only",
        "The loss falls to 0 at once.",
        "All targets are the same class.",
        ("Check how targets are made, and shuffle the data.",),
    ),
    Verdict(
        "exploding",
        "The loss jumps or turns NaN.",
        "The gradient grows from step to step on its way back.",
        (
            "Clip the norm of the whole gradient before every step: "
            "nn.utils.clip_grad_norm_(parameters, 1.0).",
            "Start from smaller recurrent weights: nn.init.orthogonal_ keeps the largest singular "
            "value at 1.",
            "Lower the learning rate, or cut long sequences into chunks.",
        ),
    ),
    Verdict(
        "learning rate too large",
        "The loss rises or jumps.",
        "Each update changes the weights by a large part of themselves.",
        ("Divide the learning rate by 10.", "Clip the gradient's norm."),
    ),
    Verdict(
        "learning rate too small",
        "The loss falls by almost nothing.",
        "Each update changes the weights by a tiny part of themselves.",
        ("Multiply the learning rate by 10 or 100.",),
    ),
    Verdict(
        "clipping always on",
        "The loss falls slowly, in steps of the same length.",
        "Every gradient is cut to the same norm, so its size says nothing any more.",
        ("Raise max_norm to about the median norm, and lower the learning rate to match.",),
    ),
    Verdict(
        "truncation bias",
        "Dependences longer than a chunk are not learned.",
        "The graph is cut between chunks, and what would have come from later chunks is missing.",
        (
            "Make the chunks longer than the dependence that has to be learned.",
            "Compare with the whole sequence once: flow.ledger shows what is missing.",
        ),
    ),
    Verdict(
        "saturated",
        "Early steps get no gradient.",
        "The states lie in the flat parts of their activation.",
        (
            "Scale the inputs to mean 0 and standard deviation 1.",
            "Start from smaller weights, or lower the learning rate that made them large.",
        ),
    ),
    Verdict(
        "forgetful",
        "Early steps get no gradient in an LSTM.",
        "The forget gate lets through only a part of the gradient at each step.",
        (
            "Start with an open forget gate: nn.init.forget_bias_(lstm, 1.0), larger for longer "
            "dependences. "
            "In PyTorch's layout the bias is the sum of two.",
            "Shorten the way between the input that matters and the loss.",
        ),
    ),
    Verdict(
        "vanishing",
        "Early steps get no gradient.",
        "The gradient shrinks from step to step on its way back.",
        (
            "Use an LSTM or a GRU: their states are added to, not multiplied over.",
            "Start the recurrent weights from nn.init.orthogonal_ (or the identity, for a ReLU RNN).",
            "Shorten the way: a loss at every step, or attention to the early steps.",
        ),
    ),
    Verdict(
        "dead units",
        "Some units are 0 at every step.",
        "A ReLU that is negative for all inputs has no gradient and never recovers.",
        ("Lower the learning rate, start from a small positive bias, or use tanh.",),
    ),
    Verdict(
        "saturated gates",
        "A gate stays shut or open whatever comes in.",
        "Where a gate is shut or open its slope is nearly 0, and it stops learning.",
        ("Scale the inputs.", "Start from smaller weights or a bias nearer 0 for this gate."),
    ),
    Verdict(
        "loss at one end only",
        "Only early, or only late, steps are learned.",
        "All losses stand at one end of the sequence.",
        ("Give a loss at every step if the task has one.", "Check the mask and the targets."),
    ),
)

VERDICTS: dict[str, Verdict] = {verdict.name: verdict for verdict in _ALL}
ORDER = {name: i for i, name in enumerate(VERDICTS)}
