"""The engine in one sitting. Read the files in this order:

1. `value`: a number or an array that never changes.
2. `context`: the scope and the time step that every new node remembers.
3. `operators`: how an operation becomes a function, a method, an operator.
4. `tensor`: a node; a value that remembers how it was made.
5. `primitive`: an operation declared once; what calling it makes, and what it pulls back.
6. `backward`: reverse mode, as a stream of pullbacks over an unrolled graph. This is BPTT.
7. `graph`: the nodes behind a result, in order; where every reader starts.

The operations themselves are in `micrornn.ops`. `micrornn.fast` does the same as this package, only quicker.
"""
