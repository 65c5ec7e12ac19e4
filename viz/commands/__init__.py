"""The commands of ``micrornn``, each loaded when it is used; `cli` knows their names only."""
