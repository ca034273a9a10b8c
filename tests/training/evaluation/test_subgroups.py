"""Groups are those of the images, each with its own figures."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.training.cohorts import a_cohort_image
from tests.training.evaluation.scores import a_scored, independent, mediocre
from xray_ai.training.datasets.cohort import CohortImage
from xray_ai.training.evaluation.scoring import Scored
from xray_ai.training.evaluation.shortcut import abnormality_figures, shortcut
from xray_ai.training.evaluation.subgroups import GROUPINGS, age_band, groups, subgroup_figures

pytestmark = pytest.mark.training


def an_image(folder: Path, side: int, **changes: Any) -> CohortImage:  # noqa: ANN401
    """An image of so many pixels a side; its content does not matter."""
    file = folder / f"{side}.png"
    if not file.exists():
        cv2.imwrite(str(file), np.zeros((side, side), np.uint8))
    return a_cohort_image(path=file, **changes)


def two_copies(folder: Path, patients: str) -> Scored:
    """A small copy, mostly without a finding, and a large one, mostly with; the pack sees the finding too."""
    sides = np.repeat([30, 60], 60)
    labels = np.concatenate([np.arange(60) % 4 == 0, np.arange(60) % 4 != 0]).astype(np.float64)[:, None].repeat(2, 1)
    images = tuple(
        an_image(folder, side, patient=f"{patients}{number}", source_copy=f"copy {side}", labels=tuple(label))
        for number, (side, label) in enumerate(zip(sides, labels, strict=True))
    )
    return a_scored(labels, np.clip(mediocre(120, seed=3).probabilities * 0.5 + labels * 0.2, 0, 1), images)


@pytest.mark.parametrize(
    ("age", "band"),
    [("0", "0 to 17"), ("17", "0 to 17"), ("18", "18 to 39"), ("93", "80 and over"), ("411", "unknown")],
)
def test_ages_are_told_by_band_and_impossible_ones_not_at_all(age: str, band: str) -> None:
    assert age_band(a_cohort_image(age=age)) == band
    assert age_band(a_cohort_image(age="")) == "unknown"


def test_each_image_is_in_one_group_of_each_grouping(tmp_path: Path) -> None:
    scored = two_copies(tmp_path, "p")

    for grouping in GROUPINGS.values():
        assert np.sum([chosen for _, chosen in groups(scored, grouping)], axis=0).tolist() == [1] * 120


def test_resolutions_come_in_the_order_of_their_size(tmp_path: Path) -> None:
    images = tuple(an_image(tmp_path, side) for side in (300, 64, 128))

    names = [name for name, _ in groups(a_scored(np.zeros((3, 2)), np.zeros((3, 2)), images), GROUPINGS["resolution"])]

    assert names == ["64 px", "128 px", "300 px"]


def test_a_group_tells_what_stands_behind_its_figures(tmp_path: Path) -> None:
    small, large = (
        one for one in subgroup_figures(two_copies(tmp_path, "p"), independent(120)) if one.by == "resolution"
    )

    assert (small.group, small.images, small.patients, small.positives, small.findings) == ("30 px", 60, 60, 15, 1)
    assert (large.group, large.positives) == ("60 px", 45)
    assert small.mean_auroc is not None
    assert 0.5 < small.mean_auroc.value <= 1.0


def test_a_group_with_too_few_of_a_class_has_no_figure(tmp_path: Path) -> None:
    images = tuple(an_image(tmp_path, 30, patient=f"p{number}", sex="FM"[number < 9]) for number in range(60))
    scored = mediocre(60)

    men = next(
        one
        for one in subgroup_figures(a_scored(scored.labels, scored.probabilities, images), independent(60))
        if one.group == "M"
    )

    assert (men.images, men.findings, men.mean_auroc, men.abnormality) == (9, 0, None, None)


def test_a_classifier_that_sees_size_alone_knows_what_sizes_give_away(tmp_path: Path) -> None:
    train, scored = two_copies(tmp_path, "t").images, two_copies(tmp_path, "p")

    answers = shortcut(train, scored.images, 1, sees_source=False, seed=0)

    assert len(set(answers.tolist())) == 2
    assert answers[:60].max() < 0.3
    assert answers[60:].min() > 0.7


def test_a_source_that_was_never_learnt_is_no_source(tmp_path: Path) -> None:
    train = two_copies(tmp_path, "t").images
    stranger = an_image(tmp_path, 30, source="elsewhere", source_copy="elsewhere")

    assert 0.0 <= shortcut(train, [stranger], 1, sees_source=True, seed=0)[0] <= 1.0


def test_within_a_copy_nothing_is_left_of_what_sees_no_pixel(tmp_path: Path) -> None:
    train, scored = two_copies(tmp_path, "t").images, two_copies(tmp_path, "p")

    rows, within = abnormality_figures(scored, train, independent(120), seed=0)

    everything = rows[0]
    assert everything.size_alone is not None
    assert everything.size_alone.value == pytest.approx(0.75)
    assert within.size_and_source is not None
    assert within.size_and_source.value == 0.5


def test_the_mean_within_copies_is_over_those_with_enough_of_both_classes(tmp_path: Path) -> None:
    train, scored = two_copies(tmp_path, "t").images, two_copies(tmp_path, "p")
    few = scored.of(np.arange(120) < 65)  # five images of the second copy

    rows, within = abnormality_figures(few, train, independent(65), seed=0)

    told = {row.part: row.pack for row in rows}
    assert told["copy copy 60"] is None
    assert within.pack == told["copy copy 30"]
    assert (within.images, within.positives) == (60, 15)
