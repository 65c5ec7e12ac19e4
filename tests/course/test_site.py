"""The site: each guide has a place in it, and what its configuration does to a page.

.ci/run builds it with Sphinx, which runs every cell of the lessons.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from micrornn.course.ideas import IDEAS
from micrornn.course.quiz import QUESTIONS

ROOT = Path(__file__).resolve().parents[2]


def read(name: str) -> str:
    """A page as the site has it."""
    source = [(ROOT / f"{name}.md").read_text(encoding="utf-8")]
    configuration: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "conf.py"))
    configuration["_read"](None, name, source)
    return source[0]


def test_every_guide_has_a_place_in_the_site() -> None:
    listed = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines()
    guides = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert guides - set(listed) == set(), "list them in docs/index.md"


@pytest.mark.parametrize("name", ["docs/index", "docs/course"])
def test_the_map_is_a_set_of_links(name: str) -> None:
    links = re.findall(r'<a href="\.\./micrornn/course/([\w-]+)\.html#([\w-]+)">', read(name))
    assert len(links) == sum(map(len, IDEAS.values()))


def test_a_lesson_ends_in_its_questions() -> None:
    page = read("micrornn/course/06-why-does-it-vanish")
    assert page.startswith("---\njupytext:")
    end = page.partition("## Questions")[2]
    assert "Computed: the gradient at h_0 is 1.1259e+15, and 2^50 = 1.1259e+15." in end
    for question in (one for one in QUESTIONS if one.lesson == 6):
        asked, answered = end.index(f"**{question.text}**"), end.index(question.because)
        assert asked < end.index("<details>", asked) < answered < end.index("</details>", asked)


def test_a_link_to_a_folder_is_text() -> None:
    assert "](examples)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](examples)" not in read("README") and "](docs/tasks.md)" in read("README")
