"""The loop: what happens between backward and step, when it stops, what it tells."""

from __future__ import annotations

import csv
import json
import math
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import WAVE, Make, weights

import micrornn as mr
from micrornn import nn, optim
from micrornn.data.feeds import Batch, Drawn, Shuffled, Stream
from micrornn.optim import lr_scheduler as schedules
from micrornn.training import (
    RTRL,
    Computed,
    EarlyStopping,
    Log,
    Trainer,
    TrainingError,
    Truncation,
    by_step,
    read_log,
)


def by_hand(iterations: int) -> np.ndarray[Any, Any]:
    """The loop as anybody would write it, for what `make` makes."""
    model = nn.GRU(1, 1, 2, rng=0)
    adam = optim.Adam(model.parameters(), lr=0.02)
    feed = Stream(WAVE[:-1], WAVE[1:], steps=10, lanes=2)
    state = None
    for _ in range(iterations):
        batch = feed.next()
        state = None if batch.fresh else state.detach()
        outputs, state = model(list(batch.inputs), state)
        _, loss = nn.sequence_loss(outputs, batch.targets, nn.functional.mse_loss)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        adam.step()
        adam.zero_grad()
    return np.concatenate([np.ravel(p.numpy()) for p in model.parameters()])


def test_it_is_the_loop_that_one_would_have_written(make: Make) -> None:
    trainer = make(clip_norm=0.5)
    trainer.run(15)
    assert (weights(trainer) == by_hand(15)).all()


def test_each_loss_on_its_own_gives_the_same_gradient(make: Make) -> None:
    """Incremental against whole-sequence loss."""
    whole, each = make(optimizer=optim.SGD), make(optimizer=optim.SGD, incremental=True)
    whole.run(5)
    each.run(5)
    np.testing.assert_allclose(weights(each), weights(whole), atol=1e-13)


def test_a_chunk_as_long_as_the_batch_is_full_bptt(make: Make) -> None:
    whole, cut = make(), make(truncation=Truncation(10, 10))
    whole.run(8)
    cut.run(8)
    assert (weights(cut) == weights(whole)).all()
    assert (whole.updates, cut.updates) == (8, 8)


def test_a_short_chunk_makes_more_updates(make: Make) -> None:
    trainer = make(truncation=Truncation(3, 6))
    report = trainer.run(1)[0]
    assert trainer.updates == 4
    assert len(report.losses) == 10


def test_online_learning_updates_at_every_step_and_learns() -> None:
    model = nn.RNN(1, 1, rng=0)
    objective = by_step(model, nn.functional.mse_loss)
    trainer = Trainer(
        model,
        optim.SGD(model.parameters(), lr=0.1),
        Stream(WAVE[:-1], WAVE[1:], steps=20),
        objective,
        online=RTRL(objective, list(model.parameters())),
    )
    reports = trainer.run(30)
    assert trainer.updates == 600
    assert reports[-1].loss < reports[0].loss / 4


def test_clipping_comes_before_the_step_and_the_norm_is_that_before_it(make: Make) -> None:
    free = make(optimizer=optim.SGD, lr=1.0)
    start = weights(free)
    norm = free.run(1)[0].norm
    assert np.linalg.norm(weights(free) - start) == pytest.approx(norm)
    clipped = make(optimizer=optim.SGD, lr=1.0, clip_norm=norm / 10)
    assert clipped.run(1)[0].norm == pytest.approx(norm)
    assert np.linalg.norm(weights(clipped) - start) == pytest.approx(norm / 10, rel=1e-4)
    held = make(optimizer=optim.SGD, lr=1.0, clip_value=1e-3)
    held.run(1)
    assert np.abs(weights(held) - start).max() == pytest.approx(1e-3)


def test_noise_is_off_until_asked_for_and_fades(make: Make) -> None:
    quiet, noisy = make(optimizer=optim.SGD, lr=1.0), make(optimizer=optim.SGD, lr=1.0, noise=0.3)
    quiet.run(1)
    noisy.run(1)
    difference = weights(noisy) - weights(quiet)
    assert difference.std() == pytest.approx(math.sqrt(0.3), rel=0.25)
    late_quiet, late = (
        make(optimizer=optim.SGD, lr=1.0),
        make(optimizer=optim.SGD, lr=1.0, noise=0.3),
    )
    late.updates = 10**6
    late_quiet.run(1)
    late.run(1)
    late_difference = weights(late) - weights(late_quiet)
    assert late_difference.std() == pytest.approx(math.sqrt(0.3 / (1 + 10**6) ** 0.55), rel=0.25)


