"""Recordings of PyTorch: your model and your training step as they are, seen step by step.

    import micrornn.torch as mt

    with mt.recording() as rec:  # around the forward and backward pass of any training step
        loss = model(x, y)
        loss.backward()

``rec`` is a recording like any other: every view, the debugger and the diagnosis read it. `import micrornn`
does not load PyTorch; this module does.
"""

from micrornn.torch.callbacks import lightning_callback, transformers_callback
from micrornn.torch.compare import TorchRecordingError
from micrornn.torch.convert import to_micrornn, to_torch
from micrornn.torch.record import record, recording, watch
from micrornn.torch.watching import Watch

__all__ = [
    "TorchRecordingError",
    "Watch",
    "lightning_callback",
    "record",
    "recording",
    "to_micrornn",
    "to_torch",
    "transformers_callback",
    "watch",
]
