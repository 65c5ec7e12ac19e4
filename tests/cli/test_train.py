"""train, generate, evaluate, decode: what a newcomer does with a text, a table and Ctrl-C."""

from __future__ import annotations

import csv
import json
import re
import shlex
import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import Result

from micrornn.optim.lr_scheduler import SCHEDULES
from micrornn.tasks import TASKS
from micrornn.tasks.training import OPTIMIZERS, SETTINGS
from micrornn.training import read_log
from micrornn.training.checkpoint import read_checkpoint
from viz.commands.options import NOT_OF_A_VIEW, NOT_OF_TRAINING, network_options
from viz.commands.render import render
from viz.commands.train import train
from viz.commands.use import decode, evaluate, generate

Run = Callable[..., Result]
COMMANDS = (train, generate, evaluate, decode)
TEXT = "to be, or not to be, that is the question. " * 30


@pytest.fixture(autouse=True)
def book(folder: Path) -> Path:
    """A text and a series of one's own."""
    (folder / "book.txt").write_text(TEXT, encoding="utf-8")
    pairs = "".join(f"question {n}\t{n} noitseuq\n" for n in range(60))
    (folder / "pairs.tsv").write_text(pairs, encoding="utf-8")
    rows = "".join(f"{day},{100 + day % 7}\n" for day in range(90))
    (folder / "prices.csv").write_text(f"day,close\n{rows}", encoding="utf-8")
    return folder


SMALL = ("train", "text", "--text", "book.txt", "--hidden", "8", "--checkpoint", "book.npz", "-q")


def examples() -> list[str]:
    lines = [line.strip() for c in COMMANDS for line in (c.help or "").splitlines()]
    return [line for line in lines if line.startswith("micrornn ")]


@pytest.mark.parametrize("example", examples())
def test_the_examples_of_the_help_work(run: Run, example: str) -> None:
    words = shlex.split(example)[1:]
    if "numbers.npz" in words:
        begin = "train translate --hidden 4 --iterations 2 -q --checkpoint numbers.npz"
        assert run(*begin.split()).exit_code == 0
    elif "series.npz" in words:
        begin = "train stocks --iterations 2 -q --checkpoint series.npz"
        assert run(*begin.split()).exit_code == 0
    elif "--resume" in words or words[0] != "train":
        assert run(*SMALL, "--iterations", "3").exit_code == 0
    result = run(*words)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: str(c.name))
def test_every_command_has_an_example_and_every_option_an_explanation(command: Any) -> None:
    assert re.search(r"Examples:\n\s+micrornn ", command.help)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_every_option_of_a_task_or_a_source_can_be_given() -> None:
    """There is one table of them; every option in it belongs to a task."""
    given = {option.name for option in network_options()}
    trained = {name for task in TASKS.values() for name in task.options()}
    viewed = {name for task in TASKS.values() for name in task.options(view=True)}
    assert trained | viewed == given
    for command, without in ((train, NOT_OF_TRAINING), (render, NOT_OF_A_VIEW)):
        assert given - {parameter.name for parameter in command.params} == set(without)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.module])
def test_every_task_trains_by_name(run: Run, name: str) -> None:
    result = run("train", name, "--iterations", "1")
    assert result.exit_code == 0, result.stderr
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["metric", "value", "goal", "reached"]
    assert rows
    assert "iteration 1 of 1: loss" in result.stderr


def test_a_text_is_learnt_stopped_gone_on_with_and_written(run: Run, folder: Path) -> None:
    assert run(*SMALL, "--iterations", "5").exit_code == 0
    assert read_checkpoint("book.npz")["trainer"]["iteration"] == 5
    resumed = run(
        "train", "text", "--checkpoint", "book.npz", "--resume", "--iterations", "9", "-q"
    )
    assert resumed.exit_code == 0, resumed.stderr
    assert run(*SMALL[:-2], "whole.npz", "-q", "--iterations", "9").exit_code == 0
    one, two = (read_checkpoint(name)["model"] for name in ("book.npz", "whole.npz"))
    assert all((one[key] == two[key]).all() for key in one)
    said = run("generate", "book.npz", "--start", "to", "--temperature", ".5", "--length", "20")
    assert said.exit_code == 0
    assert len(said.stdout.rstrip("\n")) == 22
    assert said.stdout.startswith("to")
    assert set(said.stdout.rstrip("\n")) <= set(TEXT)
    (folder / "book.txt").unlink()
    assert run("generate", "book.npz", "--length", "3").exit_code == 0, "the text is not needed"


