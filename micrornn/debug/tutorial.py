"""A lesson in a dozen commands: a gradient that vanishes, followed to its cause."""

from __future__ import annotations

from typing import NamedTuple

from micrornn.flow.failures import record_failure
from micrornn.recording import Recording


class Page(NamedTuple):
    """Something to read, and the command to try next."""

    text: str
    command: str


TITLE = "tutorial: a loop h = 0.5 h over 50 steps, which forgets how it began"

PAGES = (
    Page(
        "This run multiplies a number by w = 0.5, fifty times: h[1] = w h[0], ..., h[50] = w h[49].\n"
        "The loss is h[50]. How much does the beginning, h[0], matter to it? Where are we?",
        "where",
    ),
    Page(
        "The backward pass is about to begin, at the end of time. A gradient of 1 has arrived at h[50],\n"
        "and this pullback will send something to w and to h[49]. What is ahead?",
        "list",
    ),
    Page("Let it happen: one pullback.", "step"),
    Page("The gradient is halved. One more, or three:", "step 3"),
    Page(
        "Halved again each time, and nothing here is lost to the debugger: any step can be taken back,\n"
        "to the last bit.",
        "reverse-step 2",
    ),
    Page(
        "Do not step through all fifty. Ask to be stopped where the norm falls below a millionth:",
        "break vanish 1e-6",
    ),
    Page("and go on:", "continue"),
    Page(
        "There: twenty steps before the loss, at t=30, less than a millionth is left. Which steps does the\n"
        "weight learn from, then? Its gradient is the sum over all uses, each with a signed share:",
        "ledger w",
    ),
    Page(
        "Here every step has the same share, though the gradients differ so much: late steps send a large\n"
        "gradient times a small h, early ones a small gradient times a large h. And what reaches h[1]?",
        "why h[1]",
    ),
    Page(
        "One verdict, with its evidence: shrunk hop by hop. What does one step do to a gradient?",
        "jacobian h[30]",
    ),
    Page(
        "It halves it, always. What if the gradient were made larger on the way? A change makes a branch;\n"
        "the original stays as it is.",
        "scale grad h[20] by 1000000",
    ),
    Page("What did that do to the gradient of w?", "diff"),
    Page("Back to what really happened:", "switch main"),
    Page(
        "That is the whole idea: the backward pass is a program, and you can stop in it anywhere, ask why,\n"
        "and go back. `help` lists all commands. Next: micrornn debug hello, or your own FILE.py:NAME.",
        "",
    ),
)


def lesson() -> Recording:
    """The run that the tutorial is about."""
    return record_failure("vanishing")
