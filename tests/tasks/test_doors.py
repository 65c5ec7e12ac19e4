"""Data of one's own: every door reads real formats with their mess, and says what is wrong where."""

from __future__ import annotations

import json
import wave
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrornn.data import conll, doors, frames, labeled, sound, tables, translations
from micrornn.data.series import columns_of, read_columns, rows_of
from micrornn.optim import Adam
from micrornn.tasks import TASKS, task
from micrornn.tasks.parts import three_parts
from micrornn.tasks.stepwise import span_f1, spans
from micrornn.tasks.trained import digest_of, files_of
from micrornn.training import Trainer
from viz.commands.options import network_options

RNG = np.random.default_rng


def train(problem: Any, iterations: int) -> Trainer:
    optimizer = Adam(problem.model.parameters(), lr=problem.lr)
    trainer = Trainer(
        problem.model, optimizer, problem.feed, problem.objective, clip_norm=problem.clip
    )
    trainer.run(iterations)
    return trainer


def written(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


# ------------------------------------------------------------------------------------ the table


def test_every_door_is_an_option_of_the_command_and_of_a_task() -> None:
    options = {option.name: option for option in network_options()}
    for name, door in doors.DOORS.items():
        assert options[name].help == door.help
        assert [one for one in TASKS.values() if one.module and name in one.options()], name


def test_what_a_checkpoint_remembers(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    file = written(folder / "a" / "1.wav", "x")
    assert files_of({"audio": str(folder), "hidden": 3}) == {"audio": str(folder.resolve())}
    before = digest_of(str(folder))
    assert digest_of(str(folder)) == before
    Path(file).write_text("y")
    assert digest_of(str(folder)) != before
    Path(file).write_text("x")
    Path(file).rename(folder / "a" / "2.wav")
    assert digest_of(str(folder)) != before


# ------------------------------------------------------------------------------- labeled texts

LABELED = [("fine, really", "good"), ('a "dull" film', "bad"), ("moving", "good"), ("grim", "bad")]
AS_CSV = 'text,label\n"fine, really",good\n"a ""dull"" film",bad\nmoving,good\ngrim,bad\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", AS_CSV),
        ("a.csv", AS_CSV.replace("\n", "\r\n")),
        ("a.csv", b"\xef\xbb\xbf" + AS_CSV.encode()),
        ("a.csv", AS_CSV.encode("utf-16")),
        ("a.csv", AS_CSV.partition("\n")[2]),  # no heading
        ("a.csv", "v1,v2,,\n" + "".join(f'{b},"{a}",,\n' for a, b in
                                        [(a.replace('"', '""'), b) for a, b in LABELED])),
        ("a.csv", 'Review;Sentiment\n"fine, really";good\n"a ""dull"" film";bad\nmoving;good\ngrim;bad'),
        ("a.tsv", "".join(f"{b}\t{a}\n" for a, b in LABELED)),
        ("a.txt", "label\ttext\n\n" + "".join(f"{b}\t{a}\n" for a, b in LABELED)),
        ("a.jsonl", "".join(json.dumps({"label": b, "id": 3, "text": a}) + "\n" for a, b in LABELED)),
    ],
)  # fmt: skip
def test_texts_with_labels(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert labeled.read_labeled(written(tmp_path / name, content)) == LABELED


def test_texts_in_folders(tmp_path: Path) -> None:
    for i, (text, label) in enumerate(LABELED):
        written(tmp_path / "set" / label / f"{i}.txt", text + "\n")
    written(tmp_path / "set" / "bad" / ".hidden", "no text")
    found = labeled.read_labeled(tmp_path / "set")
    assert sorted(found) == sorted(LABELED)


def test_a_stray_quote_in_a_file_with_tabs_is_a_character(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", 'he said "no\tbad\n"yes" he said\tgood\nno\tbad\ngo\tgood\n')
    found = labeled.read_labeled(path)
    assert [text for text, _ in found] == ['he said "no', '"yes" he said', "no", "go"]


def test_columns_by_name_and_another_encoding(tmp_path: Path) -> None:
    content = "id,headline,text,topic\n1,für,x,a\n2,gut,y,b\n3,alt,z,a\n4,neu,q,b\n".encode(
        "cp1252"
    )
    path = written(tmp_path / "a.csv", content)
    with pytest.raises(
        ValueError, match=r"not text in UTF-8 \(byte 27, in line 2, .* --encoding cp1252"
    ):
        labeled.read_labeled(path, "headline", "topic")
    found = labeled.read_labeled(path, "headline", "topic", "cp1252")
    assert found[0] == ("für", "a")
    with pytest.raises(ValueError, match="--encoding latin-99: no such encoding"):
        labeled.read_labeled(path, encoding="latin-99")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty; give texts with labels"),
        ("text,label\ngood,x\nbad,\n", "line 3: no label; write one, remove the row, or give --miss"),
        ("text,label\ngood,x\n,y\n", "line 3: no text"),
        ("text,label\na b,x\nno, really,y\n", "line 3: 3 cells, but the first line names 2 columns"),
        ('text,label\na,x\n"open,x\nb,y\n', r"line 3: not CSV \(a quote is not closed\)"),
        ("text,label\na,x\nb,x\n", "one label, 'x'; give texts of at least two labels"),
        ("one,x", "no texts"),
        ("id,headline,topic\n1,a,x\n2,b,y\n", "which columns .* --column TEXT --target LABEL; columns: 'id'"),
        ("text,label\n" + "".join(f"a,{n}\n" for n in range(9)), "9 labels for 9 texts, such as '0'"),
        ('{"text": "a", "label": 1}\n{"text": "b"\n', "line 2: not JSON"),
        ('{"text": "a", "label": 1}\n\n[1]\n', r"line 3: '\[1\]' is not an object"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_texts_and_where(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        labeled.read_labeled(written(tmp_path / "a.csv", content))


def test_rows_without_a_label_are_left_out_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\na,x\nb,\nc,NA\n,y\nd,y\n")
    assert labeled.read_labeled(path, missing="skip") == [("a", "x"), ("d", "y")]


def test_folders_without_texts(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="no subfolder with text files; make one subfolder for each"
    ):
        labeled.read_labeled(tmp_path)
    written(tmp_path / "a" / "1.txt", " \n")
    with pytest.raises(ValueError, match=r"1\.txt is empty; remove it"):
        labeled.read_labeled(tmp_path)


def test_a_user_trains_on_reviews_and_asks(tmp_path: Path) -> None:
    """`not` turns the label of what follows, so that single words say nothing."""
    rng, rows = RNG(0), []
    for _ in range(400):
        turned, good = rng.integers(2, size=2)
        words = f"the film was {'not' if turned else 'so'} {'good' if good else 'bad'}"
        rows.append(f"{words}\t{'yes' if turned != good else 'no'}\n")
    path = written(tmp_path / "r.tsv", "".join(rows))
    problem = task("sentiment").problem({"labels": path, "hidden": 12})
    assert problem.remarks == ["trained on 320 texts; 40 to choose by, 40 to measure on"]
    train(problem, 120)
    accuracy, f1 = problem.evaluate()
    assert accuracy.value == f1.value == 1
    assert "naive Bayes of words and pairs" in accuracy.goal and "always " in accuracy.goal
    assert problem.answer is not None and problem.validate is not None
    best = problem.answer("The film was not GOOD", 1)[0]
    assert best.prediction == "no" and best.probability > 0.9
    with pytest.raises(ValueError, match="leave --beam out"):
        problem.answer("film", 3)


# -------------------------------------------------------------------------------------- CoNLL


SENTENCES = [[("Ada", "B-PER"), ("sleeps", "O")], [("#", "O"), ("Oslo", "B-LOC")]]


@pytest.mark.parametrize(
    "content",
    [
        "Ada B-PER\nsleeps O\n\n# O\nOslo B-LOC\n",
        "Ada\tB-PER\r\nsleeps\tO\r\n\r\n\r\n#\tO\r\nOslo\tB-LOC\r\n\r\n",
        "-DOCSTART- -X- O O\n\nAda NNP B-NP B-PER\nsleeps VB B-VP O\n\n# NN I-NP O\nOslo NNP I-NP B-LOC",
        "# a source\n1\tAda\tB-PER\n2\tsleeps\tO\n\n#\thttp://a/b\t[2010]\n1\t#\tO\n2\tOslo\tB-LOC\n",
    ],
)
def test_sentences_with_tags(tmp_path: Path, content: str) -> None:
    assert conll.read_conll(written(tmp_path / "a.conll", content)) == SENTENCES


def test_universal_dependencies(tmp_path: Path) -> None:
    def row(n: str, word: str, kind: str) -> str:
        return "\t".join([n, word, word.lower(), kind, "X", "_", "0", "root", "_", "_"]) + "\n"

    text = (
        "# text = Don't go\n"
        + row("1-2", "Don't", "_")
        + row("1", "Do", "AUX")
        + row("2", "n't", "PART")
    )
    path = written(tmp_path / "a.conllu", text + row("2.1", "you", "PRON") + row("3", "go", "VERB"))
    assert conll.read_conll(path) == [[("Do", "AUX"), ("n't", "PART"), ("go", "VERB")]]
    assert conll.read_conll(path.replace("a.", "a."), tag=3)[0][2] == ("go", "go")
    with pytest.raises(ValueError, match=r"--tag 11: .* has 10 columns; give one from 1 to 10"):
        conll.read_conll(path, tag=11)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("\n\n \n", "has no sentences; write one token and its tag per line"),
        ("a\tO\nb\n\nc\tB-X\n", "line 2: 'b' has 1 cell, and others have 2; write a token, a tab"),
        ("a\nb\n", "line 1: 'a' has 1 cell; write a token, a tab and its tag"),
        ("a O\nb O\n", "has one tag, 'O'; give sentences with at least two, or .* --tag N"),
    ],
)
def test_what_is_wrong_with_sentences(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        conll.read_conll(written(tmp_path / "a.conll", content))


def test_names_are_whole() -> None:
    assert spans(["B-PER", "I-PER", "O", "I-LOC", "I-LOC", "B-LOC", "S-ORG", "E-PER"]) == {
        (0, 2, "PER"), (3, 5, "LOC"), (5, 6, "LOC"), (6, 7, "ORG"), (7, 8, "PER")
    }  # fmt: skip
    assert span_f1([{(0, 2, "PER")}, set()], [{(0, 1, "PER")}, set()]) == 0
    assert span_f1([{1, 2}], [{1}]) == pytest.approx(2 / 3)


def test_a_user_trains_a_tagger(tmp_path: Path) -> None:
    """Whether `may` is a verb depends on the word after it."""
    rng, lines = RNG(1), []
    for _ in range(120):
        verb = bool(rng.integers(2))
        lines += [f"in O\nmay {'B-V' if verb else 'B-M'}\n{'go' if verb else 'rain'} O\n\n"]
    path = written(tmp_path / "a.conll", "".join(lines))
    problem = task("tagging").problem({"conll": path, "hidden": 8})
    train(problem, 80)
    accuracy, names = problem.evaluate()
    assert accuracy.value == names.value == 1 and names.name == "F1 of names"
    assert "the usual tag of each word" in accuracy.goal
    bound = float(accuracy.goal.split()[1])
    assert 0.6 < bound < 0.95, "neither the word nor the word before decides"
    one_way = task("tagging").problem({"conll": path, "hidden": 8, "bidirectional": False})
    assert train(one_way, 80) and one_way.evaluate()[0].value < 0.95


# -------------------------------------------------------------------------- columns of a table


def table(tmp_path: Path, text: str) -> tables.Table:
    return tables.read_table(written(tmp_path / "t.csv", text))


def test_missing_cells(tmp_path: Path) -> None:
    found = table(tmp_path, "day,a,b\n1,NA,4\n2,1,5\n3,,6\n4,2,nan\n5,3,7\n")
    with pytest.raises(ValueError, match=r"line 2: column 'a' is 'NA', .* --missing skip"):
        read_columns(found, ["a"])
    assert read_columns(found, ["a", "b"], "skip").tolist() == [[1, 5], [3, 7]]
    assert read_columns(found, ["a", "b"], "previous").tolist() == [[1, 5], [1, 6], [2, 6], [3, 7]]
    with pytest.raises(ValueError, match="no row in which all of c have"):
        read_columns(table(tmp_path, "day,c\n1,NA\n"), ["c"], "skip")


def test_labels_stay_beside_their_rows(tmp_path: Path) -> None:
    found = table(tmp_path, "a,state\n1,up\n,down\n3,\n4,down\n")
    values, labels = rows_of(found, ["a"], "skip", "state")
    assert values.tolist() == [[1], [4]] and labels == ["up", "down"]
    with pytest.raises(ValueError, match="line 4: no 'state'; write one, remove the row"):
        rows_of(table(tmp_path, "a,state\n1,up\n2,up\n3,\n"), ["a"], "error", "state")


def plant(tmp_path: Path, rows: int = 300) -> str:
    """Power follows the wind of the hour before, so that power alone does not tell it."""
    wind = RNG(0).normal(size=rows + 1)
    cells = [
        f"{wind[i + 1]:.3f},{5 * wind[i]:.3f},{'high' if wind[i] > 0 else 'low'}\n"
        for i in range(rows)
    ]
    return written(tmp_path / "plant.csv", "wind,power,state\n" + "".join(cells))


def test_several_columns_forecast_one(tmp_path: Path) -> None:
    path = plant(tmp_path)
    given = {"csv": path, "column": "wind,power", "target": "power", "steps": 20, "hidden": 8}
    problem = task("weather").problem(given)
    assert problem.feed.next().inputs.shape[2] == 2
    train(problem, 200)
    (measure,) = problem.evaluate()
    assert measure.value < 5 and "ridge on the last values" in measure.goal
    alone = task("weather").problem({**given, "column": "power"})
    assert float(alone.evaluate()[0].goal.split()[1]) > 10, "alone it cannot be forecast"
    assert problem.forecast is not None
    assert len(problem.forecast(1)) == 1
    with pytest.raises(ValueError, match=r"2 values ahead need the columns beside .* --length 1"):
        problem.forecast(2)
    assert columns_of(" a, b ,") == ["a", "b"]
    with pytest.raises(
        ValueError, match="say which of them to forecast, for example --target wind"
    ):
        task("weather").problem({"csv": path, "column": "wind,power"})


def test_early_stopping_does_not_see_what_is_reported(tmp_path: Path) -> None:
    """Another last fifth changes the result, and not the loss that settings are chosen by."""
    values = np.sin(np.arange(100) / 3)
    losses, results = [], []
    for last in (values[80:], 50 + values[80:]):
        rows = "".join(f"{v:.4f}\n" for v in [*values[:80], *last])
        problem = task("weather").problem(
            {"csv": written(tmp_path / "s.csv", f"v\n{rows}"), "steps": 10}
        )
        assert problem.validate is not None
        losses.append(problem.validate())
        results.append(problem.evaluate()[0].value)
    assert losses[0] == losses[1] and results[0] != results[1]


def test_three_values_are_enough_and_leave_none_to_choose_by(tmp_path: Path) -> None:
    given = {"csv": written(tmp_path / "s.csv", "v\n1\n2\n4\n"), "steps": 2}
    problem = task("weather").problem(given)
    assert problem.validate is None
    (measure,) = problem.evaluate()
    assert "persistence" in measure.goal and np.isfinite(measure.value)
    with pytest.raises(
        ValueError, match=r"2 values of .* are too few to train on; give at least 3"
    ):
        task("weather").problem({**given, "csv": written(tmp_path / "t.csv", "v\n1\n2\n")})


def test_a_label_for_each_row(tmp_path: Path) -> None:
    given = {"csv": plant(tmp_path), "column": "wind", "target": "state", "steps": 20}
    problem = task("ecg").problem({**given, "hidden": 8, "bidirectional": False})
    assert problem.remarks == ["trained on 260 rows; 20 to choose by, the last to measure on"]
    train(problem, 60)
    accuracy = problem.evaluate()[0]
    assert accuracy.value > 0.85 and "ridge of 11 steps" in accuracy.goal
    with pytest.raises(
        ValueError, match="name the column with the label of each row: --target NAME; col"
    ):
        task("ecg").problem({"csv": plant(tmp_path)})
    with pytest.raises(ValueError, match="300 rows, too few for three parts of 120"):
        task("ecg").problem({**given, "steps": 120})
    with pytest.raises(ValueError, match=r"labels for 300 rows, such as .*; --target names the"):
        task("ecg").problem({**given, "target": "power"})


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("sentiment", {"target": "x"}, "--target x needs a file; give --labels FILE as well"),
        ("tagging", {"tag": 2}, "--tag 2 needs a file; give --conll FILE as well"),
        ("ecg", {"column": "x"}, "--column x needs a file; give --csv FILE as well"),
        ("weather", {"encoding": "cp1252"}, "--encoding cp1252 needs a file; give --csv FILE"),
        ("text", {"encoding": "cp1252"}, "--encoding cp1252 needs a file; give --text FILE"),
    ],
)
def test_options_of_a_file_without_a_file(name: str, options: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        task(name).problem(options)


@pytest.mark.parametrize("name", [one.name for one in TASKS.values() if "text" in one.options()])
def test_a_text_in_another_encoding(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("ein Öl, zwei Ö\n".encode("cp1252") * (1 if name in ("hello", "data") else 60))
    problem = task(name).problem({"text": str(path), "encoding": "cp1252", "hidden": 4})
    shown = " ".join(map(str, problem.memory.values())) + problem.title
    assert "Ö" in shown or name == "logs"
    with pytest.raises(ValueError, match=r"not text in UTF-8 .* --encoding cp1252"):
        task(name).problem({"text": str(path)})


# -------------------------------------------------------------------------------------- sound


def wav(path: Path, samples: Any, rate: int = 8000, width: int = 2, channels: int = 1) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.round(np.asarray(samples) * (2 ** (8 * width - 1) - 1)).astype(np.int64)
    data = whole + (128 if width == 1 else 0)
    content = b"".join(int(v).to_bytes(width, "little", signed=width > 1) for v in data)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(content)
    return str(path)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_samples_of_every_width(tmp_path: Path, width: int) -> None:
    tone = np.array([0.0, 0.5, -0.5, 0.99, -1.0])
    read = sound.read_wav(wav(tmp_path / "a.wav", tone, 11025, width))
    assert read.rate == 11025
    assert read.samples == pytest.approx(tone, abs=2.0 ** (2 - 8 * width))
    both = sound.read_wav(wav(tmp_path / "b.wav", [0.5, 0.25, -0.5, 0.0], width=width, channels=2))
    assert both.samples == pytest.approx([0.375, -0.25], abs=2.0 ** (2 - 8 * width))


def test_a_tone_is_loudest_in_the_band_of_its_pitch() -> None:
    rate, size = 16000, 24
    middles = np.linspace(0, sound.mel(rate / 2), size + 2)[1:-1]
    for band in (4, 12, 20):
        hertz = 700 * (10 ** (middles[band] / 2595) - 1)
        tone = np.sin(2 * np.pi * hertz * np.arange(rate // 2) / rate)
        found = sound.log_mel(sound.Sound(tone, rate), size)
        assert found.shape == (48, size), "25 ms each 10 ms in half a second"
        assert (found.argmax(1) == band).all()
    louder = sound.log_mel(sound.Sound(tone * 10, rate)) - sound.log_mel(sound.Sound(tone, rate))
    assert louder.max() == pytest.approx(np.log(100), rel=1e-3)


def test_filters_add_up_between_the_first_and_the_last() -> None:
    filters = sound.mel_filters(8, 513, 16000)
    places = sound.mel(np.linspace(0, 8000, 513))
    middles = np.linspace(0, sound.mel(8000), 10)
    inside = (places >= middles[1]) & (places <= middles[-2])
    assert filters[inside].sum(1) == pytest.approx(1)
    assert (filters >= 0).all()


def test_silence_and_very_short_sounds() -> None:
    assert np.isfinite(sound.log_mel(sound.Sound(np.zeros(3), 8000))).all()
    assert sound.log_mel(sound.Sound(np.zeros(3), 8000)).shape == (1, 24)


def test_what_is_no_sound(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.wav is not a WAV file .*; convert it: ffmpeg"):
        sound.read_wav(written(tmp_path / "a.wav", "text"))
    with pytest.raises(ValueError, match=r"b\.wav is not a WAV file of integers \(it ends early\)"):
        sound.read_wav(written(tmp_path / "b.wav", ""))
    with pytest.raises(ValueError, match=r"c\.wav has no samples; remove it"):
        sound.read_wav(wav(tmp_path / "c.wav", []))
    with pytest.raises(ValueError, match="no subfolder with WAV files; make one"):
        sound.read_audio(tmp_path)
    (tmp_path / "low").mkdir()
    written(tmp_path / "low" / "a.mp3", "ID3")
    with pytest.raises(ValueError, match=r"no subfolder with WAV files \(but .*a\.mp3\); make one"):
        sound.read_audio(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"no folder or file .*none; give a folder with a sub"
    ):
        sound.read_audio(tmp_path / "none")
    table = written(tmp_path / "t.csv", "file,label\nx.wav,a\ny.wav,a\nz.wav,b\n")
    with pytest.raises(FileNotFoundError, match=r"t\.csv names x\.wav, which is not in "):
        sound.read_audio(table)
    with pytest.raises(ValueError, match="is empty; give files with labels"):
        sound.read_audio(written(tmp_path / "empty.csv", ""))


def test_a_user_trains_on_sounds(tmp_path: Path) -> None:
    """The pitch rises or falls; the frames are the same in another order."""
    rng, rows = RNG(0), ["file,label\n"]
    for i in range(40):
        pitch = np.linspace(300, 1200, 1600)[:: 1 if i % 2 else -1] * rng.uniform(0.9, 1.1)
        tone = 0.5 * np.sin(2 * np.pi * np.cumsum(pitch) / 8000)
        wav(tmp_path / "all" / f"{i}.wav", tone)
        rows.append(f"{i}.wav,{'up' if i % 2 else 'down'}\n")
    path = written(tmp_path / "all" / "labels.csv", "".join(rows))
    problem = task("speakers").problem({"audio": path, "hidden": 12})
    train(problem, 60)
    accuracy = problem.evaluate()[0]
    assert accuracy.value == 1 and "nearest neighbor" in accuracy.goal


# --------------------------------------------------------------------------------------- clips


def test_clips_in_every_form(tmp_path: Path) -> None:
    rng = RNG(0)
    same = rng.random((4, 3, 2, 2))
    np.savez(tmp_path / "a.npz", frames=same, labels=np.array(["x", "y", "x", "y"]))
    found = frames.read_frames(tmp_path / "a.npz")
    assert [one.labels for one in found] == [["x"], ["y"], ["x"], ["y"]]
    assert np.array_equal(found[1].frames, same[1].reshape(3, 4))
    np.savez(tmp_path / "b.npz", frames=same, labels=np.arange(12).reshape(4, 3))
    assert frames.read_frames(tmp_path / "b.npz")[1].labels == ["3", "4", "5"]
    np.savez(tmp_path / "c.npz", frames=rng.random((5, 2)), lengths=[2, 3], labels=["x", "y"])
    assert [len(one.frames) for one in frames.read_frames(tmp_path / "c.npz")] == [2, 3]
    np.savez(tmp_path / "d.npz", frames=rng.random((5, 2)), lengths=[2, 3], labels=list("xyxyx"))
    assert [one.labels for one in frames.read_frames(tmp_path / "d.npz")] == [
        ["x", "y"],
        list("xyx"),
    ]
    for label in "xy":
        (tmp_path / "e" / label).mkdir(parents=True)
        np.save(tmp_path / "e" / label / "1.npy", rng.random((6, 3, 3)))
    assert [one.frames.shape for one in frames.read_frames(tmp_path / "e")] == [(6, 9)] * 2


def test_clips_of_pictures(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for label, value in (("dark", 0), ("light", 255)):
        folder = tmp_path / label / "clip 1"
        folder.mkdir(parents=True)
        for n in (10, 9):
            image.fromarray(np.full((30, 60), value if n == 9 else 128, np.uint8)).save(
                folder / f"{n}.png"
            )
        written(folder / "notes.txt", "no picture")
    dark, light = frames.read_frames(tmp_path)
    assert dark.frames.shape == (2, 24 * 12), "reduced to 24 pixels"
    assert dark.frames[:, 0] == pytest.approx([0, 128 / 255]), "9 comes before 10"
    assert light.labels == ["light"] and light.frames[0].min() == 1
    written(tmp_path / "dark" / "clip 2" / "1.png", "no picture")
    with pytest.raises(ValueError, match=r"1\.png is not a picture .*; remove or replace it"):
        frames.read_frames(tmp_path)


def test_without_pillow_it_says_how_to_install_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    written(tmp_path / "a" / "b" / "1.png", "x")
    with pytest.raises(RuntimeError, match=r"read by Pillow, .*: pip install 'micrornn\[data\]'"):
        frames.read_frames(tmp_path)


def test_what_is_wrong_with_clips(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no file .*none; give a \.npz file, or a folder of cl"
    ):
        frames.read_frames(tmp_path / "none")
    with pytest.raises(ValueError, match=r"a\.npz is not an \.npz file of numbers; give an"):
        frames.read_frames(written(tmp_path / "a.npz", "text"))
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "b": ({"frames": np.ones((2, 3))}, "has no array 'labels'"),
        "c": (
            {"frames": np.ones((4, 3, 2)), "labels": ["x"] * 3},
            "3 labels for 4 clips of together 12",
        ),
        "d": ({"frames": np.ones((4, 3)), "labels": ["x"] * 4}, "has one label, 'x'"),
        "e": ({"frames": [[[np.nan]], [[1]]], "labels": ["x", "y"]}, "frames have NaN"),
        "f": ({"frames": np.ones(4), "labels": ["x"] * 4}, r"frames of shape \(4,\)"),
    }
    for name, (arrays, complaint) in wrong.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(ValueError, match=complaint):
            frames.read_frames(tmp_path / f"{name}.npz")


def test_a_user_trains_on_clips(tmp_path: Path) -> None:
    """A dot goes right or left: each frame alone says nothing."""
    starts = RNG(0).integers(0, 4, (60, 1))
    places = starts + np.arange(5)
    labels = np.array(["right", "left"] * 30)
    places[labels == "left"] = places[labels == "left", ::-1]
    np.savez(tmp_path / "a.npz", frames=np.eye(9)[places], labels=labels)
    problem = train_on({"frames": str(tmp_path / "a.npz"), "hidden": 12}, 100)
    assert problem.evaluate()[0].value == 1
    each = np.repeat(labels[:, None], 5, 1)
    np.savez(tmp_path / "b.npz", frames=np.eye(9)[places], labels=each)
    problem = train_on({"frames": str(tmp_path / "b.npz"), "hidden": 12}, 100)
    assert problem.evaluate()[0].value > 0.7, "the first frame does not tell"


def train_on(options: dict[str, Any], iterations: int) -> Any:
    problem = task("video").problem(options)
    train(problem, iterations)
    return problem


# --------------------------------------------------------------------------------------- pairs


def test_pairs_by_letters_and_by_words(tmp_path: Path) -> None:
    path = written(tmp_path / "p.tsv", "\ufeffA Tür.\tDoor\r\n\r\n去学校\tto school\r\n")
    assert translations.read_pairs(path)[0] == (list("A Tür."), list("Door"))
    assert translations.read_pairs(path, by="words") == [
        (["a", "tür", "."], ["door"]), (["去", "学", "校"], ["to", "school"])
    ]  # fmt: skip
    path = written(tmp_path / "q.tsv", "a\tb\nc\n")
    with pytest.raises(
        ValueError, match="line 2: expected a source, a tab and a target; found 0 tabs"
    ):
        translations.read_pairs(path)


def test_summaries(tmp_path: Path) -> None:
    """What failed is the fourth word of a report; a name that occurs once cannot be learned."""
    lines = [
        f"on day {n} {('pump', 'valve', 'motor')[n % 3]} of {'abcdefgh'[n % 8] * 3} broke\t"
        f"broken {('pump', 'valve', 'motor')[n % 3]}\n"
        for n in range(150)
    ]
    path = written(tmp_path / "p.tsv", "".join(lines))
    given = {"pairs": path, "by": "words", "hidden": 24}
    problem = task("translate").problem(given)
    train(problem, 120)
    right, wrong, shared = problem.evaluate()
    assert right.value == shared.value == 1 and wrong.value == 0
    assert shared.name == "shared words (ROUGE-1)" and "the first words" in shared.goal
    assert problem.answer is not None and problem.validate is not None
    assert problem.answer("On day 999 motor of zzz broke", 1)[0].prediction == "broken motor"
    cut = task("translate").problem({**given, "steps": 3}).feed.next()
    assert len(cut.inputs) == 3
    with pytest.raises(ValueError, match="--by words needs a file; give --pairs FILE as well"):
        task("translate").problem({"by": "words"})


# ------------------------------------------------------------------------------- three parts


def test_parts_do_not_overlap_and_every_label_is_trained_on() -> None:
    items = list(range(500))
    labels = [[f"{i % 7}"] if i else ["once"] for i in items]
    parts = three_parts(items, labels, "texts", 3)
    assert sorted([*parts.training, *parts.choosing, *parts.test]) == items
    assert len(parts.choosing) == len(parts.test) == 50
    assert {labels[i][0] for i in parts.training} == {label for (label,) in labels}
    assert "too rare to be measured: once" in parts.remarks
    assert three_parts(items, labels, "texts", 3) == parts != three_parts(items, labels, "texts", 4)
    with pytest.raises(ValueError, match="9 texts are too few; give at least 10"):
        three_parts(items[:9], labels[:9], "texts", 0)


def test_many_items_are_not_all_measured_on() -> None:
    parts = three_parts(range(30_000), [["a"]] * 30_000, "texts", 0)
    assert Counter(map(len, parts[:3])) == Counter([1000, 1000, 28_000])
