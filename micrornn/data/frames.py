"""Clips: frames of any shape with a label for each clip, or for each frame.

A ``.npz`` file has ``frames`` and ``labels``, and for clips of different lengths ``lengths``. A folder has a
subfolder for each label, in it ``.npy`` files of shape (T, ...), animated pictures, or subfolders with one
picture per frame; pictures are read by Pillow, an extra.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".gif", ".webp", ".tif", ".tiff")
SIDE = 24  # pixels to which the longer side of a picture is reduced


class Clip(NamedTuple):
    """Frames (T, D), and one label, or one for each frame."""

    frames: Array
    labels: list[str]


def read_frames(path: str | Path) -> list[Clip]:
    """The clips of a file or a folder, each with one label or with one for each frame.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: the arrays or pictures do not fit together; says which shapes are expected.
        RuntimeError: a picture is to be read, and Pillow is not installed.
    """
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(f"no file {path}; give a .npz file, or a folder of clips")
    clips = _of_folder(place) if place.is_dir() else _of_archive(place)
    widths = {clip.frames.shape[1] for clip in clips}
    if len(widths) > 1:
        raise ValueError(
            f"{path} has frames of {', '.join(map(str, sorted(widths)))} numbers; make all equally large"
        )
    if len({label for clip in clips for label in clip.labels}) < 2:
        raise ValueError(
            f"{path} has one label, {clips[0].labels[0]!r}; give clips of at least two"
        )
    return clips


def _of_archive(path: Path) -> list[Clip]:
    expected = (
        "give an .npz file with frames (N, T, ...) and labels (N,) or (N, T); for clips of different "
        "lengths frames (sum of T, ...), lengths (N,), and labels (N,) or (sum of T,)"
    )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        frames = np.asarray(arrays["frames"], dtype=float)
        labels, lengths = arrays["labels"], arrays.get("lengths")
        lengths = None if lengths is None else lengths.astype(int)
    except KeyError as error:
        raise ValueError(f"{path} has no array {error}; {expected}") from None
    except (OSError, ValueError, TypeError, AttributeError, zipfile.BadZipFile):
        raise ValueError(f"{path} is not an .npz file of numbers; {expected}") from None
    if lengths is None:
        if frames.ndim < 2:
            raise ValueError(f"{path}: frames of shape {frames.shape}; {expected}")
        lengths = np.full(len(frames), frames.shape[1])
        frames = frames.reshape(len(frames) * frames.shape[1], -1)
        labels = labels.reshape(-1) if labels.ndim == 2 else labels
    frames = frames.reshape(len(frames), -1)
    if (
        lengths.sum() != len(frames)
        or (lengths < 1).any()
        or len(labels)
        not in (
            len(lengths),
            len(frames),
        )
    ):
        raise ValueError(
            f"{path}: {len(labels)} labels for {len(lengths)} clips of together {len(frames)} frames; "
            f"{expected}"
        )
    if not np.isfinite(frames).all():
        raise ValueError(f"{path}: frames have NaN or infinity; replace them")
    ends = np.cumsum(lengths)[:-1]
    words = [str(label) for label in labels.tolist()]
    if len(words) == len(lengths):
        return [Clip(part, [word]) for part, word in zip(np.split(frames, ends), words)]
    by_clip = np.split(np.arange(len(words)), ends)
    parts = zip(np.split(frames, ends), by_clip)
    return [Clip(part, [words[i] for i in indices]) for part, indices in parts]


def _of_folder(folder: Path) -> list[Clip]:
    clips = []
    for sub in sorted(folder.iterdir()):
        if sub.is_dir() and not sub.name.startswith("."):
            for item in sorted(sub.iterdir(), key=_natural):
                if not item.name.startswith(".") and (frames := _frames_of(item)) is not None:
                    clips.append(Clip(frames, [sub.name]))
    if not clips:
        raise ValueError(
            f"{folder} has no clips; make one subfolder for each label, and in it one folder of pictures, "
            "one .npy file (T, ...) or one animated picture per clip"
        )
    return clips


def _frames_of(item: Path) -> Array | None:
    """The frames of a clip, (T, D); None for a file of another kind."""
    if item.is_dir():
        files = [f for f in sorted(item.iterdir(), key=_natural) if f.suffix.lower() in PICTURES]
        return np.concatenate([_pictures(file) for file in files]) if files else None
    if item.suffix.lower() in PICTURES:
        return _pictures(item)
    if item.suffix.lower() != ".npy":
        return None
    try:
        array = np.asarray(np.load(item, allow_pickle=False), dtype=float)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"{item} is not an array of numbers ({error}); save one per clip"
        ) from None
    if array.ndim < 2 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{item}: shape {array.shape}; give finite frames of shape (T, ...)")
    return array.reshape(len(array), -1)


def _natural(path: Path) -> list[Any]:
    """For sorting: numbers in a name by their value, so that frame 10 follows frame 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _pictures(path: Path) -> Array:
    """The frames of a picture in gray, from 0 to 1, reduced to at most `SIDE` pixels: (T, D)."""
    try:
        from PIL import Image, ImageSequence, UnidentifiedImageError
    except ImportError:
        raise RuntimeError(
            f"{path}: pictures are read by Pillow, which is not installed; install it with: "
            "pip install 'micrornn[data]'"
        ) from None
    try:
        with Image.open(path) as image:
            scale = min(1.0, SIDE / max(image.size))
            size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
            frames = [
                np.asarray(frame.convert("L").resize(size), dtype=float).ravel() / 255.0
                for frame in ImageSequence.Iterator(image)
            ]
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path} is not a picture ({error}); remove or replace it") from None
    return np.array(frames)