def test_the_schedule_is_told_of_every_update(make: Make) -> None:
    trainer = make(schedule=lambda o: schedules.ExponentialLR(o, 0.5), truncation=Truncation(5, 5))
    rates = [report.lr for report in trainer.run(2)]
    assert rates == [0.02 / 4, 0.02 / 16]


def test_a_plateau_is_judged_by_the_validation_loss(make: Make) -> None:
    trainer = make(
        schedule=lambda o: schedules.ReduceLROnPlateau(o, factor=0.5, patience=0),
        validate=lambda: 1.0,
        validate_every=2,
    )
    assert [round(report.lr, 6) for report in trainer.run(6)] == [
        0.02,
        0.02,
        0.02,
        0.02,
        0.01,
        0.01,
    ]


def test_it_stops_when_the_validation_loss_rises(make: Make) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.1, 1.0])
    trainer = make(
        validate=lambda: next(losses), validate_every=5, stopping=EarlyStopping(patience=2)
    )
    trainer.run(1000)
    assert (trainer.iteration, trainer.stopped) == (20, True)


@pytest.mark.parametrize("truncation", [None, Truncation(5, 5)])
def test_a_loss_that_is_no_number_stops_before_the_weights_are_spoilt(
    make: Make, truncation: Truncation | None
) -> None:
    spoilt = WAVE.copy()
    spoilt[60 + 33] = np.nan
    feed = Stream(spoilt[:-1], WAVE[1:], steps=10, lanes=2)
    trainer = make(feed=feed, truncation=truncation)
    with pytest.raises(TrainingError, match=r"loss at iteration 4 is nan, first at step \d"):
        trainer.run(10)
    assert np.isfinite(weights(trainer)).all()
    assert trainer.iteration == 3
    assert all(p.grad is None for p in trainer.model.parameters())


def test_an_exploding_gradient_stops_with_advice() -> None:
    model = nn.Linear(1, 1, rng=0)
    objective = by_step(
        lambda steps, state: ([model(x) for x in steps], None),
        lambda y, target: (y.sum() * 1e-200).sum() ** 2 * 1e200 * 1e200,
    )
    one = Batch(np.full((1, 1, 1), 1e154), np.zeros((1, 1, 1)))
    trainer = Trainer(
        model, optim.SGD(model.parameters(), lr=1.0), Drawn(lambda rng: one), objective
    )
    before = weights(trainer)
    with pytest.raises(
        TrainingError, match=r"(loss|gradient) at iteration 1 is .*Clip the gradient"
    ):
        trainer.run(1)
    assert (weights(trainer) == before).all()


