"""Acceptance by pixels: which answers of a scope model refuse a radiograph, which are noted, and in which words."""

import math
from collections.abc import Mapping

import pytest

from xray_ai.acceptance import accept_pixels
from xray_ai.domain.finding import ScoreOutOfRange
from xray_ai.domain.scope import QUALITY_FINDINGS, ScopeAnswer, ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected

Q = ScopeQuestion
POINT = 0.6


def answers(likely: Mapping[ScopeQuestion, float]) -> list[ScopeAnswer]:
    return [ScopeAnswer(question, likely.get(question, 0.01), POINT) for question in ScopeQuestion]


def refusal_of(likely: Mapping[ScopeQuestion, float]) -> StudyRejected:
    with pytest.raises(StudyRejected) as refusal:
        accept_pixels(answers(likely))
    return refusal.value


def test_an_upright_frontal_chest_taken_well_passes_without_a_note() -> None:
    assert accept_pixels(answers({})) == ()


@pytest.mark.parametrize(
    ("question", "code", "found"),
    [
        (Q.NOT_FRONTAL_CHEST, "not_frontal_chest", "By its pixels this is no frontal chest radiograph"),
        (Q.TURNED_90, "turned", "The image looks turned by 90 degrees clockwise"),
        (Q.TURNED_180, "turned", "The image looks turned by 180 degrees clockwise"),
        (Q.TURNED_270, "turned", "The image looks turned by 270 degrees clockwise"),
        (Q.INVERTED, "looks_inverted", "The image looks inverted"),
    ],
)
def test_a_refusal_says_what_was_found_how_sure_it_is_and_what_to_do(
    question: ScopeQuestion, code: str, found: str
) -> None:
    refusal = refusal_of({question: 0.93})

    assert refusal.code == code
    assert refusal.found.startswith(f"{found} (probability 0.93)")
    assert refusal.remedy


def test_the_first_refusing_answer_wins_and_not_the_likeliest() -> None:
    refusal = refusal_of({Q.NOT_FRONTAL_CHEST: 0.61, Q.TURNED_90: 0.99, Q.INVERTED: 0.99})

    assert refusal.code is RejectionCode.NOT_FRONTAL_CHEST


def test_the_order_of_the_answers_does_not_matter() -> None:
    with pytest.raises(StudyRejected) as refusal:
        accept_pixels(reversed(answers({Q.TURNED_180: 0.9, Q.INVERTED: 0.9})))

    assert refusal.value.code is RejectionCode.TURNED


@pytest.mark.parametrize(("probability", "is_refused"), [(POINT, True), (POINT - 0.0001, False)])
def test_an_answer_at_its_point_refuses_and_one_below_does_not(probability: float, *, is_refused: bool) -> None:
    if is_refused:
        assert refusal_of({Q.INVERTED: probability}).code is RejectionCode.LOOKS_INVERTED
    else:
        assert accept_pixels(answers({Q.INVERTED: probability})) == ()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (Q.CLIPPED, "The lungs look cut off by the edge of the image (probability 0.75)."),
        (Q.MOTION, "The image looks blurred by motion (probability 0.75)."),
        (Q.UNDEREXPOSED, "The image looks underexposed (probability 0.75)."),
        (Q.OVEREXPOSED, "The image looks overexposed (probability 0.75)."),
    ],
)
def test_a_poor_image_is_read_with_a_note(question: ScopeQuestion, text: str) -> None:
    (note,) = accept_pixels(answers({question: 0.75}))

    assert (note.code, note.text) == (question, text)


def test_each_fault_of_an_image_is_noted() -> None:
    notes = accept_pixels(answers({Q.OVEREXPOSED: 0.7, Q.CLIPPED: 0.9}))

    assert [note.code for note in notes] == ["clipped", "overexposed"]


def test_a_poor_image_of_something_else_is_refused_for_what_it_is() -> None:
    assert refusal_of({Q.NOT_FRONTAL_CHEST: 0.9, Q.CLIPPED: 0.99}).code is RejectionCode.NOT_FRONTAL_CHEST


def test_a_fault_of_an_image_has_the_standards_code_and_nothing_else_has_one() -> None:
    assert {question: code.value for question, code in QUALITY_FINDINGS.items()} == {
        Q.CLIPPED: "111209",
        Q.MOTION: "111210",
        Q.UNDEREXPOSED: "111211",
        Q.OVEREXPOSED: "111212",
    }
    assert {code.scheme for code in QUALITY_FINDINGS.values()} == {"DCM"}


@pytest.mark.parametrize("probability", [-0.01, 1.01, math.nan])
def test_an_answer_that_is_no_probability_needs_an_operator(probability: float) -> None:
    with pytest.raises(ScoreOutOfRange, match="scored turned_90 at"):
        ScopeAnswer(Q.TURNED_90, probability, POINT)
