"""BPTT, written out: the graph of a loss function as a program.

Read the files in this order; each takes a program and gives one that computes the same:

1. `program`: what a program is: values over time, loops, rows.
2. `trace`: a function is run once, and followed.
3. `roll`: equal steps become a loop.
4. `sums`: running totals become sums.
5. `reverse`: the backward pass, by the operations' own rules: the delta recursion.
6. `lower`: operations become calls of NumPy.
7. `lift`, with the rules of `batch`: what does not depend on the state leaves the loop.
8. `simplify`: nothing is computed twice, and a weight's gradient is one product over time.
9. `again`: what is cheap is made again for backward, and not kept.
10. `arrange`: weights are laid out as the products of a loop read them.
11. `strips`: a loop runs a few steps at once, with arrays over time that are no longer than
    that; `in_strips`: its text.
12. `write`, in the words of `expressions`: the text of a function, with arrays that are kept from call to
    call (`buffers`); and `machine`: a loop over small arrays, for Numba.
13. `ready`: all this, one after the other.
14. `step`, with `results`, `surroundings`, `agreement` and `fixed`: `micrornn.compile`, which checks the
    result against the engine, and uses it.

`explain`, with `readable`, `equations` and `symbols`, writes a program for people.
"""

from micrornn.compiler.step import Compiled, compile
from micrornn.compiler.traced import CompileError

__all__ = ["CompileError", "Compiled", "compile"]
