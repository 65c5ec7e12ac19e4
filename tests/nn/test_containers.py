"""Modules that hold others: what is in them, in which order, by which path, and what they refuse."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import micrornn as mr
from micrornn import nn


def paths(module):
    return [name for name, _ in module.named_parameters()]


def test_containers_are_sequences():
    layers = [nn.Linear(2, 3), nn.Linear(3, 1)]
    for box in (nn.Sequential(*layers), nn.ModuleList(layers)):
        assert len(box) == 2 and list(box) == layers and box[-1] is layers[1]
    x = np.ones((4, 2))
    assert (nn.Sequential(*layers)(x).data == layers[1](layers[0](x)).data).all()
    assert (nn.Sequential(*layers)(input=x).data == layers[1](layers[0](x)).data).all()


@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_a_dictionary_names_the_modules_of_a_sequential(kind):
    net = nn.Sequential(kind(hidden=nn.Linear(2, 3), readout=nn.Linear(3, 1)))
    assert [name for name, _ in net.named_children()] == ["hidden", "readout"]
    assert paths(net)[0] == "hidden.weight" and net.hidden.weight.name == "hidden.weight"
    x = np.ones(2)
    assert net(x).data == net.readout(net.hidden(x)).data
    assert net[0] is net.hidden and len(net) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Sequential([nn.Linear(2, 1)]), "Sequential holds modules, not list"),
        (lambda: nn.Sequential(nn.Linear(2, 1), np.tanh), "not ufunc"),
        (lambda: nn.Sequential({"f": lambda x: x}), "not function; give nn.Module objects"),
        (lambda: nn.Sequential(nn.Linear), "not type"),
        (lambda: nn.ModuleList([nn.Linear(2, 1), mr.tanh]), "ModuleList holds modules"),
        (lambda: nn.ModuleList([None, "a"]), "not str"),
        (lambda: nn.ModuleList(nn.Linear(2, 1)), "ModuleList was given Linear; give a list"),
        (lambda: nn.ModuleList(3), "was given int"),
        (lambda: nn.ModuleList().append(3.0), "not float"),
        (lambda: nn.ModuleDict({"a": 1}), "ModuleDict holds modules"),
        (lambda: nn.ParameterList(nn.Parameter([1.0])).append("a"), "real numbers"),
        (lambda: nn.ParameterList([[1, 2]]), "floating-point"),
        (lambda: nn.ParameterDict({"a": [1, 2]}), "floating-point"),
    ],
)
def test_what_is_not_a_module_is_refused(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_lists_change_and_number_anew():
    a, b, c = (nn.Linear(1, 1) for _ in range(3))
    for box in (nn.ModuleList([a]), nn.Sequential(a)):
        assert box.append(c) is box
        box.insert(1, b)
        assert list(box) == [a, b, c]
        assert [m.weight.name for m in box] == ["0.weight", "1.weight", "2.weight"]
        del box[0]
        assert list(box) == [b, c] and b.weight.name == "0.weight"
        assert paths(box) == ["0.weight", "0.bias", "1.weight", "1.bias"]
        box[1] = a
        assert list(box) == [b, a]
        assert box.pop() is a and list(box) == [b]
        box.extend([a, c])
        assert [m.weight.name for m in box] == ["0.weight", "1.weight", "2.weight"]
        assert list(box[1:]) == [a, c] and type(box[1:]) is type(box)
        for index in (3, -4, "0", 0.0):
            with pytest.raises(IndexError, match="has 3 entries and none at"):
                box[index]
        del box[:]
        assert len(box) == 0 and paths(box) == []


def test_a_list_inside_another_module_has_its_path():
    net = nn.Module()
    net.cells = nn.ModuleList([nn.GRUCell(1, 1)])
    net.cells.append(nn.GRUCell(1, 1))
    assert net.cells[1].weight_ih.name == "cells.1.weight_ih"
    net.cells.insert(0, nn.GRUCell(1, 1))
    assert [p.name for p in net.parameters()] == paths(net)


def test_a_dictionary_of_modules():
    heads = nn.ModuleDict({"a": nn.Linear(1, 2)})
    heads["b"] = nn.Linear(1, 3)
    heads.update([("c", nn.Identity())])
    assert list(heads) == heads.keys() == ["a", "b", "c"] and len(heads) == 3
    assert heads["b"](np.ones(1)).shape == (3,) and "b" in heads and "d" not in heads
    assert [name for name, _ in heads.items()] == ["a", "b", "c"]
    assert heads.values()[2] is heads["c"]
    del heads["a"]
    assert heads.pop("c").name is None and paths(heads) == ["b.weight", "b.bias"]
    with pytest.raises(KeyError, match="no 'a'; its names: 'b'"):
        heads["a"]
    with pytest.raises(KeyError, match="no 'a'"):
        del heads["a"]
    for name in ("keys", "a.b", "", "forward"):
        with pytest.raises(KeyError, match="give a"):
            heads[name] = nn.Identity()


def test_parameters_by_themselves():
    row = nn.ParameterList([nn.Parameter([1.0]), np.ones(2), mr.tensor([3.0])])
    assert all(isinstance(p, nn.Parameter) for p in row) and len(row) == 3
    row.append([4.0])
    row[0] = [9.0, 9.0]
    assert [p.shape for p in row.parameters()] == [(2,), (2,), (1,), (1,)]
    assert repr(row) == "ParameterList((0): (2,), (1): (2,), (2): (1,), (3): (1,))"
    del row[1]
    assert [p.name for p in row] == ["0", "1", "2"]
    named = nn.ParameterDict({"h": [0.0]})
    named["c"] = nn.Parameter([1.0, 2.0])
    assert list(named.state_dict()) == ["h", "c"] and named["c"].name == "c"
    assert named.keys() == ["h", "c"] and [p.shape for p in named.values()] == [(1,), (2,)]
    with pytest.raises(KeyError, match="its names: 'h', 'c'"):
        named["x"]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_apart(clone):
    net = nn.Module()
    net.cells = nn.ModuleList([nn.Linear(1, 1)])
    net.heads = nn.ModuleDict({"a": nn.Linear(1, 1)})
    net.own = nn.ParameterDict({"h": [1.0]})
    net.norm = nn.BatchNorm1d(2)
    twin = clone(net)
    assert paths(twin) == paths(net) == [p.name for p in twin.parameters()]
    twin.heads["a"].weight.data = [[9.0]]
    twin.norm.running_mean = [5.0, 5.0]
    assert net.heads["a"].weight.data != 9.0 and (net.norm.running_mean.data == 0.0).all()
    assert [name for name, _ in twin.named_buffers()] == [name for name, _ in net.named_buffers()]
