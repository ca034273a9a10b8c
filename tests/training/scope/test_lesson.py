"""Each chest of a lesson has one role, and is asked only what makes sense of it."""

import pytest
import torch

from xray_ai.domain.scope import ScopeQuestion
from xray_ai.training.scope.derived import DERIVED
from xray_ai.training.scope.lesson import QUESTIONS, Lesson, lesson

pytestmark = pytest.mark.training


def a_lesson(left_out: frozenset[str] = frozenset()) -> Lesson:
    """A lesson of 100 chests that are darker on top, and 20 other images."""
    chests = torch.linspace(0, 1, 32)[None, None, :, None].repeat(100, 1, 1, 32)
    return lesson(chests, torch.rand(20, 1, 32, 32), left_out, torch.Generator().manual_seed(1))


def said(labels: torch.Tensor, question: ScopeQuestion) -> torch.Tensor:
    return labels[:, QUESTIONS.index(question)] == 1


def test_every_question_is_answered_with_yes_for_some_images() -> None:
    labels = a_lesson().labels

    assert all(said(labels, question).any() for question in ScopeQuestion)


def test_what_is_no_chest_is_asked_nothing_else() -> None:
    labels = a_lesson().labels

    others = labels[said(labels, ScopeQuestion.NOT_FRONTAL_CHEST)]

    assert len(others) == 20 + 16
    assert torch.isnan(others[:, 1:]).all()


def test_a_turned_chest_is_turned_clockwise_and_not_asked_for_its_quality() -> None:
    given = a_lesson()

    turned = said(given.labels, ScopeQuestion.TURNED_90) & ~said(given.labels, ScopeQuestion.INVERTED)

    middle = given.images[turned][:, 0, 8:24, 8:24]
    assert (middle[:, :, -4:].mean((1, 2)) < middle[:, :, :4].mean((1, 2))).all()  # its dark top is on the right
    assert torch.isnan(given.labels[turned][:, QUESTIONS.index(ScopeQuestion.CLIPPED) :]).all()


def test_most_chests_are_as_they_were() -> None:
    labels = a_lesson().labels[:100]

    assert int((torch.nan_to_num(labels).sum(1) == 0).sum()) == 100 - 18 - 10 - 4 * 5 - 16


def test_kinds_that_are_left_out_are_not_made() -> None:
    labels = a_lesson(frozenset(DERIVED)).labels

    assert int(said(labels, ScopeQuestion.NOT_FRONTAL_CHEST).sum()) == 20
