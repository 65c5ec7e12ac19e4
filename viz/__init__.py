"""Pictures of micrornn's data: scenes, layouts, and one writer per format."""

from viz.render import FORMATS, render
from viz.scene import DETAILS

# isort: split
# After those: modules that they load are called page and paths, too.
from viz.page.player import page
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
    "page",
    "paths",
    "render",
]
