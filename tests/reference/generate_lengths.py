"""Write the reference values for sequences of many lengths and for embeddings; see `generate.py`."""

from __future__ import annotations

import itertools

import torch
from cases import VERSION, add, fill, generator, leaf, normal
from store import Writer
from torch.nn.utils import rnn

INPUT, HIDDEN = 3, 2


def packed() -> None:
    """Every kind, one and two layers, one and both ways, in the order given and sorted by length."""
    file = Writer("packed")
    kinds = ("RNN", "LSTM", "GRU")
    turns = itertools.product(kinds, (1, 2), (False, True), ([2, 5, 1], [4, 4, 2]), (False, True))
    for kind, depth, both, lengths, given in turns:
        case = (
            f"{kind}, {depth} layers, {'both ways' if both else 'forward'}, lengths {lengths}, "
            f"{'given' if given else 'zero'} state"
        )
        rng = generator(case)
        batch_first = lengths[0] == 4
        module = getattr(torch.nn, kind)(
            INPUT, HIDDEN, num_layers=depth, bidirectional=both, batch_first=batch_first
        ).double()
        parameters = fill(module, case)
        steps = max(lengths)
        shape = (3, steps, INPUT) if batch_first else (steps, 3, INPUT)
        inputs = {"x": leaf(normal(rng, *shape))}
        if given:
            rows = depth * (2 if both else 1)
            inputs["h0"] = leaf(normal(rng, rows, 3, HIDDEN))
            if kind == "LSTM":
                inputs["c0"] = leaf(normal(rng, rows, 3, HIDDEN))
        x, *state = inputs.values()
        batch = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        result, last = module(batch, *([tuple(state)] if len(state) == 2 else state))
        output, _ = rnn.pad_packed_sequence(result, batch_first)
        outputs = {"output": output, "data": result.data}
        outputs |= dict(zip("hc", last if isinstance(last, tuple) else (last,), strict=False))
        options = {"num_layers": depth, "bidirectional": both, "batch_first": batch_first}
        arguments = {
            "module": kind,
            "options": options,
            "lengths": lengths,
            "batch_sizes": result.batch_sizes.tolist(),
            "sorted_indices": batch.sorted_indices.tolist(),
            "unsorted_indices": batch.unsorted_indices.tolist(),
        }
        add(file, case, arguments, parameters, inputs, outputs)
    file.write(torch=VERSION)


def embeddings() -> None:
    file = Writer("embeddings")
    for padding, shape in itertools.product((None, 0, -1), ((), (4,), (3, 2))):
        case = f"padding_idx {padding}, shape {shape}"
        rng = generator(case)
        module = torch.nn.Embedding(5, 3, padding_idx=padding).double()
        parameters = fill(module, case)  # the row of the padding is not zero here
        index = torch.from_numpy(rng.integers(0, 5, shape))
        if index.ndim:
            index.view(-1)[0], index.view(-1)[1] = 4, 0
        options = {"padding_idx": padding}
        arguments = {"options": options, "index": index.tolist()}
        add(file, case, arguments, parameters, {}, {"output": module(index)})
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    packed()
    embeddings()
