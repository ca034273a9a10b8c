"""Probabilities mean what they say at the stated prevalence, and alerts stay within what radiologists bear."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.training.cohorts import a_cohort_image
from xray_ai.app import DEFAULT_POLICY
from xray_ai.domain.finding import ABNORMALITY, FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.training.calibrate import (
    CalibratedOutput,
    calibrate,
    platt,
    raking_weights,
    source_weights,
    weighted_quantile,
)
from xray_ai.training.datasets.nih_chestxray14 import FINDING_KEYS
from xray_ai.training.finding_table import finding_table
from xray_ai.triage import TriagePolicy

pytestmark = pytest.mark.training

FloatArray = NDArray[np.float64]

POLICY = TriagePolicy.parse(DEFAULT_POLICY.read_text("utf-8"))
IMAGES = 3000


def sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-values)))


def labelled(logits: FloatArray, seed: int) -> FloatArray:
    """Draw labels with the probabilities that the logits say."""
    return np.asarray(np.random.default_rng(seed).random(logits.shape) < sigmoid(logits), np.float64)


def a_tuning_set(seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Logits of a mediocre network, correlated over findings as real ones are, and labels rarer than even."""
    draw = np.random.default_rng(seed)
    sickness = draw.normal(0, 1.5, (IMAGES, 1))
    truth = sickness + draw.normal(-3, 1, (IMAGES, len(FINDING_KEYS)))
    labels = labelled(truth, seed + 1)
    labels[:, -1] = labels[:, :-1].max(axis=1)
    return 0.5 * truth + draw.normal(0, 0.5, truth.shape), labels


def a_calibration() -> tuple[tuple[CalibratedOutput, ...], FloatArray, FloatArray, FloatArray]:
    """Outputs, with the probabilities, labels and weights that they were set on."""
    logits, labels = a_tuning_set()
    prevalence = np.array([finding_table()[key].prevalence for key in FINDING_KEYS])
    outputs = calibrate(FINDING_KEYS, logits, labels, prevalence, POLICY)
    slopes = np.array([output.slope for output in outputs])
    intercepts = np.array([output.intercept for output in outputs])
    return outputs, sigmoid(slopes * logits + intercepts), labels, raking_weights(labels, prevalence)


def share_with_any_alert(priority: Priority) -> float:
    """Share of studies, at the stated prevalence, with an alert of this priority."""
    outputs, probabilities, _, weights = a_calibration()
    group = [k for k, key in enumerate(FINDING_KEYS) if POLICY.priority_of(FindingKey(key)) is priority]
    alerts = np.stack([probabilities[:, k] >= outputs[k].operating_point for k in group]).any(axis=0)
    return float(weights[alerts].sum() / weights.sum())


def test_weighed_images_have_every_finding_as_often_as_stated() -> None:
    _, labels = a_tuning_set()
    prevalence = np.linspace(0.02, 0.2, len(FINDING_KEYS))
    prevalence[-1] = 0.5

    weights = raking_weights(labels, prevalence)

    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(IMAGES)
    np.testing.assert_allclose((weights[:, None] * labels).sum(axis=0) / weights.sum(), prevalence, rtol=1e-3)


def test_images_weigh_the_same_where_findings_are_as_frequent_as_stated() -> None:
    labels = np.array([[1.0], [0.0], [0.0], [0.0]])

    assert raking_weights(labels, np.array([0.25])).tolist() == pytest.approx([1.0] * 4)


def test_a_finding_that_no_tuning_patient_has_spoils_no_weight() -> None:
    labels = np.array([[1.0, 0.0], [0.0, 0.0]])

    assert raking_weights(labels, np.array([0.2, 0.1])).tolist() == pytest.approx([0.4, 1.6])


def test_platt_scaling_finds_slopes_and_intercepts_that_are_known() -> None:
    slopes, intercepts = np.array([0.6, 1.0, 1.8]), np.array([-1.0, 0.0, 0.5])
    logits = np.random.default_rng(2).normal(0, 2, (8000, 3))

    found = np.array(platt(logits, labelled(slopes * logits + intercepts, seed=3), np.ones(8000)))

    np.testing.assert_allclose(found[:, 0], slopes, rtol=0.12)
    np.testing.assert_allclose(found[:, 1], intercepts, atol=0.15)


