"""The share of a heatmap's energy inside the lungs and heart, and what chance would give."""

import numpy as np
import pytest

from tests.training.localisation.calls import LEFT, LEFT_HALF, RIGHT, a_call, a_heatmap
from xray_ai.domain.reading import SourceBox
from xray_ai.imaging.overlay import FAINTEST_SHOWN, in_source_pixels
from xray_ai.training.localisation.energy import Places, energy_of, figures_of, outside_of
from xray_ai.training.localisation.lung_region import Outlines, region_within
from xray_ai.training.localisation.measured import PlaceFigures

pytestmark = pytest.mark.training

BOX = SourceBox(30.0, 10.0, 330.0, 210.0)
TRIANGLE = ((0.2, 0.2), (0.9, 0.3), (0.4, 0.9))


def figures_by_name(places: Places) -> dict[str, PlaceFigures]:
    return {figures.of: figures for figures in figures_of(places, seed=1)}


def test_all_energy_of_a_map_sums_to_one() -> None:
    assert energy_of(a_heatmap()).sum() == pytest.approx(1.0)


def test_what_is_too_faint_to_be_drawn_counts_nothing() -> None:
    heatmap = a_heatmap()
    heatmap.values[0, 5] = FAINTEST_SHOWN / 2

    assert energy_of(heatmap)[:16, -16:].sum() == 0.0
    assert energy_of(heatmap, faintest=0.0)[:16, -16:].sum() > 0.0


def test_the_share_in_the_frame_is_the_share_in_source_pixels() -> None:
    rows, columns = 360, 240
    heat = in_source_pixels(a_heatmap((2, 2), box=BOX), rows, columns)
    drawn = np.where(heat >= FAINTEST_SHOWN, heat, 0.0)
    outlines = Outlines(right_lung=TRIANGLE, left_lung=TRIANGLE, heart=TRIANGLE)
    in_source = region_within(outlines, SourceBox(0, 0, rows, columns), rows, columns)
    nearest = in_source[np.arange(rows) * 96 // rows][:, np.arange(columns) * 96 // columns]

    share = (energy_of(a_heatmap((2, 2))) * region_within(outlines, BOX, rows, columns)).sum()

    assert share == pytest.approx((drawn * nearest).sum() / drawn.sum(), abs=0.02)


@pytest.mark.parametrize(("hot", "inside"), [(LEFT, 1.0), (RIGHT, 0.0)])
def test_a_call_lies_where_its_hot_cell_is(hot: tuple[int, int], inside: float) -> None:
    assert a_call(hot=hot).inside == pytest.approx(inside, abs=0.01)


def test_energy_outside_is_above_below_or_beside_the_region() -> None:
    band = np.zeros_like(LEFT_HALF)
    band[32:64, 16:80] = 1.0

    outsides = [outside_of(energy_of(a_heatmap(hot)), band) for hot in [(0, 2), (5, 3), (3, 5)]]

    assert [outside.above for outside in outsides] == pytest.approx([1.0, 0.0, 0.0], abs=0.03)
    assert [outside.below for outside in outsides] == pytest.approx([0.0, 1.0, 0.0], abs=0.03)
    assert [outside.beside for outside in outsides] == pytest.approx([0.0, 0.0, 1.0], abs=0.15)


def test_chance_by_area_is_the_share_of_the_map_that_the_region_covers() -> None:
    places = Places.of([a_call()])

    assert places.by_area.tolist() == [0.5]
    assert np.isnan(places.by_others).all()  # there is no other patient


def test_chance_by_others_lays_other_patients_maps_of_the_finding_on_this_region() -> None:
    calls = [a_call("p1", LEFT), a_call("p1", LEFT), a_call("p2", RIGHT), a_call("p3", LEFT, key="edema")]

    places = Places.of(calls)

    assert places.by_others[:3] == pytest.approx([0.0, 0.0, 1.0], abs=0.01)
    assert np.isnan(places.by_others[3])


def test_a_map_that_is_the_same_for_every_patient_is_no_better_than_others() -> None:
    same = figures_by_name(Places.of([a_call(f"p{number}") for number in range(8)]))["mass"]

    assert same.above_area.low > 0.4
    assert same.above_others is not None
    assert (same.above_others.low, same.above_others.high) == (0.0, 0.0)


def test_calls_that_the_label_confirms_are_told_apart() -> None:
    right = [a_call(f"p{number}") for number in range(3)]
    wrong = [a_call(f"q{number}", RIGHT, is_labelled=False) for number in range(2)]

    figures = figures_by_name(Places.of(right + wrong))

    assert [figures[f"all findings{which}"].calls for which in ("", ", label yes", ", label no")] == [5, 3, 2]
    assert figures["all findings, label no"].inside.value == pytest.approx(0.0, abs=0.01)
    assert figures["all findings"].inside.value == pytest.approx(3 / 5, abs=0.01)


def test_abnormality_is_measured_but_is_no_finding() -> None:
    figures = figures_by_name(Places.of([a_call(), a_call("p2", key="abnormality")]))

    assert figures["all findings"].calls == figures["abnormality"].calls == 1


def test_more_images_of_one_patient_make_no_figure_more_certain() -> None:
    calls = [a_call(f"p{number}", (LEFT, RIGHT)[number % 2]) for number in range(10)]

    once, thrice = figures_by_name(Places.of(calls)), figures_by_name(Places.of(calls * 3))

    assert once["mass"].inside == thrice["mass"].inside
