"""The debugger behind the Debug Adapter Protocol, for editors."""

from viz.terminal.dap.serve import serve

__all__ = ["serve"]
