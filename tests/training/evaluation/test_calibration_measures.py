"""Calibration figures recover what was put in."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.training.evaluation.scores import a_finding, independent, sigmoid
from xray_ai.training.evaluation.bootstrap import Resamples
from xray_ai.training.evaluation.calibration_measures import calibration_figures, equal_weight_bins, recalibration
from xray_ai.training.evaluation.measured import CalibrationFigures
from xray_ai.training.evaluation.scoring import FloatArray

pytestmark = pytest.mark.training

IMAGES = 4000


def some_logits(seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(-1.0, 1.5, IMAGES)


def labelled(logits: FloatArray, seed: int = 1) -> FloatArray:
    """Draw labels with the probabilities that the logits say."""
    return np.asarray(np.random.default_rng(seed).random(len(logits)) < sigmoid(logits), np.float64)


def figures_of(said: FloatArray, labels: FloatArray) -> CalibrationFigures:
    card = a_finding(prevalence=float(labels.mean()))
    return calibration_figures(card, labels, sigmoid(said), independent(IMAGES))


def test_a_pack_that_means_what_it_says_has_slope_1_and_intercept_0() -> None:
    logits = some_logits()

    found = figures_of(logits, labelled(logits))

    assert found.slope.low <= 1.0 <= found.slope.high
    assert found.intercept.low <= 0.0 <= found.intercept.high
    assert found.adaptive_ece < 0.025
    assert found.mean_probability == pytest.approx(found.positives / IMAGES, abs=0.02)


def test_a_pack_that_is_too_sure_has_the_slope_that_would_mend_it() -> None:
    logits = some_logits()

    found = figures_of(2.0 * logits + 1.0, labelled(logits))

    assert found.slope.value == pytest.approx(0.5, abs=0.03)
    assert found.intercept.value == pytest.approx(-0.5, abs=0.08)
    assert found.adaptive_ece > 0.05


def test_the_fit_is_that_of_scikit_learn_for_each_row_of_weights() -> None:
    logits = some_logits()
    labels, weights = labelled(0.6 * logits), np.random.default_rng(2).integers(0, 3, (3, IMAGES)).astype(np.float64)

    fits = recalibration(logits, labels, weights)

    for fit, row in zip(fits, weights, strict=True):
        judge = LogisticRegression(C=1e9, tol=1e-8).fit(logits[:, None], labels, sample_weight=row)
        assert fit == pytest.approx([judge.intercept_[0], judge.coef_[0, 0]], abs=1e-3)


def test_saying_the_prevalence_every_time_has_no_skill() -> None:
    labels = labelled(some_logits())
    same = np.full(IMAGES, np.log(labels.mean() / (1 - labels.mean())))

    assert figures_of(same, labels).brier_skill.value == pytest.approx(0.0, abs=1e-6)


def test_saying_the_truth_has_all_skill() -> None:
    labels = labelled(some_logits())

    assert figures_of(40.0 * (labels - 0.5), labels).brier_skill.value == pytest.approx(1.0, abs=1e-4)


def test_each_bin_has_a_tenth_of_the_weight_and_together_they_hold_all() -> None:
    logits = some_logits()
    weights = np.random.default_rng(3).uniform(0.5, 2.0, IMAGES)

    bins = equal_weight_bins(sigmoid(logits), weights)

    assert np.bincount(bins, weights=weights) / weights.sum() == pytest.approx(np.full(10, 0.1), abs=0.002)
    assert all(logits[bins == low].max() <= logits[bins == low + 1].min() for low in range(9))


def test_weights_bring_the_images_to_the_stated_prevalence() -> None:
    logits = some_logits()
    labels = labelled(logits)
    rare = Resamples.draw(np.arange(IMAGES).astype(str), 1, 200).times(np.where(labels == 1, 0.1, 1.0))

    shifted = logits + np.log(0.1)  # by Bayes' rule, what a calibrated pack says where one in ten is left
    found = calibration_figures(a_finding(), labels, sigmoid(shifted), rare)

    assert found.slope.value == pytest.approx(1.0, abs=0.1)
    assert found.intercept.value == pytest.approx(0.0, abs=0.15)


def test_bins_say_how_many_images_stand_behind_them() -> None:
    logits = some_logits()
    labels = labelled(logits)

    bins = figures_of(logits, labels).bins

    assert sum(one.images for one in bins) == IMAGES
    assert sum(one.positives for one in bins) == labels.sum()
    assert all(one.observed.low <= one.observed.value <= one.observed.high for one in bins)
