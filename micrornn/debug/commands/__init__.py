"""The command language: each module declares the commands of one kind."""

from micrornn.debug.commands import change, flow, frame, help, info, look, move, out, script, stop

__all__ = ["change", "flow", "frame", "help", "info", "look", "move", "out", "script", "stop"]
