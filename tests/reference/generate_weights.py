"""Write a file of weights as PyTorch saves it, and what the network computes; see `generate.py`.

Given the name of a file that `micrornn.nn.save_file` wrote, load it into the network of PyTorch instead, and
print how far apart the outputs are: `python generate_weights.py ours.safetensors`.
"""

from __future__ import annotations

import sys

import torch
from cases import VERSION, fill, generator
from safetensors.torch import load_file, save_file
from store import FOLDER, Writer, load


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(5, 3)
        self.lstm = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
        self.norm = torch.nn.BatchNorm1d(8)
        self.readout = torch.nn.Linear(8, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        output, _ = self.lstm(self.embedding(tokens))
        return self.readout(self.norm(output[-1]))


def network() -> None:
    file, net = Writer("network"), Net()
    fill(net, "network")
    tokens = torch.from_numpy(generator("network").integers(0, 5, (6, 4)))
    net(tokens)  # in training: the running values of the norm are no longer the first ones
    with torch.no_grad():
        y = net.eval()(tokens)
    save_file(net.state_dict(), FOLDER / "network.safetensors")
    arguments = {"module": "Embedding, LSTM, BatchNorm1d, Linear"}
    file.add("network", arguments, inputs={"tokens": tokens}, outputs={"y": y})
    file.write(torch=VERSION)


def read(path: str) -> None:
    net = Net()
    print(net.load_state_dict(load_file(path)))
    (case,) = load("network")
    with torch.no_grad():
        y = net.eval()(torch.from_numpy(case["inputs"]["tokens"]).long())
    print("largest difference", float(abs(y - torch.from_numpy(case["outputs"]["y"])).max()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    read(sys.argv[1]) if len(sys.argv) > 1 else network()
