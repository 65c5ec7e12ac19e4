"""What is collected: what needs PyTorch, only where it is installed."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Where Python is told to keep no compiled files, each of the hundreds of processes that the tests start would
# compile everything anew. So they are kept, but not beside the sources.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parent / ".pytest_cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

collect_ignore = (
    []
    if find_spec("torch")
    else [
        *("micrornn/torch", "tests/pytorch", "docs/pytorch.md"),
        *("tests/diagnosis/faulty_torch.py", "tests/diagnosis/healthy_torch.py"),
        *("tests/diagnosis/everyday_torch.py", "tests/diagnosis/more_torch.py"),
        "tests/diagnosis/later_torch.py",
    ]
)
