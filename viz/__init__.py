"""Pictures of micrornn's data: scenes, layouts, and one writer per format."""

from viz.render import FORMATS, render
from viz.scene import DETAILS

# isort: split
# After those: one of the modules that they load is called paths, too.
from viz.plots import credit, gates, jacobian, ledger, losses, overview, paths

__all__ = [
    "DETAILS",
    "FORMATS",
    "credit",
    "gates",
    "jacobian",
    "ledger",
    "losses",
    "overview",
    "paths",
    "render",
]