def test_ctrl_c_ends_between_two_iterations_and_saves(make: Make, tmp_path: Path) -> None:
    def press(trainer: Trainer, report: Any) -> None:
        if report.iteration == 4:
            signal.raise_signal(signal.SIGINT)

    trainer = make(callbacks=[press])
    before = signal.getsignal(signal.SIGINT)
    trainer.run(100, checkpoint=tmp_path / "net.npz")
    assert (trainer.iteration, trainer.interrupted) == (4, signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    again = make()
    again.resume(tmp_path / "net.npz")
    again.run(9)
    unbroken = make()
    unbroken.run(9)
    assert (weights(again) == weights(unbroken)).all()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_every_signal_that_asks_for_the_end_saves(make: Make, tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    trainer = make(callbacks=[lambda *_: signal.raise_signal(number)])
    trainer.run(100, checkpoint=tmp_path / "net.npz")
    assert (trainer.iteration, trainer.interrupted) == (1, number)
    assert signal.getsignal(number) is before
    again = make()
    again.resume(tmp_path / "net.npz")
    assert again.iteration == 1


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signals")
def test_a_signal_that_is_ignored_stays_ignored(make: Make) -> None:
    """As under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        trainer = make(callbacks=[lambda *_: signal.raise_signal(signal.SIGHUP)])
        trainer.run(3)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (trainer.iteration, trainer.interrupted) == (3, 0)


def test_a_second_ctrl_c_does_not_wait(make: Make) -> None:
    def press_twice(trainer: Trainer, report: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        make(callbacks=[press_twice]).run(100)


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", ["log.csv", "log.json", "log.jsonl"])
def test_the_log_has_each_iteration_once_also_when_resumed(
    make: Make, tmp_path: Path, name: str
) -> None:
    path, file = tmp_path / name, tmp_path / "net.npz"
    trainer = make(callbacks=[Log(path)])
    reports = trainer.run(4, checkpoint=file)
    trainer.run(7)  # these three are lost, as by a kill
    with path.open("a", encoding="utf-8") as log:
        log.write('{"iteration": 8, "lo')  # and so is a line that was being written
    again = make(callbacks=[Log(path)])
    again.resume(file)
    again.run(6)
    lines = rows_of(path)
    assert [int(line["iteration"]) for line in lines] == [1, 2, 3, 4, 5, 6]
    assert float(lines[1]["loss"]) == reports[1].loss
    assert float(lines[1]["norm"]) == reports[1].norm
    losses = lines[1]["losses"]
    by_step = [float(x) for x in (losses.split() if isinstance(losses, str) else losses)]
    assert by_step == pytest.approx(reports[1].losses, rel=1e-5)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_log_is_read_as_it_was_reported(make: Make, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    reports = make(callbacks=[Log(path)], validate=lambda: 0.125, validate_every=2).run(3)
    assert [report.validation for report in reports] == [None, 0.125, None]
    with path.open("a", encoding="utf-8") as file:
        file.write(
            "4,0.5,1" if suffix == ".csv" else '{"iteration": 4, "lo'
        )  # killed while writing
    found = read_log(path)
    assert [one.iteration for one in found] == [1, 2, 3]
    for one, report in zip(found, reports):
        assert one._replace(losses=[]) == report._replace(losses=[])
        assert one.losses == pytest.approx(report.losses, rel=1e-5)
    with pytest.raises(FileNotFoundError):
        read_log(tmp_path / "none.csv")
    lines = path.read_text(encoding="utf-8").splitlines()[:2]
    broken = "5,a,b" if suffix == ".csv" else '{"iteration": 5}'
    path.write_text("\n".join([*lines, broken, ""]), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"log\{suffix} is not a training log \(line 3\)"):
        read_log(path)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("content", [b"day,close\n1,2\n", b'{"name": "mine"}\n', b"\xff\xfe"])
def test_a_file_that_is_no_log_is_not_replaced(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mine.* is not a training log"):
        Log(path)
    assert path.read_bytes() == content


def test_what_was_learnt_before_an_error_is_kept(make: Make, tmp_path: Path) -> None:
    """The loss becomes nan, or the log cannot be written: neither loses the iterations before."""
    file = tmp_path / "net.npz"

    def spoil(trainer: Trainer, report: Any) -> None:
        if report.iteration == 3:
            trainer.objective = lambda batch, state: Computed([], mr.tensor(np.nan))

    with pytest.raises(TrainingError, match="loss at iteration 4 is nan"):
        make(callbacks=[spoil]).run(9, checkpoint=file)
    resumed = make()
    resumed.resume(file)
    assert resumed.iteration == 3

    def full(trainer: Trainer, report: Any) -> None:
        if report.iteration == 5:
            raise OSError(28, "no space left on device")

    resumed.callbacks.append(full)
    with pytest.raises(OSError, match="no space"):
        resumed.run(9, checkpoint=file)
    again = make()
    again.resume(file)
    assert again.iteration == 5


def test_a_training_can_be_gone_on_with_from_its_first_moment(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "net.npz"
    seen = []
    make(callbacks=[lambda trainer, report: seen.append(file.exists())]).run(1, checkpoint=file)
    assert seen == [True]


def test_a_new_training_does_not_replace_the_log_of_another(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    make(callbacks=[Log(path)]).run(3)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"log\.csv is the log of another training, of 3 iterations"
    ):
        make(callbacks=[Log(path)]).run(3)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("changed", ["one more field", "a line that is none"])
def test_a_file_that_only_begins_like_a_log_is_not_changed(
    make: Make, tmp_path: Path, suffix: str, changed: str
) -> None:
    path = tmp_path / f"log{suffix}"
    make(callbacks=[Log(path)]).run(2)
    more = "7,0.5,,1.0,0.1,0.5,extra\n" if suffix == ".csv" else '{"iteration": 7, "mine": 1}\n'
    with path.open("a", encoding="utf-8") as file:
        file.write(more if changed == "one more field" else "my notes\n")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is not a training log"):
        Log(path)
    assert path.read_bytes() == before


def test_two_trainings_that_write_one_log_are_told(make: Make, tmp_path: Path) -> None:
    one, other = (make(callbacks=[Log(tmp_path / "log.csv")]) for _ in range(2))
    one.run(2)
    log = other.callbacks[0]
    log._size = 0  # type: ignore[attr-defined]  # it has begun, when the file was new
    with pytest.raises(OSError, match="another program writes to this log"):
        other.run(2)


def test_nothing_is_left_beside_a_log_that_is_shortened(make: Make, tmp_path: Path) -> None:
    """Lines are removed in place: there is no second file that a kill could leave."""
    path = tmp_path / "log.csv"
    make(callbacks=[Log(path)]).run(5)
    again, seen = make(), []
    again.run(3)
    again.callbacks += [
        Log(path),
        lambda *_: seen.append(sorted(p.name for p in tmp_path.iterdir())),
    ]
    again.run(4)
    assert seen == [["log.csv"]]
    assert [int(row["iteration"]) for row in rows_of(path)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"truncation": Truncation(2, 2), "incremental": True}, "exclude each other; give one"),
        ({"stopping": EarlyStopping()}, "give validate as well"),
        ({"clip_norm": -1.0}, "clip_norm=-1.0; give 0 or more"),
        ({"noise": math.nan}, "noise=nan; give 0 or more"),
        ({"truncation": Truncation(3, 2)}, "k2 must be at least k1"),
    ],
)
def test_options_that_do_not_do_are_refused(
    make: Make, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        make(**options)


# ------------------------------------------------------------------------------------------- feeds


def test_a_stream_reads_every_lane_in_order_and_begins_again() -> None:
    stream = Stream(np.arange(21), np.arange(1, 22), steps=3, lanes=3)
    batches = [stream.next() for _ in range(3)]
    assert [b.fresh for b in batches] == [True, False, True]
    assert batches[0].inputs.T.tolist() == [[0, 1, 2], [7, 8, 9], [14, 15, 16]]
    assert batches[1].targets.T.tolist() == [[4, 5, 6], [11, 12, 13], [18, 19, 20]]
    assert (stream.epoch, stream.per_epoch) == (1, 2)


def test_every_item_comes_once_in_an_epoch_and_each_epoch_in_another_order() -> None:
    feed = Shuffled(list(range(10)), 4, lambda items: Batch(items, items), seed=1)
    epochs = [[i for _ in range(feed.per_epoch) for i in feed.next().inputs] for _ in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 3
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize(
    "make_feed",
    [
        lambda: Stream(np.arange(21), np.arange(21), steps=3, lanes=3),
        lambda: Shuffled(list(range(10)), 4, lambda items: Batch(items, items), seed=1),
        lambda: Drawn(lambda rng: Batch(rng.random(3), [1, 2, 3]), seed=1),
    ],
)
def test_a_feed_goes_on_where_it_was(make_feed: Any) -> None:
    one, two = make_feed(), make_feed()
    for _ in range(5):
        one.next()
    two.load_state_dict(one.state_dict())
    for _ in range(5):
        expected, found = one.next(), two.next()
        assert np.array_equal(expected.inputs, found.inputs)
        assert expected.fresh == found.fresh


def test_a_position_in_other_data_is_refused() -> None:
    one = Stream(np.arange(21), np.arange(21), steps=3)
    other = Stream(np.arange(21) * 2, np.arange(21), steps=3)
    cut = Stream(np.arange(21), np.arange(21), steps=7)
    with pytest.raises(ValueError, match="the data differ from those of the checkpoint"):
        other.load_state_dict(one.state_dict())
    with pytest.raises(ValueError, match="steps and lanes of"):
        cut.load_state_dict(one.state_dict())


@pytest.mark.parametrize(("n", "steps", "lanes"), [(5, 6, 1), (5, 2, 3), (0, 1, 1), (5, 0, 1)])
def test_a_sequence_that_is_too_short_is_refused(n: int, steps: int, lanes: int) -> None:
    with pytest.raises(ValueError, match="give at least"):
        Stream(np.zeros(n), np.zeros(n), steps, lanes)


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(ValueError, match="no sequences to train on"):
        Shuffled([], 1, lambda items: Batch(items, items))


def test_a_trainer_trains_floats_of_32_bits(make: Make) -> None:
    trainer = make()
    trainer.model.to("float32")
    trainer.run(2)
    assert {p.dtype for p in trainer.model.parameters()} == {np.dtype("float32")}
    assert mr.Graph(trainer.objective(trainer.feed.next(), None).total).parameters