def test_what_was_learnt_is_what_is_written(run: Run) -> None:
    assert run("train", "hello", "--checkpoint", "hello.npz", "-q").exit_code == 0
    words = ["--start", "h", "--temperature", "0", "--length", "4"]
    assert run("generate", "hello.npz", *words).stdout == "hello\n"


def test_going_on_keeps_the_way_of_training(run: Run) -> None:
    way = ["--hidden", "3", "--tbptt", "5:10", "--clip", ".1", "--noise", ".01", "-q"]
    assert (
        run("train", "weather", "--checkpoint", "a.npz", "--iterations", "6", *way).exit_code == 0
    )
    assert (
        run("train", "weather", "--checkpoint", "b.npz", "--iterations", "3", *way).exit_code == 0
    )
    more = ["--resume", "--iterations", "6", "-q"]
    assert run("train", "weather", "--checkpoint", "b.npz", *more).exit_code == 0
    one, two = (read_checkpoint(name)["model"] for name in ("a.npz", "b.npz"))
    assert all((one[key] == two[key]).all() for key in one)


def test_evaluate_measures_what_train_measured(run: Run) -> None:
    trained = run(*SMALL, "--iterations", "5")
    assert run("evaluate", "book.npz").stdout == trained.stdout
    shown = run("decode", "book.npz", "-n", "2").stdout.splitlines()
    assert [len(shown), shown[0].split()] == [3, ["input", "target", "prediction"]]


@pytest.mark.parametrize(
    "options",
    [
        ["--tbptt", "5:10"],
        ["--online"],
        ["--online", "uoro"],
        ["--incremental"],
        ["--schedule", "plateau"],
        *[["--schedule", name] for name in SCHEDULES],
        *[["--optimizer", name] for name in OPTIMIZERS],
        ["--clip", "0.1"],
        ["--clip-value", "0.1"],
        ["--noise", "0.01"],
        ["--compile", "on"],
        pytest.param(
            ["--compile", "numba"],
            marks=pytest.mark.skipif(find_spec("numba") is None, reason="needs Numba"),
        ),
    ],
)
def test_every_way_of_training(run: Run, options: list[str]) -> None:
    result = run("train", "stocks", "--hidden", "2", "--iterations", "2", "-q", *options)
    assert result.exit_code == 0, result.stderr


def test_without_numba_training_says_how_to_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micrornn.tasks.training.find_spec", lambda name: None)
    result = run("train", "hello", "--compile", "numba")
    assert result.exit_code == 2
    assert "--compile numba needs Numba: pip install 'micrornn[fast]'" in result.stderr


