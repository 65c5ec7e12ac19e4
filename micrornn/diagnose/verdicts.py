"""The closed list of what the diagnosis can find: how it looks, why it hurts, and what to do.

The page docs/diagnosis.md is written from this table, and a test compares them.
"""

from __future__ import annotations

from micrornn.diagnose.mistakes import MISTAKES
from micrornn.diagnose.symptoms import SYMPTOMS
from micrornn.diagnose.verdict import Verdict

# In the order in which they are reported: what explains most comes first.
VERDICTS: dict[str, Verdict] = {verdict.name: verdict for verdict in (*MISTAKES, *SYMPTOMS)}
ORDER = {name: i for i, name in enumerate(VERDICTS)}
