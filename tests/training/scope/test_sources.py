"""No picture is on two sides: what was held out is held out with all that looks like it."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.cohorts import draw
from tests.training.scope.scope_runs import COLUMNS, a_data_folder
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.training.datasets.cohort import Split, develop_split
from xray_ai.training.scope.sources import ScopeImage, digest_of, read_sources

pytestmark = pytest.mark.training


def a_listing(folder: Path, *rows: tuple[str, str, str, str]) -> tuple[ScopeImage, ...]:
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as manifest:
        csv.writer(manifest).writerows((COLUMNS, *rows))
    return read_sources(folder)


def a_picture(folder: Path, name: str, seed: int) -> str:
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    cv2.imwrite(str(folder / name), cv2.resize(noise, (64, 64), interpolation=cv2.INTER_NEAREST))
    return name


def test_the_nih_keeps_its_test_patients_and_its_tuning_patients(tmp_path: Path) -> None:
    kept, other = a_listing(tmp_path, ("a.png", "nih", "nih:1", "test"), ("b.png", "nih-128px", "nih:2", "develop"))

    assert kept.split is Split.TEST
    assert other.split is develop_split("nih:2")


def test_covid_chests_are_only_measured_on(tmp_path: Path) -> None:
    (image,) = a_listing(tmp_path, ("a.png", "covid-chestxray-dataset", "ccd:1", "develop"))

    assert (image.split, image.is_chest) == (Split.TEST, True)


def test_images_of_one_child_are_on_one_side(tmp_path: Path) -> None:
    rows = [(f"{number}.png", "kermany", f"ker:{number // 3}", "develop") for number in range(90)]

    images = a_listing(tmp_path, *rows)

    assert len({(image.group, image.split) for image in images}) == 30
    assert {image.split for image in images} == set(Split)


def test_a_picture_under_two_names_is_one_group_and_so_is_its_negative(tmp_path: Path) -> None:
    first = a_picture(tmp_path, "hopper.png", seed=1)
    cv2.imwrite(str(tmp_path / "exif.png"), 255 - np.asarray(open_grey_file(tmp_path / first).values))
    another = a_picture(tmp_path, "flower.png", seed=2)

    images = a_listing(tmp_path, *((name, "pillow-tests", "", "develop") for name in (first, "exif.png", another)))

    assert images[0].group == images[1].group != images[2].group


def test_pictures_that_share_their_first_word_are_one_group(tmp_path: Path) -> None:
    names = [a_picture(tmp_path, f"Tests_images_text_{seed}.png", seed) for seed in range(3)]

    images = a_listing(tmp_path, *((name, "pillow-tests", "", "develop") for name in names))

    assert len({image.group for image in images}) == 1


def test_the_digest_tells_another_cohort(tmp_path: Path) -> None:
    images = read_sources(a_data_folder(tmp_path, patients=4))

    assert digest_of(images) == digest_of(images[::-1]) != digest_of(images[1:])


def test_a_drawn_chest_counts_as_a_chest_and_blood_does_not(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", seed=1)

    images = a_listing(tmp_path, ("a.png", "nih", "nih:1", "develop"), ("b.png", "bccd", "", "develop"))

    assert [image.is_chest for image in images] == [True, False]


def test_what_a_person_saw_outweighs_what_the_set_says(tmp_path: Path) -> None:
    rows = [(f"nih/{name}", "nih", f"nih:{name}", "develop") for name in ("00002639_009.jpg", "00003562_000.jpg")]

    lateral, turned = a_listing(tmp_path, *rows)

    assert (lateral.shows, lateral.is_chest, lateral.is_other) == ("lateral", False, True)
    assert (turned.shows, turned.is_chest, turned.is_other) == ("turned_180", False, False)
