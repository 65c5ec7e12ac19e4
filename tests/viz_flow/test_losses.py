"""The picture of a training: its finding and its parts; gaps, zeros, a single iteration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import viz
from micrornn.training import Report
from viz.plots.losses import LossesView

Golden = Any


def reports(iterations: int = 100, steps: int = 4) -> list[Report]:
    """Losses that fall, those of later steps more slowly."""
    found = []
    for i in range(1, iterations + 1):
        losses = [2.0 * np.exp(-i / (10.0 * t)) for t in range(1, steps + 1)]
        found.append(Report(i, float(np.mean(losses)), losses, 3.0 / i, 0.01))
    return found


def test_it_says_where_it_struggles(golden: Golden) -> None:
    view = LossesView(reports(), "a training")
    assert view.finding == "loss 1.9 at first, 0.0712 at the end; the hardest step is step 4"
    golden("flow/losses.txt", view.text())


def test_loss_norm_and_map_stand_above_one_another() -> None:
    figure = viz.losses(reports(), "a training", clip=1.0)
    loss, norm, steps, bar = figure.axes
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "loss", "norm of the gradient", "time step", "loss of the step",
    ]  # fmt: skip
    faint, mean = loss.lines
    assert len(faint.get_xdata()) == 100
    middle = list(mean.get_xdata()).index(50)
    assert mean.get_ydata()[middle] == pytest.approx(np.mean([r.loss for r in reports()[48:51]]))
    assert [line.get_ydata()[0] for line in norm.lines][-1] == 1.0, "the norm that was clipped to"
    (image,) = steps.images
    assert image.get_array().shape == (4, 100)
    assert bar.get_yscale() == "log"


def test_of_very_many_iterations_several_make_a_column() -> None:
    (image,) = viz.losses(reports(1000)).axes[2].images
    shown = image.get_array()
    assert shown.shape == (4, 240)
    first = [report.losses for report in reports(1000)[:5]]
    assert shown[:, 0].filled() == pytest.approx(np.mean(first, axis=0))


def test_a_clip_that_was_never_reached_is_said_and_not_drawn() -> None:
    norm = viz.losses(reports(), clip=50.0).axes[1]
    assert len(norm.lines) == 2
    assert norm.get_title(loc="right") == "clipped to 50"


def test_one_loss_an_iteration_has_no_map() -> None:
    view = LossesView(reports(steps=1))
    assert "step" not in view.finding
    assert len(view.figure().axes) == 2


def test_a_step_that_was_not_there_is_a_gap_and_not_a_zero() -> None:
    found = reports(3)
    found[1] = found[1]._replace(losses=found[1].losses[:2])
    view = LossesView(found)
    assert np.isnan(view.by_step[2:, 1]).all()
    (image,) = view.figure().axes[2].images
    assert np.isnan(image.get_array()[2:, 1].filled(np.nan)).all()


def test_losses_of_zero_are_drawn() -> None:
    found = [report._replace(loss=0.0, losses=[0.0, 0.0]) for report in reports(5)]
    view = LossesView(found)
    assert view.finding == "loss 0 at first, 0 at the end; no step is much harder than the others"
    assert view.file("png").startswith(b"\x89PNG")


def test_one_iteration_is_a_point_that_one_sees() -> None:
    line = viz.losses(reports(1)).axes[0].lines[0]
    assert line.get_marker() == "o"


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_the_same_training_gives_the_same_bytes(format: str) -> None:
    one, two = (LossesView(reports(), "a training", 1.0).file(format) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("none", [[], iter([]), (report for report in reports(0))])
def test_no_report_is_refused(none: Any) -> None:
    with pytest.raises(ValueError, match="no iteration was reported"):
        LossesView(none)


def test_reports_may_come_one_by_one() -> None:
    assert LossesView(iter(reports())).text() == LossesView(reports()).text()


def test_without_losses_of_steps_there_is_no_map() -> None:
    view = LossesView([report._replace(losses=[]) for report in reports(5)])
    assert view.finding == "loss 1.9 at first, 1.56 at the end"
    assert len(view.figure().axes) == 2
    assert view.text().count("\n") == 8


def test_of_steps_that_are_nan_at_the_end_none_is_the_hardest() -> None:
    found = reports(30)
    found[-3:] = [report._replace(losses=[np.nan] * 4) for report in found[-3:]]
    view = LossesView(found)
    assert view.finding == "loss 1.9 at first, 0.577 at the end; no step has a loss at the end"
    assert "   1        NaN  no path" in view.text()
    assert view.file("png").startswith(b"\x89PNG")


@pytest.mark.parametrize("size", [1e300, 1.7e308])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("iterations", [5, 500])
def test_losses_at_the_end_of_the_numbers_are_drawn(
    size: float, sign: int, iterations: int
) -> None:
    for end in (1.0, 0.5, 1e-3, 0.0):
        values = [size * (1.0 if i % 2 else sign * end) for i in range(iterations)]
        found = [Report(i, v, [size, v], abs(v), 0.1) for i, v in enumerate(values, 1)]
        view = LossesView(found)
        assert np.abs(view.at_the_end()).max() <= size * (1 + 1e-12)
        assert view.finding.endswith(("the hardest step is step 1", "harder than the others"))
        assert view.file("png").startswith(b"\x89PNG")


def test_its_numbers_are_to_be_had() -> None:
    view = LossesView(reports(2, steps=2))
    assert view.as_dict()["iteration"] == [1, 2]
    rows = [(cell.quantity, cell.t, cell.k) for cell in view.cells()]
    assert rows[:4] == [
        ("loss", 1, None), ("norm", 1, None), ("loss of the step", 1, 1), ("loss of the step", 1, 2),
    ]  # fmt: skip


def test_a_step_is_the_hardest_only_where_it_stands_out() -> None:
    """The steps of a window that was cut anywhere differ by chance alone."""
    found = [report._replace(losses=[1.0, 1.2, 1.1]) for report in reports(5)]
    assert LossesView(found).finding.endswith("no step is much harder than the others")
    found = [report._replace(losses=[1.0, 1.2, 2.0]) for report in reports(5)]
    assert LossesView(found).finding.endswith("the hardest step is step 3")


def test_the_loss_on_kept_data_stands_beside_the_other() -> None:
    found = [
        one._replace(validation=2.5) if one.iteration % 20 == 0 else one for one in reports(100)
    ]
    view = LossesView(found)
    assert ", 2.5 on held-out data" in view.finding
    above = view.figure().axes[0]
    (kept,) = [line for line in above.lines if line.get_label() == "on held-out data"]
    assert above.get_title(loc="right").endswith("on held-out data")
    assert list(kept.get_xdata()) == [20, 40, 60, 80, 100]
    assert [cell.t for cell in view.cells() if cell.quantity == "validation"] == [
        20,
        40,
        60,
        80,
        100,
    ]
    assert view.as_dict()["validation"]["20"] == 2.5
