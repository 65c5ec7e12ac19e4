"""Two companies: an LSTM of one cell with published weights, looked into step by step."""

import numpy as np

from micrornn import nn

# Rows: input gate, forget gate, candidate, output gate (PyTorch's order i f g o).
lstm = nn.LSTM(1, 1, gates="separate")
lstm.load_state_dict(
    {
        "weight_ih_l0": [[1.65], [1.63], [0.94], [-0.19]],
        "weight_hh_l0": [[2.00], [2.70], [1.41], [4.38]],
        "bias_ih_l0": [0.62, 1.62, -0.32, 0.59],
        "bias_hh_l0": [0.0] * 4,
    }
)


def day_5(name, values):
    """The prediction after four days, with both memories on the way."""
    state = None
    for day, value in enumerate(values, 1):
        (h,), state = lstm([np.array([value])], state)
        long_term = state[1].data[0, 0]
        print(
            f"{name}, day {day}: read {value:4}, long-term {long_term:6.3f}, short-term {h.data[0]:6.3f}"
        )
    return float(h.data[0])


# They differ on day 1 only, so that being right about day 5 takes remembering day 1.
a = day_5("A", [0.0, 0.5, 0.25, 1.0])
b = day_5("B", [1.0, 0.5, 0.25, 1.0])
print(f"day 5: A {a:.3f} (it was 0), B {b:.3f} (it was 1)")
assert abs(a - 0.006) < 0.001
assert abs(b - 0.969) < 0.001

# Which weight goes with the input and which with the short-term memory matters:
weights = lstm.state_dict()
swapped = {"weight_ih_l0": weights["weight_hh_l0"], "weight_hh_l0": weights["weight_ih_l0"]}
lstm.load_state_dict({**weights, **swapped})
assert abs(day_5("A, exchanged", [0.0, 0.5, 0.25, 1.0]) - 0.667) < 0.001
