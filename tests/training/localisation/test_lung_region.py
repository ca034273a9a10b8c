"""Where lungs and heart are: outlines drawn by hand, and what is carried over to other radiographs."""

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from tests.training.cohorts import a_cohort_image
from xray_ai.domain.reading import SourceBox
from xray_ai.training.datasets.cohort import Split, develop_split
from xray_ai.training.localisation.lung_region import (
    SIDE_PX,
    Atlas,
    Frame,
    Outlines,
    dice,
    drawn_by_hand,
    name_of,
    region_within,
    survey_of,
)
from xray_ai.training.phantom import Phantom, chest_phantom

pytestmark = pytest.mark.training

LEFT_THIRD = ((0.0, 0.0), (1 / 3, 0.0), (1 / 3, 1.0), (0.0, 1.0))
LEFT_TWO_THIRDS = Outlines(
    right_lung=LEFT_THIRD, left_lung=tuple((x + 1 / 3, y) for x, y in LEFT_THIRD), heart=LEFT_THIRD
)
DISC = np.asarray(cv2.circle(np.zeros((SIDE_PX, SIDE_PX), np.float32), (48, 48), 30, 1.0, -1), np.float32)


def moved(frame: Frame, right_px: int) -> Frame:
    return np.roll(frame, right_px, axis=1)


def a_survey(seed: int) -> Frame:
    return survey_of(np.asarray(chest_phantom(Phantom(seed)) / 255.0, np.float32))


def test_thirty_radiographs_or_more_were_drawn_and_all_are_of_tuning_patients() -> None:
    patients = [name.split("/")[1].split("_")[0] for name in drawn_by_hand()]

    assert len(patients) >= 30
    assert {develop_split(f"nih:{patient}") for patient in patients} == {Split.TUNE}


def test_an_outline_stays_inside_the_image() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Outlines(right_lung=((0.1, 0.1), (1.2, 0.1), (0.5, 0.9)), left_lung=LEFT_THIRD, heart=LEFT_THIRD)


def test_a_radiograph_is_named_by_its_source_and_file() -> None:
    assert name_of(a_cohort_image("p1")) == "nih/p1.png"


def test_a_region_is_a_share_of_what_the_heatmap_covers() -> None:
    whole = region_within(LEFT_TWO_THIRDS, SourceBox(0, 0, 120, 90), 120, 90)
    right_half = region_within(LEFT_TWO_THIRDS, SourceBox(0, 45, 120, 90), 120, 90)

    assert whole.mean() == pytest.approx(2 / 3, abs=0.01)
    assert right_half.mean() == pytest.approx(1 / 3, abs=0.01)
    assert right_half[:, : SIDE_PX // 4].all()


def test_dice_is_one_for_the_same_region_and_none_for_what_lies_apart() -> None:
    half = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    half[:, : SIDE_PX // 2] = 1.0

    assert (dice(half, half), dice(half, 1 - half)) == (1.0, 0.0)
    assert dice(half, np.ones_like(half)) == pytest.approx(2 / 3)


def test_a_region_moves_with_the_radiograph_that_it_is_carried_to() -> None:
    known = Atlas(np.stack([a_survey(seed) for seed in range(3)]), np.stack([DISC] * 3))

    carried = known.carried_to(moved(a_survey(0), 8))

    assert dice(carried, moved(DISC, 8)) > 0.95 > dice(carried, DISC)


def test_a_radiograph_on_which_nothing_can_be_laid_has_the_mean_region() -> None:
    known = Atlas(np.stack([a_survey(0)] * 2), np.stack([DISC] * 2))

    assert np.array_equal(known.carried_to(np.zeros_like(DISC)), DISC)


def test_agreement_leaves_each_radiograph_out_in_its_turn() -> None:
    strange = 1 - DISC
    surveys = np.stack([a_survey(seed) for seed in range(4)])

    agreement = Atlas(surveys, np.stack([DISC, DISC, DISC, strange])).agreement()

    assert agreement[:3].min() > 0.9
    assert agreement[3] < 0.2
