"""From a pack and a data folder to figures, twelve cases and the manual's page."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.packs import a_pack, a_reader, present
from tests.training.cohorts import KEYS, a_cohort_image, draw
from tests.training.localisation.calls import a_call
from xray_ai.training.datasets.cohort import Cohort, Split
from xray_ai.training.localisation.energy import Call
from xray_ai.training.localisation.lung_region import drawn_by_hand
from xray_ai.training.localisation.measure import measure, twelve_of
from xray_ai.training.localisation.measured import Localisation
from xray_ai.training.localisation.page import BEGIN, END, PAGE, PICTURE, SHEET, PageWithoutMarks, write_localisation
from xray_ai.training.localisation.sheet import with_radiographs, without_radiographs

pytestmark = pytest.mark.training

Measured = tuple[Localisation, tuple[Call, ...]]


def a_tuning_cohort(folder: Path, count: int) -> Cohort:
    """Drawn chests in the place of radiographs whose lungs were drawn by hand, and one more that cannot be read."""
    images = []
    for number, name in enumerate(list(drawn_by_hand())[:count]):
        source, file = name.split("/")
        path = draw(folder / source / file, number)
        images.append(a_cohort_image(f"p{number}", Split.TUNE, path=path, source=source, labels=(1.0, 1.0)))
    blank = a_cohort_image("blank", Split.TUNE, path=folder / "blank.png")
    cv2.imwrite(str(blank.path), np.full((96, 96), 9, np.uint8))
    never_read = a_cohort_image("tested", Split.TEST, path=folder / "not-there.png")
    return Cohort(KEYS, (*images, blank, never_read))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """What is measured of a pack that calls a mass on every image."""
    folder = tmp_path_factory.mktemp("localised")
    cohort = a_tuning_cohort(folder / "images", 13)
    return measure(a_reader(a_pack(folder, [present("mass")])), cohort, seed=1)


def a_manual(folder: Path) -> Path:
    (folder / "img").mkdir(parents=True)
    (folder / PAGE).write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n", "utf-8")
    return folder


def test_tuning_images_are_read_and_refusals_are_counted(measured: Measured) -> None:
    figures, _ = measured

    assert (figures.images_drawn, figures.images_all, figures.not_read) == (13, 13, 1)
    assert figures.agreement.images == 13
    assert figures.pack == "tiny"


def test_regions_are_carried_over_only_where_they_agree_with_those_drawn(measured: Measured) -> None:
    figures, _ = measured

    assert figures.agreement.is_enough == (figures.agreement.mean_dice >= 0.85) == bool(figures.carried_over)


def a_ranking(images: int, calls_each: int = 1) -> list[Call]:
    """Calls on this many images, from inside the region to beside it; the first of each image is the strongest."""
    return [
        a_call(f"p{number}", (3, 1 + number % 5), key=f"finding{turn}", probability=0.9 - 0.1 * turn)
        for number in range(images)
        for turn in range(calls_each)
    ]


def test_cases_are_the_best_the_middle_and_the_worst_in_order() -> None:
    calls = a_ranking(30)

    inside = [case.inside for case in twelve_of(calls)]

    assert len(inside) == 12
    assert inside == sorted(inside, reverse=True)
    assert inside[0] == max(call.inside for call in calls)
    assert inside[5] == np.median([call.inside for call in calls])
    assert inside[11] == min(call.inside for call in calls)


def test_a_case_is_the_strongest_call_of_its_image() -> None:
    assert {case.heatmap.finding for case in twelve_of(a_ranking(20, calls_each=3))} == {"finding0"}


def test_second_calls_fill_up_where_few_images_have_any() -> None:
    cases = twelve_of(a_ranking(7, calls_each=3))

    assert len(cases) == 12
    assert {case.heatmap.finding for case in cases} == {"finding0", "finding1"}


def test_few_calls_are_all_shown_and_none_twice() -> None:
    assert len(twelve_of(a_ranking(9))) == 9
    assert twelve_of([a_call(key="abnormality")]) == ()


def test_the_manuals_picture_holds_no_pixel_of_a_radiograph(measured: Measured, tmp_path: Path) -> None:
    case = measured[1][0]
    other = draw(tmp_path / case.image.path.name, seed=99, masses=6)
    elsewhere = replace(case, image=replace(case.image, path=other))

    assert np.array_equal(without_radiographs([case]), without_radiographs([elsewhere]))
    assert not np.array_equal(with_radiographs([case]), with_radiographs([elsewhere]))


def test_one_command_brings_the_page_up_to_date_and_keeps_its_text(measured: Measured, tmp_path: Path) -> None:
    docs = a_manual(tmp_path / "docs")

    file = write_localisation(*measured, tmp_path / "out", docs)

    page = (docs / PAGE).read_text("utf-8")
    assert page.startswith("Before.")
    assert page.endswith("After.\n")
    assert "old" not in page
    assert page.count("| mass | 13 | 13 |") == 1 + bool(measured[0].carried_over)
    assert (docs / PICTURE).exists()
    assert (tmp_path / "out" / SHEET).exists()
    assert Localisation.model_validate_json(file.read_text("utf-8")) == measured[0]


def test_a_page_without_marks_is_left_alone(measured: Measured, tmp_path: Path) -> None:
    docs = a_manual(tmp_path / "docs")
    (docs / PAGE).write_text("No marks.", "utf-8")

    with pytest.raises(PageWithoutMarks, match="lacks the marks"):
        write_localisation(*measured, tmp_path / "out", docs)

    assert (docs / PAGE).read_text("utf-8") == "No marks."
