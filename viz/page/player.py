"""The page on which the backward pass is played: one file that asks for no other.

Python writes the picture, for readers without JavaScript, and the story of the run as data; ``src`` holds the
program that plays it, built into ``player.js`` by ``npm run build`` (see ``package.json``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from micrornn.files import written_whole
from micrornn.messages import printable
from micrornn.recording import Recording
from viz.page.told import told
from viz.picture import picture
from viz.picture.finding import title
from viz.picture.tell import tell
from viz.picture.theme import THEMES, Scale

UNSEEN = re.compile(
    "[\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]"
)  # characters that only change others


def page(
    recordings: Recording | Mapping[str, Recording | Mapping[int, Recording]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
) -> str:
    """A page on which the backward pass is played, as one HTML file that asks for no other.

    Args:
        recordings: one, as `mr.record` and `load_recording` give it; or several by name, which play on one
            clock. Instead of a recording, several of one training by iteration: the page has a scrubber.
        path: where to write it; the folder must exist.
        title: network, data, seed: it stands below the finding.

    Returns:
        The HTML.

    Raises:
        RecordingError: no state has a time step.
        TypeError: something else is given.
        OSError: the path is not writable.

    It is `viz.page` too:

    >>> import micrornn as mr
    >>> h, w = mr.tensor(1.0, name="h"), mr.Value(0.5, "w")
    >>> for t in (1, 2, 3):
    ...     with mr.scope(t=t):
    ...         h = mr.tanh(w * h)
    ...         h.name = "h"
    >>> html = page(mr.record(h), title="three steps")
    >>> html.splitlines()[0]
    '<!doctype html>'
    """
    named = recordings if isinstance(recordings, Mapping) else {"": recordings}
    for run in named.values():
        for own in run.values() if isinstance(run, Mapping) else [run]:
            if not isinstance(own, Recording):
                raise TypeError(
                    f"a page shows a recording, not {type(own).__name__}; "
                    "viz.page(mr.record(loss), 'run.html')"
                )
    html = player(named, title)
    if path is not None:
        with written_whole(path) as file:
            file.write(html.encode())
    return html


def player(
    recordings: Mapping[str, Recording | Mapping[int, Recording]], subtitle: str = ""
) -> str:
    """The page of one recording, or of several that play on one clock.

    Args:
        recordings: by name; the name is said where there are several. Instead of a recording, several of
            one training by iteration: the page has a scrubber for them.
        subtitle: network, data, seed.

    Raises:
        RecordingError: no state has a time step.

    >>> from micrornn.flow.failures import FAILURES
    >>> from micrornn.recording import record
    >>> page = player({"": record(FAILURES["vanishing"](5).loss)})
    >>> page.splitlines()[0], "http:" in page.replace("http://www.w3.org", "")
    ('<!doctype html>', False)
    """
    runs: dict[str, dict[int, Recording]] = {
        name: {0: run} if isinstance(run, Recording) else dict(sorted(run.items()))
        for name, run in recordings.items()
    }
    last = [run[max(run)] for run in runs.values()]
    stories = {id(rec): tell(rec) for run in runs.values() for rec in run.values()}
    norms = [
        n
        for story in stories.values()
        for b in story.boxes
        for n in b.norms.values()
        if n is not None
    ]
    scale = Scale.over(norms, THEMES["light"])
    with np.errstate(all="ignore"):  # of NaN, the page says more than NumPy
        data = [
            {
                "iterations": list(run),
                "frames": [
                    told(rec, stories[id(rec)], f"{name} · {subtitle}".strip(" ·"), scale)
                    for rec in run.values()
                ],
            }
            for name, run in runs.items()
        ]
    last = [run[max(run)] for run in runs.values()]
    folder = files(__package__)
    script = folder.joinpath("player.js").read_text(encoding="utf-8").strip()
    style = folder.joinpath("player.css").read_text(encoding="utf-8").strip()
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    stills = "\n".join(picture(rec, subtitle) for rec in last)
    head = escape(printable(title(stories[id(last[0])])))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; img-src data:">
<link rel="icon" href="data:,">
<title>{head}</title>
<style>
{style}
</style>
</head>
<body>
<main id="app"></main>
<div class="still">
{stills}
</div>
<script type="text/plain" id="data">{packed(data)}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def packed(data: Any) -> str:
    """JSON, deflated, as base64; `unpacked` undoes it, and so does the page."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    shown = UNSEEN.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)  # shown as its code
    return base64.b64encode(zlib.compress(shown.encode(), 9)).decode()


def unpacked(page: str) -> Any:
    """What a page has to show, as plain lists and dicts.

    >>> unpacked(f'<script type="text/plain" id="data">{packed([1, "a"])}</script>')
    [1, 'a']
    """
    found = re.search(r'id="data">(.*?)</script>', page)
    return json.loads(zlib.decompress(base64.b64decode(found[1]))) if found else None
