"""Commands of the program ``micrornn``, each loaded when it is used; `cli` knows only their names."""
