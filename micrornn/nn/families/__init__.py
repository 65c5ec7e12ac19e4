"""Recurrent networks after 2014, a file for each family: the paper's equations first, then the layer."""

from micrornn.nn.families.unitary import IRNN, OrthogonalRNN, cayley

__all__ = ["IRNN", "OrthogonalRNN", "cayley"]
