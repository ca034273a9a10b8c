"""What a network learns from is what it will be served: the same pixels, made by the same recipe."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.cohorts import a_cohort, a_cohort_image, a_run, draw
from xray_ai.errors import StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.preprocess import Recipe, as_input, prepare
from xray_ai.training.cohort_dataset import CohortDataset, normalised, prepared_greys
from xray_ai.training.datasets.cohort import Split

pytestmark = pytest.mark.training

UNKNOWN = float("nan")
RECIPE: Recipe = a_run().recipe.recipe()
HALF_A_GREY_LEVEL = 0.5 / 255 / RECIPE.standard_deviation


@pytest.mark.parametrize("side", [32, 64, 96])
def test_training_and_serving_see_the_same_pixels(tmp_path: Path, side: int) -> None:
    images = a_cohort(tmp_path, train=2, tune=0).of(Split.TRAIN)

    learnt = normalised(CohortDataset(images, RECIPE, side, tmp_path / "cache")[1][0], RECIPE)

    stored = open_grey_file(images[1].path)
    served = as_input(prepare(stored, PLAIN, replace(RECIPE, rows=side, columns=side)).grey, RECIPE)
    np.testing.assert_allclose(learnt[None].numpy(), served, atol=1.01 * HALF_A_GREY_LEVEL)


def test_labels_come_with_their_image_and_unknown_ones_stay_unknown(tmp_path: Path) -> None:
    file = draw(tmp_path / "a.png", seed=1)
    images = [a_cohort_image(path=file, labels=labels) for labels in ((1.0, UNKNOWN), (0.0, 1.0))]

    dataset = CohortDataset(images, RECIPE, 32, tmp_path / "cache")

    assert len(dataset) == 2
    torch.testing.assert_close(dataset[0][1], torch.tensor([1.0, UNKNOWN]), equal_nan=True)
    torch.testing.assert_close(dataset[1][1], torch.tensor([0.0, 1.0]))


def test_images_are_prepared_once_for_one_recipe(tmp_path: Path) -> None:
    images = a_cohort(tmp_path, train=2, tune=0).of(Split.TRAIN)
    first = prepared_greys(images, RECIPE, tmp_path / "cache")

    for image in images:
        image.path.unlink()

    np.testing.assert_array_equal(prepared_greys(images, RECIPE, tmp_path / "cache"), first)


def test_another_recipe_prepares_images_anew(tmp_path: Path) -> None:
    images = a_cohort(tmp_path, train=1, tune=0).of(Split.TRAIN)
    first = prepared_greys(images, RECIPE, tmp_path / "cache")

    darker = replace(RECIPE, grey_range=replace(RECIPE.grey_range, low_percentile=30.0))

    assert (prepared_greys(images, darker, tmp_path / "cache") != first).any()


def test_a_file_that_is_no_image_stops_the_run(tmp_path: Path) -> None:
    broken = a_cohort_image(path=tmp_path / "broken.jpg")
    broken.path.write_bytes(b"no image")

    with pytest.raises(StudyRejected):
        prepared_greys([broken], RECIPE, tmp_path / "cache")
