"""``micrornn grade``: a student's backpropagation through time, read number by number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from micrornn.grade.problem import CELLS
from viz.commands.console import as_json, destination, emit, emit_text, say
from viz.commands.help import OUTPUT, Command, option
from viz.commands.options import FILE, OneOf
from viz.plots.canvas import FORMATS


@click.command("grade", cls=Command)
@click.argument("files", nargs=-1, type=FILE, metavar="[FILE.py]...")
@option("--cell", type=OneOf(CELLS), help="The cell [default: CELL of the file, or rnn].")
@option("--start", type=FILE, help="Write an exercise: FILE.py, or FILE.ipynb for nbgrader.")
@option("--hint", is_flag=True, help="Print a hint on where to look.")
@option("--solution", is_flag=True, help="Print the correct line.")
@option("--figure", type=FILE, section=OUTPUT, help="Draw your gradients beside the graph's.")
@option("--json", "as_data", is_flag=True, section=OUTPUT, help="Print JSON, one entry per file.")
def grade(
    files: tuple[str, ...],
    cell: str | None,
    start: str | None,
    hint: bool,
    solution: bool,
    figure: str | None,
    as_data: bool,
) -> int:
    """Compare a hand-written backward pass of an RNN, LSTM or GRU with the graph's.

    FILE.py defines backward(weights, xs, targets, states) and, optionally, forward(weights, xs, targets). The
    result names the first number that differs, by step and term, and the mistake that gives exactly your
    numbers, if it is a known one. The exit code is 0 if all numbers agree, and 1 if one differs.

    \b
    Examples:
      micrornn grade --start rnn.py
      micrornn grade rnn.py --hint
      micrornn grade --json class/*.py > class.json
    """
    from micrornn.grade.files import grade_file
    from micrornn.grade.files import start as write
    from viz.plots.grade import figure as draw
    from viz.render import write_whole

    if start is not None:
        if files:
            raise ValueError("--start writes one file; leave out the files to grade")
        write(Path(start), cell or "rnn")
        then = "run its last cell" if start.endswith(".ipynb") else f"micrornn grade {start}"
        say(f"wrote {start}; fill in backward, then: {then}")
        return 0
    if figure is not None and len(files) > 1:
        raise ValueError("--figure draws the gradients of one file; give one")
    if not files:
        raise ValueError("give a file to grade; micrornn grade --start FILE.py writes an exercise")
    answers: list[dict[str, Any]] = []
    wrong = 0
    for path in files:
        try:
            result = grade_file(path, cell)
        except (ValueError, OSError) as error:
            if not as_data:
                raise
            answers.append({"file": path, "right": False, "error": str(error)})
            wrong += 1
            continue
        wrong += not result.right
        answers.append({"file": path, **result.as_dict()})
        if figure is not None and not result.right:
            target, format = destination(figure, None, FORMATS)
            assert target is not None
            write_whole(target, draw(result, format))
        if not as_data:
            lines = [str(result)]
            for mistake in result.mistakes:
                hinted = mistake.hint if mistake.hint.endswith("?") else f"{mistake.hint}."
                lines += [f"Hint: {hinted}"] if hint or solution else []
                lines += [f"Solution: {mistake.fix}"] if solution else []
            if result.mistakes and not (hint or solution):
                lines.append("--hint prints where to look, --solution the correct line.")
            head = f"{path}: " if len(files) > 1 else ""
            emit_text(head + "\n".join(lines) + "\n")
    if as_data:
        emit(as_json(answers))
    return 1 if wrong else 0
