"""Figures of a pack: what it scored through the serving reader, with intervals over patients and not over images."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.packs import TinyFinding, a_pack, a_reader
from tests.training.cohorts import KEYS, a_cohort, a_cohort_image, draw
from xray_ai.inference.pack_card import PerformanceCard
from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.evaluate import Scored, auroc, bootstrap, evaluate, mean_auroc, score_images

pytestmark = pytest.mark.training

BRIGHTNESS = TinyFinding("mass", weight=10.0)


def a_scored(patients: list[str], seed: int = 0) -> Scored:
    """One image for each of these patients, two outputs, scored by a mediocre network."""
    draw_from = np.random.default_rng(seed)
    labels = (np.arange(len(patients)) % 2).astype(np.float64)[:, None].repeat(2, axis=1)
    probabilities = np.clip(0.4 + 0.2 * labels + draw_from.normal(0, 0.2, labels.shape), 0, 1)
    return Scored(tuple(a_cohort_image(patient) for patient in patients), probabilities, labels, not_read=0)


def first_output(scored: Scored) -> float:
    return mean_auroc(scored, [0])


def test_auroc_is_the_chance_that_a_patient_with_the_finding_scores_higher() -> None:
    labels, scores = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])

    assert auroc(labels, scores) == pytest.approx(3 / 4)
    assert auroc(labels, labels) == 1.0


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_auroc_of_one_class_is_no_number(label: float) -> None:
    assert np.isnan(auroc(np.full(3, label), np.array([0.1, 0.2, 0.3])))


def test_the_mean_is_over_the_findings_that_have_both_classes() -> None:
    labels = np.array([[0.0, 0.0], [1.0, 0.0]])
    scored = replace(a_scored(["p1", "p2"]), labels=labels, probabilities=np.array([[0.2, 0.1], [0.9, 0.3]]))

    assert mean_auroc(scored, [0, 1]) == 1.0
    assert np.isnan(mean_auroc(scored, [1]))


def test_an_interval_holds_its_figure_and_repeats_with_its_seed() -> None:
    scored = a_scored([f"p{number}" for number in range(60)])

    interval, again, other = (bootstrap(scored, first_output, seed) for seed in (1, 1, 2))

    assert interval.low < interval.value < interval.high
    assert interval == again != other
    assert interval.value == pytest.approx(first_output(scored), abs=1e-4)


def test_more_images_of_the_same_patients_make_no_figure_more_certain() -> None:
    once = a_scored([f"p{number}" for number in range(60)])
    fourfold = Scored(once.images * 4, np.tile(once.probabilities, (4, 1)), np.tile(once.labels, (4, 1)), 0)

    assert bootstrap(fourfold, first_output, 1) == bootstrap(once, first_output, 1)


def test_more_patients_make_a_figure_more_certain() -> None:
    once = a_scored([f"p{number}" for number in range(60)])
    others = tuple(a_cohort_image(f"q{number}") for number in range(240))
    fourfold = Scored(others, np.tile(once.probabilities, (4, 1)), np.tile(once.labels, (4, 1)), 0)

    wide, narrow = bootstrap(once, first_output, 1), bootstrap(fourfold, first_output, 1)

    assert narrow.high - narrow.low < 0.7 * (wide.high - wide.low)


def images_for_the_test(folder: Path) -> tuple[Cohort, tuple[CohortImage, ...]]:
    """A cohort with eight drawn chests for the test, and one blank image that cannot be read."""
    drawn = a_cohort(folder, train=0, tune=8).images
    blank = a_cohort_image("p99", path=folder / "blank.png", labels=(1.0, 1.0))
    cv2.imwrite(str(blank.path), np.full((96, 96), 9, np.uint8))
    images = tuple(replace(image, split=Split.TEST) for image in (*drawn, blank))
    return Cohort(KEYS, images), images


def test_every_image_is_read_as_the_service_would_and_refusals_are_counted(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path, [BRIGHTNESS]))
    cohort, images = images_for_the_test(tmp_path / "images")

    scored = score_images(reader, images)

    assert scored.images == images[:-1]
    assert scored.not_read == 1
    assert scored.probabilities.shape == scored.labels.shape == (8, len(cohort.finding_keys))


@pytest.fixture(scope="module")
def performance(tmp_path_factory: pytest.TempPathFactory) -> PerformanceCard:
    """How a network that looks at brightness alone does on them; its bootstrap takes seconds."""
    folder = tmp_path_factory.mktemp("evaluated")
    cohort, images = images_for_the_test(folder / "images")
    return evaluate(a_reader(a_pack(folder, [BRIGHTNESS])), cohort, images, "drawn chests", seed=3)


def test_the_card_says_on_what_a_pack_was_measured(performance: PerformanceCard) -> None:
    assert performance.measured_on == "drawn chests"
    assert (performance.images, performance.patients, performance.not_read) == (8, 8, 1)
    assert "patients" in performance.interval_method
    assert performance.auroc.keys() == set(KEYS)
    assert {figure.positives for figure in performance.auroc.values()} == {4}


def test_abnormality_is_not_among_the_findings_of_the_mean(performance: PerformanceCard) -> None:
    assert performance.auroc["abnormality"].value == 0.5  # the network does not look at all
    assert performance.mean_auroc.value == performance.auroc["mass"].value != 0.5


def test_one_image_may_be_scored_by_itself(tmp_path: Path) -> None:
    reader = a_reader(a_pack(tmp_path, [BRIGHTNESS]))
    image = a_cohort_image(path=draw(tmp_path / "chest.png", seed=1))

    assert score_images(reader, [image]).patients.tolist() == ["p1"]
