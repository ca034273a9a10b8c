"""Disturbances do what they say, and what they do to a reading is told."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.cohorts import KEYS
from tests.training.evaluation.examinations import a_bright_reader, an_examination
from xray_ai.training.evaluation.robustness import (
    DISTURBANCES,
    Pixels,
    as_jpeg,
    blurred,
    clipped,
    gamma_changed,
    halved,
    noisy,
    robustness_figures,
    some_of_each_source,
    turned,
)
from xray_ai.training.evaluation.scoring import score_images
from xray_ai.training.phantom import Phantom, chest_phantom

pytestmark = pytest.mark.training


def a_chest() -> Pixels:
    return np.asarray(chest_phantom(Phantom(seed=1)), np.uint8)


def distance(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_changed_image_is_still_an_image_and_the_same_each_time(name: str) -> None:
    changed = DISTURBANCES[name](a_chest())

    assert changed.dtype == np.uint8
    assert changed.shape in {a_chest().shape, tuple(side // 2 for side in a_chest().shape)}
    assert changed.std() > 0
    assert (changed == DISTURBANCES[name](a_chest())).all()


def test_noise_has_the_deviation_that_it_says() -> None:
    grey = np.full((200, 200), 128, np.uint8)

    assert noisy(grey, 0.03).std() == pytest.approx(0.03 * 255, rel=0.03)


def test_worse_compression_and_wider_blur_change_more() -> None:
    chest = a_chest()

    assert distance(chest, as_jpeg(chest, 90)) < distance(chest, as_jpeg(chest, 20))
    assert distance(chest, blurred(chest, 0.003)) < distance(chest, blurred(chest, 0.006))


def test_a_turn_is_anticlockwise_and_undone_by_its_opposite() -> None:
    marked = np.zeros((101, 101), np.uint8)
    marked[40:60, 80:100] = 255  # at the right edge

    rows, _ = np.nonzero(turned(marked, 10))

    assert rows.mean() < np.nonzero(marked)[0].mean()  # it went up
    assert distance(turned(turned(marked, 10), -10), marked) < 5


def test_a_window_clips_so_many_pixels_at_both_ends() -> None:
    ramp = np.tile(np.arange(200, dtype=np.uint8), (200, 1))

    found = clipped(ramp, 10)

    assert np.mean(found == 0) == pytest.approx(0.1, abs=0.01)
    assert np.mean(found == 255) == pytest.approx(0.1, abs=0.01)


def test_gamma_below_1_brightens_and_leaves_black_and_white() -> None:
    grey = np.array([[0, 100, 255]], np.uint8)

    assert gamma_changed(grey, 0.7).tolist()[0] == [0, pytest.approx(132, abs=1), 255]


def test_half_the_resolution_has_the_means_of_four_pixels() -> None:
    assert halved(np.array([[0, 4], [8, 12]], np.uint8)).tolist() == [[6]]


def test_as_many_of_each_source_are_chosen_whatever_the_order(tmp_path: Path) -> None:
    images = an_examination(tmp_path).cohort.images

    chosen = some_of_each_source(images, most=12)

    assert sorted(image.source for image in chosen) == ["nih"] + ["source 0"] * 4 + ["source 1"] * 4
    assert set(chosen) == set(some_of_each_source(images[::-1], most=12))


def test_what_a_change_does_to_the_reading_is_told(tmp_path: Path) -> None:
    examination, reader = an_examination(tmp_path / "images"), a_bright_reader(tmp_path)
    scored = score_images(reader, examination.cohort.of(examination.split), KEYS)

    found = robustness_figures(
        reader, scored, reader.pack.card.findings, 1, {"nothing": np.copy, "all black": np.zeros_like}
    )

    nothing, black = found.disturbances
    assert found.images == nothing.images == len(scored.images)
    assert (nothing.mean_probability_change, nothing.flags_changed, nothing.refused) == (0.0, 0.0, 0)
    assert (black.images, black.refused, black.mean_auroc_change) == (0, len(scored.images), None)