def test_epochs_are_passes_over_the_data(run: Run) -> None:
    result = run("train", "stocks", "--epochs", "2", "--checkpoint", "s.npz", "-q")
    assert result.exit_code == 0
    tree = read_checkpoint("s.npz")
    assert tree["trainer"]["iteration"] == 2 * (45 // 10)


@pytest.mark.parametrize("name", ["log.csv", "log.json"])
def test_the_log(run: Run, name: str) -> None:
    assert run("train", "hello", "--iterations", "4", "--log", name, "-q").exit_code == 0
    with Path(name).open(encoding="utf-8") as file:
        rows: list[Any] = (
            list(csv.DictReader(file)) if name.endswith("csv") else [json.loads(x) for x in file]
        )
    assert [int(row["iteration"]) for row in rows] == [1, 2, 3, 4]
    losses = rows[0]["losses"]
    by_step = losses.split() if isinstance(losses, str) else losses
    assert sum(map(float, by_step)) == pytest.approx(float(rows[0]["loss"]), rel=1e-4)


@pytest.mark.parametrize("name", ["plot.png", "plot.svg", "plot.pdf"])
def test_the_plot(run: Run, name: str) -> None:
    assert run("train", "hello", "--iterations", "4", "--plot", name, "-q").exit_code == 0
    assert Path(name).stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("train helo", "no task 'helo'; did you mean 'hello'"),
        ("train hello --csv a", "hello has no option --csv; options: --text"),
        ("train text --text none.txt", "no file none.txt"),
        ("train text --text @none", "no file none"),
        ("train text --text empty.txt", "empty.txt is empty"),
        ("train text --text same.txt", "only one distinct character"),
        ("train text --text short.txt", "too short"),
        ("train text --text raw.txt", "not text in UTF-16"),
        ("train weather --csv none.csv", "no file none.csv"),
        ("train weather --csv nan.csv", "not finite"),
        (
            "train weather --csv prices.csv --column no",
            "no column 'no' in prices.csv; columns: 'day', ",
        ),
        ("train weather --csv prices.csv", "several columns of numbers"),
        ("train translate --pairs none.tsv", "no file none.tsv"),
        (
            "train translate --pairs book.txt",
            "book.txt, line 1: expected a source, a tab and a target",
        ),
        ("train ctc --steps 5 --length 3", "give at least --steps 6"),
        ("train hello --steps 0", "--steps"),
        ("train hello --tbptt 3:2", "truncation 3:2: k2 must be"),
        ("train hello --tbptt two", "'two' is not a truncation"),
        ("train adding --tbptt 2:2", "of the whole sequence"),
        (
            "train stocks --online --tbptt 2:2",
            "truncation, online and incremental exclude each other",
        ),
        ("train data --schedule plateau", "--schedule plateau needs held-out data"),
        ("train hello --resume", "--resume needs a file to resume from: --checkpoint FILE"),
        ("train hello --checkpoint none.npz --resume", "no file none.npz"),
        (
            "train hello --checkpoint old.npz",
            "old.npz exists; resume from it with --resume",
        ),
        ("train text --checkpoint old.npz --resume", "a checkpoint of hello, not of text"),
        (
            "train hello --checkpoint old.npz --resume --hidden 3",
            "was trained with 2; leave the option out",
        ),
        ("train hello --checkpoint old.npz --resume --lr 3", "was trained without it"),
        ("train hello --checkpoint old.npz --resume", "has completed its 3 iterations"),
        ("train hello --checkpoint no/a.npz", "no folder no; make it first"),
        ("train hello --log a.txt", "a training log ends in .csv or .json"),
        ("train hello --log no/a.csv", "no folder no; make it first"),
        ("train hello --plot a.txt", "plotted as svg, png, pdf; rename the file"),
        ("generate none.npz", "no file none.npz"),
        ("generate book.txt", "book.txt is not a checkpoint"),
        ("generate arrays.npz", "is an archive, but not a checkpoint"),
        ("generate old.npz --start x", "does not know the character 'x'"),
        (
            "generate old.npz --temperature -1",
            "--temperature: '-1' is out of range; give a number from 0 up",
        ),
        ("evaluate prices.csv", "prices.csv is not a checkpoint"),
        ("decode .", "is a folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    run: Run, folder: Path, arguments: str, complaint: str
) -> None:
    for name, content in (("empty", ""), ("same", "aaaaaa"), ("short", "abc")):
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")
    (folder / "raw.txt").write_bytes(b"\xff\xfe\xfa")
    (folder / "nan.csv").write_text("v\n1\nnan\n2\n", encoding="utf-8")
    np.savez(folder / "arrays.npz", a=np.ones(2))
    if "old.npz" in arguments:
        made = run(
            "train", "hello", "--hidden", "2", "--iterations", "3", "--checkpoint", "old.npz"
        )
        assert made.exit_code == 0
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    result = run(*arguments.split())
    assert result.exit_code == 2, result.stderr
    last = result.stderr.rstrip("\n").splitlines()[-1]
    assert last.startswith("micrornn")
    assert complaint in last
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_loss_that_is_no_number_is_said_and_the_last_checkpoint_stays(run: Run) -> None:
    words = ["--optimizer", "sgd", "--lr", "1e200", "--checkpoint", "net.npz", "-q"]
    result = run("train", "weather", *words)
    assert result.exit_code == 2
    assert re.search(r"(loss|gradient) at iteration \d+ is (nan|inf)", result.stderr)
    assert len(result.stderr.splitlines()) == 1


def test_a_checkpoint_of_a_program_of_ones_own_is_not_taken(run: Run) -> None:
    from trained import trainer

    trainer().run(1, checkpoint="own.npz")
    for command in ("generate", "evaluate", "decode"):
        result = run(command, "own.npz")
        assert (result.exit_code, "was not saved by micrornn train" in result.stderr) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_saves_and_says_how_to_go_on(process: Any, run: Run) -> None:
    words = ["--hidden", "8", "--checkpoint", "net.npz", "--log", "net.csv"]
    with process(
        "train", "text", "--text", "book.txt", "--iterations", "100000", *words
    ) as training:
        for _ in range(2000):
            if Path("net.csv").exists() and Path("net.csv").read_text().count("\n") > 3:
                break
            signal_wait()
        training.send_signal(signal.SIGINT)
        _, stderr = training.communicate(timeout=60)
    last = stderr.decode().splitlines()[-1]
    assert training.returncode == 130, last
    said = re.fullmatch(
        r"micrornn: interrupted after iteration (\d+), saved in net\.npz; resume with --resume",
        last,
    )
    assert said, last
    done = int(said[1])
    assert read_checkpoint("net.npz")["trainer"]["iteration"] == done
    more = ["--iterations", str(done + 2), "--log", "net.csv"]
    assert run("train", "text", "--checkpoint", "net.npz", "--resume", *more).exit_code == 0
    numbers = [int(line.split(",")[0]) for line in Path("net.csv").read_text().splitlines()[1:]]
    assert numbers == list(range(1, done + 3))


def signal_wait() -> None:
    """A moment, while another process works."""
    import time

    time.sleep(0.01)


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from viz.commands.progress import iterations

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    from micrornn.training import Report

    with iterations(0, 2, quiet=False) as tell:
        tell(None, Report(2, 0.5, [0.5], 0.1, 0.01))  # type: ignore[arg-type]
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "2/2" in shown
    assert "loss 0.5" in shown


def test_the_options_that_are_kept_are_options() -> None:
    assert set(SETTINGS) <= {parameter.name for parameter in train.params}


# ------------------------------------------------------------------------- sources of one's own


@pytest.fixture
def translator(run: Run) -> str:
    """A small translator from words to themselves, turned round; trained just enough to answer."""
    begin = "train translate --pairs pairs.tsv --hidden 8 --iterations 3 -q --checkpoint t.npz"
    assert run(*begin.split()).exit_code == 0
    return "t.npz"


def test_a_source_of_ones_own_is_answered_best_first(run: Run, translator: str) -> None:
    result = run("decode", translator, "--source", "question", "--beam", "4")
    assert result.exit_code == 0, result.stderr
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["prediction", "probability"]
    chances = [float(row.split()[-1]) for row in rows]
    assert len(rows) == 4
    assert chances == sorted(chances, reverse=True)
    assert len(run("decode", translator, "--source", "question").stdout.splitlines()) == 2


def test_a_review_of_ones_own_is_judged(run: Run) -> None:
    assert run("train", "sentiment", "-q", "--checkpoint", "s.npz").exit_code == 0
    said = run("decode", "s.npz", "--source", "The plot was not bad").stdout.splitlines()[1]
    assert said.split()[0] == "good"
    said = run("decode", "s.npz", "--source", "the plot was not good").stdout.splitlines()[1]
    assert said.split()[0] == "bad"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--source Zebra", "the symbol 'Z' is in none of the pairs; choose from"),
        ("--source=", "the source is empty; give at least one symbol"),
        ("--source to -n 2", "-n and --source exclude each other; give one"),
        ("--beam 3", "--beam needs --source; give both"),
        ("--source to --beam 0", "'0' is out of range; give an integer from 1"),
    ],
)
def test_a_source_that_will_not_do_is_refused(
    run: Run, translator: str, arguments: str, complaint: str
) -> None:
    result = run("decode", translator, *arguments.split())
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


