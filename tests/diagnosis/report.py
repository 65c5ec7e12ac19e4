"""How many of the corpus's mistakes are found, and how many of its healthy programs are accused.

PYTHONPATH=tests python -m diagnosis.report
"""

from __future__ import annotations

import sys
import warnings
from importlib.util import find_spec

from diagnosis import (  # noqa: F401 - they fill the corpus
    everyday_micrornn,
    faulty_micrornn,
    healthy_micrornn,
    more_micrornn,
)
from diagnosis.corpus import FAULTY, HEALTHY, Case

from micrornn.diagnose import VERDICTS, Diagnosis, diagnose, watch

if find_spec("torch"):
    from diagnosis import everyday_torch, faulty_torch, healthy_torch, later_torch, more_torch  # noqa: F401


def diagnosed(case: Case) -> Diagnosis:
    """What the diagnosis says of a program."""
    run = watch
    if case.program.__module__.endswith("torch"):
        import micrornn.torch

        run = micrornn.torch.watch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diagnose(run(case.program))


def found(case: Case) -> bool:
    """Whether the mistake is among the first two findings, at its line where one is marked."""
    for problem in diagnosed(case).problems[:2]:
        if problem.name in case.verdicts:
            return not case.lines or (
                problem.source is not None and problem.source[1] in case.lines
            )
    return False


def accused(case: Case) -> list[str]:
    """What a healthy program is accused of; what is only called possible does not count."""
    return [p.name for p in diagnosed(case).problems if p.sure != "possible"]


INTRODUCTION = """# What the diagnosis can find

`micrornn diagnose SOURCE` looks at a run or a training and reports problems from this closed list, the
one that explains most first. Each report names the problem and its line in your program, gives the evidence
with numbers, and says how certain it is, what to try, and which command prints its section of this page:
`micrornn diagnose --explain vanishing`.
[My network does not learn](not-learning.md) shows it at work.

It is measured on a corpus of 183 small programs with one mistake each and 80 without, half of them
written with PyTorch (`tests/diagnosis/`). It finds all of these mistakes among its first two findings, at the
right line, and reports no mistake in the correct programs; a problem called "possible" is only a hint.
The checks were developed with those programs in view. What counts is how they did on new programs:

| new programs, with a mistake and without | mistakes found | false alarms |
|---|---|---|
| 59 and 31, a random sample of common code | 46 | 1 |
| 44 and 20, of kinds that the checks were known or likely to miss | 8 | 3 |
| 30 and 15, of all kinds, after checks for those were added | 25 | 2 |
| 20 and 10 with PyTorch, of all kinds, after that | 17 | 1 |
| 32 and 11, everyday ones, by someone who knew the list below | 26 | 0 |

Every mistake missed then is found now. In your own programs, expect the diagnosis to find five of six
mistakes.
"""


def page() -> str:
    """The page of all verdicts, from their table."""
    parts = [INTRODUCTION]
    for verdict in VERDICTS.values():
        advice = "\n".join(f"- {what}" for what in verdict.do)
        parts.append(f"## {verdict.name}\n\n**{verdict.looks}** {verdict.why}\n\n{advice}\n")
    return "\n".join(parts)


if __name__ == "__main__" and "--page" in sys.argv:
    print(page(), end="")
elif __name__ == "__main__":
    missed = [case for case in FAULTY if not found(case)]
    blamed = {case.name: names for case in HEALTHY if (names := accused(case))}
    print(f"found {len(FAULTY) - len(missed)} of {len(FAULTY)} mistakes")
    for case in missed:
        said = [(p.name, p.source and p.source[1]) for p in diagnosed(case).problems]
        print(f"  missed {case.name}: {case.verdicts}, lines {sorted(case.lines)}; said {said}")
    print(f"accused {len(blamed)} of {len(HEALTHY)} healthy programs")
    for name, names in blamed.items():
        print(f"  {name}: {names}")
