"""What is collected: what needs PyTorch, only where it is installed."""

from importlib.util import find_spec

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