def test_what_takes_no_source_says_so(run: Run) -> None:
    assert run("train", "hello", "--iterations", "2", "-q", "--checkpoint", "h.npz").exit_code == 0
    result = run("decode", "h.npz", "--source", "h")
    assert result.exit_code == 2
    assert "hello does not take --source; leave it out to see examples" in result.stderr


# ------------------------------------------------------------------- nothing is lost, or taken for granted


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            "train weather --csv prices.csv --column close --log prices.csv",
            "--csv and --log name the same file",
        ),
        (
            "train hello --checkpoint a.png --plot ./a.png",
            "--checkpoint and --plot name the same file",
        ),
        (
            "train text --text book.txt --checkpoint book.txt --resume",
            "book.txt is not a checkpoint",
        ),
        ("train hello --log prices.csv", "prices.csv is not a training log"),
        ("train hello --checkpoint=", "the name is empty; give a file"),
        ("train hello --plot=", "the name is empty; give a file"),
        ("train hello --tbptt=", "'' is not a truncation; give K1:K2"),
        ("train hello --lr inf", "'inf' is out of range; give a number above 0"),
        ("train recall --forget-bias nan", "'nan' is out of range; give a finite number"),
        (
            "train hello --epochs 2 --iterations 3",
            "--iterations and --epochs exclude each other; give one",
        ),
        ("train hello --plot /proc/losses.png", "cannot write into /proc"),
        (
            "train weather --csv newest.csv --column close",
            "run backward, from 2024-03-09 to 2024-03-01",
        ),
        (
            "train weather --csv german.csv --column close",
            "run backward, from 9.3.2024 to 1.3.2024",
        ),
        (
            "train weather --csv american.csv --column close",
            "run backward, from 03/9/2024 to 03/1/2024",
        ),
        ("train weather --csv comma.csv --column close", "write the decimal sign as a point"),
        ("train weather --csv huge.csv", "too far apart to scale"),
    ],
)
def test_what_would_lose_something_is_refused_before_the_work(
    run: Run, folder: Path, arguments: str, complaint: str
) -> None:
    newest = "".join(f"2024-03-0{9 - i},{i}\n" for i in range(9))
    (folder / "newest.csv").write_text(f"date,close\n{newest}", encoding="utf-8")
    for name, form in (("german", "{}.3.2024"), ("american", "03/{}/2024")):
        rows = "".join(f"{form.format(9 - i)},{i}\n" for i in range(9))
        (folder / f"{name}.csv").write_text(f"date,close\n{rows}", encoding="utf-8")
    (folder / "comma.csv").write_text("day;close\n1;21,86\n2;22,01\n", encoding="utf-8")
    huge = "\n".join(["1e308", "-1e308"] * 9)
    (folder / "huge.csv").write_text(f"v\n{huge}\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    result = run(*arguments.split())
    assert result.exit_code == 2, result.stderr
    assert complaint in result.stderr
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("command", ["evaluate", "decode", "train --resume"])
@pytest.mark.parametrize("change", ["changed", "gone"])
def test_data_that_were_changed_are_not_measured_on(
    run: Run, folder: Path, command: str, change: str
) -> None:
    assert run(*SMALL, "--iterations", "2").exit_code == 0
    if change == "gone":
        (folder / "book.txt").unlink()
    else:
        (folder / "book.txt").write_text(TEXT[::-1], encoding="utf-8")
    words = {"train --resume": "train text --resume --iterations 4 --checkpoint"}.get(
        command, command
    )
    result = run(*words.split(), "book.npz")
    assert result.exit_code == 2
    said = "is missing; restore it" if change == "gone" else "has changed since"
    assert said in result.stderr
    assert run("generate", "book.npz", "--length", "5").exit_code == 0, "which needs no data"


def test_a_text_in_a_file_without_an_ending_stays_a_file(run: Run, folder: Path) -> None:
    (folder / "book").write_text(TEXT, encoding="utf-8")
    begin = "train text --text book --hidden 4 --iterations 2 -q --checkpoint b.npz"
    assert run(*begin.split()).exit_code == 0
    assert read_checkpoint("b.npz")["about"]["options"]["text"] == f"@{folder / 'book'}"
    assert run("evaluate", "b.npz").exit_code == 0


def test_a_training_that_fails_keeps_what_it_had_and_draws_it(run: Run, folder: Path) -> None:
    begin = (
        "train weather --optimizer sgd --lr 1e200 --iterations 9 --checkpoint w.npz --plot w.png"
    )
    result = run(*begin.split())
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr and "Warning" not in result.stderr
    assert (folder / "w.npz").exists()
    assert (folder / "w.png").exists()


@pytest.mark.parametrize("name", ["adding", "copy", "video", "recall", "ecg"])
def test_as_many_examples_are_shown_as_there_are(run: Run, name: str) -> None:
    assert run("train", name, "--iterations", "1", "-q", "--checkpoint", "n.npz").exit_code == 0
    result = run("decode", "n.npz", "-n", "5000")
    assert result.exit_code == 0, result.stderr
    assert 1 < len(result.stdout.splitlines()) < 5000


def damaged(change: Callable[[Any], Any]) -> None:
    """The checkpoint h.npz with something in it changed."""
    with np.load("h.npz") as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    np.savez("h.npz", meta=np.array(json.dumps(change(meta))), **arrays)


def without(*place: str) -> Callable[[Any], Any]:
    def change(meta: Any) -> Any:
        inner = meta
        for key in place[:-1]:
            inner = inner[key]
        del inner[place[-1]]
        return meta

    return change


def instead(value: Any, *place: str) -> Callable[[Any], Any]:
    def change(meta: Any) -> Any:
        inner = meta
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        return meta

    return change


@pytest.mark.parametrize("command", ["evaluate h.npz", "train hello --resume --checkpoint h.npz"])
@pytest.mark.parametrize(
    "change",
    [
        *[without(part) for part in ("version", "tree", "format")],
        *[without("tree", part) for part in ("about", "model", "trainer", "optimizer", "random")],
        *[without("tree", "about", part) for part in ("task", "options", "memory", "training")],
        without("tree", "trainer", "iteration"),
        without("tree", "about", "training", "iterations"),
        instead([], "tree"),
        instead(7, "tree", "model"),
        instead({"$tuple": 5}, "tree", "about"),
        instead({"$dict": [1]}, "tree", "feed"),
        instead({"$float": "x"}, "tree", "trainer", "iteration"),
        instead("x", "tree", "trainer", "iteration"),
        instead([], "tree", "about", "task"),
        instead("my run", "tree", "about"),
        instead({"task": "hello"}, "tree", "about"),
        instead("x", "tree", "about", "options", "hidden"),
        instead(3, "tree", "about", "options", "eggs"),
        instead(7, "tree", "about", "memory", "characters"),
    ],
)
def test_a_checkpoint_with_something_missing_is_refused(
    run: Run, command: str, change: Callable[[Any], Any]
) -> None:
    begin = "train hello --hidden 8 --iterations 2 -q --checkpoint h.npz"
    assert run(*begin.split()).exit_code == 0
    damaged(change)
    before = Path("h.npz").read_bytes()
    result = run(*command.split())
    assert result.exit_code == 2, result.stderr
    assert "h.npz" in result.stderr
    assert Path("h.npz").read_bytes() == before


# ------------------------------------------------------------------------------- a trained network


def test_a_series_goes_on(run: Run) -> None:
    begin = "train weather --csv prices.csv --column close --iterations 60 -q --checkpoint p.npz"
    assert run(*begin.split()).exit_code == 0
    result = run("generate", "p.npz", "--length", "7")
    assert result.exit_code == 0, result.stderr
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["ahead", "forecast"]
    assert [int(row.split()[0]) for row in rows] == list(range(1, 8))
    values = [float(row.split()[1]) for row in rows]
    assert all(95 < value < 112 for value in values), "it knows 100 to 106 only"
    assert len(run("generate", "p.npz").stdout.splitlines()) == 11
    refused = run("generate", "p.npz", "--start", "a")
    assert refused.exit_code == 2
    assert "p.npz is a checkpoint of weather; only a text model takes --start" in refused.stderr


def test_a_trained_network_is_a_source_like_any_other(run: Run, folder: Path) -> None:
    assert run("train", "hello", "-q", "--checkpoint", "h.npz").exit_code == 0
    drawn = run("render", "h.npz")
    assert drawn.exit_code == 0, drawn.stderr
    assert "loss 0.00324" in drawn.stderr, "the weights are the trained ones"
    for command in (
        "flow h.npz",
        "diagnose h.npz",
        "why h.npz h[1]",
        "record h.npz -o h.mrn",
        "check h.npz",
    ):
        assert run(*command.split()).exit_code == 0, command
    refused = run("render", "h.npz", "--hidden", "3")
    assert refused.exit_code == 2
    assert (
        "h.npz was trained with other values of --hidden, so its weights do not fit"
        in refused.stderr
    )
    assert run("render", "h.npz", "--csv", "prices.csv").exit_code == 2


def test_it_stops_when_kept_data_are_learnt_no_better(run: Run) -> None:
    begin = "train text --text book.txt --hidden 8 --lr .2 --patience 2 --iterations 2000"
    result = run(*begin.split(), "--checkpoint", "t.npz", "--log", "t.csv")
    assert result.exit_code == 0, result.stderr
    stopped = re.search(
        r"stopped early, after iteration (\d+): no improvement on held-out data", result.stderr
    )
    assert stopped is not None
    judged = [one.validation for one in read_log("t.csv") if one.validation is not None]
    assert len(judged) == int(stopped[1]) // 20
    assert min(judged) == judged[-3] <= min(judged[-2:]), "two looks without a fall"
    refused = run("train", "hello", "--patience", "2")
    assert refused.exit_code == 2
    assert "--patience needs held-out data, which this task has not; leave it out" in refused.stderr


def test_a_model_that_does_not_say_its_characters_is_refused(run: Run) -> None:
    begin = "train hello --iterations 2 -q --checkpoint h.npz"
    assert run(*begin.split()).exit_code == 0
    damaged(without("tree", "about", "memory", "characters"))
    result = run("generate", "h.npz")
    assert result.exit_code == 2
    assert "h.npz is a checkpoint of hello, which has nothing to continue" in result.stderr


def test_published_weights_are_shown_before_anything_is_trained(run: Run) -> None:
    result = run("train", "companies", "--published", "--checkpoint", "published.npz")
    assert result.exit_code == 0
    assert re.search(r"0\.00639 .*\n.*0\.96939 ", result.stdout)
    assert "to train, add --iterations" in result.stderr
    assert not Path("published.npz").exists()
    result = run("train", "companies", "--published", "--iterations", "1", "-q")
    before, after = result.stdout.split("metric")[1:]
    assert "0.00639  below" in before and "0.00639  below" not in after


def test_a_log_of_another_training_is_not_gone_on_with(run: Run, folder: Path) -> None:
    for task, count, name in (("stocks", "3", "s"), ("hello", "5", "h")):
        begin = f"train {task} --iterations {count} -q --checkpoint {name}.npz --log {name}.csv"
        assert run(*begin.split()).exit_code == 0
    before = Path("s.csv").read_bytes()
    go_on = "train hello --resume --checkpoint h.npz --iterations 9 -q --log"
    refused = run(*go_on.split(), "s.csv")
    assert refused.exit_code == 2
    assert "s.csv has no line for iteration 5" in refused.stderr
    assert Path("s.csv").read_bytes() == before
    assert run(*go_on.split(), "h.csv").exit_code == 0
    assert [one.iteration for one in read_log("h.csv")] == list(range(1, 10))


def test_a_damaged_checkpoint_is_named_also_as_a_source(run: Run, folder: Path) -> None:
    (folder / "cut.npz").write_bytes(b"PK and no more")
    result = run("render", "cut.npz")
    assert result.exit_code == 2
    assert "cut.npz is damaged" in result.stderr
    assert "no file none.npz" in run("render", "none.npz").stderr
