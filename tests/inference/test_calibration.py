"""Probabilities are the pack's Platt scaling of the logits, whatever the network says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray_ai.inference.calibration import calibrated, operating_logits
from xray_ai.inference.pack_card import CalibrationCard, FindingCard

UNCHANGED = CalibrationCard(slope=1.0, intercept=0.0)
LOGITS = st.floats(allow_nan=False, width=32)


def test_each_output_has_its_own_slope_and_intercept() -> None:
    cards = (UNCHANGED, CalibrationCard(slope=2.0, intercept=-1.0))

    probabilities = calibrated(np.array([0.0, 1.5], np.float32), cards)

    assert probabilities.tolist() == pytest.approx([0.5, 1 / (1 + math.exp(-2.0))])


@given(logit=LOGITS)
def test_every_logit_becomes_a_probability(logit: float) -> None:
    (probability,) = calibrated(np.array([logit], np.float32), (UNCHANGED,))

    assert 0.0 <= probability <= 1.0


@given(one=LOGITS, other=LOGITS, slope=st.floats(0.01, 10), intercept=st.floats(-10, 10))
def test_calibration_keeps_the_order_of_radiographs(one: float, other: float, slope: float, intercept: float) -> None:
    cards = (CalibrationCard(slope=slope, intercept=intercept),) * 2

    lower, higher = calibrated(np.array(sorted([one, other]), np.float32), cards)

    assert lower <= higher


def a_finding(**changes: object) -> FindingCard:
    card = {
        "key": "mass",
        "name": "Mass",
        "code": {"scheme": "99TEST", "value": "mass", "meaning": "Mass"},
        "stated_prevalence": 0.1,
        "calibration": {"slope": 1.0, "intercept": 0.0},
        "operating_point": 0.5,
        "rule_out_point": 0.1,
        "expected_alert_share": 0.05,
    }
    return FindingCard.model_validate(card | changes)


@given(point=st.floats(1e-6, 1 - 1e-6), slope=st.floats(0.1, 10), intercept=st.floats(-10, 10))
def test_an_operating_point_as_a_logit_is_calibrated_back_to_itself(
    point: float, slope: float, intercept: float
) -> None:
    calibration = CalibrationCard(slope=slope, intercept=intercept)
    finding = a_finding(operating_point=point, calibration=calibration.model_dump())

    (logit,) = operating_logits((finding,))

    assert calibrated(np.array([logit]), (calibration,))[0] == pytest.approx(point, rel=1e-6)
