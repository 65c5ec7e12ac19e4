"""The programs that need PyTorch, which the tests do not, are not searched for examples."""

collect_ignore_glob = ["generate*.py", "cases.py"]
