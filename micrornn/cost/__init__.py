"""What a gradient through many steps costs, measured beside its formula: BPTT and its alternatives."""

from micrornn.cost.measure import Cost, Setting, costs, in_own_process, unit_of
from micrornn.cost.network import layer_of
from micrornn.cost.ways import Unit, Way, ways

__all__ = [
    "Cost",
    "Setting",
    "Unit",
    "Way",
    "costs",
    "in_own_process",
    "layer_of",
    "unit_of",
    "ways",
]
