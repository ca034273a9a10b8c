"""DeLong's variance by definition, over findings and over patients."""

import numpy as np
import pytest

from tests.training.evaluation.scores import mediocre
from xray_ai.training.evaluation.delong import pulls, standard_error, standard_error_by_patient, two_sided_p
from xray_ai.training.evaluation.scoring import FloatArray

pytestmark = pytest.mark.training


def covariance_by_definition(labels: FloatArray, scores: FloatArray) -> FloatArray:
    """DeLong, DeLong and Clarke-Pearson (1988), equations 4 to 6, pair by pair: scores (N, M) -> (M, M)."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    psi = (positives[:, None] > negatives[None]) + 0.5 * (positives[:, None] == negatives[None])
    of_positives, of_negatives = psi.mean(axis=1), psi.mean(axis=0)
    return np.asarray(np.cov(of_positives.T) / len(positives) + np.cov(of_negatives.T) / len(negatives))


def test_the_variance_of_a_small_example_is_that_of_a_calculation_by_hand() -> None:
    labels, scores = np.array([1.0, 1.0, 1.0, 0.0, 0.0]), np.array([0.8, 0.6, 0.35, 0.1, 0.4])

    # placement values 1, 1, 1/2 and 1, 2/3: variances 1/12 and 1/18, so 1/12/3 + 1/18/2
    assert standard_error(pulls(labels, scores)) ** 2 == pytest.approx(1 / 18)


def test_the_variance_of_a_difference_is_that_of_the_definition_also_with_ties() -> None:
    scored = mediocre(80)
    labels, scores = scored.labels[:, 0], np.round(scored.probabilities, 1)

    covariance = covariance_by_definition(labels, scores)
    difference = pulls(labels, scores[:, 0]) - pulls(labels, scores[:, 1])

    expected = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert standard_error(difference) ** 2 == pytest.approx(expected)


def test_an_image_whose_label_is_unknown_has_no_pull() -> None:
    scored = mediocre(40)
    labels, scores = scored.labels[:, 0].copy(), scored.probabilities[:, 0]
    labels[:10] = np.nan

    assert pulls(labels, scores)[:10].tolist() == [0.0] * 10
    assert pulls(labels, scores)[10:] == pytest.approx(pulls(labels[10:], scores[10:]))


def test_one_image_of_a_class_has_no_variance() -> None:
    assert pulls(np.array([1.0, 0.0, 0.0]), np.arange(3.0)).tolist() == [0.0, 0.0, 0.0]


def test_copies_of_an_image_make_no_figure_more_certain_when_they_are_of_one_patient() -> None:
    scored = mediocre(200)
    labels, scores = scored.labels[:, 0], scored.probabilities[:, 0]
    fourfold, patients = pulls(np.tile(labels, 4), np.tile(scores, 4)), np.tile(scored.patients, 4)

    once = standard_error(pulls(labels, scores))

    assert standard_error_by_patient(fourfold, patients) == pytest.approx(once, rel=0.02)
    assert standard_error(fourfold) == pytest.approx(once / 2, rel=0.02)


def test_the_error_of_a_mean_over_findings_is_that_which_repeated_samples_show() -> None:
    means, errors = [], []
    for seed in range(300):
        scored = mediocre(100, seed=seed)
        columns = [(scored.labels[:, k], scored.probabilities[:, k]) for k in range(2)]
        means.append(np.mean([np.mean(s[y == 1][:, None] > s[y == 0][None]) for y, s in columns]))
        errors.append(standard_error(sum((pulls(y, s) for y, s in columns), np.zeros(1)) / 2))

    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)


def test_p_is_the_chance_of_a_difference_at_least_as_large() -> None:
    assert two_sided_p(1.96, 1.0) == pytest.approx(0.05, abs=1e-4)
    assert two_sided_p(-1.96, 1.0) == two_sided_p(1.96, 1.0)


def test_packs_that_do_not_differ_at_all_have_no_evidence_of_a_difference() -> None:
    assert two_sided_p(0.0, 0.0) == 1.0
