"""The command language: each module declares the commands of one kind."""

from micrornn.debug.commands import change, flow, help, info, look, move, out, stop

__all__ = ["change", "flow", "help", "info", "look", "move", "out", "stop"]
