"""A state may have any name and any shape: the readers find what one step hands to the next."""

import numpy as np
import pytest

import micrornn as mr
from micrornn.flow import credit, gates
from micrornn.flow.jacobian import jacobian_strip
from micrornn.flow.roles import state_names
from micrornn.recording import Recording, record
from viz.picture.tell import tell
from viz.plots import read

W = np.array([[0.6, -0.3], [0.2, 0.9]])


def recorded(name: str, steps: int = 5) -> Recording:
    """A tanh RNN of two units whose state has this name."""
    w = mr.tensor(W, requires_grad=True, name="W")
    with mr.scope("mine", t=0):
        s = mr.tensor(np.array([0.5, -0.5]), requires_grad=True, name=name)
    for t in range(1, steps + 1):
        with mr.scope("mine", t=t):
            s = mr.tanh(w @ s)
            s.name = name
    return record(s.sum())


@pytest.mark.parametrize("name", ["h", "s", "C", "n", "memory"])
def test_no_reader_depends_on_a_state_called_h(name: str) -> None:
    usual, rec = recorded("h"), recorded(name)
    assert state_names(rec) == (name,)
    strip, expected = jacobian_strip(rec), jacobian_strip(usual)
    np.testing.assert_array_equal(strip.running, expected.running)
    assert strip.states == (name,)
    assert strip.bound is not None and expected.bound is not None
    np.testing.assert_array_equal(strip.bound, expected.bound)
    np.testing.assert_array_equal(gates(rec)["state"].arrived, gates(usual)["state"].arrived)
    assert [len(box.nodes) for box in tell(rec).chain("mine")] == [1] * 6
    for view in ("credit", "jacobian", "gates", "paths"):
        expected_words = read(view, {"": usual}).finding.replace("h[", f"{name}[")
        assert read(view, {"": rec}).finding == expected_words.replace("(h)", f"({name})")


def test_a_state_may_be_a_matrix() -> None:
    """C_t = f C_{t-1} + v k^T: its Jacobian is f times the identity of its four elements."""
    rng = np.random.default_rng(0)
    with mr.scope("fast", t=0):
        c = mr.tensor(np.zeros((2, 2)), requires_grad=True, name="C")
    for t in range(1, 4):
        with mr.scope("fast", t=t):
            c = 0.5 * c + mr.tensor(np.outer(rng.normal(size=2), rng.normal(size=2)))
            c.name = "C"
    rec = record(c.sum())
    strip = jacobian_strip(rec)
    np.testing.assert_allclose(strip.sigma, 0.5)
    np.testing.assert_allclose(strip.frobenius, 0.5 * 2)  # sqrt(4) units
    np.testing.assert_allclose(strip.running, [0.125, 0.25, 0.5])
    assert credit(rec, "C").norms.shape[1] == 4