def test_the_slope_of_a_rare_finding_is_drawn_to_the_common_one() -> None:
    logits = np.random.default_rng(4).normal(0, 2, (4000, 2))
    labels = labelled(1.5 * logits, seed=5)
    labels[:, 1] = 0.0
    labels[np.argsort(logits[:, 1])[-3:], 1] = 1.0  # three positives that part perfectly: alone, an endless slope

    (_, (rare, _)) = platt(logits, labels, np.ones(4000))

    assert 0.3 < rare < 10.0


def test_a_probability_is_as_frequent_as_it_says_at_the_stated_prevalence() -> None:
    _, probabilities, labels, weights = a_calibration()

    for output in range(len(FINDING_KEYS)):
        said = np.average(probabilities[:, output], weights=weights)
        assert said == pytest.approx(np.average(labels[:, output], weights=weights), rel=0.02)


def test_at_most_3_studies_of_100_are_stat() -> None:
    assert 0.02 < share_with_any_alert(Priority.STAT) <= 0.03


def test_at_most_15_studies_of_100_are_high() -> None:
    assert 0.12 < share_with_any_alert(Priority.HIGH) <= 0.15


def test_any_other_finding_alerts_on_twice_its_prevalence_between_1_and_10_studies_of_100() -> None:
    outputs, _, _, _ = a_calibration()

    routine = [
        output
        for key, output in zip(FINDING_KEYS, outputs, strict=True)
        if POLICY.priority_of(FindingKey(key)) is Priority.ROUTINE and key != ABNORMALITY
    ]
    for output in routine:
        assert output.alert_share == pytest.approx(np.clip(2 * output.prevalence, 0.01, 0.10), abs=0.005)


def test_abnormality_alerts_on_15_studies_of_100() -> None:
    outputs, _, _, _ = a_calibration()

    assert outputs[FINDING_KEYS.index(ABNORMALITY)].alert_share == pytest.approx(0.15, abs=0.005)


def test_the_alerts_to_expect_are_those_at_the_stated_prevalence() -> None:
    outputs, probabilities, _, weights = a_calibration()

    for k, output in enumerate(outputs):
        alerts = weights[probabilities[:, k] >= output.operating_point].sum() / weights.sum()
        assert output.alert_share == pytest.approx(alerts)


def test_a_finding_is_ruled_out_only_where_95_of_100_of_its_patients_lie_above() -> None:
    outputs, probabilities, labels, _ = a_calibration()

    for k, output in enumerate(outputs):
        positives = probabilities[labels[:, k] == 1, k]
        assert (positives >= output.rule_out_point).mean() >= 0.95
        assert 0.0 < output.rule_out_point <= output.operating_point


def test_a_finding_with_too_few_patients_is_never_ruled_out() -> None:
    logits, labels = a_tuning_set()
    labels[:, 0] = 0.0
    labels[:19, 0] = 1.0

    outputs = calibrate(FINDING_KEYS, logits, labels, np.full(len(FINDING_KEYS), 0.05), POLICY)

    assert outputs[0].rule_out_point == 0.0
    assert outputs[1].rule_out_point > 0.0


WEIGHED = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0.01, 10)), min_size=1, max_size=30, unique_by=lambda pair: pair[0]
)


@given(weighed=WEIGHED, share=st.floats(0, 1))
def test_a_weighted_quantile_is_the_smallest_value_with_that_share_below(
    weighed: list[tuple[float, float]], share: float
) -> None:
    values, weights = (np.array(part) for part in zip(*sorted(weighed), strict=True))
    aim = share * weights.sum()

    place = values.tolist().index(weighted_quantile(values, weights, share))

    assert place == len(values) - 1 or weights[:place].sum() >= aim * (1 - 1e-9)
    assert place == 0 or weights[: place - 1].sum() < aim * (1 + 1e-9)


def test_each_source_has_its_share_of_the_weight() -> None:
    images = [a_cohort_image(source="nih")] + [a_cohort_image(source="nih-128px")] * 4

    weights = source_weights(images, {"nih": 0.75, "nih-128px": 0.25})

    assert weights.sum() == pytest.approx(5)
    assert weights[0] == pytest.approx(0.75 * 5)


def test_weights_to_set_out_from_are_kept_where_labels_are_as_stated() -> None:
    labels = np.array([[1.0], [0.0], [1.0], [0.0]])
    start = np.array([2.0, 2.0, 1.0, 1.0])

    assert raking_weights(labels, np.array([0.5]), start).tolist() == pytest.approx([4 / 3, 4 / 3, 2 / 3, 2 / 3])
