"""Sound: WAV files by the standard library, and log-mel frames of them in plain NumPy.

A frame is 25 ms of sound, and a new one begins every 10 ms. Its power spectrum under a Hann window is summed
by triangular filters that stand evenly on the mel scale (Davis & Mermelstein 1980, with the scale of
O'Shaughnessy 1987: m = 2595 log10(1 + f / 700)), and the logarithm is taken.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from micrornn.data.labeled import files_by_label, read_labeled
from micrornn.files import read_whole

Array = np.ndarray[Any, Any]
FRAME, HOP = 0.025, 0.010  # seconds
FILTERS = 24
FLOOR = 1e-8  # the power of silence, so that its logarithm is finite


class Sound(NamedTuple):
    """Samples from -1 to 1, (N,), and how many there are per second."""

    samples: Array
    rate: int


def read_wav(path: str | Path) -> Sound:
    """The samples of a WAV file of 8, 16, 24 or 32 bits; several channels are averaged.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not such a file, or has no samples.
    """
    content = read_whole(path, "a WAV file")
    try:
        with wave.open(io.BytesIO(content)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(
            f"{path} is not a WAV file of integers ({str(error) or 'it ends early'}); convert it: "
            "ffmpeg -i IN -c:a pcm_s16le OUT.wav"
        ) from None
    whole = len(data) // (width * channels) * width * channels
    samples = _integers(data[:whole], width).reshape(-1, channels).mean(1)
    if not len(samples) or rate < 1:
        raise ValueError(f"{path} has no samples; remove it")
    return Sound(samples / 2.0 ** (8 * width - 1), rate)


def _integers(data: bytes, width: int) -> Array:
    """Little-endian samples; 8 bits are without a sign, and 24 bits have no type in NumPy."""
    if width == 1:
        return np.frombuffer(data, np.uint8).astype(float) - 128.0
    if width == 3:
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
        value = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return (value - ((value >> 23) << 24)).astype(float)
    return np.frombuffer(data, f"<i{width}").astype(float)


def mel(frequency: Any) -> Any:
    """Hertz on the mel scale.

    >>> round(float(mel(1000.0)))
    1000
    """
    return 2595.0 * np.log10(1.0 + np.asarray(frequency) / 700.0)


def mel_filters(filters: int, bins: int, rate: int) -> Array:
    """Triangles from the bins of a power spectrum to bands, (bins, filters).

    Each rises from the middle of the band below to its own and falls to that of the band above.

    >>> mel_filters(3, 129, 8000).shape
    (129, 3)
    """
    middles = np.linspace(0.0, mel(rate / 2), filters + 2)
    places = mel(np.linspace(0.0, rate / 2, bins))[:, np.newaxis]
    up = (places - middles[:-2]) / (middles[1:-1] - middles[:-2])
    down = (middles[2:] - places) / (middles[2:] - middles[1:-1])
    return np.asarray(np.maximum(0.0, np.minimum(up, down)))


def log_mel(sound: Sound, filters: int = FILTERS) -> Array:
    """Log-mel frames (T, filters) of a sound; one that is shorter than a frame is filled up with silence.

    >>> log_mel(Sound(np.sin(2 * np.pi * 440 * np.arange(8000) / 8000), 8000)).shape
    (98, 24)
    """
    size, hop = max(round(FRAME * sound.rate), 2), max(round(HOP * sound.rate), 1)
    samples = np.pad(sound.samples, (0, max(0, size - len(sound.samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    length = 1 << (size - 1).bit_length()  # filled up to a power of two, for the transform
    power = np.abs(np.fft.rfft(frames * np.hanning(size), length)) ** 2 / size
    return np.asarray(np.log(power @ mel_filters(filters, power.shape[1], sound.rate) + FLOOR))


def read_audio(path: str | Path) -> list[tuple[Array, str]]:
    """Log-mel frames and the label of each sound.

    Args:
        path: a folder with a subfolder of WAV files for each label, or a table with the columns ``file``
            (relative to the table) and ``label``.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: a file is not a WAV file, or there are fewer than two labels.
    """
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(
            f"no folder or file {path}; give a folder with a subfolder of WAV files for each label, or a "
            "table with the columns file and label"
        )
    if place.is_dir():
        files = files_by_label(place, "WAV files", (".wav", ".wave"))
    else:
        listed = read_labeled(place, "file", "label")
        files = [(place.parent / name, label) for name, label in listed]
        if lost := next((name for name, _ in listed if not (place.parent / name).is_file()), None):
            raise FileNotFoundError(
                f"{path} names {lost}, which is not in {place.resolve().parent}; correct the name, which is "
                "relative to the table"
            )
    if len({label for _, label in files}) < 2:
        raise ValueError(f"{path} has one label, {files[0][1]!r}; give sounds of at least two")
    return [(log_mel(read_wav(file)), label) for file, label in files]
