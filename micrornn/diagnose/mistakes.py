"""Verdicts on what a program does: its updates, outputs, states, targets and padding."""

from __future__ import annotations

from micrornn.diagnose.verdict import Verdict

# What explains most comes first.
MISTAKES = (
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
        "A part of the network never changes.",
        "The parameter gets a gradient, but the optimizer does not hold it, so it never changes.",
        ("Give the optimizer all parameters: optim.Adam(model.parameters()), of every model.",),
    ),
    Verdict(
        "loss summed",
        "Some updates are far too large; a learning rate suits one sequence length and not another.",
        "The losses of all steps are added up, so the gradient grows with the length of the sequence.",
        (
            "Divide by the number of steps that count: loss / T, reduction='mean', or the sum of the mask.",
            "Or divide the learning rate by the same number.",
        ),
    ),
    Verdict(
        "dropout in evaluation",
        "The validation loss is higher than the training loss, and differs each time.",
        "An evaluation runs with dropout, because the network is still in training mode.",
        ("Call model.eval() before evaluating and model.train() after it.",),
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
        "loss below what is possible",
        "The loss is negative, and keeps falling while predictions get worse.",
        "A cross-entropy and a squared error are never negative. A sign is wrong, or targets that should be "
        "probabilities lie outside 0 to 1.",
        (
            "Minimize minus the log-probability of the target: loss = -log_p.mean().",
            "Give a binary cross-entropy targets of 0 and 1.",
        ),
    ),
    Verdict(
        "probabilities in a log loss",
        "The loss is negative, between -1 and 0.",
        "nll_loss expects log-probabilities. With probabilities, it has almost no gradient where the "
        "network is wrong.",
        ("Use log_softmax before nll_loss, or cross_entropy on the logits.",),
    ),
    Verdict(
        "CTC of logits",
        "The loss turns negative, or falls while the transcription gets no better.",
        "CTC takes log-probabilities. Of logits, it is no probability: raising all of them lowers it.",
        ("Give it logits.log_softmax(-1).",),
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
        "The loss stays high, and the network does not correct its errors.",
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
        "targets in another order",
        "The loss stays near that of guessing.",
        "Predictions lie step by step (time first) and targets sequence by sequence (batch first), or the "
        "other way: flattened, they do not belong together.",
        ("Bring both into the same order first: logits.transpose(0, 1), or batch_first=True.",),
    ),
    Verdict(
        "targets out of reach",
        "The loss falls to a value and stays there; predictions stick at the end of their range.",
        "The last activation has a range, and targets lie outside of it.",
        (
            "Remove the activation after the last linear layer, or scale the targets into its range.",
        ),
    ),
    Verdict(
        "targets shifted",
        "The loss falls, and generated text or a forecast is of no use.",
        "The target of a step is what was read earlier, or what comes two steps later: the targets were "
        "shifted the wrong way, or twice.",
        ("Read x[:-1] and predict x[1:], and shift in one place only.",),
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
        "state carried over",
        "The first steps of a sequence are predicted badly, and results depend on the order of the data.",
        "A sequence begins with the state in which another, unrelated one ended.",
        (
            "Start each sequence from zeros: leave the state out of the call, or create a new one.",
            "Carry a state only from one part of a sequence to its next part.",
        ),
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
        "axes mixed by a reshape",
        "The loss hardly falls, and the result of a sequence depends on its neighbors in the batch.",
        "reshape and view keep the order of the numbers, and do not swap axes: a row then holds numbers of "
        "several sequences.",
        (
            "Use transpose(0, 1), swapaxes or permute, or torch.cat of the parts that belong together.",
        ),
    ),
    Verdict(
        "direction read at its start",
        "The second direction adds nothing.",
        "The reverse direction begins at the last step: out[:, -1] holds its state after one step, while the "
        "forward direction has read all of them. At the first step it is the other way round.",
        (
            "Read each direction where it ends: h_n[-2] and h_n[-1] of PyTorch's layers, concatenated.",
            "Or take the mean or the maximum of all steps, out.mean(1).",
        ),
    ),
    Verdict(
        "parameter never reached",
        "A part of the network never changes.",
        "No path leads from the parameter to the loss: a layer's output is dropped, or overwritten.",
        ("Use what the layer returns, or remove the layer.",),
    ),
    Verdict(
        "gradient exactly zero",
        "A part of the network never changes.",
        "A gradient arrives, and every number in it is 0: a mask, a flat activation or a factor of "
        "zeros.",
        ("Ask `micrornn why SOURCE NAME` where it was lost.",),
    ),
    Verdict(
        "contributions cancel",
        "A weight that is used at many steps hardly changes.",
        "Its uses send large contributions of opposite sign, and their sum is close to 0: at a minimum, or "
        "because one error is counted with both signs.",
        (
            "Look at the shares of the steps: micrornn flow SOURCE --view ledger.",
            "Check signs and masks in the loss.",
        ),
    ),
    Verdict(
        "few uses",
        "A weight learns from a few steps only.",
        "Most of its uses send no gradient: their outputs are not part of the loss, or something stops the "
        "gradient there.",
        (
            "Ask `micrornn why SOURCE 'h[t]'` of a step that sends nothing.",
            "If only the last step is meant to count, this is correct.",
        ),
    ),
    Verdict(
        "all weights alike",
        "All units of a layer do the same, however wide it is.",
        "Units that start alike get the same gradient and stay alike.",
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
        "A part of the network never changes.",
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
        "padding read last",
        "Short sequences are predicted worse than long ones.",
        "The prediction is read at the last step of the batch, where shorter sequences ended long ago.",
        (
            "Read each sequence at its own last step: out[range(B), lengths - 1], or h_n of a packed "
            "sequence.",
        ),
    ),
)
