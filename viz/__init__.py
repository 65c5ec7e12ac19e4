"""Pictures of micrornn's data: scenes, layouts, and one writer per format."""

from viz.render import FORMATS, render
from viz.scene import DETAILS

__all__ = ["DETAILS", "FORMATS", "render"]
