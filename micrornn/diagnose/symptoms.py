"""Verdicts on what becomes of a run: its data, its learning rate, its gradient over time."""

from __future__ import annotations

from micrornn.diagnose.verdict import Verdict

# What explains most comes first.
SYMPTOMS = (
    Verdict(
        "unscaled input",
        "The loss starts high and falls slowly, or units are stuck.",
        "Inputs far from the range -3 to 3 drive activations into their flat parts.",
        ("Scale each input to mean 0 and standard deviation 1.",),
    ),
    Verdict(
        "inputs all alike",
        "The network predicts the same for every input.",
        "The inputs do not differ, so they carry no information.",
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
        "class never seen",
        "A class is never predicted, and its output only learns to be small.",
        "No target is of this class: labels start at 1, a class is missing from the data, or the network has "
        "more outputs than there are classes.",
        ("Count the labels; let them start at 0, and give the network one output for each class.",),
    ),
    Verdict(
        "explosion hidden by clipping",
        "The loss stays finite, and hardly falls, or not at all.",
        "The gradient explodes over time, and clipping cuts it to a small part: its direction is that of the "
        "early steps alone.",
        (
            "Start from smaller recurrent weights: nn.init.orthogonal_ keeps the largest singular value "
            "at 1.",
            "Use tanh, an LSTM or a GRU, or shorter chunks.",
        ),
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
        "Every gradient is cut to the same norm, so its size no longer matters.",
        ("Raise max_norm to about the median norm, and lower the learning rate to match.",),
    ),
    Verdict(
        "clipping never acts",
        "The loss jumps although gradients are clipped.",
        "max_norm is far above every gradient's norm, so nothing is clipped.",
        ("Print the norms that clip_grad_norm_ returns, and set max_norm near their median.",),
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
            "Where dependences may be of any length up to N steps, give each unit its own time: "
            "nn.init.chrono_(lstm, N).",
            "Shorten the path between the input that matters and the loss.",
        ),
    ),
    Verdict(
        "vanishing",
        "Early steps get no gradient.",
        "The gradient shrinks from step to step on its way back.",
        (
            "Use an LSTM or a GRU: their states are added to, not multiplied over.",
            "Start the recurrent weights from nn.init.orthogonal_ (or the identity, for a ReLU RNN).",
            "Shorten the path: a loss at every step, or attention to the early steps.",
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
        "A gate stays shut or open, whatever the input.",
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
