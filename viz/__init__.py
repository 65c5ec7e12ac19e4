"""Pictures of micrornn's data: scenes, layouts, and one writer per format."""

from viz.render import DETAILS, FORMATS, render

__all__ = ["DETAILS", "FORMATS", "render"]
