"""A score is a probability with the points that it is judged by."""

import math

import pytest

from xray_ai.domain.finding import Code, Finding, FindingKey, Score, ScoreOutOfRange
from xray_ai.errors import OperatorNeeded

MASS = Finding(FindingKey("mass"), "Mass", Code("SCT", "4147007", "Mass"))


def a_score(probability: float) -> Score:
    return Score(MASS, probability, operating_point=0.6, rule_out_point=0.1)


@pytest.mark.parametrize("probability", [0.0, 1e-12, 0.5, 1.0])
def test_a_probability_lies_from_0_to_1(probability: float) -> None:
    assert a_score(probability).probability == probability


@pytest.mark.parametrize("probability", [-1e-9, 1.0000001, 17.0, math.nan, math.inf, -math.inf])
def test_any_other_number_cannot_be_a_score_and_needs_an_operator(probability: float) -> None:
    with pytest.raises(ScoreOutOfRange, match=f"scored mass at {probability}") as refused:
        a_score(probability)

    assert isinstance(refused.value, OperatorNeeded)
    assert "xray-ai models verify" in refused.value.remedy


@pytest.mark.parametrize(("probability", "is_positive"), [(0.5999, False), (0.6, True), (0.9, True)])
def test_a_finding_is_positive_from_its_operating_point_on(probability: float, *, is_positive: bool) -> None:
    assert a_score(probability).is_positive is is_positive
