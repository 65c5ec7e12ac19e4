"""Files of weights: both ways with PyTorch, whole or not at all, and errors by name."""

import sys

import numpy as np
import pytest
from reference.store import FOLDER, load

import micrornn as mr
from micrornn import nn

safetensors_numpy = pytest.importorskip("safetensors.numpy")
FROM_PYTORCH = FOLDER / "network.safetensors"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
        self.norm = nn.BatchNorm1d(8)
        self.readout = nn.Linear(8, 2)

    def forward(self, tokens):
        output, _ = self.lstm(self.embedding(tokens))
        return self.readout(self.norm(output[-1]))


def test_a_file_of_pytorchs_computes_what_it_computed_there():
    (case,) = load("network")
    net = Net().eval()
    assert net.load_state_dict(nn.load_file(FROM_PYTORCH)) == ([], [])
    y = net(case["inputs"]["tokens"].astype(int))
    assert np.abs(y.data - case["outputs"]["y"]).max() < 1e-12


def test_a_file_of_ours_has_the_arrays_and_names_of_pytorchs(tmp_path):
    net = Net()
    net.load_state_dict(nn.load_file(FROM_PYTORCH))
    nn.save_file(net.state_dict(), tmp_path / "ours.safetensors")
    ours = safetensors_numpy.load_file(tmp_path / "ours.safetensors")
    theirs = safetensors_numpy.load_file(FROM_PYTORCH)
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        assert np.array_equal(ours[name], array) and ours[name].dtype == array.dtype, name


def test_dtypes_shapes_and_words_survive(tmp_path):
    path = tmp_path / "a.safetensors"
    state = {
        "half": np.ones((2, 3), "float16"),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "count": np.array(7),
        "flags": np.array([True, False]),
        "nothing": np.zeros((0, 2)),
        "number": mr.Value(0.5),
        "nan": np.array([np.nan, np.inf]),
        "list": [1.0, 2.0],
    }
    nn.save_file(state, path, {"made by": "a test"})
    found = nn.load_file(path)
    assert found.keys() == state.keys()
    for name, array in found.items():
        expected = np.asarray(state[name].data if name == "number" else state[name])
        assert array.dtype == expected.dtype and array.shape == expected.shape, name
        assert np.array_equal(array, expected, equal_nan=array.dtype.kind == "f"), name
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        assert file.metadata() == {"made by": "a test"}


@pytest.mark.parametrize(
    ("state", "metadata", "words"),
    [
        (nn.Linear(1, 1), None, "a state of type Linear"),
        ({1: np.ones(2)}, None, "must be text"),
        ({"a": "words"}, None, "a is of type str"),
        ({"a": [1j]}, None, "complex"),
        ({"a": np.ones(2)}, {"epoch": 3}, "must be text"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_leaves_the_old_file(tmp_path, state, metadata, words):
    path = tmp_path / "a.safetensors"
    nn.save_file({"a": np.ones(2)}, path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match=words):
        nn.save_file(state, path, metadata)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\xff" * 64, b"\x08" + bytes(7) + b"{}      "]
)
def test_what_is_not_such_a_file_is_said(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    if content.endswith(b"{}      "):
        assert nn.load_file(path) == {}
        return
    with pytest.raises(ValueError, match="is not a safetensors file"):
        nn.load_file(path)
    path.write_bytes(FROM_PYTORCH.read_bytes()[:-9])
    with pytest.raises(ValueError, match="is damaged"):
        nn.load_file(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.load_file(tmp_path / "nowhere")


def test_without_the_package_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (lambda: nn.save_file({}, tmp_path / "a"), lambda: nn.load_file(FROM_PYTORCH)):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'micrornn\[safetensors\]'"):
            call()
