"""The engine in one sitting. Read the files in this order:

1. `context`: the scope and the time step that every new node remembers.
2. `operators`: how an operation becomes a function, a method, an operator.
3. `tensor`: a node; a value that never changes and remembers how it was made.
4. `primitive`: an operation declared once; what calling it makes, and what it pulls back.
5. `backward`: reverse mode, as a stream of pullbacks over an unrolled graph. This is BPTT.
6. `graph`: the nodes behind a result, in order; where every reader starts.

The operations are in `micrornn.ops`; `micrornn.fast` does the same as this package, only quicker.
"""
