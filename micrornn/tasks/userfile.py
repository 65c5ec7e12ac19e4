"""A name out of a user's own Python file, with the user's mistakes told by file and line."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.tasks.output import nearest
from micrornn.tasks.unrolled import Unrolled


class SourceError(ValueError):
    """A source that cannot be used: what was given, what was expected, what to do."""


class UserFile:
    """A Python file, run once as ``import`` would run it.

    Its folder is put first on the path for imports, as Python does for a script. What it prints goes to
    stderr, because stdout may be a picture.

    Raises:
        SourceError: there is no such file, it is not Python, or it fails; names the line.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        file = Path(path)
        if file.suffix != ".py":
            raise SourceError(f"{path} is not a Python file; write FILE.py:NAME")
        if not file.exists():
            raise SourceError(f"there is no file {path}; write FILE.py:NAME")
        self.module = ModuleType(file.stem)
        self.module.__file__ = str(file.resolve())
        with self.blamed(), self._importable():
            exec(compile(file.read_bytes(), path, "exec"), vars(self.module))

    @contextmanager
    def _importable(self) -> Iterator[None]:
        """Put the file's folder on the path, and the file among the modules, unless it fails."""
        path, name = list(sys.path), self.module.__name__
        sys.path.insert(0, str(Path(str(self.module.__file__)).parent))
        new = sys.modules.setdefault(name, self.module)  # dataclasses, for one, look it up there
        try:
            yield
        except BaseException:
            sys.path[:] = path
            if new is self.module:
                del sys.modules[name]
            raise

    def get(self, name: str) -> Any:
        """The object of that name.

        Raises:
            SourceError: there is none; suggests what may have been meant.
        """
        own = vars(self.module)
        if name in own and not name.startswith("__"):
            return own[name]
        raise SourceError(f"{self.path} has no {name!r}; {self.advice(name)}")

    def advice(self, name: str = "") -> str:
        """Which names could be meant."""
        own = vars(self.module)
        public = [n for n, v in own.items() if n[0] != "_" and not isinstance(v, ModuleType)]
        if difflib.get_close_matches(name, public, 1):
            return nearest(name, public)
        if useful := [n for n in public if self._useful(own[n])]:
            return f"write {self.path}:NAME with one of {', '.join(useful)}"
        return "define a tensor there, or a function without arguments that returns one"

    def _useful(self, value: Any) -> bool:
        if isinstance(value, (Tensor, Unrolled)):
            return isinstance(value, Unrolled) or not value.is_leaf
        if not isinstance(value, FunctionType) or value.__module__ != self.module.__name__:
            return False
        return not needed_arguments(value)

    def call(self, name: str, function: Callable[[], Any]) -> Any:
        """What a function of the file returns, called without arguments.

        Raises:
            SourceError: it needs arguments, or fails; names the line.
        """
        if needed := needed_arguments(function):
            raise SourceError(
                f"{self.path}:{name} needs {', '.join(needed)}; it is called without arguments, so give "
                "them defaults, or write a function around it"
            )
        with self.blamed():
            return function()

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Turn any failure of the user's code inside into a `SourceError` with its line."""
        try:
            with redirect_stdout(sys.stderr):
                yield
        except SourceError:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, it is the file's own
            raise SourceError(f"{self._place(error)}: {_in_words(error)}") from error

    def _place(self, error: BaseException) -> str:
        """Where in the file it happened: the innermost line of it that was running."""
        if isinstance(error, SyntaxError) and error.lineno:
            return f"{error.filename}, line {error.lineno}"
        place, trace = self.path, error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == self.path:
                where = "" if code.co_name == "<module>" else f", in {code.co_name}"
                place = f"{self.path}, line {trace.tb_lineno}{where}"
            trace = trace.tb_next
        return place


def needed_arguments(function: Callable[..., Any]) -> list[str]:
    """The arguments that a call cannot leave out.

    >>> needed_arguments(lambda text, steps=3: None)
    ['text']
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, without a signature
        return []
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in free]


def _in_words(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the file ends the program (exit code {error.code}); leave that to a main block"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
