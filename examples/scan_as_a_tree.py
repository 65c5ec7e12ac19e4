"""A linear recurrence without a loop: a minGRU by a scan has the loop's states and the loop's gradients.

Its gates read x alone, so that h_t = a_t h_{t-1} + b_t with a and b known at once, and two steps of that form
are one. The scan combines neighbors in pairs, up a tree, and fills in the states between on the way down; the
gradient comes back along the same tree, which this draws:

    micrornn render examples/scan_as_a_tree.py:last_state -o scan.svg
"""

import time

import numpy as np

import micrornn as mr
from micrornn import nn


def run(steps, scan):
    """The same weights and inputs in both ways: the network, and its states."""
    x = np.random.default_rng(1).normal(size=(steps, 3))
    network = nn.MinGRU(3, 4, rng=0, scan=scan)
    return network, *network(x)


def last_state():
    """A loss on the last of eight states, for the picture."""
    _, _, h = run(8, scan=True)
    return mr.sum((h - 1.0) ** 2)


last_state().backward()  # Eight states take three rounds up and three down.
assert len({node.scope for node in mr.Graph(last_state()) if "scan/" in node.scope}) == 6
for steps in (300, 3_000):
    states, gradients, seconds = [], [], []
    for scan in (False, True):
        begin = time.perf_counter()
        network, output, _ = run(steps, scan)
        mr.sum(output**2).backward()
        seconds.append(time.perf_counter() - begin)
        states.append(output.data)
        gradients.append(np.concatenate([p.grad.ravel() for p in network.parameters()]))
    ratio = seconds[0] / seconds[1]
    print(f"{steps:5,} steps: equal, and the loop takes {ratio:.1f} times as long as the scan")
    assert np.allclose(*states, rtol=1e-12, atol=1e-12)
    assert np.allclose(*gradients, rtol=1e-10)
