"""The curves of tanh and sigmoid, and their slopes by backward; with a file name, also drawn into it."""

import sys

import numpy as np
from matplotlib.figure import Figure

import micrornn as mr


def curve(function, xs):
    """The values and the slopes of a function at some points."""
    x = mr.tensor(xs, requires_grad=True)
    y = function(x)
    y.sum().backward()
    return y.numpy(), x.grad


xs = np.array([-40.0, -4.0, -1.0, 0.0, 1.0, 4.0, 40.0])
print("    x      tanh  its slope   sigmoid  its slope")
for row in zip(xs, *curve(mr.tanh, xs), *curve(mr.sigmoid, xs)):
    print("{:5g}  {:8.5f}  {:9.2g}  {:8.5f}  {:9.2g}".format(*row))

fine = np.linspace(-6, 6, 241)  # 0 among them
functions = {"tanh": mr.tanh, "sigmoid": mr.sigmoid}
curves = {name: curve(function, fine) for name, function in functions.items()}

if len(sys.argv) > 1:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = {"tanh": ((-3.6, -0.9), (1.0, 0.6)), "sigmoid": ((-3.6, 0.15), (2.4, 0.14))}
    for (name, both), color in zip(curves.items(), ("#d55e00", "#0072b2")):
        for axes, values, place in zip((left, right), both, places[name]):
            axes.plot(fine, values, color=color, linewidth=2)
            axes.text(*place, name, color=color)
            axes.grid(color="#e8ebef")
            axes.spines[["top", "right"]].set_visible(False)
    left.set_title(
        "tanh stays between -1 and 1,\nthe sigmoid between 0 and 1", loc="left", fontsize=11
    )
    right.set_title(
        "The slope of tanh is at most 1, at 0;\nthat of the sigmoid 1/4", loc="left", fontsize=11
    )
    figure.savefig(sys.argv[1], dpi=150)
    print(f"wrote {sys.argv[1]}")

# In exact numbers both are open intervals; rounding closes them, and then nothing passes back.
tanh, slope = curve(mr.tanh, np.array([0.0, 1e-3, 40.0]))
assert slope[0] == 1.0 and slope[1] < 1.0, (
    "the slope of tanh is 1 at 0, and smaller everywhere else"
)
assert tanh[2] == 1.0 and slope[2] == 0.0
assert curves["tanh"][1].max() == 1.0 and curves["sigmoid"][1].max() == 0.25
