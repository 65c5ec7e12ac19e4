"""A name in a user's own Python file; errors in the file are reported with its line.

The user's code runs inside `UserFile.running`, which also keeps it from changing the command around it: what
it prints goes to stderr, and a folder that it changes to is left again.
"""

from __future__ import annotations

import difflib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from micrornn.core.tensor import Tensor
from micrornn.files import read_whole
from micrornn.messages import nearest
from micrornn.tasks.unrolled import Unrolled


class SourceError(ValueError):
    """A source that cannot be used: what was given, what is expected, what to do."""


class UserFile:
    """A Python file, run once as by ``import``.

    Its folder is put first on the path for imports, as Python does for a script.

    Args:
        path: the file.
        expected: what an error asks for, such as "FILE.py".

    Raises:
        SourceError: there is no such file, it is not Python, or it fails; names the line.
    """

    def __init__(self, path: str, expected: str = "FILE.py:NAME") -> None:
        self.path = path
        file = Path(path)
        if file.suffix != ".py":
            raise SourceError(f"{path} is not a Python file; give {expected}")
        try:
            code = read_whole(file, expected)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.strerror:
                raise
            raise SourceError(str(error)) from None
        self.module = ModuleType(file.stem)
        self.module.__file__ = str(file.resolve())
        with self.running(), self._importable():
            exec(compile(code, path, "exec"), vars(self.module))

    @contextmanager
    def _importable(self) -> Iterator[None]:
        """Put the folder on the path and the file among the modules, unless the file fails."""
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
        """Which names may be meant."""
        own = vars(self.module)
        public = [n for n, v in own.items() if n[0] != "_" and not isinstance(v, ModuleType)]
        if difflib.get_close_matches(name, public, 1):
            return nearest(name, public)
        if usable := [n for n in public if self._usable(own[n])]:
            return f"give {self.path}:NAME, where NAME is one of {', '.join(usable)}"
        return "define a tensor there, or a function without arguments that returns one"

    def _usable(self, value: Any) -> bool:
        if isinstance(value, (Tensor, Unrolled)):
            return isinstance(value, Unrolled) or not value.is_leaf
        if not isinstance(value, FunctionType) or value.__module__ != self.module.__name__:
            return False
        return not needed_arguments(value)

    def call(
        self, name: str, function: Callable[[], Any], ends: type[BaseException] | None = None
    ) -> Any:
        """The result of a function of the file, called without arguments.

        Args:
            ends: an exception that ends it before its time, and is no failure.

        Raises:
            SourceError: the function needs arguments, or fails; names the line.
        """
        if needed := needed_arguments(function):
            raise SourceError(
                f"{self.path}:{name} needs the arguments {', '.join(needed)}, but it is called without any; "
                "give them defaults"
            )
        with self.running(ends):
            return function()

    @contextmanager
    def running(self, ends: type[BaseException] | None = None) -> Iterator[None]:
        """Run code of the file inside: its failure becomes a `SourceError` that names the line."""
        try:
            with _same_folder(), _stdout_to_stderr():
                yield
        except (SourceError, KeyboardInterrupt):
            raise
        except BaseException as error:  # also SystemExit
            if ends is not None and isinstance(error, ends):
                raise
            raise SourceError(f"{self._place(error)}: {_in_words(error)}") from error

    def _place(self, error: BaseException) -> str:
        """Where in the file it happened: the innermost line of the file that was running."""
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


@contextmanager
def _same_folder() -> Iterator[None]:
    """Return to the current folder, so that relative names in later arguments mean what the user meant."""
    folder = os.getcwd()
    try:
        yield
    finally:
        with suppress(OSError):  # it was removed
            os.chdir(folder)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what the code prints to stderr, also what it writes to file descriptor 1 or a child prints."""
    with redirect_stdout(sys.stderr):
        try:
            saved = os.dup(1)
        except OSError:  # stdout is closed
            yield
            return
        try:
            with suppress(OSError):  # stderr is closed
                os.dup2(2, 1)
            yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)


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
        return f"the file exits (code {error.code}); do that in its main block only"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, ModuleNotFoundError) and error.name == "torch":
        return "PyTorch is not installed; pip install 'micrornn[torch]'"
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
