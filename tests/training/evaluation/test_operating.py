"""What happens at the points, counted by hand, and at another prevalence by Bayes' rule."""

import numpy as np
import pytest

from tests.training.evaluation.scores import a_finding, a_scored, independent
from xray_ai.inference.pack_card import IntervalCard
from xray_ai.training.calibrate import raking_weights
from xray_ai.training.evaluation.measured import PointFigures
from xray_ai.training.evaluation.operating import alert_figures, point_figures
from xray_ai.triage import TriagePolicy

pytestmark = pytest.mark.training

# ten positives, of which 8 are flagged and 1 is ruled out; ten negatives, of which 2 are flagged and 5 are ruled out
LABELS = np.repeat([1.0, 0.0], 10)
PROBABILITIES = np.repeat([0.9, 0.3, 0.05, 0.9, 0.3, 0.05], [8, 1, 1, 2, 3, 5])
POLICY = TriagePolicy.parse('[priorities]\npneumothorax = "STAT"\nmass = "HIGH"')


def value(found: IntervalCard | None) -> float:
    assert found is not None
    return found.value


def points_at(prevalence: float, absent: float = 0.1) -> PointFigures:
    card = a_finding(prevalence=prevalence, absent=absent)
    weights = raking_weights(LABELS[:, None], np.array([prevalence]))
    return point_figures(card, LABELS, PROBABILITIES, independent(20).times(weights))


def test_points_are_counted() -> None:
    found = points_at(0.5)

    assert (value(found.sensitivity), value(found.specificity)) == (0.8, 0.8)
    assert (value(found.ppv), value(found.npv)) == (0.8, 0.8)
    assert found.alerts_per_100.value == 50.0
    assert value(found.rule_out_sensitivity) == 0.9
    assert value(found.rule_out_npv) == pytest.approx(5 / 6, abs=1e-4)
    assert value(found.ruled_out_per_100) == 30.0


def test_where_the_finding_is_rare_alerts_are_mostly_false() -> None:
    found = points_at(0.01)

    assert (value(found.sensitivity), value(found.specificity)) == (0.8, 0.8)
    assert value(found.ppv) == pytest.approx(0.008 / (0.008 + 0.198), abs=1e-4)  # Bayes
    assert found.alerts_per_100.value == pytest.approx(20.6)


def test_a_finding_that_is_never_ruled_out_has_no_figures_for_it() -> None:
    found = points_at(0.5, absent=0.0)

    assert (found.rule_out_sensitivity, found.rule_out_npv, found.ruled_out_per_100) == (None, None, None)


def test_a_finding_that_nobody_has_leaves_its_sensitivity_open() -> None:
    found = point_figures(a_finding(), np.zeros(20), PROBABILITIES, independent(20))

    assert found.sensitivity is None
    assert found.positives == 0


def test_the_policy_lifts_a_study_by_any_of_its_findings() -> None:
    keys = ("pneumothorax", "mass", "abnormality")
    labels = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    probabilities = np.array([[0.9, 0.1, 0.9], [0.9, 0.9, 0.9], [0.1, 0.1, 0.9], [0.1, 0.1, 0.1]])
    scored = a_scored(labels, probabilities, keys=keys)

    stat, high, either = alert_figures(scored, [a_finding(key) for key in keys], POLICY, independent(4))

    assert (stat.keys, stat.alerts_per_100.value, value(stat.ppv), value(stat.sensitivity)) == (keys[:1], 50, 0.5, 1.0)
    assert (high.keys, high.alerts_per_100.value, value(high.ppv)) == (keys[1:2], 25.0, 1.0)
    assert (either.keys, either.alerts_per_100.value, value(either.sensitivity)) == (keys[:2], 50.0, 1.0)
