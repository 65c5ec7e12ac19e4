"""What can happen to a gradient, one kind of cause per file; `flow.why` tries them in turn."""

from micrornn.flow.causes.cuts import cut_off
from micrornn.flow.causes.finding import Finding
from micrornn.flow.causes.nonfinite import born, born_forward
from micrornn.flow.causes.sizes import resized
from micrornn.flow.causes.zeros import lost

__all__ = ["Finding", "born", "born_forward", "cut_off", "lost", "resized"]
