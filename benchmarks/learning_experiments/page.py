"""What the figures say, in words: a line for the screen, and learning.md."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from learning_experiments.frame import Experiment, Figures, Results, Row, table
from learning_experiments.stored import Run, Stored

WIDTH = 110
MISSING = "not yet measured"
HEAD = """\
# What the networks learn

Written by `python benchmarks/learning.py` from the trials in `learning.db`, a sweep. A figure is the median
over the seeds, with the range in brackets; `never` is what was not reached within the iterations given.
Every verdict is computed from the figures. Errors are measured on held-out sequences. The same command
measures what is missing; `-o again.db` measures everything again. "Measured" is the date of each run.

What counts as expected was in part settled after first figures had been seen. For copy, "clearly less"
was 0.8 of the answer without memory, which the LSTM missed in 2,000 iterations; it was let down to 0.9
and brought back with 5,000 iterations. The smooth loss of text had to be within 2 % of the recurrence by
hand, which it was not, because rounding is amplified in training; it now has to lie within that one's
own range. Truncation had to bracket the earlier figures, which the cosine for chunks of 5 did not; now
medians may differ by 0.05. The lags of recall were made finer after two biases had stopped at the same
one. Learning rates and sizes were found by trying.

{reached} of {judged} rows are as expected. {runs} runs took {minutes:.0f} minutes of one core, with
{made_with}.
"""


def singles(figures: Figures) -> dict[str, Any]:
    """The figures that are single numbers."""
    return {k: v for k, v in figures.items() if not isinstance(v, list | dict)}


def one(value: Any) -> str:
    """A single number; None is what was not reached."""
    if value is None:
        return "never"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def verdict(row: Row) -> str:
    """Whether ours is as expected, and if not, why."""
    return "as expected" if row.reached else f"**not as expected.** {row.why}".rstrip()


def lines_of(experiment: Experiment, found: Results | None) -> list[str]:
    """What came out of one experiment, for the screen."""
    if found is None:
        return [MISSING]
    return [
        f"{row.what}: {row.measured}; expected: {row.expected}; {verdict(row).replace('*', '')}"
        for row in experiment.rows(found)
    ]


def page(experiments: Mapping[str, Experiment], stored: Stored) -> str:
    """learning.md."""
    lines, reached = [], 0
    for name, experiment in experiments.items():
        found = stored.results(experiment)
        if found is None:
            lines.append([name, MISSING, "", "", ""])
            continue
        for row in experiment.rows(found):
            lines.append([name, row.what, row.expected, row.measured, verdict(row)])
            reached += row.reached
    runs = [r for e in experiments.values() for own in stored.of(e).values() for r in own]
    head = HEAD.format(
        reached=reached,
        judged=sum(line[1] != MISSING for line in lines),
        runs=len(runs),
        minutes=sum(run.seconds for run in runs) / 60.0,
        made_with="; ".join(sorted({run.made_with for run in runs})) or "nothing yet",
    )
    heading = ["experiment", "what", "expected", "micrornn", ""]
    sections = [section(e, stored) for e in experiments.values()]
    return "\n".join([head, table(heading, lines), "", *sections])


def section(experiment: Experiment, stored: Stored) -> str:
    """One experiment: the claim, the settings, the runs."""
    settings = f"Settings: {in_words(experiment.settings)}."
    parts = [f"## {experiment.name}", fill(experiment.about, WIDTH), fill(settings, WIDTH)]
    found = stored.results(experiment)
    if found is not None and experiment.detail:
        parts.append(experiment.detail(found))
    runs = [run for own in stored.of(experiment).values() for run in own]
    if runs:
        seconds = sum(run.seconds for run in runs)
        parts.append(f"{len(runs)} runs, {seconds:,.0f} s of one core.")
        if singles(runs[0].figures):
            parts.append(table_of(runs))
    return "\n\n".join(parts) + "\n"


def in_words(settings: Mapping[str, Any]) -> str:
    """Settings in one line."""
    return ", ".join(
        in_words(value) if isinstance(value, dict) else f"{name} {value}"
        for name, value in settings.items()
    )


def table_of(runs: list[Run]) -> str:
    """A line for each run, with its single figures."""
    names = list(dict.fromkeys(name for run in runs for name in singles(run.figures)))
    lines = []
    for run in runs:
        figures = [one(run.figures[name]) if name in run.figures else "" for name in names]
        lines.append([run.variant, str(run.seed), *figures, f"{run.seconds:.0f}", run.measured])
    return table(["variant", "seed", *names, "seconds", "measured"], lines)
