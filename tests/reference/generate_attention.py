"""Write the reference values for attention, each kind by its own formula in PyTorch; see `generate.py`."""

from __future__ import annotations

import itertools

import torch
from cases import VERSION, add, generator, leaf, normal
from store import Writer
from torch.nn import functional


def attention() -> None:
    file = Writer("attention")
    keys, size = 4, 2
    kinds = ("dot", "scaled", "general", "additive", "causal")
    layouts = {"one": ((), ()), "one, batched": ((2,), ()), "many": ((), (3,))}
    layouts["many, batched"] = ((2,), (3,))
    for kind, (layout, (batch, many)), masked in itertools.product(
        kinds, layouts.items(), (False, True)
    ):
        if kind == "causal" and (masked or not many):
            continue
        case = f"{kind}, {layout}, {'masked' if masked else 'all'}"
        rng = generator(case)
        deep = 3 if kind in ("general", "additive") else size
        query = leaf(normal(rng, *batch, *many, size))
        key, value = leaf(normal(rng, *batch, keys, deep)), leaf(normal(rng, *batch, keys, 5))
        parameters = {}
        if kind == "general":
            parameters["weight"] = leaf(normal(rng, size, deep))
        if kind == "additive":
            parameters["query_weight"] = leaf(normal(rng, 6, size))
            parameters["key_weight"] = leaf(normal(rng, 6, deep))
            parameters["v"] = leaf(normal(rng, 6))
        mask = None
        if masked:
            mask = torch.ones(*batch, keys, dtype=torch.bool)
            mask[..., -1] = False
            mask.view(-1)[0] = False
        q = query if many else query[..., None, :]
        rows = None if mask is None else mask[..., None, :]
        if kind in ("dot", "scaled", "causal"):
            scale = 1.0 if kind == "dot" else None
            given = {"attn_mask": rows, "scale": scale, "is_causal": kind == "causal"}
            context = functional.scaled_dot_product_attention(q, key, value, **given)
            identity = torch.eye(keys).expand(*batch, keys, keys)
            weights = functional.scaled_dot_product_attention(q, key, identity, **given)
        else:
            if kind == "general":
                scores = torch.einsum("...lq,qk,...sk->...ls", q, parameters["weight"], key)
            else:
                asked = torch.einsum("aq,...lq->...la", parameters["query_weight"], q)
                offered = torch.einsum("ak,...sk->...sa", parameters["key_weight"], key)
                both = asked[..., :, None, :] + offered[..., None, :, :]
                scores = torch.einsum("a,...lsa->...ls", parameters["v"], both.tanh())
            if rows is not None:
                scores = scores.masked_fill(~rows, -torch.inf)
            weights = scores.softmax(-1)
            context = weights @ value
        if not many:
            context, weights = context[..., 0, :], weights[..., 0, :]
        arguments = {"kind": kind, "mask": None if mask is None else mask.tolist()}
        inputs = {"query": query, "keys": key, "values": value}
        add(file, case, arguments, parameters, inputs, {"context": context, "weights": weights})
    file.write(torch=VERSION)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    attention()
