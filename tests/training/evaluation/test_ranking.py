"""AUROC and average precision of weighted images, as scikit-learn has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.training.evaluation.scores import a_scored, each_once, independent, mediocre
from xray_ai.training.evaluation.ranking import (
    CURVE_POINTS,
    auroc,
    average_precision,
    mean_auroc,
    precision_recall_curve,
    roc_curve,
)

pytestmark = pytest.mark.training

IMAGES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 4), st.integers(1, 3)),  # label, score with ties, weight
    min_size=2,
    max_size=30,
).filter(lambda images: len({label for label, _, _ in images}) == 2)


def test_auroc_is_the_chance_that_a_patient_with_the_finding_scores_higher() -> None:
    labels, scores = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])

    assert auroc(labels, scores, each_once(4)).tolist() == [3 / 4]
    assert auroc(labels, labels, each_once(4)).tolist() == [1.0]
    assert auroc(labels, np.zeros(4), each_once(4)).tolist() == [0.5]


@given(IMAGES)
def test_both_areas_are_those_of_scikit_learn(images: list[tuple[bool, int, int]]) -> None:
    labels, scores, weights = (np.array(part, np.float64) for part in zip(*images, strict=True))

    areas = [area(labels, scores, weights[None])[0] for area in (auroc, average_precision)]

    assert areas[0] == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    assert areas[1] == pytest.approx(average_precision_score(labels, scores, sample_weight=weights))


def test_a_draw_counts_an_image_as_often_as_it_was_drawn() -> None:
    scored, weights = mediocre(40), independent(40, resamples=5).weights[1:]
    labels, scores = scored.labels[:, 0], scored.probabilities[:, 0]

    copies = [np.repeat(np.arange(40), drawn.astype(int)) for drawn in weights]

    theirs = [roc_auc_score(labels[drawn], scores[drawn]) for drawn in copies]
    assert auroc(labels, scores, weights) == pytest.approx(theirs)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_auroc_of_one_class_is_no_number(label: float) -> None:
    assert np.isnan(auroc(np.full(3, label), np.array([0.1, 0.2, 0.3]), each_once(3))).all()


def test_an_image_whose_label_is_unknown_counts_nothing() -> None:
    labels, scores = np.array([0.0, 1.0, 0.0, 1.0, np.nan]), np.array([0.1, 0.3, 0.4, 0.8, 0.9])

    for area in (auroc, average_precision):
        assert area(labels, scores, each_once(5)) == pytest.approx(area(labels[:4], scores[:4], each_once(4)))


def test_the_mean_is_over_the_findings_that_have_both_classes() -> None:
    scored = a_scored(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.2, 0.1], [0.9, 0.3]]))

    assert mean_auroc(scored, independent(2), [0, 1])[0] == 1.0
    assert np.isnan(mean_auroc(scored, independent(2), [1])[0])
    assert np.isnan(mean_auroc(scored, independent(2), [])[0])


def test_a_finding_is_in_the_headline_from_ten_images_of_either_class_on() -> None:
    labels = np.zeros((30, 3))
    labels[:10, 0] = labels[:9, 1] = labels[:15, 2] = 1.0

    scored = a_scored(labels, labels, keys=("mass", "nodule", "abnormality"))

    assert scored.frequent == (0,)
    assert scored.findings == (0, 1)


def test_curves_run_over_all_thresholds_and_are_thinned() -> None:
    scored = mediocre(500)
    labels, scores = scored.labels[:, 0], scored.probabilities[:, 0]

    roc, precision_recall = roc_curve(labels, scores), precision_recall_curve(labels, scores)

    assert (roc[0], roc[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert precision_recall[-1] == (1.0, 0.5)
    assert len(roc) == len(precision_recall) == CURVE_POINTS
    assert np.trapezoid([y for _, y in roc], [x for x, _ in roc]) == pytest.approx(
        roc_auc_score(labels, scores), abs=0.01
    )


def test_a_curve_of_one_class_is_not_drawn() -> None:
    assert roc_curve(np.ones(3), np.arange(3.0)) == ()
    assert precision_recall_curve(np.zeros(3), np.arange(3.0)) == ()
