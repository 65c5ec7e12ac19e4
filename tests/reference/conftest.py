"""`generate.py` needs PyTorch, which the tests do not; so it is not searched for examples."""

collect_ignore = ["generate.py"]
