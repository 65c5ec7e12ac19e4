"""A sheet as PNG, rasterised from its SVG by resvg with the font that matplotlib ships."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from viz.shapes import Sheet
from viz.svg import write as write_svg

ZOOM = 2.0  # pixels of the PNG per unit of the SVG
_MOST_PIXELS = 16000.0  # along one side
_LARGEST = 2e7  # pixels of a picture: a larger one takes more than some seconds


def write(sheet: Sheet, title: str = "") -> bytes:
    """The sheet as the bytes of a PNG file, two pixels to a unit (fewer where it would be too large)."""
    import resvg_py

    text = write_svg(sheet, title)
    area = max(sheet.width * sheet.height, 1.0)
    zoom = min(ZOOM, _MOST_PIXELS / max(sheet.width, sheet.height), (_LARGEST / area) ** 0.5)
    png = resvg_py.svg_to_bytes(
        svg_string=text, zoom=zoom, skip_system_fonts=True, font_files=font_files()
    )
    return bytes(png)


def pixels_of(svg: str, width: int) -> bytes:
    """An SVG document as a PNG of so many pixels across."""
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=width, skip_system_fonts=True, font_files=font_files()
    )
    return bytes(png)


def font_files() -> list[str]:
    """The paths of DejaVu Sans, regular and bold, which come with matplotlib (found without loading it).

    Raises:
        RuntimeError: it is not there.
    """
    spec = find_spec("matplotlib")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0])
        fonts = folder / "mpl-data" / "fonts" / "ttf"
        found = [fonts / name for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")]
        if all(font.is_file() for font in found):
            return [str(font) for font in found]
    raise RuntimeError("the font DejaVu Sans was not found; reinstall matplotlib, which ships it")
