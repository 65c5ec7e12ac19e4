"""A sheet as PNG, rasterised from its SVG by resvg with the font that matplotlib ships."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from viz.shapes import Sheet
from viz.svg import write as write_svg

ZOOM = 2.0  # pixels of the PNG per unit of the SVG
_MOST_PIXELS = 16000.0  # along one side


def write(sheet: Sheet, title: str = "") -> bytes:
    """The sheet as the bytes of a PNG file, two pixels to a unit (fewer where it would be too large)."""
    import resvg_py

    text = write_svg(sheet, title)
    zoom = min(ZOOM, _MOST_PIXELS / max(sheet.width, sheet.height))
    png = resvg_py.svg_to_bytes(
        svg_string=text, zoom=zoom, skip_system_fonts=True, font_files=[font_file()]
    )
    return bytes(png)


def font_file() -> str:
    """The path of DejaVu Sans, which comes with matplotlib (found without loading it).

    Raises:
        RuntimeError: it is not there.
    """
    spec = find_spec("matplotlib")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0])
        font = folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if font.is_file():
            return str(font)
    raise RuntimeError("the font DejaVu Sans was not found; reinstall matplotlib, which ships it")
