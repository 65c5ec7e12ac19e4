"""A watch as a callback of PyTorch Lightning and of Hugging Face's `Trainer`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from micrornn.torch.watching import Watch

_LIGHTNING = (("lightning.pytorch", "Callback"), ("pytorch_lightning", "Callback"))
_TRANSFORMERS = (("transformers", "TrainerCallback"),)


def lightning_callback(folder: str | Path, every: int = 100, keep: int = 3, to: Any = None) -> Any:
    """A callback for PyTorch Lightning: ``Trainer(callbacks=[mt.lightning_callback("run")])``.

    Each training batch is a step of the watch, which is the callback's ``watch``; see `Watch`.

    Args: as `Watch`.

    Raises:
        ModuleNotFoundError: neither lightning nor pytorch_lightning is installed.
        ValueError, TorchRecordingError: as `Watch`.
    """
    base = _base(_LIGHTNING)

    class LightningWatch(base):  # type: ignore[misc, valid-type]
        """Records every n-th training batch."""

        def __init__(self) -> None:
            super().__init__()
            self.watch = Watch(folder, every, keep, to)

        def on_train_batch_start(
            self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
        ) -> None:
            self.watch.__enter__()

        def on_train_batch_end(
            self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
        ) -> None:
            self.watch.__exit__(None, None, None)

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            self.watch.__exit__(type(exception), exception, exception.__traceback__)

    return LightningWatch()


def transformers_callback(
    folder: str | Path, every: int = 100, keep: int = 3, to: Any = None
) -> Any:
    """A callback for Hugging Face: ``Trainer(..., callbacks=[mt.transformers_callback("run")])``.

    Each update is a step of the watch, with all the batches whose gradients it adds up; the watch is the
    callback's ``watch``; see `Watch`.

    Args: as `Watch`.

    Raises:
        ModuleNotFoundError: transformers is not installed.
        ValueError, TorchRecordingError: as `Watch`.
    """
    base = _base(_TRANSFORMERS)

    class TransformersWatch(base):  # type: ignore[misc, valid-type]
        """Records every n-th update."""

        def __init__(self) -> None:
            super().__init__()
            self.watch = Watch(folder, every, keep, to)

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.watch.__enter__()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.watch.__exit__(None, None, None)

    return TransformersWatch()


def _base(places: tuple[tuple[str, str], ...]) -> Any:
    """The class that a callback has to be: of the package that the user imported, or that is installed."""
    for module, name in sorted(places, key=lambda place: place[0] not in sys.modules):
        try:
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name not in (module, module.partition(".")[0]):
                raise
    names = " or ".join(module.partition(".")[0] for module, _ in places)
    raise ModuleNotFoundError(
        f"this callback needs {names}, which is not installed; use `with mt.Watch(...)` around each "
        "training step of a loop of your own"
    )
